"""Adapters that live in the process."""

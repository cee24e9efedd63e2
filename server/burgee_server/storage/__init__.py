"""Adapters of the ports, a folder a technology. Imports no feature."""

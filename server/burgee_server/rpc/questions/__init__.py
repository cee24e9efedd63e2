"""Insight questions as the wire asks them, and answers as it gives them: a module an insight."""

"""The Burgee server: what an operator runs."""

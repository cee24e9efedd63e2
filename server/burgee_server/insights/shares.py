"""Shares, as every answer has them."""


def share(count: int, of: int) -> float:
    """0 to 1; of nobody, 0."""
    return count / of if of else 0.0

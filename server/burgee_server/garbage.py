"""How often Python's garbage collector looks, in every process that answers calls or works for one that does."""

import gc

THRESHOLDS = (25_000, 20, 20)
"""With Python's own it runs every few dozen calls: a tenth of the processor time of a flag check."""


def calm() -> None:
    """Have it look at what calls leave behind, less often, and not at what the process is made of by now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)

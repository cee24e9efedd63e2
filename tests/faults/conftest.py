"""What the proofs share."""

import os
import random

import pytest


@pytest.fixture
def chance() -> random.Random:
    """What happens by chance in a test; SEED=… in the environment makes it happen again."""
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    print(f"SEED={seed}")
    return random.Random(seed)

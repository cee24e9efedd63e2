"""What the proofs share."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.mounts import SmallDisk


@pytest.fixture
def chance() -> random.Random:
    """What happens by chance in a test; SEED=… in the environment makes it happen again."""
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    print(f"SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 64 MB; skipped where the system gives no mount namespace."""
    try:
        disk = SmallDisk(tmp_path / "disk", 64)
    except (FileNotFoundError, PermissionError) as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    yield disk
    disk.close()

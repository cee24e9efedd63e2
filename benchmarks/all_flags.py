"""What every flag of a product costs at once, for one person and company: `python -m benchmarks.all_flags`.

The flags are those of benchmarks/product.py, in a client's memory with the properties of its companies; `all_flags` is
called for one of them after the other, with what a service knows of the person. Nothing is asked of the server.
"""

from collections import Counter
from functools import partial

import burgee
from benchmarks.evaluate import microseconds
from benchmarks.filled import put_product
from benchmarks.product import PASSED, flags
from benchmarks.server import KEY, serving

COMPANIES = 1_000


def cost(count: int) -> float:
    """Microseconds of a call, in a client that has so many flags in memory."""
    numbers = iter(range(10**9))
    with (
        serving(partial(put_product, count, COMPANIES)) as server,
        burgee.Client(server.target, KEY, flag_timeout=20) as client,
    ):

        def check() -> object:
            return client.all_flags("ann", properties=PASSED, company=f"company-{next(numbers) % COMPANIES}")

        assert client.resolve("flag-0").reason is burgee.Reason.STATIC
        return microseconds(check)


def main() -> None:
    """Print the table."""
    kinds = Counter(flag.description for flag in flags(100))
    print(f"100 flags: {', '.join(f'{share} {name}' for name, share in kinds.items())}\n")
    print("| all_flags of | µs | a flag |\n|---|---:|---:|")
    for count in (10, 100, 1_000):
        found = cost(count)
        print(f"| {count:,} flags | {found:,.1f} | {found / count:.2f} |", flush=True)


if __name__ == "__main__":
    main()

"""The same flag, checked in process by Burgee and by other SDKs from PyPI: `python -m benchmarks.compare [NAME …]`.

One run, one thread. In each round every contender checks the flag for the same companies, all of which meet its two
conditions, and the order is another each time; a ratio is the median of those of the rounds. Before that, each must be
on for exactly the companies that its own rollout includes, worked out here from its published hash.

"Made before" checks with contexts that were made beforehand, where an SDK has such a thing; "made each time" makes one
for each check, as a service does that has a request in its hands. Burgee's client takes arguments, and knows the
companies' properties from its stream unless they are passed; its server is another process, and is not asked. A client
remembers answers until something changes; "worked out anew" has it forget them before each check.
"""

import random
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from statistics import median
from time import perf_counter

import burgee
from benchmarks.question import COMPANIES, KEY, PERCENT, PERSON, PLAN, SEATS, Company, Sdk
from benchmarks.server import KEY as API_KEY
from benchmarks.server import serving
from burgee import wire
from burgee.evaluation import Context, Flag, FlagSet, bucket, flag_from_document, with_defaults
from burgee.v1 import flag_admin_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub

RIVALS = ("posthog", "launchdarkly", "growthbook", "unleash", "flagd")
ROUNDS = 31
ASKED = [company for company in COMPANIES if company.meets_conditions]
CLIENT = "burgee: the client, properties stored"


@dataclass
class Contender:
    """An SDK, with what each of its rounds took: microseconds a check."""

    sdk: Sdk
    before: list[float] = field(default_factory=list)
    each_time: list[float] = field(default_factory=list)

    def round(self) -> None:
        """Every company once, in both ways; and once before, as others have emptied the processor's cache."""
        context, check = self.sdk.context, self.sdk.check
        contexts = [context(company) for company in ASKED]
        for made in contexts:
            check(made)
        began = perf_counter()
        for made in contexts:
            check(made)
        between = perf_counter()
        for company in ASKED:
            check(context(company))
        ended = perf_counter()
        self.before.append((between - began) / len(ASKED) * 1e6)
        self.each_time.append((ended - between) / len(ASKED) * 1e6)


def flag() -> Flag:
    """The flag that everybody has."""
    conditions = [
        {"attribute": "company.plan", "operator": "equals", "values": [PLAN]},
        {"attribute": "company.seats", "operator": "gte", "values": [SEATS]},
    ]
    rule = {"conditions": conditions, "distribution": {"bucket_by": "company", "rollout": PERCENT * 1_000}}
    return with_defaults(flag_from_document({"key": KEY, "enabled": True, "rules": [rule]}))


def core(name: str, make: Callable[[], FlagSet]) -> Sdk:
    """Evaluation alone, with properties passed; a new flag set is one that has not seen anybody."""

    def context(company: Company) -> Context:
        return Context(PERSON, {"company": company.key}, {}, {"company": company.properties})

    def check(context: Context) -> bool:
        return make().evaluate(KEY, context, {}, 0.0).value is True

    return Sdk(name, context, check, includes)


def includes(key: str) -> bool:
    """Burgee's rollout."""
    return bucket(KEY, key) <= PERCENT / 100


@contextmanager
def clients() -> Iterator[list[Sdk]]:
    """`is_enabled` of a client that has the flag, and every company's properties, from a server.

    Others have their events switched off, and so has this one, but for one that captures exposures, as by default.
    """
    with (
        serving() as server,
        burgee.Client(server.target, API_KEY, flag_timeout=20, exposures=False) as client,
        burgee.Client(server.target, API_KEY, flag_timeout=20) as capturing,
    ):
        request = flag_admin_pb2.CreateFlagRequest(flag=wire.flag_to_proto(flag()))
        client.stub(FlagAdminServiceStub).CreateFlag(request)
        for company in COMPANIES:
            client.group("company", company.key, company.properties)
        assert client.flush(60)
        yield [
            stored(CLIENT, client),
            Sdk(
                "burgee: the client, properties passed",
                lambda company: (company.key, {"company": company.properties}),
                lambda asked: client.is_enabled(KEY, PERSON, group_properties=asked[1], company=asked[0]),
                includes,
            ),
            stored("burgee: the client, with exposures", capturing),
            Sdk("burgee: the client, worked out anew", lambda company: company.key, partial(anew, client), includes),
        ]


def anew(client: burgee.Client, key: str) -> bool:
    """A check of a company that was not asked for since anything changed."""
    assert client._flags.stream is not None
    assert client._flags.stream.current is not None
    client._flags.stream.current.answers.clear()
    return client.is_enabled(KEY, PERSON, company=key)


def stored(name: str, client: burgee.Client) -> Sdk:
    """A client that is told the company's key."""
    return Sdk(name, lambda company: company.key, lambda key: client.is_enabled(KEY, PERSON, company=key), includes)


def rivals(names: Iterable[str]) -> Iterator[Sdk]:
    """Those that are installed; of the others, which extra has them."""
    for name in names:
        try:
            yield import_module(f"benchmarks.rivals.{name}").sdk()
        except ModuleNotFoundError as missing:
            print(f"{name} is left out, as {missing.name} is not installed: pip install -e '.[bench]'")


def run(sdks: Iterable[Sdk]) -> list[Contender]:
    """Verify all, warm them up, and let them take turns."""
    contenders = [Contender(sdk) for sdk in sdks]
    for contender in contenders:
        contender.sdk.verify()
        contender.round()
        contender.before.clear()
        contender.each_time.clear()
    for _ in range(ROUNDS):
        for contender in random.sample(contenders, len(contenders)):
            contender.round()
    return contenders


def ratio(these: list[float], those: list[float]) -> float:
    """The median of the rounds' ratios: what disturbs the machine for a while disturbs both."""
    return median(this / that for this, that in zip(these, those, strict=True))


def main() -> None:
    """Print the table."""
    known = FlagSet([flag()])
    with clients() as ours:
        sdks = [core("burgee: the core", lambda: known), *ours, *rivals(sys.argv[1:] or RIVALS)]
        contenders = run(sdks)
    client = next(contender for contender in contenders if contender.sdk.name == CLIENT)
    print(f"\n{len(ASKED)} companies a round, {ROUNDS} rounds, medians; the ratios are to {CLIENT!r}\n")
    print("| one check | µs, context made before | ratio | µs, made each time | ratio |\n|---|---:|---:|---:|---:|")
    for each in contenders:
        numbers = (
            median(each.before),
            ratio(each.before, client.before),
            median(each.each_time),
            ratio(each.each_time, client.each_time),
        )
        print(f"| {each.sdk.name} | {' | '.join(f'{number:.2f}' for number in numbers)} |")


if __name__ == "__main__":
    main()

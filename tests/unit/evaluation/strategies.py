"""What hypothesis draws from: any JSON, any context, any flag that passes the check."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from burgee.evaluation import (
    COHORT,
    ROLLOUT_ALL,
    Condition,
    Context,
    Distribution,
    Flag,
    FlagType,
    Operator,
    Prerequisite,
    RampStep,
    Rule,
    Variant,
    VariantWeight,
    cohort,
)
from burgee.evaluation.operators import COHORTS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()

names = st.sampled_from(["plan", "seats", "region", "created", "a.b", ""])
group_types = st.sampled_from(["company", "team"])
keys = st.sampled_from(["", "acme", "globex", "ann", "日本"]) | st.text(max_size=5)
telling = st.sampled_from(
    ["pro", "5", "eu", "1.2.3", "1.2.3-rc.1", "2026-03-01", "2026-02-01T00:00:00Z", "-30d", 5, 5.0, 7, True, "acme"]
)
scalars = telling | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
finite_json = st.recursive(
    telling | st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc. é", max_size=3), inner, max_size=3),
    max_leaves=5,
)


def contexts(values: st.SearchStrategy[object] = json_values) -> st.SearchStrategy[Context]:
    """Any context, its properties drawn from `values`."""
    properties = st.dictionaries(names, values, max_size=4)
    return st.builds(
        Context,
        distinct_id=keys,
        groups=st.dictionaries(group_types, keys, max_size=2),
        properties=properties,
        group_properties=st.dictionaries(group_types, properties, max_size=2),
    )


_cohort_keys = st.sampled_from(["beta", "gold"])
profiles = st.builds(
    lambda properties, members: properties | members,
    st.dictionaries(
        st.tuples(st.sampled_from(["user", "company", "team"]), keys),
        st.dictionaries(names, json_values, max_size=4),
        max_size=4,
    ),
    st.dictionaries(st.tuples(st.just(COHORT), _cohort_keys), st.lists(keys, max_size=4).map(cohort), max_size=2),
)

attributes = st.builds(
    "{}.{}".format, st.sampled_from(["user", "company", "team"]), names.filter(bool) | st.just("key")
)
texts = st.sampled_from(["pro", "eu", "5", "", "a"])
times = st.sampled_from(["-30d", "now", "+1m", "2026-03-01", "2026-02-01T00:00:00Z"])
versions = st.sampled_from(["1.2.3", "0.1.0-rc.1", "2.0.0"])
patterns = st.sampled_from(["^p", "o$", "(?i)PRO", "[0-9]+", "(a+)+$", "\\bpro\\b", ""])
given_values = finite_json.filter(lambda value: value is not None)


def _values(operator: Operator) -> st.SearchStrategy[tuple[object, ...]]:
    match operator:
        case Operator.IS_SET | Operator.IS_NOT_SET:
            return st.just(())
        case Operator.EQUALS | Operator.NOT_EQUALS:
            return st.tuples(given_values)
        case Operator.IN | Operator.NOT_IN | Operator.CONTAINS | Operator.NOT_CONTAINS:
            return st.lists(given_values, min_size=1, max_size=3).map(tuple)
        case Operator.STARTS_WITH | Operator.ENDS_WITH:
            return st.lists(texts, min_size=1, max_size=3).map(tuple)
        case Operator.IN_COHORT | Operator.NOT_IN_COHORT:
            return st.lists(_cohort_keys, min_size=1, max_size=2).map(tuple)
        case Operator.MATCHES:
            return st.tuples(patterns)
        case Operator.BEFORE | Operator.AFTER:
            return st.tuples(times)
        case Operator.GT | Operator.GTE | Operator.LT | Operator.LTE:
            return st.tuples(st.integers(-10, 10) | st.floats(-10, 10))
        case _:
            return st.tuples(versions)


key_attributes = st.sampled_from(["user.key", "company.key", "team.key"])
conditions = st.sampled_from(Operator).flatmap(
    lambda operator: st.builds(
        Condition, key_attributes if operator in COHORTS else attributes, st.just(operator), _values(operator)
    )
)

VALUES: dict[FlagType, tuple[object, ...]] = {
    FlagType.BOOLEAN: (True, False, True),
    FlagType.STRING: ("x", "", "日本"),
    FlagType.NUMBER: (1, 0, -2.5),
    FlagType.JSON: ({"a": [1, None]}, [], [True]),
}
VARIANTS = ("one", "two", "three")


@st.composite
def distributions(draw: st.DrawFn) -> Distribution:
    """Any distribution over VARIANTS."""
    weights = draw(
        st.dictionaries(st.sampled_from(VARIANTS), st.integers(0, 3), min_size=1).filter(lambda w: any(w.values()))
    )
    days = sorted(draw(st.sets(st.integers(-5, 5), max_size=3)))
    rollouts = st.integers(0, ROLLOUT_ALL) | st.sampled_from([0, ROLLOUT_ALL])
    ramp = tuple(RampStep(datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day), draw(rollouts)) for day in days)
    return Distribution(
        weights=tuple(VariantWeight(variant, weight) for variant, weight in weights.items()),
        bucket_by=draw(st.sampled_from(["user", "company", "team"]) | attributes),
        rollout=ROLLOUT_ALL if ramp else draw(rollouts),
        ramp=ramp,
        salt=draw(st.sampled_from(["", "salt"])),
    )


@st.composite
def flags(
    draw: st.DrawFn, key: str = "f", prerequisites: tuple[Prerequisite, ...] = (), type_: FlagType | None = None
) -> Flag:
    """Any flag that passes the check."""
    type_ = type_ or draw(st.sampled_from(FlagType))
    rules = draw(st.lists(st.tuples(st.lists(conditions, max_size=3), distributions()), max_size=3))
    return Flag(
        key=key,
        type=type_,
        variants=tuple(map(Variant, VARIANTS, VALUES[type_])),
        off_variant=draw(st.sampled_from(VARIANTS)),
        enabled=draw(st.sampled_from([True, True, True, False])),
        rules=tuple(
            Rule(f"rule-{number}", distribution, tuple(asked), draw(st.sampled_from(["", "why"])))
            for number, (asked, distribution) in enumerate(rules, 1)
        ),
        fallthrough=draw(st.none() | distributions()),
        salt=draw(st.sampled_from(["", "shared"])),
        prerequisites=prerequisites,
        archived=draw(st.sampled_from([False, False, False, True])),
        version=draw(st.integers(0, 5)),
        description=draw(st.sampled_from(["", "A flag"])),
        tags=draw(st.sampled_from([(), ("billing",)])),
    )


@st.composite
def flag_sets(draw: st.DrawFn) -> list[Flag]:
    """Some flags that depend on one another, in any way, cycles and missing ones too."""
    keys_here = draw(st.lists(st.sampled_from("abcd"), unique=True, min_size=1))
    needed = st.builds(
        Prerequisite, st.sampled_from("abcdz"), st.lists(st.sampled_from(VARIANTS), min_size=1).map(tuple)
    )
    return [
        draw(flags(key, tuple(draw(st.lists(needed, max_size=2, unique_by=lambda each: each.flag_key)))))
        for key in keys_here
    ]

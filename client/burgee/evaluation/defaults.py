"""Fills in what a flag may leave out."""

from dataclasses import replace

from burgee.evaluation.model import Distribution, Flag, FlagType, Rule, Variant, VariantWeight

ON, OFF = "on", "off"


def with_defaults(flag: Flag) -> Flag:
    """The flag with everything spelled out that has one obvious meaning. Doing it again changes nothing.

    A boolean flag without variants gets on and off. The off variant is "off" for a boolean flag, else the first
    variant. In a boolean flag that has a variant "on", a distribution without weights gives it. A rule without an
    id gets the first free one of rule-1, rule-2, …
    """
    variants = flag.variants
    if flag.type is FlagType.BOOLEAN and not variants:
        variants = (Variant(ON, True), Variant(OFF, False))
    off_variant = flag.off_variant or (OFF if flag.type is FlagType.BOOLEAN else variants[0].key if variants else "")
    gives_on = flag.type is FlagType.BOOLEAN and any(variant.key == ON for variant in variants)

    def weighted(distribution: Distribution) -> Distribution:
        if distribution.weights or not gives_on:
            return distribution
        return replace(distribution, weights=(VariantWeight(ON, 1),))

    return replace(
        flag,
        variants=variants,
        off_variant=off_variant,
        rules=tuple(replace(rule, distribution=weighted(rule.distribution)) for rule in _identified(flag.rules)),
        fallthrough=None if flag.fallthrough is None else weighted(flag.fallthrough),
    )


def _identified(rules: tuple[Rule, ...]) -> list[Rule]:
    taken = {rule.rule_id for rule in rules}
    free = (name for number in range(1, 2 * len(rules) + 1) if (name := f"rule-{number}") not in taken)
    return [rule if rule.rule_id else replace(rule, rule_id=next(free)) for rule in rules]

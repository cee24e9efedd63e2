"""Flags and contexts as plain JSON documents: the one form for storage, export and conformance cases.

Names are those of the proto, in snake_case; enums are in lower case; moments are RFC 3339. What is empty is left out.
Reading is strict: an unknown name is an error, as it is most often a misspelt one.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from burgee.evaluation import times
from burgee.evaluation.conditions import is_json
from burgee.evaluation.kinds import is_list, kind
from burgee.evaluation.model import (
    ROLLOUT_ALL,
    USER,
    Condition,
    Context,
    Distribution,
    Flag,
    FlagType,
    Json,
    Operator,
    Prerequisite,
    RampStep,
    Rule,
    Variant,
    VariantWeight,
)

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class DocumentError(ValueError):
    """A document cannot be read: `path` is where, `reason` is what would be right."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or 'document'}: {reason}")
        self.path = path
        self.reason = reason


def flag_to_document(flag: Flag) -> dict[str, Json]:
    """A flag as JSON. flag_from_document gives the same flag back."""
    return _without_empty(
        {
            "key": flag.key,
            "description": flag.description,
            "type": str(flag.type),
            "enabled": flag.enabled,
            "variants": [{"key": variant.key, "value": variant.value} for variant in flag.variants],
            "off_variant": flag.off_variant,
            "rules": [_rule_document(rule) for rule in flag.rules],
            "fallthrough": None if flag.fallthrough is None else _distribution_document(flag.fallthrough),
            "salt": flag.salt,
            "prerequisites": [
                {"flag_key": each.flag_key, "variants": list(each.variants)} for each in flag.prerequisites
            ],
            "tags": list(flag.tags),
            "owner": flag.owner,
            "archived": flag.archived,
            "version": flag.version,
        }
    )


def flag_from_document(document: object, path: str = "") -> Flag:
    """Read a flag. Raises DocumentError. Defaults are not filled in, see defaults.with_defaults."""
    fields = _Fields(document, path)
    flag = Flag(
        key=fields.text("key"),
        description=fields.text("description"),
        type=fields.choice("type", FlagType, FlagType.BOOLEAN),
        enabled=fields.truth("enabled"),
        variants=fields.list("variants", _variant),
        off_variant=fields.text("off_variant"),
        rules=fields.list("rules", _rule),
        fallthrough=fields.part("fallthrough", _distribution),
        salt=fields.text("salt"),
        prerequisites=fields.list("prerequisites", _prerequisite),
        tags=fields.list("tags", _text),
        owner=fields.text("owner"),
        archived=fields.truth("archived"),
        version=fields.whole("version", 0),
    )
    fields.finish()
    return flag


def context_from_document(document: object, path: str = "") -> Context:
    """Read a context. Raises DocumentError."""
    fields = _Fields(document, path)
    context = Context(
        distinct_id=fields.text("distinct_id"),
        groups=fields.map("groups", _text),
        properties=fields.map("properties", _json),
        group_properties=fields.map("group_properties", lambda value, at: _Fields(value, at).all_json()),
    )
    fields.finish()
    return context


def _rule_document(rule: Rule) -> dict[str, Json]:
    return _without_empty(
        {
            "rule_id": rule.rule_id,
            "description": rule.description,
            "conditions": [
                _without_empty(
                    {"attribute": each.attribute, "operator": str(each.operator), "values": list(each.values)}
                )
                for each in rule.conditions
            ],
            "distribution": _distribution_document(rule.distribution),
        }
    )


def _distribution_document(distribution: Distribution) -> dict[str, Json]:
    document = _without_empty(
        {
            "bucket_by": distribution.bucket_by,
            "ramp": [{"at": times.render(step.at), "rollout": step.rollout} for step in distribution.ramp],
            "weights": [{"variant": each.variant, "weight": each.weight} for each in distribution.weights],
            "salt": distribution.salt,
        }
    )
    if distribution.rollout != ROLLOUT_ALL:
        document["rollout"] = distribution.rollout
    return document


def _without_empty(document: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in document.items() if value not in (None, "", [], False)}


def _variant(document: object, path: str) -> Variant:
    fields = _Fields(document, path)
    variant = Variant(fields.text("key"), fields.json("value"))
    fields.finish()
    return variant


def _rule(document: object, path: str) -> Rule:
    fields = _Fields(document, path)
    rule = Rule(
        rule_id=fields.text("rule_id"),
        description=fields.text("description"),
        conditions=fields.list("conditions", _condition),
        distribution=fields.part("distribution", _distribution) or Distribution(weights=()),
    )
    fields.finish()
    return rule


def _condition(document: object, path: str) -> Condition:
    fields = _Fields(document, path)
    condition = Condition(fields.text("attribute"), fields.choice("operator", Operator), fields.list("values", _json))
    fields.finish()
    return condition


def _distribution(document: object, path: str) -> Distribution:
    fields = _Fields(document, path)
    distribution = Distribution(
        bucket_by=fields.text("bucket_by") or USER,
        rollout=fields.whole("rollout", ROLLOUT_ALL),
        ramp=fields.list("ramp", _ramp_step),
        weights=fields.list("weights", _weight),
        salt=fields.text("salt"),
    )
    fields.finish()
    return distribution


def _ramp_step(document: object, path: str) -> RampStep:
    fields = _Fields(document, path)
    seconds = times.parse(fields.text("at"))
    if seconds is None:
        raise DocumentError(f"{path}.at", "expected an RFC 3339 timestamp or a date")
    step = RampStep(datetime.fromtimestamp(seconds, UTC), fields.whole("rollout", 0))
    fields.finish()
    return step


def _weight(document: object, path: str) -> VariantWeight:
    fields = _Fields(document, path)
    weight = VariantWeight(fields.text("variant"), fields.whole("weight", 0))
    fields.finish()
    return weight


def _prerequisite(document: object, path: str) -> Prerequisite:
    fields = _Fields(document, path)
    prerequisite = Prerequisite(fields.text("flag_key"), fields.list("variants", _text))
    fields.finish()
    return prerequisite


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise DocumentError(path, f"expected text, got {kind(value)}")
    return value


def _json(value: Any, path: str) -> Json:
    if not is_json(value):
        raise DocumentError(path, "expected JSON")
    return value  # type: ignore[no-any-return] # is_json has looked


class _Fields:
    """Takes the fields of an object one by one, and complains about those that nobody took."""

    def __init__(self, document: object, path: str) -> None:
        if not isinstance(document, Mapping):
            raise DocumentError(path, f"expected an object, got {kind(document)}")
        self._left = dict(document)
        self._path = path

    def finish(self) -> None:
        for name in self._left:
            raise DocumentError(self._at(name), "no such field")

    def text(self, name: str) -> str:
        return _text(self._left.pop(name, ""), self._at(name))

    def truth(self, name: str) -> bool:
        value = self._left.pop(name, False)
        if not isinstance(value, bool):
            raise DocumentError(self._at(name), f"expected true or false, got {kind(value)}")
        return value

    def whole(self, name: str, absent: int) -> int:
        value = self._left.pop(name, absent)
        if not isinstance(value, int) or isinstance(value, bool):
            raise DocumentError(self._at(name), "expected a whole number")
        return value

    def json(self, name: str) -> Json:
        return _json(self._left.pop(name, None), self._at(name))

    def choice(self, name: str, choices: type[E], absent: E | None = None) -> E:
        value = self._left.pop(name, absent)
        try:
            return choices(value)
        except ValueError:
            raise DocumentError(self._at(name), f"expected one of {', '.join(choices)}") from None

    def part(self, name: str, read: Callable[[object, str], T]) -> T | None:
        value = self._left.pop(name, None)
        return None if value is None else read(value, self._at(name))

    def list(self, name: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
        value = self._left.pop(name, ())
        if not is_list(value):
            raise DocumentError(self._at(name), f"expected a list, got {kind(value)}")
        return tuple(read(item, f"{self._at(name)}[{index}]") for index, item in enumerate(value))

    def map(self, name: str, read: Callable[[object, str], T]) -> Mapping[str, T]:
        value = self._left.pop(name, {})
        if not isinstance(value, Mapping):
            raise DocumentError(self._at(name), f"expected an object, got {kind(value)}")
        return {key: read(item, f"{self._at(name)}.{key}") for key, item in value.items()}

    def all_json(self) -> Mapping[str, Json]:
        return {name: _json(value, self._at(name)) for name, value in self._left.items()}

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

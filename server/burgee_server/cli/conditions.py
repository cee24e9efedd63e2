"""Conditions as they are typed: `company.plan in pro,team`, `event.pages gt 3`, `user.email is_set`."""

import json
from collections.abc import Iterable
from typing import Any

import click

from burgee.evaluation import Condition, Json, Operator


class ConditionType(click.ParamType[Condition]):
    """Reads "ATTRIBUTE OPERATOR [VALUE[,VALUE]]"; a value that is JSON is taken as such, any other as text.

    What a key is compared with is text, whatever it looks like: `company.key equals 42` is company "42".
    """

    name = "condition"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Condition:
        """The condition in a text."""
        parts = str(value).split(maxsplit=2)
        if len(parts) < 2:
            self.fail(f"{value!r} is not ATTRIBUTE OPERATOR [VALUE]", param, ctx)
        attribute, name, *rest = parts
        try:
            operator = Operator(name)
        except ValueError:
            self.fail(f"{name!r} is not an operator; there are: {', '.join(Operator)}", param, ctx)
        read = read_keys if _is_key(attribute) else read_values
        return Condition(attribute, operator, read(rest[0]) if rest else ())


def _is_key(attribute: str) -> bool:
    owner, _, name = attribute.partition(".")
    return owner != "event" and name == "key"


def condition_text(condition: Condition) -> str:
    """As it is typed, or would be."""
    values = (value if isinstance(value, str) else json.dumps(value) for value in condition.values)
    return f"{condition.attribute} {condition.operator} {','.join(values)}".rstrip()


def read_values(text: str) -> tuple[Json, ...]:
    """`["a", 1]` is a list, `3` a number, `pro,team` two texts."""
    whole = read_value(text)
    if isinstance(whole, list):
        return tuple(whole)
    if not isinstance(whole, str) or text.startswith('"'):
        return (whole,)
    return tuple(read_value(part.strip()) for part in text.split(","))


def read_keys(text: str) -> tuple[Json, ...]:
    """`["a", 1]` is two keys, as is `a,1`; `"a,1"` is one."""
    whole = read_value(text)
    if isinstance(whole, list):
        return tuple(key if isinstance(key, str) else json.dumps(key) for key in whole)
    if isinstance(whole, str) and text.startswith('"'):
        return (whole,)
    return tuple(key.strip() for key in text.split(","))


def read_value(text: str) -> Json:
    """JSON, or else the text itself."""
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value


def read_pairs(pairs: Iterable[str], option: str, form: str) -> dict[str, str]:
    """`name=value` options as a dict. Raises UsageError, which shows the form that was expected."""
    read = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"{option} {pair!r} is not {form}")
        read[name] = value
    return read


where_option = click.option(
    "--where",
    "conditions",
    type=ConditionType(),
    multiple=True,
    help="Only where this holds, such as 'company.plan in pro,team'; may be given several times.",
)

"""What a filter or a breakdown goes by: "event.<property>", "user.key", "company.plan", …, and how SQL reads it."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from burgee.evaluation import MAX_PARENT_KEY, USER
from burgee_server.errors import Invalid
from burgee_server.names import MAX_NAME, reading_fault, require
from burgee_server.ports.warehouse import number_column, property_column, property_number, quote_name, text_column

EVENT = "event"
COHORT = "$cohort/"
"""Before the key of a cohort, in an attribute that splits an answer: user.$cohort/testers."""

_MOST_NAMED = 20
_FORMS = 'must be "event.<property>", "user.<property>", "user.key", "<group type>.<property>" or "<group type>.key"'


@dataclass(frozen=True, slots=True)
class Attribute:
    """A property of an event, of a user or of a group; or a user's or group's key, if `name` is empty."""

    owner: str
    """"event", "user", or a group type."""
    name: str


def parse_attribute(text: str, group_types: Collection[str], field: str) -> Attribute:
    """Read an attribute; the first dot ends the owner. Raises Invalid, also for a group type that is not known."""
    owner, dot, name = text.partition(".")
    if len(owner) > MAX_NAME or len(name) > MAX_NAME:
        raise Invalid.of(field, f"{_FORMS}, with at most {MAX_NAME} characters on each side of the first dot")
    if not dot or not owner or not name:
        raise Invalid.of(field, f"{_FORMS}, not {text!r}")
    require(field, reading_fault(name))
    if owner == EVENT:
        return Attribute(EVENT, name)
    if owner != USER:
        require_group_type(owner, group_types, field)
    return Attribute(owner, "" if name == "key" else name)


def is_cohort(attribute: Attribute) -> bool:
    """Whether an attribute asks if somebody is in a cohort. Of an event, it is a property like any other."""
    return attribute.owner != EVENT and attribute.name.startswith(COHORT)


def require_group_type(name: str, group_types: Collection[str], field: str) -> None:
    """Raise Invalid for a group type that this environment has never seen."""
    if name not in group_types:
        seen = ", ".join(sorted(group_types)[:_MOST_NAMED]) or "none yet: one appears with its first event or profile"
        raise Invalid.of(field, f"there is no group type {name!r} here; there is {seen}")


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a row as SQL, once a type: each is NULL where the value is missing or of another type."""

    text: str
    number: str = "CAST(NULL, 'Nullable(Float64)')"
    boolean: str = "CAST(NULL, 'Nullable(Bool)')"
    members: str = "emptyArrayString()"
    """The members of a list, each as JSON text; empty where the value is no list."""
    is_list: str = "0"
    missing: str = ""
    rendered: str = ""
    """The value as text for people, whatever its type."""


def key_reading(column: str) -> Reading:
    """A column that holds a key."""
    return Reading(text=column, missing=f"isNull({column})", rendered=column)


def property_reading(column: str, name: str, *, has_columns: bool = False) -> Reading:
    """A property in a JSON column. An object with nothing in it is missing, and any other object has no type.

    Its texts and numbers are read from columns of their own where it has them: they hold the same.
    """
    path = f"{column}.{quote_name(name)}"
    text = text_column(name) if has_columns else property_column(column, name, "String")
    return Reading(
        text=text,
        number=number_column(name) if has_columns else property_number(column, name),
        boolean=property_column(column, name, "Bool"),
        members=f"JSONExtractArrayRaw(ifNull(toJSONString({path}), ''))",
        is_list=f"startsWith(dynamicType({path}), 'Array')",
        missing=f"(isNull({path}) AND toJSONString({column}.^{quote_name(name)}) = '{{}}')",
        rendered=f"if(isNotNull({text}), {text}, toJSONString({path}))",
    )


def own_property(name: str) -> Reading:
    """A property of a user or a group, read from Scope.profiles()."""
    return property_reading("properties", name)


def parent_text(parent_type: str) -> tuple[str, str]:
    """The property that names the parent of a group, read from Scope.profiles(), and whether it is a key: else there
    is no parent."""
    value = own_property(parent_type).text
    return value, f"lengthUTF8(ifNull({value}, '')) BETWEEN 1 AND {MAX_PARENT_KEY}"


@dataclass(frozen=True, slots=True)
class Value:
    """A property of an event as SQL that what is selected of events may use, and conditions may not."""

    rendered: str
    """As text for people; NULL where it is missing."""
    number: str
    """Never NULL."""
    is_number: tuple[str, ...]
    """The conditions that events must meet for `number` to mean anything."""


def value_of(reading: Reading) -> Value:
    """A property that may be of any type, or missing."""
    return Value(reading.rendered, f"assumeNotNull({reading.number})", (f"isNotNull({reading.number})",))


def guessed_value(column: str, name: str, *, has_columns: bool = False) -> Value:
    """A property that all events have, and as a text, or as a whole number: at any other event it throws.

    Each type that a property might be of takes a third as long to read as the one that it is of. A column of numbers
    has those of all types, so nothing is guessed of it.
    """
    reading = property_reading(column, name, has_columns=has_columns)
    rendered = f"if(throwIf(isNull({reading.text})) = 0, {reading.text}, NULL)"
    if has_columns:
        return replace(value_of(reading), rendered=rendered)
    whole = property_column(column, name, "Int64")
    return Value(rendered, f"if(throwIf(isNull({whole})) = 0, toFloat64(assumeNotNull({whole})), 0)", ())

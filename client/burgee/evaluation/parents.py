"""Parents: a context that names a team is completed with the company that the team belongs to."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from burgee.evaluation.attributes import Attribute
from burgee.evaluation.model import Context, Json, Profiles

ParentTypes: TypeAlias = Mapping[str, str]
"""By group type, the type that its groups belong to. A group names its parent in the property that is named like that
type: with {"team": "company"}, a team whose property `company` is "acme" belongs to the company acme."""


MAX_PARENT_KEY = 200
"""How many characters the key of a parent has at most, as every key that a check names."""


class Link(NamedTuple):
    """A step up: from a type to the one that its groups belong to."""

    child: str
    parent: str

    @property
    def attribute(self) -> Attribute:
        """The property in which a group names its parent."""
        return Attribute(self.child, self.parent)


class ParentGroup(NamedTuple):
    """A group that the context does not name, and the one that says that it belongs to it.

    `child_key` is empty where the caller passed the parent as a property of a group without a key.
    """

    group_type: str
    group_key: str
    child_type: str
    child_key: str


def links_of(parent_types: ParentTypes) -> tuple[Link, ...]:
    """The steps up, those from the leaves first; of steps to one type, in order of the types that they are from."""

    def depth(group_type: str) -> int:
        steps = 0
        while group_type in parent_types and steps <= len(parent_types):  # a circle is nobody's wish, and no hang
            group_type, steps = parent_types[group_type], steps + 1
        return steps

    ordered = sorted(parent_types, key=lambda group_type: (-depth(group_type), group_type.encode()))
    return tuple(Link(child, parent_types[child]) for child in ordered)


def links_to(links: Sequence[Link], types: Collection[str]) -> tuple[Link, ...]:
    """Of these steps up, those that lead to any of these types."""
    wanted = set(types)
    found: list[Link] = []
    for link in reversed(links):
        if link.parent in wanted:
            wanted.add(link.child)
            found.append(link)
    return tuple(reversed(found))


def parent_key(value: Json) -> str:
    """The key that the value of a property names; empty where it names nobody, as whatever is no text, or too long."""
    return value if isinstance(value, str) and len(value) <= MAX_PARENT_KEY else ""


def parent_groups(context: Context, links: Iterable[Link], profiles: Profiles) -> Sequence[ParentGroup]:
    """The groups above those that the context names, as far as these steps lead. Of two ways up, the first decides.

    A type that the context names, be it by an empty key, stays as it is named. What the caller passes of a group says
    whom it belongs to before what is stored does; null: nobody.
    """
    found: list[ParentGroup] = []
    groups = context.groups
    for child, parent in links:
        if parent in groups:
            continue
        key = groups.get(child, "")
        passed = context.group_properties.get(child) if context.group_properties else None
        if passed is not None and parent in passed:
            named = passed[parent]
        elif key:
            stored = profiles.get((child, key))
            named = None if stored is None else stored.get(parent)
        else:
            continue
        if parent_named := parent_key(named):
            groups = {**groups, parent: parent_named}
            found.append(ParentGroup(parent, parent_named, child, key))
    return found


def on_the_way(context: Context, links: Iterable[Link], profiles: Profiles) -> Iterator[tuple[str, str]]:
    """The groups, by type and key, whose properties these steps up may depend on.

    Whoever asks puts what is stored of each into `profiles` before asking for the next: it may say who that is.
    """
    for link in links:
        if link.parent not in context.groups and (key := context.groups.get(link.child, "")):
            yield link.child, key
        context = completed(context, parent_groups(context, [link], profiles))


def completed(context: Context, found: Sequence[ParentGroup]) -> Context:
    """The context with these groups, too; the same, if there are none."""
    if not found:
        return context
    groups = {**context.groups, **{each.group_type: each.group_key for each in found}}
    return Context(context.distinct_id, groups, context.properties, context.group_properties)

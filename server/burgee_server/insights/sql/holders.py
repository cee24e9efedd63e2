"""Whose own properties pass a filter, as SQL over profiles. Those without a profile lack every property."""

from burgee.evaluation import USER, AllOf, AnyOf, Condition, Filter, Not, ParentTypes
from burgee.evaluation.operators import COHORTS, NEGATIVE
from burgee_server.errors import Invalid
from burgee_server.insights.sql.attributes import (
    Attribute,
    is_cohort,
    key_reading,
    own_property,
    parent_text,
    parse_attribute,
)
from burgee_server.insights.sql.filters import MAX_DEPTH, FilterWriter
from burgee_server.insights.sql.keysets import KeySet, every, names, some
from burgee_server.insights.sql.operators import check_condition, holds
from burgee_server.insights.sql.scope import profile_key
from burgee_server.insights.sql.variants import is_variant


class HolderWriter:
    """Writes filters that are asked of persons, or of groups of a type, and not of events."""

    def __init__(self, writer: FilterWriter, group_type: str) -> None:
        self.group_type = group_type
        self._writer = writer
        self._scope = writer.scope
        self._asked = writer.asked
        # It may be made before anything is known of them.
        self._group_types = {*writer.asked.terms.group_types, group_type}
        self._way_up = _way_up(group_type, writer.asked.vocabulary.parent_types)

    def write(self, filter_: Filter, path: str, depth: int = 1) -> KeySet:
        """Who passes. Raises Invalid with the path of what is wrong."""
        if depth > MAX_DEPTH:
            raise Invalid.of(path, f"filters may be {MAX_DEPTH} deep")
        if self._is_of_properties(filter_):
            passes, without = self._row(filter_, path, depth)
            keys = self._scope.profiles(
                self.group_type,
                [f"{profile_key(self.group_type)} AS key"],
                [f"NOT {passes}" if without else passes],
            )
            return KeySet(keys, complement=without)
        match filter_:
            case Condition():
                return self._of_key_or_above(filter_, f"{path}.condition")
            case Not(inner):
                return ~self.write(inner, f"{path}.not", depth + 1)
            case AllOf(branches):
                return every(self._branches(branches, f"{path}.all", depth))
            case AnyOf(branches):
                return some(self._branches(branches, f"{path}.any", depth))

    def _branches(self, branches: tuple[Filter, ...], path: str, depth: int) -> list[KeySet]:
        return [self.write(each, f"{path}.filters[{index}]", depth + 1) for index, each in enumerate(branches)]

    def _row(self, filter_: Filter, path: str, depth: int) -> tuple[str, bool]:
        """SQL over a row of profiles, and whether somebody without a profile passes."""
        if depth > MAX_DEPTH:
            raise Invalid.of(path, f"filters may be {MAX_DEPTH} deep")
        match filter_:
            case Condition():
                name = self._attribute(filter_, f"{path}.condition").name
                sql = holds(own_property(name), filter_, self._scope.bind, self._asked.now)
                return sql, filter_.operator in NEGATIVE
            case Not(inner):
                sql, without = self._row(inner, f"{path}.not", depth + 1)
                return f"(NOT {sql})", not without
            case AllOf(branches):
                rows = self._rows(branches, f"{path}.all", depth)
                return f"({' AND '.join(sql for sql, _ in rows)})", all(without for _, without in rows)
            case AnyOf(branches):
                rows = self._rows(branches, f"{path}.any", depth)
                return f"({' OR '.join(sql for sql, _ in rows)})", any(without for _, without in rows)

    def _rows(self, branches: tuple[Filter, ...], path: str, depth: int) -> list[tuple[str, bool]]:
        if not branches:
            raise Invalid.of(f"{path}.filters", "must have at least one filter")
        return [self._row(each, f"{path}.filters[{index}]", depth + 1) for index, each in enumerate(branches)]

    def _of_key_or_above(self, condition: Condition, path: str) -> KeySet:
        """A condition on the key, on the cohorts that somebody of that key is in, or on a group that it belongs to."""
        attribute = self._attribute(condition, path)
        if attribute.owner != self.group_type:
            return self._of_group_above(attribute, condition, path)
        if condition.operator in COHORTS:
            keys = self._writer.cohorts(self.group_type, condition, path)
            return ~keys if condition.operator in NEGATIVE else keys
        bind = self._scope.bind_ids if self.group_type == USER else self._scope.bind
        sql = holds(key_reading("key"), condition, bind, self._asked.now)
        return KeySet(f"SELECT key FROM ({self._scope.known(self.group_type)}) WHERE {sql}")

    def _of_group_above(self, above: Attribute, condition: Condition, path: str) -> KeySet:
        """A condition on a group that these belong to; those that belong to none lack its key and its properties."""
        without = condition.operator in NEGATIVE
        if condition.operator in COHORTS:
            chosen = names(key_reading("above"), self._writer.cohorts(above.owner, condition, path))
        else:
            reading = own_property(above.name) if above.name else key_reading("above")
            passes = holds(reading, condition, self._scope.bind, self._asked.now)
            chosen = f"NOT {passes}" if without else passes
            if above.name:
                chosen = f"above IN ({self._scope.profiles(above.owner, [profile_key(above.owner)], [chosen])})"
        return KeySet(f"SELECT key FROM ({self._belonging(above.owner)}) WHERE {chosen}", complement=without)

    def _belonging(self, group_type: str) -> str:
        """A query for the `key` of each that belongs to a group of a type further up, and the key `above` of that."""
        rows, child = "", self.group_type
        for parent in self._way_up[: self._way_up.index(group_type) + 1]:
            value, names_one = parent_text(parent)
            select = [f"{profile_key(child)} AS key", f"assumeNotNull({value}) AS above"]
            step = self._scope.profiles(child, select, [names_one])
            both = f"({rows}) AS lower INNER JOIN ({step}) AS upper ON lower.above = upper.key"
            rows = f"SELECT lower.key AS key, upper.above AS above FROM {both}" if rows else step
            child = parent
        return rows

    def _attribute(self, condition: Condition, path: str) -> Attribute:
        """What a condition asks about. Raises Invalid."""
        self._writer.count(path)
        attribute = parse_attribute(condition.attribute, self._group_types, f"{path}.attribute")
        if attribute.owner not in (self.group_type, *self._way_up):
            of = f"{self.group_type}.<property> or {self.group_type}.key"
            above = f", or the same of {' or '.join(self._way_up)}" if self._way_up else ""
            raise Invalid.of(f"{path}.attribute", f"must be {of}{above}: it is a cohort of {self.group_type}")
        if is_variant(attribute) or is_cohort(attribute):
            raise Invalid.of(f"{path}.attribute", "splits an answer, and is no property")
        check_condition(condition, path)
        self._scope.name_pattern(condition, path)
        return attribute

    def _is_of_properties(self, filter_: Filter) -> bool:
        """Whether it asks for nothing but own properties."""
        match filter_:
            case Condition():
                owner, _, name = filter_.attribute.partition(".")
                return name != "key" and owner not in self._way_up
            case Not(inner):
                return self._is_of_properties(inner)
            case AllOf(branches) | AnyOf(branches):
                return all(map(self._is_of_properties, branches))


def _way_up(group_type: str, parent_types: ParentTypes) -> tuple[str, ...]:
    """The types above one, from its parents' up; nothing belongs to itself."""
    parent = parent_types.get(group_type)
    return (parent, *_way_up(parent, parent_types)) if parent else ()

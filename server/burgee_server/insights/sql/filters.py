"""From a filter to SQL: a condition over the rows of Scope.events() that is true or false and never NULL."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from burgee.evaluation import USER, AllOf, AnyOf, Condition, Filter, Not
from burgee.evaluation.operators import COHORTS, NEGATIVE
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked
from burgee_server.insights.sql.attributes import EVENT, is_cohort, key_reading, own_property, parse_attribute
from burgee_server.insights.sql.keysets import KeySet, names, some
from burgee_server.insights.sql.operators import check_condition, holds
from burgee_server.insights.sql.scope import Scope, profile_key
from burgee_server.insights.sql.variants import is_variant, variants
from burgee_server.insights.words import AsOf

MAX_DEPTH = 10
MAX_CONDITIONS = 200


@dataclass(slots=True)
class FilterWriter:
    """Writes the filters of one question; counts their conditions, of which a question may have 200."""

    scope: Scope
    asked: Asked
    within: tuple[str, ...] = ()
    """The cohorts that are being written, of which this is a part."""
    _conditions: int = field(default=0, init=False)

    def where(self, filter_: Filter | None, path: str) -> Iterator[str]:
        """The SQL of a filter, if there is one. Raises Invalid with the path of what is wrong in it."""
        if filter_ is not None:
            yield self._write(filter_, path, 1)

    def cohorts(self, owner: str, condition: Condition, path: str) -> KeySet:
        """Who is in any of the cohorts of a condition. Raises Invalid."""
        values = enumerate(condition.values)
        return some([self.cohort(owner, str(key), f"{path}.values[{index}]") for index, key in values])

    def cohort(self, owner: str, cohort_key: str, path: str) -> KeySet:
        """Who is in a cohort of persons, or of groups of a type. Raises Invalid."""
        # A cohort is made of filters, and a filter may ask for a cohort.
        from burgee_server.insights.sql.cohorts import members

        return members(self.scope, owner, cohort_key, path, self.within)

    def count(self, path: str) -> None:
        """One condition more. Raises Invalid beyond 200."""
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise Invalid.of(path, f"a question may have {MAX_CONDITIONS} conditions")

    def _write(self, filter_: Filter, path: str, depth: int) -> str:
        if depth > MAX_DEPTH:
            raise Invalid.of(path, f"filters may be {MAX_DEPTH} deep")
        match filter_:
            case Condition():
                return self._condition(filter_, f"{path}.condition")
            case Not(inner):
                return f"NOT {self._write(inner, f'{path}.not', depth + 1)}"
            case AllOf(branches):
                return self._list(branches, " AND ", f"{path}.all", depth)
            case AnyOf(branches):
                return self._list(branches, " OR ", f"{path}.any", depth)

    def _list(self, branches: tuple[Filter, ...], word: str, path: str, depth: int) -> str:
        if not branches:
            raise Invalid.of(f"{path}.filters", "must have at least one filter")
        return f"({word.join(self._write(b, f'{path}.filters[{i}]', depth + 1) for i, b in enumerate(branches))})"

    def _condition(self, condition: Condition, path: str) -> str:
        self.count(path)
        attribute = parse_attribute(condition.attribute, self.asked.terms.group_types, f"{path}.attribute")
        if is_cohort(attribute):
            raise Invalid.of(f"{path}.attribute", "splits an answer; a filter asks by in_cohort of a key")
        owner, name = attribute.owner, attribute.name
        of_profile = owner != EVENT and name
        missing_holds = condition.operator in NEGATIVE
        if owner == EVENT:
            reading = self.scope.event_property(name)
        else:
            reading = own_property(name) if name else self.scope.event_key(owner)
        check_condition(condition, path)
        if condition.operator in COHORTS:
            return self._membership(owner, condition, path)
        self.scope.name_pattern(condition, path)
        if is_variant(attribute):
            sql = holds(key_reading("value"), condition, self.scope.bind, self.asked.now)
            given = (
                f"SELECT profile_key, at, if({sql}, 2, 1) AS holds FROM ({variants(self.scope, attribute, ever=True)})"
            )
            return self._held(owner, given, missing_holds=missing_holds)
        bind = self.scope.bind_ids if owner == USER and not name else self.scope.bind
        sql = holds(reading, condition, bind, self.asked.now)
        if not of_profile:
            return sql
        if self.asked.terms.properties_as_of is AsOf.EVENT:
            versions = self.scope.profile_versions(owner, f"if({sql}, 2, 1)", "holds")
            return self._held(owner, versions, missing_holds=missing_holds)
        # A set of keys and not a join: one pass over the profiles, and whoever has no profile counts as missing.
        keys = self.scope.profiles(owner, [profile_key(owner)], [f"NOT {sql}" if missing_holds else sql])
        key = f"ifNull({self.scope.event_key(owner).text}, '')"
        return f"({key} {'NOT IN' if missing_holds else 'IN'} ({keys}))"

    def _held(self, owner: str, versions: str, *, missing_holds: bool) -> str:
        """Whether a condition held when an event happened: `holds` of a version is 2 if so, else 1."""
        held = self.scope.joined(owner, "holds", versions)  # 0: there was nothing yet
        return f"({held} != 1)" if missing_holds else f"({held} = 2)"

    def _membership(self, owner: str, condition: Condition, path: str) -> str:
        if owner == EVENT:
            raise Invalid.of(f"{path}.attribute", "a cohort has persons or groups: user.key, or <group type>.key")
        keys = self.cohorts(owner, condition, path)
        sql = names(self.scope.event_key(owner), keys)
        return f"(NOT {sql})" if condition.operator in NEGATIVE else f"({sql})"

"""Sets of persons or of groups as SQL: each a query for keys, or all whom such a query does not name."""

from collections.abc import Sequence
from dataclasses import dataclass

from burgee_server.insights.sql.attributes import Reading


@dataclass(frozen=True, slots=True)
class KeySet:
    """Those whom `sql`, a query with one column `key`, names; with `complement`, everybody else.

    A key may come up more than once.
    """

    sql: str
    complement: bool = False

    def __invert__(self) -> "KeySet":
        """Everybody else."""
        return KeySet(self.sql, not self.complement)


NOBODY = KeySet("SELECT '' AS key WHERE 0")


def every(sets: Sequence[KeySet]) -> KeySet:
    """Who is in all of these, at least one."""
    if len(sets) == 1:
        return sets[0]
    named = [each for each in sets if not each.complement]
    if not named:
        return ~some([~each for each in sets])
    first, *others = named
    where = [among("key", each) for each in (*others, *(each for each in sets if each.complement))]
    return KeySet(f"SELECT key FROM ({first.sql}) WHERE {' AND '.join(where)}")


def some(sets: Sequence[KeySet]) -> KeySet:
    """Who is in any of these, at least one."""
    if len(sets) == 1:
        return sets[0]
    if any(each.complement for each in sets):
        return ~every([~each for each in sets])
    return KeySet(" UNION ALL ".join(f"SELECT key FROM ({each.sql})" for each in sets))


def among(key: str, keys: KeySet) -> str:
    """SQL that is 1 where a key, which is not NULL, is in a set, else 0."""
    return f"{key} {'NOT IN' if keys.complement else 'IN'} ({keys.sql})"


def names(key: Reading, keys: KeySet) -> str:
    """SQL that is 1 where an event names somebody of a set, else 0."""
    is_member = among(f"ifNull({key.text}, '')", keys)  # nobody has the empty key
    return f"(NOT {key.missing} AND {is_member})" if keys.complement else is_member


def lists_of(both: str) -> tuple[str, str]:
    """SQL for the two lists of a query for a tuple of them, for transform().

    There may be nothing yet, and then the lists would have no type; the empty text is nobody's key.
    """
    first, second = (f"arrayPushBack(tupleElement({both}, {side}), '')" for side in (1, 2))
    return first, second

"""Asks which names of events and of properties there are: of all time, of everybody, and as they came in."""

from collections.abc import Sequence

from burgee_server.insights.asked import Asked
from burgee_server.insights.sql.attributes import EVENT, own_property
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.words import AsOf
from burgee_server.ports.warehouse import Statement, quote_name

NO_OWNER = ""
"""Names are those of events; else of properties of an owner: "event", "user" or a group type."""

MOST_NAMES = 10_000
"""Among so many names of an environment, those that are like an unknown one are looked for."""

MOST_ROWS = 100_000
"""In so many events or profiles, names of properties that are like an unknown one are looked for."""


def known(asked: Asked, owner: str, names: Sequence[str], *, as_objects: bool = False) -> Statement:
    """Asks for those of the names that there are: each looked up by itself, so that the first one found ends it.

    Properties that are objects are found only `as_objects`, which reads far more.
    """
    scope = Scope(asked)
    each = [_holding(scope, owner, name, as_objects=as_objects) for name in names]
    return scope.statement(" UNION ALL ".join(f"({holding} LIMIT 1)" for holding in each))


def _holding(scope: Scope, owner: str, name: str, *, as_objects: bool) -> str:
    """A query for the name, once for each row that has it."""
    bound = scope.bind(name, "String")
    if owner == NO_OWNER:
        return scope.heard([bound], [f"event = {bound}"])
    there = f"NOT {own_property(name).missing}" if as_objects else f"isNotNull(properties.{quote_name(name)})"
    if owner == EVENT:
        return scope.heard([bound], [there])
    if scope.asked.terms.properties_as_of is AsOf.EVENT:
        return f"SELECT {bound} FROM ({scope.profile_versions(owner, there, 'there')}) WHERE there"
    return scope.profiles(owner, [bound], [there])


def alike(asked: Asked, owner: str, names: Sequence[str]) -> Statement:
    """Asks for rows of a name and one that there is and that is spelt like it: up to three, the most alike first.

    Two of five characters may be wrong, missing or too many. The warehouse compares: elsewhere that would hold up flag
    checks.
    """
    scope = Scope(asked)
    sought = scope.bind(list(names), "Array(String)")
    return scope.statement(
        "SELECT name, other FROM ("
        f"SELECT other, arrayJoin({sought}) AS name, editDistanceUTF8(other, name) AS wrong"
        f" FROM (SELECT DISTINCT other FROM ({_others(scope, owner)}) LIMIT {MOST_NAMES})"
        ") WHERE wrong * 5 <= greatest(lengthUTF8(other), lengthUTF8(name)) * 2"
        " ORDER BY name, wrong, other LIMIT 3 BY name"
    )


def _others(scope: Scope, owner: str) -> str:
    """A query for the names that there are, as `other`."""
    if owner == NO_OWNER:
        return scope.heard(["event AS other"])
    rows = scope.heard(["properties"]) if owner == EVENT else scope.profiles(owner, ["properties"])
    paths = f"SELECT arrayJoin(distinctJSONPaths(properties)) AS path FROM ({rows} LIMIT {MOST_ROWS})"
    # A dot in a name is written as the table keeps it; what is behind another dot is in an object of that name.
    return f"SELECT replaceAll(splitByChar('.', path)[1], '%2E', '.') AS other FROM ({paths})"

"""The variant of a flag that a user or a group had at a moment: what exposures say, `company.$feature/new-reports`.

An exposure is the event `$feature_flag_called` that clients capture at a check; the names are PostHog's. It is nothing
that anybody does: a question about any event leaves it out.
"""

from burgee_server.insights.sql.attributes import EVENT, Attribute
from burgee_server.insights.sql.scope import Scope
from burgee_server.ports.warehouse import FIRST_TIMESTAMP, LAST_TIMESTAMP

PREFIX = "$feature/"
EXPOSURE = "$feature_flag_called"
IS_DONE = f"event != '{EXPOSURE}'"
"""Whether an event is something that somebody does."""


def is_variant(attribute: Attribute) -> bool:
    """Whether an attribute asks for a variant. Of an event, it is a property like any other."""
    return attribute.owner != EVENT and attribute.name.startswith(PREFIX)


def holder(scope: Scope, attribute: Attribute) -> str:
    """What events() must select: who may have had a variant, and when."""
    return f"(ifNull({scope.event_key(attribute.owner).text}, ''), timestamp)"


def variants(scope: Scope, attribute: Attribute, *, ever: bool = False) -> str:
    """A query for who was given what: profile_key, value and since when, `at`; of all time up to the end of the span.

    Or of all time, for what may look at events after it.

    Only what was drawn by this owner: a flag that draws by company says nothing of a user. By whomever: a variant is
    told once an hour, and it is the company's, though one of the environment's own people asked first.
    """
    key = scope.event_key(attribute.owner)
    flag, drawn_by, response = (
        scope.event_property(name).text
        for name in ("$feature_flag", "$feature_flag_bucket_by", "$feature_flag_response")
    )
    given = scope.events(
        [f"ifNull({key.text}, '') AS profile_key", "timestamp AS at", "uuid AS id", f"{response} AS value"],
        [
            f"event = '{EXPOSURE}'",
            f"{flag} = {scope.bind(attribute.name.removeprefix(PREFIX), 'String')}",
            f"splitByChar('.', ifNull({drawn_by}, ''))[1] = {scope.bind(attribute.owner, 'String')}",
            f"NOT {key.missing}",
            f"isNotNull({response})",
        ],
        since=FIRST_TIMESTAMP,
        until=LAST_TIMESTAMP if ever else None,
        everyones=True,
    )
    # Of two at one moment, that with the greater uuid, so that the same question has the same answer.
    return f"SELECT profile_key, at, argMax(value, UUIDToNum(id)) AS value FROM ({given}) GROUP BY profile_key, at"

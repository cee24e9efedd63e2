"""Which events a question goes by: those of a name or of an action, and of them those that pass a filter, as SQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from burgee.evaluation import AllOf, AnyOf, Condition, Filter, Not
from burgee.evaluation.operators import COHORTS
from burgee_server.errors import Invalid
from burgee_server.insights.asked import Asked, Terms
from burgee_server.insights.sql.attributes import Attribute
from burgee_server.insights.sql.filters import FilterWriter
from burgee_server.insights.sql.limits import require_name
from burgee_server.insights.sql.scope import Scope
from burgee_server.insights.sql.variants import EXPOSURE, IS_DONE, is_variant
from burgee_server.insights.timerange import Span
from burgee_server.ports.actions import Matcher


class EventMatch(Protocol):
    """What a series, a step and the like have."""

    @property
    def event(self) -> str:
        """The name of the event; empty: any but exposures, unless there is an action."""

    @property
    def action(self) -> str:
        """The key of an action, in place of an event."""

    @property
    def filter(self) -> Filter | None:
        """Which of those events."""


def events_of(match: EventMatch, writer: FilterWriter, path: str) -> list[str]:
    """Conditions over the rows of Scope.events() that all hold for these events and for no others.

    `path` is that of the message with the fields `event`, `action` and `filter`. Raises Invalid.
    """
    require_name(match.event, f"{path}.event")
    conditions = [_of_action(match, writer, path)] if match.action else _named(match.event, writer)
    return [*conditions, *writer.where(match.filter, f"{path}.filter")]


def names_of(matches: Sequence[EventMatch], asked: Asked) -> list[frozenset[str] | None]:
    """The names that events of each may have; None: any. For those whom events_of() has let through."""
    return [_names(match, asked) for match in matches]


def between(matches: Sequence[EventMatch], asked: Asked) -> list[str]:
    """Conditions over the rows of Scope.events() for whatever happens between these events, and for them.

    Exposures are part of it if one of them is an exposure.
    """
    names = names_of(matches, asked)
    return [] if any(each is not None and EXPOSURE in each for each in names) else [IS_DONE]


def check_matcher(matcher: Matcher, group_types: Collection[str], path: str) -> Mapping[str, str]:
    """Raise Invalid for a matcher of an action that no question could ask, in an environment with these group types.

    Returns its patterns, each with its path: that they are not too large is the warehouse's to say.
    """
    if not matcher.event and matcher.filter is None:
        raise Invalid.of(path, "must have an event, a filter, or both")
    require_name(matcher.event, f"{path}.event")
    if matcher.filter is not None and _asks_by_whom(matcher.filter):
        raise Invalid.of(f"{path}.filter", "an action is what is done, not by whom: the question's filter may say that")
    now = datetime.now(UTC)
    asked = Asked(Terms(0, group_types), Span(now, now + timedelta(days=1), ZoneInfo("UTC")), now)
    scope = Scope(asked)
    _matched(matcher, FilterWriter(scope, asked), f"{path}.filter")
    return scope.patterns


def _named(event: str, writer: FilterWriter) -> list[str]:
    return [f"event = {writer.scope.bind(event, 'String')}" if event else IS_DONE]


def _of_action(match: EventMatch, writer: FilterWriter, path: str) -> str:
    if match.event:
        raise Invalid.of(f"{path}.action", "stands in place of an event: give one of the two")
    action = writer.asked.vocabulary.actions.get(match.action)
    if action is None:
        raise Invalid.of(f"{path}.action", f"there is no action {match.action!r} here")
    # Those without a filter are one lookup.
    whole = sorted({matcher.event for matcher in action.matchers if matcher.filter is None})
    either = [f"event IN {writer.scope.bind(whole, 'Array(String)')}"] if whole else []
    either += [_matched(each, writer, f"{path}.action") for each in action.matchers if each.filter is not None]
    return f"({' OR '.join(either)})"


def _matched(matcher: Matcher, writer: FilterWriter, path: str) -> str:
    return f"({' AND '.join([*_named(matcher.event, writer), *writer.where(matcher.filter, path)])})"


def _names(match: EventMatch, asked: Asked) -> frozenset[str] | None:
    if not match.action:
        return frozenset({match.event}) if match.event else None
    names = frozenset(matcher.event for matcher in asked.vocabulary.actions[match.action].matchers)
    return None if "" in names else names


def _asks_by_whom(filter_: Filter) -> bool:
    """Whether it asks for cohorts, or for the variant that somebody had."""
    match filter_:
        case Condition(attribute, operator):
            owner, _, name = attribute.partition(".")
            return operator in COHORTS or is_variant(Attribute(owner, name))
        case Not(inner):
            return _asks_by_whom(inner)
        case AllOf(branches) | AnyOf(branches):
            return any(map(_asks_by_whom, branches))

"""The fakes themselves."""

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, NoReturn

from burgee.aio import AsyncClient
from burgee.base import BaseClient
from burgee.bootstrap import read_file
from burgee.channel import Connection
from burgee.client import Client
from burgee.evaluation import Json, flag_from_document
from burgee.exposure import EVENT
from burgee.exposures import Exposures
from burgee.losses import Dropped, Losses
from burgee.target import Target
from burgee.testing.answers import ToldAnswers
from burgee.testing.kept import CapturedEvent, Kept, ProfileChange
from burgee.testing.known import KnownFlags, same_for_all


class _Fake(BaseClient):
    """What both fakes have beyond what both clients have."""

    def __init__(
        self, flags: Mapping[str, Json] | None = None, *, bootstrap: str | PathLike[str] | None = None
    ) -> None:
        self.dropped: list[Dropped] = []
        """What on_drop would have been told."""
        self._connection = Connection(Target("nowhere", None), "")
        self._losses = Losses(self.dropped.append)
        self._flags = self._known = KnownFlags(self._connection)
        self._outbox = self._kept = Kept(self._losses, self._known.change)
        self._exposures = self._at_once = _AtOnce(self._kept.put_event, lambda: True, self._losses)
        self._questions = self._answers = ToldAnswers(self._connection, 0)
        if bootstrap is not None:
            self.put_flags(bootstrap)
        for flag_key, value in (flags or {}).items():
            self.set_flag(flag_key, value)

    def set_flag(self, flag_key: str, value: Json, variant: str = "") -> None:
        """From now on a flag gives everybody this value, with the reason STATIC.

        The variant is `on` or `off` for a truth value and `set` for anything else, unless named. Raises ValueError for
        a key that no flag can have, and for a value that none can give.
        """
        self._known.put([same_for_all(flag_key, value, variant)])

    def put_flags(self, flags: str | PathLike[str] | Iterable[Mapping[str, Any]]) -> None:
        """Put flags, with rules, rollouts and all, in place of those with the same keys.

        From a file that `burgee flags export` wrote, or as documents like those in it. Raises ValueError, naming the
        field, for a flag that could not be saved.
        """
        if isinstance(flags, str | PathLike):
            self._known.put(*read_file(flags))
        else:
            self._known.put([flag_from_document(document, f"[{index}]") for index, document in enumerate(flags)])

    def remove_flag(self, flag_key: str) -> None:
        """From now on there is no such flag, if there was one."""
        self._known.remove(flag_key)

    def set_answer(self, answer: object) -> None:
        """What is given from now on to who asks for this kind of answer, whatever the question; before, QueryError."""
        self._answers.tell(answer)

    @property
    def events(self) -> list[CapturedEvent]:
        """What was captured, in order, without exposures."""
        return [event for event in self._kept.events if event.event != EVENT]

    @property
    def exposures(self) -> list[CapturedEvent]:
        """What checks gave whom for the first time, as the events that a client captures then."""
        return [event for event in self._kept.events if event.event == EVENT]

    @property
    def changes(self) -> list[ProfileChange]:
        """What `identify` and `group` changed, in order."""
        return list(self._kept.changes)

    @property
    def aliases(self) -> list[tuple[str, str]]:
        """What `alias` said, in order: pairs of distinct_id and alias. Flags see no other properties by it."""
        return list(self._kept.aliases)

    def clear(self) -> None:
        """Forget events, exposures, changes and what was dropped; flags and stored properties stay."""
        self._at_once.reset()
        self._kept.clear()
        self.dropped.clear()

    def stub(self, kind: object) -> NoReturn:
        """Raises RuntimeError: behind a fake there is no server."""
        raise RuntimeError(f"a fake client has no server that {kind!r} could call")


class FakeClient(_Fake, Client):
    """A Client for tests: `FakeClient({"new-reports": True, "seats": 50})`.

    `flags` give everybody the same; `bootstrap` is a file that `burgee flags export` wrote. Everything else is what
    Client does: what it refuses is refused, and defaults are given where it gives them. Properties that `identify` and
    `group` store are seen by flags at once.
    """


class FakeAsyncClient(_Fake, AsyncClient):
    """An AsyncClient for tests; see FakeClient."""

    async def flush(self, timeout: float = 10.0) -> bool:
        """See Client.flush."""
        return self._flush(timeout)

    async def close(self, timeout: float = 5.0) -> int:
        """See Client.close."""
        return self._end(timeout)


class _AtOnce(Exposures):
    """Exposures without a thread: each is an event as soon as it is noted."""

    def _wake(self) -> None:
        self.drain()

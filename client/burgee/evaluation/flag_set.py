"""The flags of one environment, compiled: what a flag check asks."""

from collections.abc import Iterable, Iterator, Mapping

from burgee.evaluation.attributes import Attribute
from burgee.evaluation.compile import CompiledFlag, compile_flag
from burgee.evaluation.explain import explain
from burgee.evaluation.explanation import Explanation
from burgee.evaluation.model import Context, ErrorCode, Flag, Profiles, Reason, Resolution
from burgee.evaluation.prerequisites import closing_edges


class FlagSet:
    """Immutable, and safe to share between threads. `now` is Unix seconds, UTC, everywhere. Nothing here raises.

    `profiles` are the stored properties of those whom the context names; `profile_types` says whose are read.
    """

    __slots__ = ("_compiled", "_cyclic", "_listed", "mentions", "profile_types")

    mentions: frozenset[Attribute]
    """The properties that any flag here reads, as (`user` or group type, property)."""
    profile_types: frozenset[str]
    """Whose stored properties any flag here reads: `user` and group types."""

    def __init__(self, flags: Iterable[Flag]) -> None:
        """Compile the flags. One that violates its rules answers ERROR with PARSE_ERROR; the others are unharmed."""
        self._fill({flag.key: compile_flag(flag) for flag in flags})

    def with_changes(self, changed: Iterable[Flag] = (), removed: Iterable[str] = ()) -> "FlagSet":
        """A flag set with these flags put in, and those keys taken out. Only the changed flags are compiled."""
        compiled = {**self._compiled, **{flag.key: compile_flag(flag) for flag in changed}}
        for key in removed:
            compiled.pop(key, None)
        changed_set = FlagSet(())
        changed_set._fill(compiled)
        return changed_set

    @property
    def flags(self) -> Mapping[str, Flag]:
        """The flags, archived ones too, by key."""
        return {key: compiled.flag for key, compiled in self._compiled.items()}

    def evaluate(self, flag_key: str, context: Context, profiles: Profiles, now: float) -> Resolution:
        """What a flag gives. An unknown flag gives ERROR with FLAG_NOT_FOUND."""
        compiled = self._compiled.get(flag_key)
        if compiled is None:
            return _not_found(flag_key)
        if not compiled.prerequisites:
            return compiled.decide(context, profiles, now)
        return self._decide_in_order(compiled, {}, context, profiles, now)

    def evaluate_all(self, context: Context, profiles: Profiles, now: float) -> list[Resolution]:
        """What every flag that is not archived gives, by flag key."""
        decided: dict[str, Resolution] = {}
        return [
            self._decide_in_order(compiled, decided, context, profiles, now)
            if compiled.prerequisites
            else compiled.decide(context, profiles, now)
            for compiled in self._listed
        ]

    def explain(self, flag_key: str, context: Context, profiles: Profiles, now: float) -> Explanation:
        """Why a flag gives what `evaluate` returns for the same arguments."""
        compiled = self._compiled.get(flag_key)
        if compiled is None:
            missing = _not_found(flag_key)
            return Explanation(missing, summary=f"{missing.error_message}.")
        decided: dict[str, Resolution] = {}
        self._decide_in_order(compiled, decided, context, profiles, now)
        given = {
            key: resolution
            for key, _ in compiled.prerequisites
            if (resolution := decided.get(key)) is not None and (flag_key, key) not in self._cyclic
        }
        return explain(compiled, given, context, profiles, now)

    def mentions_of(self, flag_key: str) -> frozenset[Attribute]:
        """The properties that this flag and its prerequisites read."""
        return frozenset(attribute for compiled in self._needed(flag_key) for attribute in compiled.mentions)

    def is_timed(self, flag_key: str) -> bool:
        """Whether the time alone may change what this flag gives: by a ramp, or a relative time."""
        return any(compiled.timed for compiled in self._needed(flag_key))

    def _needed(self, flag_key: str) -> Iterator[CompiledFlag]:
        """A flag and its prerequisites, and theirs; each once, and those only that there are."""
        reached = [flag_key]
        for key in reached:
            compiled = self._compiled.get(key)
            if compiled is not None:
                yield compiled
                reached.extend(each for each, _ in compiled.prerequisites if each not in reached)

    def _fill(self, compiled: dict[str, CompiledFlag]) -> None:
        self._compiled = compiled
        self._listed = [compiled[key] for key in sorted(compiled) if not compiled[key].flag.archived]
        self._cyclic = closing_edges({key: [each for each, _ in flag.prerequisites] for key, flag in compiled.items()})
        self.mentions = frozenset(attribute for flag in compiled.values() for attribute in flag.mentions)
        self.profile_types = frozenset(attribute.owner for attribute in self.mentions)

    def _decide_in_order(
        self, wanted: CompiledFlag, decided: dict[str, Resolution], context: Context, profiles: Profiles, now: float
    ) -> Resolution:
        """Decide a flag after its prerequisites, with a stack of our own: chains may be longer than Python's."""
        stack = [wanted]
        while stack:
            compiled = stack[-1]
            key = compiled.flag.key
            missing = next((each for each, _ in compiled.prerequisites if self._waits_for(key, each, decided)), None)
            if missing is not None:
                stack.append(self._compiled[missing])
                continue
            stack.pop()
            if key not in decided:
                passed = all(
                    (key, each) not in self._cyclic and each in decided and decided[each].variant in variants
                    for each, variants in compiled.prerequisites
                )
                decided[key] = compiled.decide(context, profiles, now) if passed else compiled.disabled
        return decided[wanted.flag.key]

    def _waits_for(self, key: str, prerequisite: str, decided: dict[str, Resolution]) -> bool:
        return (
            prerequisite not in decided and prerequisite in self._compiled and (key, prerequisite) not in self._cyclic
        )


def _not_found(flag_key: str) -> Resolution:
    return Resolution(
        flag_key,
        None,
        "",
        Reason.ERROR,
        error_code=ErrorCode.FLAG_NOT_FOUND,
        error_message=f'There is no flag "{flag_key}"',
    )

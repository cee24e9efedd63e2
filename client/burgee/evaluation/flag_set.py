"""The flags of one environment, compiled: what a flag check asks."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from burgee.evaluation.attributes import KEY, Attribute, read
from burgee.evaluation.cohorts import read_cohorts
from burgee.evaluation.compile import CompiledFlag, compile_flag
from burgee.evaluation.explain import explain
from burgee.evaluation.explanation import Explanation
from burgee.evaluation.model import Context, ErrorCode, Flag, Profiles, Reason, Resolution
from burgee.evaluation.parents import (
    Link,
    ParentGroup,
    ParentTypes,
    completed,
    links_of,
    links_to,
    parent_groups,
)
from burgee.evaluation.prerequisites import closing_edges, reached_by

Decide: TypeAlias = Callable[[Context, Profiles, float], Resolution]
"""What a flag gives, at a Unix time."""


class FlagSet:
    """Immutable, and safe to share between threads. `now` is Unix seconds, UTC, everywhere. Nothing here raises.

    A flag is compiled when it is first asked for. One that violates its rules answers ERROR with PARSE_ERROR; the
    others are unharmed. `profiles` are the stored properties of those whom the context names, and of their parents, and
    the cohorts, of whose members those will do; `profile_types`, `links` and `cohorts` say which are read.
    """

    __slots__ = ("_cohorts", "_compiled", "_cyclic", "_links", "_listed", "_read", "cohort_types", "cohorts", "links",
                 "mentioned_types", "mentions", "parent_types", "profile_types")  # fmt: skip

    parent_types: ParentTypes
    """By group type, the type that its groups belong to."""
    links: tuple[Link, ...]
    """The steps up by which a context is completed before any flag here is asked."""
    mentions: frozenset[Attribute]
    """The properties that any flag here reads, as (`user` or group type, property)."""
    profile_types: frozenset[str]
    """Whose stored properties any flag here reads: `user` and group types. Not those that only say whom a group belongs
    to: these are read where a context does not name the parent (`on_the_way`)."""
    mentioned_types: frozenset[str]
    """Whose stored properties any flag here reads, be it only to know whom a group belongs to."""
    cohorts: frozenset[tuple[str, str]]
    """The cohorts that any flag here reads, as (`user` or group type, cohort key)."""
    cohort_types: frozenset[str]
    """Whose cohorts these are: `user` and group types."""
    _listed: Sequence[str] | None

    def __init__(self, flags: Iterable[Flag], parent_types: ParentTypes | None = None) -> None:
        """The flags of an environment, and by group type the type that its groups belong to."""
        known = {flag.key: flag for flag in flags}
        cohorts = {key: found for key, flag in known.items() if (found := read_cohorts(flag))}
        self._fill(_Compiled(known), {key: read(flag) for key, flag in known.items()}, cohorts, parent_types or {})

    def with_changes(
        self, changed: Iterable[Flag] = (), removed: Iterable[str] = (), parent_types: ParentTypes | None = None
    ) -> "FlagSet":
        """A flag set with these flags put in, those keys taken out, and, if given, other parent types.

        What is compiled of the other flags stays so.
        """
        flags, compiled, reads, cohorts = dict(self.flags), dict(self._compiled), dict(self._read), dict(self._cohorts)
        for key in removed:
            for each in (flags, compiled, reads, cohorts):
                each.pop(key, None)
        for flag in changed:
            flags[flag.key], reads[flag.key], cohorts[flag.key] = flag, read(flag), read_cohorts(flag)
            compiled.pop(flag.key, None)
        changed_set = FlagSet(())
        changed_set._fill(
            _Compiled(flags, compiled),
            reads,
            {key: found for key, found in cohorts.items() if found},
            self.parent_types if parent_types is None else parent_types,
        )
        return changed_set

    @property
    def flags(self) -> Mapping[str, Flag]:
        """The flags, archived ones too, by key."""
        return self._compiled.flags

    @property
    def listed(self) -> Sequence[str]:
        """The keys of the flags that are not archived, in order."""
        if self._listed is None:
            self._listed = sorted(key for key, flag in self.flags.items() if not flag.archived)
        return self._listed

    def evaluate(self, flag_key: str, context: Context, profiles: Profiles, now: float) -> Resolution:
        """What a flag gives. An unknown flag gives ERROR with FLAG_NOT_FOUND."""
        try:
            compiled = self._compiled[flag_key]
        except KeyError:
            return _not_found(flag_key)
        if self._links and (found := parent_groups(context, self._links.get(flag_key, ()), profiles)):
            context = completed(context, found)
            if not compiled.prerequisites:
                return _taken_from(found, compiled.decide(context, profiles, now))
            return _taken_from(found, self._decide_in_order(compiled, {}, context, profiles, now))
        if not compiled.prerequisites:
            return compiled.decide(context, profiles, now)
        return self._decide_in_order(compiled, {}, context, profiles, now)

    def decider(self, flag_key: str) -> Decide | None:
        """What `evaluate` does for one flag, for whoever has a quicker way to find it. None: there is no such flag."""
        if flag_key not in self.flags:
            return None
        compiled = self._compiled[flag_key]
        if flag_key in self._links:
            return lambda context, profiles, now: self.evaluate(flag_key, context, profiles, now)
        if not compiled.prerequisites:
            return compiled.decide
        return lambda context, profiles, now: self._decide_in_order(compiled, {}, context, profiles, now)

    def evaluate_all(self, context: Context, profiles: Profiles, now: float) -> list[Resolution]:
        """What every flag that is not archived gives, by flag key."""
        if self.links:
            return self._evaluate_all_completed(context, profiles, now)
        decided: dict[str, Resolution] = {}
        return [
            self._decide_in_order(compiled, decided, context, profiles, now)
            if compiled.prerequisites
            else compiled.decide(context, profiles, now)
            for compiled in map(self._compiled.__getitem__, self.listed)
        ]

    def explain(self, flag_key: str, context: Context, profiles: Profiles, now: float) -> Explanation:
        """Why a flag gives what `evaluate` returns for the same arguments."""
        if flag_key not in self.flags:
            missing = _not_found(flag_key)
            return Explanation(missing, summary=f"{missing.error_message}.")
        compiled = self._compiled[flag_key]
        found = parent_groups(context, self._links.get(flag_key, ()), profiles)
        context = completed(context, found)
        decided: dict[str, Resolution] = {}
        self._decide_in_order(compiled, decided, context, profiles, now)
        given = {
            key: resolution
            for key, _ in compiled.prerequisites
            if (resolution := decided.get(key)) is not None and (flag_key, key) not in self._cyclic
        }
        explanation = explain(compiled, given, context, profiles, now, found)
        return replace(explanation, resolution=_taken_from(found, explanation.resolution))

    def reach_of(self, flag_key: str) -> Iterator[str]:
        """The keys of this flag, of its prerequisites, and of theirs, each once: there may be no flag of such a key."""
        reached = [flag_key]
        for key in reached:
            yield key
            if key in self.flags:
                reached.extend(each for each in _needed(self.flags[key]) if each not in reached)

    def mentions_of(self, flag_key: str) -> frozenset[Attribute]:
        """The properties that this flag and its prerequisites read."""
        reads = {each for key in self.reach_of(flag_key) for each in self._read.get(key, ()) if each.name != KEY}
        return frozenset(reads | {link.attribute for link in self._links.get(flag_key, ())})

    def cohorts_of(self, flag_key: str) -> frozenset[tuple[str, str]]:
        """The cohorts that this flag and its prerequisites read, as in `cohorts`."""
        return frozenset(each for key in self.reach_of(flag_key) for each in self._cohorts.get(key, ()))

    def is_by_user(self, flag_key: str) -> bool:
        """Whether it may give two users of the same groups different things, as far as nothing of them is passed."""
        return any(self._compiled[key].by_user for key in self.reach_of(flag_key) if key in self.flags)

    def is_timed(self, flag_key: str) -> bool:
        """Whether the time alone may change what this flag gives: by a ramp, or a relative time."""
        compiled = self._compiled.get(flag_key)
        if compiled is not None and not compiled.flag.prerequisites:  # asked beside every check that is worked out
            return compiled.timed
        return any(self._compiled[key].timed for key in self.reach_of(flag_key) if key in self.flags)

    def _fill(
        self,
        compiled: "_Compiled",
        reads: dict[str, frozenset[Attribute]],
        cohorts: dict[str, frozenset[tuple[str, str]]],
        parent_types: ParentTypes,
    ) -> None:
        self._compiled = compiled
        self._read = reads
        self._cohorts = cohorts
        self._listed = None
        self._cyclic = closing_edges({key: _needed(flag) for key, flag in self.flags.items() if flag.prerequisites})
        self.parent_types = parent_types
        self._links = self._links_by_flag() if parent_types else {}
        used = {link for links in self._links.values() for link in links}
        self.links = tuple(link for link in links_of(parent_types) if link in used)
        mentions = {each for found in reads.values() for each in found if each.name != KEY}
        self.profile_types = frozenset(attribute.owner for attribute in mentions)
        self.mentions = frozenset(mentions | {link.attribute for link in self.links})
        self.mentioned_types = frozenset(attribute.owner for attribute in self.mentions)
        self.cohorts = frozenset().union(*cohorts.values())
        self.cohort_types = frozenset(owner for owner, _ in self.cohorts)

    def _links_by_flag(self) -> dict[str, tuple[Link, ...]]:
        """By key of each flag that reads a type which others belong to, or needs one that does: the steps up to it."""
        links = links_of(self.parent_types)
        above = frozenset(self.parent_types.values())
        needed = {key: _needed(flag) for key, flag in self.flags.items()}
        types = {key: {each.owner for each in found} & above for key, found in self._read.items()}
        return {key: links_to(links, found) for key, found in reached_by(needed, types).items() if found}

    def _evaluate_all_completed(self, context: Context, profiles: Profiles, now: float) -> list[Resolution]:
        """Flags by the same steps up are decided together; what they need is no other for other flags' steps."""
        ways: dict[tuple[Link, ...], tuple[Sequence[ParentGroup], Context, dict[str, Resolution]]] = {}
        given = []
        for key in self.listed:
            links = self._links.get(key, ())
            if links not in ways:
                found = parent_groups(context, links, profiles)
                ways[links] = found, completed(context, found), {}
            (found, whole, decided), compiled = ways[links], self._compiled[key]
            if compiled.prerequisites:
                resolution = self._decide_in_order(compiled, decided, whole, profiles, now)
            else:
                resolution = compiled.decide(whole, profiles, now)
            given.append(_taken_from(found, resolution))
        return given

    def _decide_in_order(
        self, wanted: CompiledFlag, decided: dict[str, Resolution], context: Context, profiles: Profiles, now: float
    ) -> Resolution:
        """Decide a flag after its prerequisites, with a stack of our own: chains may be longer than Python's."""
        known, cyclic, stack = self.flags, self._cyclic, [wanted]
        while stack:
            compiled = stack[-1]
            key = compiled.flag.key
            for needed, _ in compiled.prerequisites:
                if needed not in decided and needed in known and (key, needed) not in cyclic:
                    stack.append(self._compiled[needed])
                    break
            else:
                stack.pop()
                if key not in decided:
                    passed = self._passed(compiled, decided)
                    decided[key] = compiled.decide(context, profiles, now) if passed else compiled.disabled
        return decided[wanted.flag.key]

    def _passed(self, compiled: CompiledFlag, decided: dict[str, Resolution]) -> bool:
        for needed, variants in compiled.prerequisites:
            given = decided.get(needed)
            if given is None or given.variant not in variants or (compiled.flag.key, needed) in self._cyclic:
                return False
        return True


class _Compiled(dict[str, CompiledFlag]):
    """Compiled flags by key; a flag that is not there yet is compiled when it is looked for. KeyError: unknown."""

    def __init__(self, flags: Mapping[str, Flag], compiled: Mapping[str, CompiledFlag] | None = None) -> None:
        super().__init__(compiled or {})
        self.flags = flags

    def __missing__(self, key: str) -> CompiledFlag:
        compiled = self[key] = compile_flag(self.flags[key])
        return compiled


def _needed(flag: Flag) -> list[str]:
    """The keys of what a flag looks at before it decides."""
    return [] if flag.archived or not flag.enabled else [each.flag_key for each in flag.prerequisites]


def _taken_from(found: Sequence[ParentGroup], given: Resolution) -> Resolution:
    """The same, saying which groups the context did not name."""
    if not found:
        return given
    # dataclasses.replace would take three times as long, at every such check
    return Resolution(
        given.flag_key, given.value, given.variant, given.reason, given.rule_id, given.flag_version,
        given.error_code, given.error_message, given.bucket_by,
        {each.group_type: each.group_key for each in found},
    )  # fmt: skip


def _not_found(flag_key: str) -> Resolution:
    return Resolution(
        flag_key,
        None,
        "",
        Reason.ERROR,
        error_code=ErrorCode.FLAG_NOT_FOUND,
        error_message=f'There is no flag "{flag_key}"',
    )

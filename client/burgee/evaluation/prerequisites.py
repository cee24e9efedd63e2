"""The graph of prerequisites: what a flag leads to, and which edges close a cycle."""

from collections.abc import Collection, Mapping


def path(graph: Mapping[str, Collection[str]], start: str, end: str) -> list[str]:
    """A shortest path of keys from start to end, both named; empty if there is none. No recursion, however long."""
    came_from: dict[str, str] = {start: ""}
    waiting = [start]
    for key in waiting:
        if key == end:
            steps = [key]
            while steps[-1] != start:
                steps.append(came_from[steps[-1]])
            return steps[::-1]
        for after in graph.get(key, ()):
            if after not in came_from:
                came_from[after] = key
                waiting.append(after)
    return []


def reached_by(graph: Mapping[str, Collection[str]], marks: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """By key, the marks of all that it leads to, and its own; for those that have any."""
    dependents: dict[str, list[str]] = {}
    for key, after in graph.items():
        for each in after:
            dependents.setdefault(each, []).append(key)
    found: dict[str, set[str]] = {}
    for mark in {mark for own in marks.values() for mark in own}:
        reached = [key for key, own in marks.items() if mark in own]
        seen = set(reached)
        for key in reached:
            found.setdefault(key, set()).add(mark)
            new = [each for each in dependents.get(key, ()) if each not in seen]
            seen.update(new)
            reached += new
    return {key: frozenset(each) for key, each in found.items()}


def closing_edges(graph: Mapping[str, Collection[str]]) -> frozenset[tuple[str, str]]:
    """The edges that lie on a cycle: a flag evaluates as if these prerequisites had failed.

    Flags that hang on a cycle from outside are not on it, and are evaluated as ever.
    """
    waiting = {key: set(after) & graph.keys() for key, after in graph.items() if after}
    dependents: dict[str, list[str]] = {}
    for key, after in waiting.items():
        for each in after:
            dependents.setdefault(each, []).append(key)
    # Take away what depends on nothing, again and again; what stays is on a cycle or hangs on one.
    free = [key for key in graph if not waiting.get(key)]
    for key in free:
        for dependent in dependents.get(key, ()):
            waiting[dependent].discard(key)
            if not waiting[dependent]:
                free.append(dependent)
    left = {key: after for key, after in waiting.items() if after}
    return frozenset((key, after) for key, edges in left.items() for after in edges if path(left, after, key))

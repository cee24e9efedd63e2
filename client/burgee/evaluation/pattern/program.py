"""Turns a pattern's tree into a flat program: a nondeterministic automaton, one step an instruction."""

from dataclasses import dataclass
from typing import TypeAlias

from burgee.evaluation.pattern.characters import Characters
from burgee.evaluation.pattern.syntax import Assertion, Choice, Node, PatternError, Repeat, Sequence

LARGEST = 2000
"""Instructions in a program: what bounds the work for one character of text."""


@dataclass(frozen=True, slots=True)
class Take:
    """Takes one character of a set."""

    characters: Characters
    then: int


@dataclass(frozen=True, slots=True)
class Assert:
    """Goes on if the assertion holds here."""

    assertion: Assertion
    then: int


@dataclass(frozen=True, slots=True)
class Fork:
    """Goes on in every one of these places."""

    then: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The pattern is found."""


Instruction: TypeAlias = Take | Assert | Fork | Found


def assemble(tree: Node) -> tuple[tuple[Instruction, ...], int]:
    """The program, and where it begins. Raises PatternError if it grows too large."""
    program: list[Instruction] = []

    def add(instruction: Instruction) -> int:
        if len(program) >= LARGEST:
            raise PatternError(
                f"the pattern is too large: more than {LARGEST:,} steps when its repeats are written out"
            )
        program.append(instruction)
        return len(program) - 1

    def build(node: Node, then: int) -> int:
        """Add the node so that it goes on at `then`; where it begins."""
        match node:
            case Characters():
                return add(Take(node, then))
            case Assertion():
                return add(Assert(node, then))
            case Sequence(parts):
                for part in reversed(parts):
                    then = build(part, then)
                return then
            case Choice(branches):
                return add(Fork(tuple(build(branch, then) for branch in branches)))
            case Repeat(part, low, high):
                return repeat(part, low, high, then)

    def repeat(part: Node, low: int, high: int | None, then: int) -> int:
        if high is None:
            again = add(Fork(()))
            program[again] = Fork((build(part, again), then))
            then = again
        else:
            end = then
            for _ in range(high - low):
                then = add(Fork((build(part, then), end)))
        for _ in range(low):
            then = build(part, then)
        return then

    start = build(tree, add(Found()))
    return tuple(program), start

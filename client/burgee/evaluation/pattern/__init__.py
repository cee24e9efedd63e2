"""Regular expressions in RE2's syntax, found in time linear in the text, whatever the pattern.

Python's `re` backtracks: one pattern can hold a process for minutes. This engine never does, and imports nothing.
"""

from burgee.evaluation.pattern.search import Pattern
from burgee.evaluation.pattern.syntax import PatternError

__all__ = ["Pattern", "PatternError"]

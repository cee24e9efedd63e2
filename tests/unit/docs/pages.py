"""The pages as a test reads them: sections, links, snippets and command lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]

RUNS = "# runs"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Snippet:
    """A Python block that promises to run, and what it promises to print; None: whatever it likes."""

    name: str
    code: str
    output: str | None


def page(name: str) -> str:
    """The text of docs/<name>.md, and of the pages in a folder of that name."""
    return "\n".join(path.read_text() for path in (DOCS / f"{name}.md", *sorted((DOCS / name).glob("*.md"))))


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of any level. Empty if there is no such heading."""
    found = re.search(rf"^#+ +{re.escape(heading)} *$\n(.*?)(?=^#+ |\Z)", _without_fences(text), re.M | re.S)
    return found[1] if found else ""


def headings(text: str) -> list[str]:
    """The headings, as they are written."""
    return _HEADING.findall(_without_fences(text))


def anchors(text: str) -> set[str]:
    """What a link may say after the #, as GitHub makes it of the headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(text)}


def links(text: str) -> Iterator[str]:
    """The targets of links to files of the repository."""
    for target in _LINK.findall(_without_fences(text)):
        if not target.startswith(("http://", "https://")):
            yield target


def snippets() -> Iterator[Snippet]:
    """Every block that begins with `# runs`; a `text` block right after it is its output."""
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text()
        for block in _FENCE.finditer(text):
            if block[1] == "python" and block[2].startswith(RUNS + "\n"):
                after = re.match(r"\n\n```text\n(.*?)^```$", text[block.end() :], re.M | re.S)
                line = text.count("\n", 0, block.start()) + 1
                yield Snippet(f"{path.relative_to(DOCS)}:{line}", block[2], after[1] if after else None)


def commands(text: str) -> Iterator[str]:
    """The `burgee …` lines that somebody types: all of a `sh` block, and after a `$` in a `console` block."""
    for block in _FENCE.finditer(text):
        prompt = {"sh": "", "console": "$ "}.get(block[1])
        for line in block[2].splitlines() if prompt is not None else ():
            if line.startswith(f"{prompt}burgee "):
                yield line.removeprefix(prompt).split("  #")[0]


def _without_fences(text: str) -> str:
    return _FENCE.sub("", text)

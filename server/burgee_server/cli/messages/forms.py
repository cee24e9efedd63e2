"""What Slack and Teams take as a message: a title, what it says, and lines of a table in letters of one width."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

_SLACK_CHARACTERS = 3_500
"""Slack cuts a longer text in two, and what encloses the table with it: from 4,000 on."""
_TEAMS_BYTES = 10_000
"""Teams takes 28 KB, JSON included, and the lines are in there twice."""


@dataclass(frozen=True, slots=True)
class Message:
    """As long as it likes: it becomes as many documents as it takes."""

    title: str
    description: str
    lines: Sequence[str]


def _slack(message: Message) -> Iterator[Document]:
    """For an incoming webhook. Names are text: what Slack would take for a link or a mention is escaped."""
    for title, description, lines in _parts(message, _SLACK_CHARACTERS, lambda text: len(_escaped(text))):
        said = [f"*{_escaped(title)}*", *([_escaped(description)] if description else [])]
        table = _escaped("\n".join(lines)).replace("```", "'''")
        yield {"text": "\n".join([*said, *([f"```\n{table}\n```"] if lines else [])])}


def _teams(message: Message) -> Iterator[Document]:
    """For the webhook of a workflow that posts a card. Names are text runs, in which nothing is markup."""
    for title, description, lines in _parts(message, _TEAMS_BYTES, lambda text: len(text.encode())):
        table = "\n".join(lines)
        body: list[Document] = [_runs(title, weight="Bolder", size="Medium")]
        if description:
            body.append(_runs(description))
        body.append(
            {
                "type": "CodeBlock",
                "language": "PlainText",
                "codeSnippet": table,
                "fallback": _runs(table, fontType="Monospace", size="Small"),
            }
        )
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.5",
            "msteams": {"width": "Full"},
            "body": body,
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        yield {"type": "message", "attachments": [attachment]}


FORMS: Mapping[str, Callable[[Message], Iterator[Document]]] = {"slack": _slack, "teams": _teams}
"""The documents of a message, by who takes them."""


def _parts(message: Message, most: int, size: Callable[[str], int]) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Title, description and lines of each document: no line is cut, and none is left out.

    Where the description, which stands in the first, leaves no room for any, that has none.
    """
    parts: list[list[str]] = [[]]
    most -= size(message.title)
    room = most - size(message.description)
    for line in message.lines:
        needs = size(line) + 1
        if needs > room and (parts[-1] or room < most):
            parts.append([])
            room = most
        parts[-1].append(line)
        room -= needs
    for number, lines in enumerate(parts, 1):
        which = f" ({number} of {len(parts)})" if len(parts) > 1 else ""
        yield message.title + which, message.description if number == 1 else "", lines


def _runs(text: str, **look: str) -> Document:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""`burgee insights send`: what a channel of Slack or Teams is told, and what becomes of that."""

import json
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

import burgee
from burgee.v1 import saved_pb2
from burgee_server.cli.messages import FORMS, Message
from burgee_server.cli.messages import webhook as webhooks
from tests.rpc.insight_calls import event

MARCH = {"start": "2026-03-01", "end": "2026-03-03"}
SECRET = "/services/T0/B0/secret"


class Channel:
    """A webhook: what was posted, and what it answers next, else 200."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.answers: list[tuple[int, str]] = []
        self.silent = Event()
        self.silent.set()
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                channel.silent.wait(20)
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, text = channel.answers.pop(0) if channel.answers else (200, "ok")
                if status == 200 and self.path == SECRET:
                    channel.posted.append(document)
                with suppress(OSError):  # whoever has stopped waiting for it
                    self.send_response(status)
                    self.send_header("Retry-After", "0")
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}{SECRET}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Nobody answers there any more."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def channel() -> Iterator[Channel]:
    """Gone afterwards."""
    channel = Channel()
    yield channel
    channel.close()


@pytest.fixture
def webhook(channel: Channel, tmp_path: Path) -> str:
    """The file that has its address."""
    file = tmp_path / "webhook"
    file.write_text(channel.address + "\n")
    return str(file)


@pytest.fixture(scope="module")
def admin(shared_admin):
    """One for all tests, which only ask, or make what has a key of its own."""
    return shared_admin


@pytest.fixture(scope="module")
async def saved(admin, loaded):
    """Two insights of a board, one of them with a name that could be taken for something else."""
    opened = event("opened", "ann", "<!channel>", 1), event("opened", "bob", "bolt", 2)
    await admin.send(*opened, event("closed", "bob", "bolt", 3))
    await loaded()
    by_company = burgee.TrendQuery(series=[burgee.Series("opened")], breakdown="company.key", **MARCH)
    named = {"name": "Opened & <seen>", "description": "Who uses it"}
    funnel = burgee.FunnelQuery(steps=["opened", "closed"], **MARCH)
    for insight in (
        saved_pb2.Insight(key="by-company", question={"trend": by_company.write()}, tags=["board"], **named),
        saved_pb2.Insight(key="funnel", question={"funnel": funnel.write()}, tags=["board"]),
    ):
        await admin.insights.CreateInsight(saved_pb2.CreateInsightRequest(insight=insight))


async def test_slack_is_told_what_the_tables_say(run, saved, channel, webhook):
    """A message an insight; what Slack would take for markup or a mention is text."""
    said = await run("insights", "send", "--tag", "board", "--to", "slack", "--webhook-file", webhook)
    asked = (await run("insights", "ask", "by-company")).output.rstrip("\n").split("\n")

    assert said.output == "2 of 2 insights sent to slack\n"
    company, funnel = (document.pop("text") for document in channel.posted)
    assert channel.posted == [{}, {}]
    title, description, *table = company.split("\n")
    assert (title, description) == ("*Opened &amp; &lt;seen&gt;*", "Who uses it")
    assert (table[0], table[-1]) == ("```", "```")
    shown = [line.replace("&lt;", "<").replace("&gt;", ">") for line in table[1:-1]]
    assert shown[:-1] == asked[1:-1]  # and how long it took
    assert any("&lt;!channel&gt;" in line for line in table)
    assert funnel.startswith("*funnel*\n```\n┏")


async def test_teams_is_told_in_a_card_of_text(run, saved, channel, webhook):
    """Title and description are runs, in which nothing is markup, and the table has letters of one width."""
    of_bolt = ("--group", "bolt", "--group-type", "company")
    await run("insights", "send", "by-company", "--to", "teams", "--webhook-file", webhook, *of_bolt)

    [document] = channel.posted
    [attachment] = document["attachments"]
    assert (document["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    title, description, table = attachment["content"]["body"]
    assert title["inlines"][0]["text"] == "Opened & <seen> of company bolt"
    assert description["inlines"][0]["text"] == "Who uses it"
    assert "│ bolt " in table["codeSnippet"]
    assert table["fallback"]["inlines"][0]["text"] == table["codeSnippet"]


@pytest.mark.parametrize("form", FORMS)
def test_a_long_table_becomes_several_messages_and_loses_no_line(form):
    """Each is as large as is shown whole; the description is said once."""
    lines = [f"│ {number:>4} │ {'&█'[number % 2] * 60} │" for number in range(300)]

    documents = list(FORMS[form](Message("A table", "said once", lines)))

    texts = [json.dumps(document, ensure_ascii=False) for document in documents]
    if form == "slack":
        assert all(len(document["text"]) < 4_000 for document in documents)
        tables = [document["text"].split("```")[1].strip("\n").replace("&amp;", "&") for document in documents]
    else:
        assert all(len(text.encode()) < 28_000 for text in texts)
        tables = [document["attachments"][0]["content"]["body"][-1]["codeSnippet"] for document in documents]
    assert "\n".join(tables).split("\n") == lines
    assert all(f"A table ({number} of {len(texts)})" in text for number, text in enumerate(texts, 1))
    assert [text.count("said once") for text in texts] == [1] + [0] * (len(texts) - 1)
    assert len(texts) > 1


def test_what_is_said_before_a_table_counts_for_how_much_slack_shows_whole():
    """As long as a description may be; where it leaves no room, the table begins in the next message."""
    lines = [f"│ {number:>4} │ {'█' * 60} │" for number in range(100)]
    for description, tables in (("d" * 2_000, 3), ("&" * 1_000, 4)):
        texts = [document["text"] for document in FORMS["slack"](Message("n" * 200, description, lines))]
        assert all(len(text) < 4_000 or "```" not in text for text in texts)
        shown = [text.split("```")[1].strip("\n") for text in texts if "```" in text]
        assert "\n".join(shown).split("\n") == lines
        assert len(texts) == tables


async def test_messages_have_no_colours_where_tables_do(run, saved, monkeypatch):
    """As in the jobs of those who set FORCE_COLOR for everything."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    printed = (await run("insights", "send", "by-company", "--to", "slack", "--print")).output
    assert "\\u001b" not in printed
    assert "\x1b" not in printed
    assert "```\n┏" in json.loads(printed)["text"]


async def test_a_host_that_is_not_for_the_proxy_is_not_asked_by_it(run, saved, channel, webhook, monkeypatch):
    """As NO_PROXY says, of hosts within, and as other programs do."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    await run("insights", "send", "funnel", "--to", "slack", "--webhook-file", webhook)
    assert len(channel.posted) == 1


@pytest.mark.parametrize(
    ("proxy", "address", "said"),
    [
        ("", b"https://[::1/secret", "begins with https:// and names a host"),
        ("", b"https://\xff/secret", "is not text"),
        ("proxy:3128", b"http://127.0.0.1:9/secret", "the proxy of the environment"),
    ],
)
async def test_an_address_that_is_none_is_told_without_it(run, saved, tmp_path, monkeypatch, proxy, address, said):
    """Of the channel, and of the proxy on the way to it."""
    if proxy:
        monkeypatch.setenv("http_proxy", proxy)
    (tmp_path / "webhook").write_bytes(address)
    refused = await run(
        "insights", "send", "funnel", "--to", "slack", "--webhook-file", str(tmp_path / "webhook"), code=1
    )
    assert said in refused.output
    assert "secret" not in refused.output


async def test_who_says_nothing_may_have_taken_the_message(run, saved, channel, webhook, monkeypatch):
    """So it is not sent again, and it is said what is not known."""
    monkeypatch.setattr(webhooks, "_SECONDS", 0.2)
    channel.silent.clear()
    refused = await run("insights", "send", "funnel", "--to", "slack", "--webhook-file", webhook, code=1)
    channel.silent.set()
    assert "127.0.0.1 has not said in 0.2 s whether it took a message; 0 of 1 messages" in refused.output


async def test_who_says_that_it_is_too_soon_is_asked_again(run, saved, channel, webhook):
    """As often as it takes a channel to be ready; nothing is sent twice."""
    channel.answers = [(200, "ok"), (429, "rate_limited"), (503, "later")]
    await run("insights", "send", "--tag", "board", "--to", "slack", "--webhook-file", webhook)
    assert [document["text"][:3] for document in channel.posted] == ["*Op", "*fu"]


async def test_what_is_not_taken_is_said_without_the_address(run, saved, channel, webhook, caplog):
    """With what the channel said, or why it could not be reached, and how many messages came before."""
    channel.answers = [(200, "ok"), (400, "invalid_payload")]
    command = ("insights", "send", "--tag", "board", "--to", "slack", "--webhook-file", webhook)
    refused = await run(*command, code=1)
    channel.answers = [(302, "")]
    moved = await run(*command, code=1)
    channel.close()
    gone = await run(*command, code=1)

    assert refused.output == (
        "Error: 127.0.0.1 did not take a message: 400 invalid_payload; 1 of 2 messages were sent before\n"
    )
    assert "did not take a message: 302 Found; 0 of 2" in moved.output
    assert "127.0.0.1 cannot be reached: Connection refused; 0 of 2 messages were sent before" in gone.output
    assert "secret" not in refused.output + moved.output + gone.output + caplog.text


async def test_one_that_has_no_answer_leaves_the_others_alone(run, saved, channel, webhook):
    """It is told of, and the command ends as one that failed, for whoever waits for its end."""
    await run("insights", "set", "funnel", "--shown-to", "company")
    to_slack = ("--to", "slack", "--webhook-file", webhook)
    said = await run("insights", "send", "by-company", "funnel", "--group", "bolt", *to_slack, code=1)
    assert said.output.endswith("1 of 2 insights sent to slack\n")
    assert "by-company: INVALID_ARGUMENT: " in said.stderr
    assert [document["text"].split("\n")[0] for document in channel.posted] == ["*funnel of company bolt*"]


async def test_what_would_be_sent_is_printed(run, saved, channel):
    """A document a line, for who sends them otherwise; and an address is asked for before anything is asked."""
    printed = (await run("insights", "send", "--tag", "board", "--to", "slack", "--print")).output
    assert [list(json.loads(line)) for line in printed.splitlines()] == [["text"], ["text"]]
    assert not channel.posted
    nowhere = await run("insights", "send", "nothing", "--to", "slack", code=2)
    assert "BURGEE_WEBHOOK, or --webhook-file" in nowhere.output

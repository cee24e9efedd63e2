"""`burgee delete` against a server that is killed in the middle."""

import json
import signal
import time

from tests.e2e.conftest import Command

EVENTS = [
    {"event": "opened", "distinct_id": person, "timestamp": 1_772_366_400 + number, "groups": {"company": "acme"}}
    for number in range(50)
    for person in ("ann", "bob")
]


def test_what_was_deleted_stays_deleted_through_a_crash(serve):
    """The deletion was answered, so it happens; who came back afterwards stays."""
    server = serve()
    command = Command(server)
    command.text("import", "-", stdin="\n".join(map(json.dumps, EVENTS)).encode())
    assert command.run("delete", "person", "ann").returncode == 1, "nobody said yes"
    asked = command.json("delete", "person", "ann", "--yes")
    again = [{**EVENTS[0], "event": "came back"}]
    command.text("import", "-", stdin="\n".join(map(json.dumps, again)).encode())
    server.stop(signal.SIGKILL)

    command = Command(serve())
    deadline = time.monotonic() + 60
    while (erasure := command.json("delete", "list")[0])["state"] != "done":
        assert time.monotonic() < deadline
    assert (erasure["erasure_id"], erasure["key"], erasure["events"]) == (asked["erasure_id"], None, 50)
    bob = command.json("delete", "group", "acme", "--yes", "--wait")
    assert (bob["state"], bob["events"]) == ("done", 51)

"""What the backlog of a journal means to whoever looks at a server."""

from collections.abc import Iterator

from burgee_server.findings import Finding, ok, warning, wrong
from burgee_server.ports.journal import Backlog
from burgee_server.ports.quarantine import Held

_TOO_FULL = 0.8
_LATE_SECONDS = 300.0


def judge(backlog: Backlog, held: Held, now: float) -> Iterator[Finding]:
    """How full the journal is, how long the oldest batch has waited at this Unix time, and what was refused."""
    found = f"{backlog.kept_bytes / backlog.max_bytes:.0%} of journal_max_mb in use; {backlog.events:,} events wait"
    if backlog.kept_bytes >= backlog.max_bytes * _TOO_FULL:
        advice = "mend what keeps the warehouse from taking events, purge the quarantine, or raise journal_max_mb"
        yield (wrong if backlog.kept_bytes >= backlog.max_bytes else warning)("journal", found, advice)
    else:
        yield ok("journal", found)
    if backlog.oldest_at is not None and now - backlog.oldest_at > _LATE_SECONDS:
        late = f"events have waited for {now - backlog.oldest_at:,.0f} s"
        yield warning("journal", late, "see the warehouse, and that a process runs that loads")
    if held.aside or held.quarantined:
        refused = f"{held.quarantined:,} events in quarantine, {held.aside:,} set aside: the warehouse refused them"
        yield warning("quarantine", refused, "burgee quarantine list says why; replay or purge them")

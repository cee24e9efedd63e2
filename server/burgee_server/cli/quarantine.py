"""`burgee quarantine`: events that were acknowledged and that the warehouse refused."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import click

import burgee
from burgee.v1 import capture_pb2 as pb
from burgee.v1.capture_pb2_grpc import CaptureServiceStub
from burgee_server.cli.connection import with_client
from burgee_server.cli.moments import MOMENT
from burgee_server.cli.output import as_json, at_most, print_json, print_table, utc
from burgee_server.cli.pages import pages
from burgee_server.ports.warehouse import from_micros

PAGE = 100
"""A page of the largest events fits into a message."""


@click.group()
def quarantine() -> None:
    """See, replay and purge events that the warehouse refused."""


def _filter_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--until", type=MOMENT, help="Quarantined before: RFC 3339, or a date."),
        click.option("--since", type=MOMENT, help="Quarantined then or later."),
        click.option("--reason", default="", help="Only those whose reason contains this text."),
    ):
        command = option(command)
    return command


@quarantine.command("list")
@_filter_options
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1), help="How many at most.")
@as_json
@with_client
def list_(
    client: burgee.Client, reason: str, since: datetime | None, until: datetime | None, limit: int, as_json: bool
) -> None:
    """The events in quarantine, newest first."""
    shown, more = at_most(limit, _events(client, _filter((), reason, since, until)))
    if as_json:
        print_json([_document(each) for each in shown])
        return
    rows = [
        [str(each.quarantine_id), utc(each.quarantined_at), each.event.event, each.event.distinct_id, each.reason]
        for each in shown
    ]
    print_table(["id", "quarantined (UTC)", "event", "distinct_id", "reason"], rows)
    if more:
        click.echo(more)


@quarantine.command()
@click.argument("quarantine_id", type=click.IntRange(min=1))
@with_client
def show(client: burgee.Client, quarantine_id: int) -> None:
    """One event in quarantine, whole, as JSON."""
    request = pb.GetQuarantinedEventRequest(quarantine_id=quarantine_id)
    print_json(_document(_stub(client).GetQuarantinedEvent(request).event))


@quarantine.command()
@click.argument("quarantine_ids", nargs=-1, type=click.IntRange(min=1))
@_filter_options
@as_json
@with_client
def replay(
    client: burgee.Client,
    quarantine_ids: Sequence[int],
    reason: str,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Offer events (none named: all) to the warehouse once more. What it takes leaves the quarantine."""
    chosen = _filter(quarantine_ids, reason, since, until)
    answer = _stub(client).ReplayQuarantinedEvents(pb.ReplayQuarantinedEventsRequest(filter=chosen))
    if as_json:
        print_json({"replayed": answer.replayed, "refused": answer.refused})
    else:
        click.echo(f"{answer.replayed:,} replayed, {answer.refused:,} refused again")
    if answer.refused:
        sys.exit(1)


@quarantine.command()
@click.argument("quarantine_ids", nargs=-1, type=click.IntRange(min=1))
@_filter_options
@click.option("--all", "everything", is_flag=True, help="Every event in quarantine; goes alone.")
@click.option("--yes", "yes", is_flag=True, help="Do not ask whether you are sure.")
@as_json
@with_client
def purge(
    client: burgee.Client,
    quarantine_ids: Sequence[int],
    reason: str,
    since: datetime | None,
    until: datetime | None,
    everything: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete events in quarantine, for good."""
    if not yes:
        click.confirm("Delete these events? This cannot be undone.", abort=True, err=True)
    chosen = _filter(quarantine_ids, reason, since, until)
    request = pb.PurgeQuarantinedEventsRequest(filter=chosen, all=everything)
    purged = _stub(client).PurgeQuarantinedEvents(request).purged
    if as_json:
        print_json({"purged": purged})
    else:
        click.echo(f"{purged:,} purged")


def _stub(client: burgee.Client) -> CaptureServiceStub:
    return client.stub(CaptureServiceStub)


def _events(client: burgee.Client, chosen: pb.QuarantineFilter) -> Iterator[pb.QuarantinedEvent]:
    request = pb.ListQuarantinedEventsRequest(filter=chosen, page_size=PAGE)
    for page in pages(_stub(client).ListQuarantinedEvents, request):
        yield from page.events


def _filter(ids: Sequence[int], reason: str, since: datetime | None, until: datetime | None) -> pb.QuarantineFilter:
    chosen = pb.QuarantineFilter(quarantine_ids=ids, reason=reason)
    if since is not None:
        chosen.start.FromDatetime(since)
    if until is not None:
        chosen.end.FromDatetime(until)
    return chosen


def _document(quarantined: pb.QuarantinedEvent) -> dict[str, Any]:
    event = quarantined.event
    return {
        "quarantine_id": quarantined.quarantine_id,
        "reason": quarantined.reason,
        "received_at": quarantined.received_at.ToJsonString(),
        "quarantined_at": quarantined.quarantined_at.ToJsonString(),
        "event": {
            "uuid": event.uuid,
            "event": event.event,
            "distinct_id": event.distinct_id,
            "timestamp": from_micros(event.timestamp_micros).isoformat(),
            "groups": dict(event.groups),
            "properties_json": event.properties_json,  # as text: it may be no JSON at all
        },
    }

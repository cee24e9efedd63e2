"""`burgee audit`: who changed what."""

from collections.abc import Iterator

import click

import burgee
from burgee.v1 import admin_pb2 as pb
from burgee.v1.admin_pb2_grpc import AdminServiceStub
from burgee_server.cli.connection import with_client
from burgee_server.cli.output import as_json, at_most, print_json, print_table, utc
from burgee_server.cli.pages import pages

_PAGE = 1_000


@click.command()
@click.option("--limit", default=30, show_default=True, type=click.IntRange(min=1), help="How many at most.")
@as_json
@with_client
def audit(client: burgee.Client, limit: int, as_json: bool) -> None:
    """Who changed what in the key's environment, newest first."""
    shown, more = at_most(limit, _entries(client, limit + 1))
    if as_json:
        print_json(
            [
                {
                    "at": each.at.ToJsonString(),
                    "actor": each.actor,
                    "action": each.action,
                    "subject": each.subject,
                    "detail": each.detail,
                }
                for each in shown
            ]
        )
        return
    rows = [[utc(each.at), each.actor, each.action, each.subject, each.detail] for each in shown]
    print_table(["when (UTC)", "who", "did what", "to what", ""], rows)
    if more:
        click.echo(more)


def _entries(client: burgee.Client, limit: int) -> Iterator[pb.AuditEntry]:
    request = pb.ListAuditEntriesRequest(page_size=min(limit, _PAGE))
    for page in pages(client.stub(AdminServiceStub).ListAuditEntries, request):
        yield from page.entries

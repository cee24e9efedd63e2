"""The demo's report: a world is sent, a flag is rolled out, and Burgee is asked what happened."""

from collections.abc import Set
from datetime import datetime
from time import monotonic

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

import burgee
from burgee_server.demo.rollout import FLAG, TENTH, THIRD, roll_out
from burgee_server.demo.sending import DemoFailed, send_events, send_profiles
from burgee_server.demo.usage import busiest_companies, onboarding_funnel
from burgee_server.demo.world import DAYS, World

_NEXT = """\
make run                                                           [dim]# a server of your own, on localhost:4750[/]
. .venv/bin/activate                                               [dim]# in another terminal, same directory[/]
burgee import history.ndjson                                       [dim]# your events, one JSON object a line[/]
burgee flags create new-reports --by company --rollout 10%         [dim]# a flag, on for a tenth of the companies[/]
burgee flags explain new-reports --group company=acme              [dim]# who sees it, and why[/]
burgee flags set new-reports --rollout 33.333%                     [dim]# more companies; nobody loses it[/]
burgee companies --start -90d                                      [dim]# who uses the product most[/]
burgee query funnel signed_up report_created --count-by company    [dim]# who gets how far[/]"""


def play(client: burgee.Client, console: Console, *, end: datetime, seed: int = 1) -> None:
    """Play the 90 days before `end` to an empty environment, and print the report. Needs an ADMIN key.

    Raises DemoFailed, burgee.QueryError or grpc.RpcError.
    """
    world = World(seed, end)
    console.print(f"[bold]{DAYS} days of a B2B product[/], {world.start:%Y-%m-%d} to {world.end:%Y-%m-%d}\n")
    started = monotonic()
    with console.status("sending companies and people"):
        profiles = send_profiles(client, world)
    with console.status("sending events"):
        events = send_events(client, world)
    seconds = monotonic() - started
    console.print(
        f"Sent {events:,} events, {len(world.companies)} companies and {profiles - len(world.companies):,} people "
        f"in {seconds:.1f} s; all acknowledged, and all found again.\n"
    )
    console.print(busiest_companies(client, world), "")
    console.print(onboarding_funnel(client, world), "")
    _print_rollout(client, console, world)
    console.print("\n[bold]Try next[/]\n")
    console.print(_NEXT, soft_wrap=True)


def _print_rollout(client: burgee.Client, console: Console, world: World) -> None:
    tenth, third = roll_out(client, world)
    lost = tenth - third
    total = len(world.companies)
    console.print(f"[bold]The flag {FLAG}, rolled out by company[/]\n")
    for share, seeing in ((TENTH, tenth), (THIRD, third)):
        console.print(f"  at {share / 1_000:6.3f} %  {len(seeing):3} of {total} companies see it")
    console.print(f"  Of the {len(tenth)} that had it, {len(tenth & third)} kept it and {len(lost)} lost it.\n")
    if lost:
        raise DemoFailed(f"raising the rollout took the flag from {sorted(lost)}")
    _print_reasons(client, console, world, tenth, third)


def _print_reasons(client: burgee.Client, console: Console, world: World, tenth: Set[str], third: Set[str]) -> None:
    everybody = {company.key for company in world.companies}
    for why, keys in (
        ("had it from the start", tenth),
        ("got it with the second step", third - tenth),
        ("does not have it yet", everybody - third),
    ):
        if key := min(keys, default=None):
            summary = client.explain(FLAG, company=key).summary
            console.print(f"  [bold]{key}[/] {why}:")
            console.print(Padding(escape(summary), (0, 0, 0, 4)))

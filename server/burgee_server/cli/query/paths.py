"""`burgee query paths`: what people do after an event, before one, or from one to another."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click

import burgee
from burgee_server.cli.connection import with_client
from burgee_server.cli.happenings import EVENT
from burgee_server.cli.output import print_table
from burgee_server.cli.query.options import Asking, asking_options, window_of


def _groups(_context: click.Context, _option: click.Parameter, texts: Sequence[str]) -> list[burgee.PathGroup]:
    groups = []
    for text in texts:
        label, equals, pattern = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r}: write LABEL=PATTERN, such as docs=^/docs/")
        groups.append(burgee.PathGroup(pattern, label))
    return groups


@click.command()
@click.option("--after", metavar="EVENT", type=EVENT, help="Paths begin with this event, or @action.")
@click.option("--before", metavar="EVENT", type=EVENT, help="Paths end with this event, or @action.")
@click.option("--only", metavar="EVENT", multiple=True, type=EVENT, help="Only these events; several times.")
@click.option("--without", metavar="EVENT", multiple=True, type=EVENT, help="Not these events; several times.")
@click.option("--name-by", default="", help="The event property that names an item, such as path.")
@click.option("--group", "groups", metavar="LABEL=PATTERN", multiple=True, callback=_groups, help="Name what matches.")
@click.option("--gap", default="30m", show_default=True, help="How long nothing may happen within a path: 30m, 12h.")
@click.option("--steps", type=click.IntRange(2, 20), default=5, show_default=True, help="How many items a path has.")
@click.option("--edges", type=click.IntRange(1, 1_000), default=50, show_default=True, help="How many are shown.")
@click.option("--min-weight", type=click.IntRange(0), default=0, help="Only edges that so many paths take at least.")
@click.option("--max-weight", type=click.IntRange(0), default=0, help="Only edges that so many paths take at most.")
@click.option("--count-by", default="user", show_default=True, help="user, or a group type such as company.")
@asking_options
@with_client
def paths(
    client: burgee.Client,
    after: burgee.Happening | None,
    before: burgee.Happening | None,
    only: Sequence[burgee.Happening],
    without: Sequence[burgee.Happening],
    name_by: str,
    groups: Sequence[burgee.PathGroup],
    gap: str,
    steps: int,
    edges: int,
    min_weight: int,
    max_weight: int,
    count_by: str,
    asking: Asking,
) -> None:
    """What people do next: the ways from event to event, after one, before one, or between two."""
    if asking.breakdown is not None:
        raise click.UsageError("--by: paths are not split")
    answer = asking.ask(
        client,
        burgee.PathsQuery(
            start_event=after,
            end_event=before,
            only=only,
            without=without,
            groups=groups,
            name_by=name_by,
            gap=window_of(gap, "--gap"),
            steps=steps,
            limit=edges,
            min_weight=min_weight,
            max_weight=max_weight,
            count_by=count_by,
            **asking.words,
        ),
    )

    def document(paths: burgee.Paths) -> dict[str, Any]:
        return {
            "paths": paths.paths,
            "actors": paths.actors,
            "nodes": [asdict(node) for node in paths.nodes],
            "edges": paths.to_rows(),
            "nodes_left_out": paths.nodes_left_out,
            "edges_left_out": paths.edges_left_out,
        }

    def table(paths: burgee.Paths) -> None:
        compared = ["before"] if paths.previous else []
        others = {_way(edge): edge.paths for edge in paths.previous.edges} if paths.previous else {}
        print_table(
            ["step", "from", "to", "paths", count_by, "median time", *compared],
            [
                [*_way(edge), edge.paths, edge.actors, _time(edge.median), *(others.get(_way(edge)) for _ in compared)]
                for edge in paths.edges
            ],
            title=f"{paths.paths:,} paths of {paths.actors:,}",
        )
        if paths.paths and not paths.edges and not paths.edges_left_out:
            click.echo(f"nothing is followed by anything within {gap}: --gap 1d, say, lets more time pass")
        if paths.edges_left_out:
            click.echo(f"and {paths.edges_left_out:,} edges more: --edges shows them")

    asking.show(answer, document, table)


def _way(edge: burgee.PathEdge) -> tuple[int, str, str]:
    return edge.step, edge.source, edge.target


def _time(time: timedelta) -> str:
    return str(timedelta(seconds=round(time.total_seconds())))

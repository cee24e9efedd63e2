"""How a cohort is computed, as it is typed: a few options that all must hold, or a file that says anything."""

import json
from collections.abc import Sequence
from typing import BinaryIO

import click
from google.protobuf.json_format import ParseDict, ParseError

import burgee
from burgee import wire
from burgee.evaluation import AllOf, Filter
from burgee.insights.words import write_happening
from burgee.v1 import cohorts_pb2 as pb
from burgee.v1 import common_pb2
from burgee_server.cli.filters import where_option
from burgee_server.cli.happenings import EVENT

_criteria = (
    where_option,
    click.option("--did", type=EVENT, multiple=True, metavar="EVENT", help="Who did this; several: all of them."),
    click.option("--did-not", type=EVENT, multiple=True, metavar="EVENT", help="Who did not do this."),
    click.option("--at-least", type=click.IntRange(1), default=1, help="How many times, for --did."),
    click.option("--start", default="-30d", help="From when on, for --did and --did-not."),
    click.option("--file", type=click.File("rb"), help="A ComputedCohort as JSON, in place of these; - is stdin."),
)


def criteria_options(command: click.decorators.FC) -> click.decorators.FC:
    """The options that say how a cohort is computed."""
    for option in reversed(_criteria):
        command = option(command)
    return command


def read_criteria(
    filters: Sequence[Filter],
    did: Sequence[burgee.Happening],
    did_not: Sequence[burgee.Happening],
    at_least: int,
    start: str,
    file: BinaryIO | None,
) -> pb.ComputedCohort | None:
    """What the options say; None if they say nothing. Raises click.UsageError, click.ClickException."""
    range_ = common_pb2.TimeRange(start=start)
    criteria = [pb.Criterion(performed=_performed(event, range_, at_least)) for event in did]
    for event in did_not:
        criteria.append(pb.Criterion(**{"not": pb.Criterion(performed=_performed(event, range_, 1))}))  # type: ignore[arg-type] # a word of Python's own
    if filters:
        criteria.append(pb.Criterion(properties=wire.filter_to_proto(AllOf(tuple(filters)))))
    if file is not None:
        if criteria:
            raise click.UsageError("--file says it all: leave out --where, --did and --did-not")
        return _read(file)
    if not criteria:
        return None
    whole = criteria[0] if len(criteria) == 1 else pb.Criterion(all=pb.CriterionList(criteria=criteria))
    return pb.ComputedCohort(criterion=whole)


def _performed(event: burgee.Happening, range_: common_pb2.TimeRange, at_least: int) -> pb.Performed:
    return pb.Performed(events=write_happening(event), at_least=at_least, range=range_)


def _read(file: BinaryIO) -> pb.ComputedCohort:
    try:
        return ParseDict(json.load(file), pb.ComputedCohort())
    except (ValueError, ParseError) as error:
        raise click.ClickException(f"{file.name}: is not a ComputedCohort as JSON: {error}") from error

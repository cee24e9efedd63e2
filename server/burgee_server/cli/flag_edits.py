"""What the commands about flags share: their options, and a flag as the options change it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

import burgee
from burgee import wire
from burgee.evaluation import AllOf, Condition, Distribution, Filter, Flag, Rule, VariantWeight, flag_from_document
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub
from burgee_server.cli.filters import FilterType, filter_text
from burgee_server.cli.pages import pages
from burgee_server.cli.rollout import ROLLOUT
from burgee_server.flags.wording import describe

note_option = click.option("--note", default="", help="Why, for the record.")
rollout_option = click.option("--rollout", type=ROLLOUT, help="How many are included, such as 10% or 33.333%.")
by_option = click.option("--by", "bucket_by", help="Who is drawn: user, a group type such as company, or an attribute.")
file_option = click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The whole flag, as `show` prints it."
)
enabled_option = click.option(
    "--enabled/--disabled", "enabled", default=None, help="Whether it gives anybody more than the off variant."
)


def _conditions(_context: click.Context, _option: click.Parameter, filters: Sequence[Filter]) -> list[Condition]:
    """Those of a rule, which must all hold. Raises click.BadParameter for what a rule cannot say."""
    found: list[Condition] = []
    for each in filters:
        match each:
            case Condition():
                found.append(each)
            case AllOf(inner):
                found += _conditions(_context, _option, inner)
            case _:
                raise click.BadParameter(
                    f"{filter_text(each)!r}: a rule has conditions that must all hold. In place of `or`, give the flag "
                    "one rule more (set --file); in place of `not`, take not_equals, not_in, not_contains, is_not_set"
                )
    return found


where_option = click.option(
    "--where",
    "conditions",
    type=FilterType(),
    multiple=True,
    callback=_conditions,
    help="Only where this holds: 'company.plan in pro,team and company.seats gt 3'; several must all hold.",
)


def change_options(command: click.decorators.FC) -> click.decorators.FC:
    """The options that say how a flag is changed: those that `edited` takes."""
    for option in (file_option, where_option, by_option, rollout_option, enabled_option):
        command = option(command)
    return command


def admin(client: burgee.Client) -> FlagAdminServiceStub:
    """What changes flags."""
    stub: FlagAdminServiceStub = client.stub(FlagAdminServiceStub)
    return stub


def get_flag(client: burgee.Client, flag_key: str) -> Flag:
    """A flag as it is."""
    return wire.flag_from_proto(admin(client).GetFlag(pb.GetFlagRequest(flag_key=flag_key)).flag)


def all_flags(client: burgee.Client, *, archived: bool) -> list[Flag]:
    """The flags, by key; archived ones too, if wanted."""
    request = pb.ListFlagsRequest(include_archived=archived, page_size=1000)
    return [wire.flag_from_proto(flag) for page in pages(admin(client).ListFlags, request) for flag in page.flags]


def read_flag(file: Path) -> Flag:
    """The flag in a file. Raises ClickException."""
    try:
        return flag_from_document(json.loads(file.read_text()))
    except ValueError as error:
        raise click.ClickException(f"{file}: {error}") from error


def edited(
    flag: Flag,
    *,
    enabled: bool | None,
    rollout: int | None,
    bucket_by: str | None,
    conditions: Sequence[Condition],
    file: Path | None,
) -> Flag:
    """The flag as the options change it; the options are applied to a file, if there is one."""
    if file is not None:
        flag = replace(read_flag(file), key=flag.key)
    if enabled is not None:
        flag = replace(flag, enabled=enabled)
    if rollout is not None or bucket_by is not None or conditions:
        flag = with_rule(flag, rollout, bucket_by, conditions)
    return flag


def with_rule(flag: Flag, rollout: int | None, bucket_by: str | None, conditions: Sequence[Condition]) -> Flag:
    """The flag with its first rule changed, or with a first rule."""
    if flag.rules:
        first = flag.rules[0]
    else:
        weights = tuple(VariantWeight(v.key, 1) for v in flag.variants if v.key != flag.off_variant)
        first = Rule("", Distribution(weights))
    distribution = first.distribution
    if rollout is not None:
        distribution = replace(distribution, rollout=rollout, ramp=())
    if bucket_by is not None:
        distribution = replace(distribution, bucket_by=bucket_by)
    rule = replace(first, distribution=distribution, conditions=tuple(conditions) or first.conditions)
    return replace(flag, rules=(rule, *flag.rules[1:]))


def state(flag: Flag) -> str:
    """Whether it is in use, in a word."""
    return "archived" if flag.archived else "enabled" if flag.enabled else "disabled"


def say(flag: Flag) -> None:
    """Tell what a flag is now."""
    click.echo(f"{flag.key} is at version {flag.version}, {state(flag)}: {describe(flag)}")

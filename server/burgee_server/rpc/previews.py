"""What a preview found, as messages."""

from collections.abc import Mapping, Sequence

from burgee import wire
from burgee.v1 import flag_admin_pb2 as pb
from burgee_server.flags.preview import Preview
from burgee_server.flags.tally import Part, Transition, VariantTotal

PARTS = 500
"""Parts in a message: their values may be long."""


def changes_to_proto(changes: Mapping[Transition, Sequence[str]]) -> pb.PreviewFlagResponse:
    """Some of the groups that change."""
    return pb.PreviewFlagResponse(
        changes=[
            pb.VariantChange(variant_before=before, variant_after=after, group_keys=keys)
            for (before, after), keys in changes.items()
        ]
    )


def part_to_proto(part: Part) -> pb.PreviewPart:
    """The groups with one value."""
    return pb.PreviewPart(
        value=None if part.value is None else wire.value_to_proto(part.value),
        groups=part.groups,
        changed=part.changed,
        variants=map(_total, part.variants),
    )


def totals_to_proto(preview: Preview) -> pb.PreviewFlagResponse:
    """The last message."""
    whole = preview.whole()
    totals = pb.PreviewTotals(
        group_type=preview.comparison.group_type,
        groups=whole.groups,
        changed=whole.changed,
        variants=map(_total, whole.variants),
        unknown_attributes=preview.comparison.unknown_attributes,
    )
    return pb.PreviewFlagResponse(totals=totals)


def _total(total: VariantTotal) -> pb.VariantTotal:
    return pb.VariantTotal(variant=total.variant, before=total.before, after=total.after)

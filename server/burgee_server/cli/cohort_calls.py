"""What the commands about cohorts, and the export of flags, ask a server."""

from collections.abc import Iterable, Iterator, Sequence

import burgee
from burgee.v1 import cohorts_pb2 as pb
from burgee.v1.cohorts_pb2_grpc import CohortServiceStub
from burgee_server.cli.pages import pages
from burgee_server.cohorts import MAX_CHANGED

_PAGE = 1_000
_BATCH_BYTES = 2 << 20
"""The server takes messages of 4 MB."""


def cohort_stub(client: burgee.Client) -> CohortServiceStub:
    """What keeps cohorts."""
    stub: CohortServiceStub = client.stub(CohortServiceStub)
    return stub


def cohorts_of(client: burgee.Client) -> Iterator[pb.Cohort]:
    """Every cohort, by key."""
    request = pb.ListCohortsRequest(page_size=_PAGE)
    for page in pages(cohort_stub(client).ListCohorts, request):
        yield from page.cohorts


def members(client: burgee.Client, cohort_key: str) -> Iterator[pb.CohortMember]:
    """Every member of a cohort, by key."""
    request = pb.ListCohortMembersRequest(cohort_key=cohort_key, page_size=_PAGE)
    for page in pages(cohort_stub(client).ListCohortMembers, request):
        yield from page.members


def batches(keys: Iterable[str]) -> Iterator[Sequence[str]]:
    """The keys, as many at a time as a call takes; one empty batch for none."""
    batch: list[str] = []
    size = 0
    for key in keys:
        size += len(key.encode())
        if batch and (len(batch) == MAX_CHANGED or size > _BATCH_BYTES):
            yield batch
            batch, size = [], len(key.encode())
        batch.append(key)
    yield batch

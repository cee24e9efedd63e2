"""CohortService."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from burgee.v1 import cohorts_pb2 as pb
from burgee.v1 import cohorts_pb2_grpc
from burgee_server.cohorts import Cohorts, Refreshing
from burgee_server.errors import Invalid
from burgee_server.insights import Insights, Terms
from burgee_server.insights.words import UnknownName
from burgee_server.ports.cohorts import Cohort
from burgee_server.ports.criteria import Computed
from burgee_server.profiles import GroupTypes
from burgee_server.rpc.call import environment_id, principal
from burgee_server.rpc.changes import named, require_version
from burgee_server.rpc.criteria import read_computed, write_computed
from burgee_server.rpc.paging import fill, page_size, page_token, read_page_token
from burgee_server.rpc.questions.words import write_unknown
from burgee_server.rpc.timestamps import timestamp

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration

_key = partial(named, field="cohort_key")


class CohortServicer(cohorts_pb2_grpc.CohortServiceServicer):
    """Cohorts and their members."""

    def __init__(self, cohorts: Cohorts, refreshing: Refreshing, insights: Insights, group_types: GroupTypes) -> None:
        self._cohorts = cohorts
        self._refreshing = refreshing
        self._insights = insights
        self._group_types = group_types

    async def CreateCohort(self, request: pb.CreateCohortRequest, context: Any) -> pb.CreateCohortResponse:
        """Create a cohort."""
        asked = _defined(request.cohort)
        cohort = await self._cohorts.create(
            environment_id(),
            asked.key,
            asked.group_type,
            asked.description,
            _computed(asked),
            principal().name,
            request.change_note,
        )
        response = pb.CreateCohortResponse(cohort=_write(cohort))
        write_unknown(await self._unknown(cohort.key, context), response)
        return response

    async def UpdateCohort(self, request: pb.UpdateCohortRequest, context: Any) -> pb.UpdateCohortResponse:
        """Describe a cohort anew."""
        require_version(request.expected_version)
        asked = _defined(request.cohort)
        cohort = await self._cohorts.update(
            environment_id(),
            _key(asked.key, field="cohort.key"),
            asked.group_type,
            asked.description,
            _computed(asked),
            request.expected_version,
            principal().name,
            request.change_note,
        )
        response = pb.UpdateCohortResponse(cohort=_write(cohort))
        write_unknown(await self._unknown(cohort.key, context), response)
        return response

    async def GetCohort(self, request: pb.GetCohortRequest, _context: Any) -> pb.GetCohortResponse:
        """One cohort."""
        max_age = timedelta.max
        if request.HasField("max_age"):
            max_age = _read_age(request.max_age)
        cohort = await self._refreshing.fresh(environment_id(), _key(request.cohort_key), max_age)
        return pb.GetCohortResponse(cohort=_write(cohort))

    async def RefreshCohort(self, request: pb.RefreshCohortRequest, _context: Any) -> pb.RefreshCohortResponse:
        """Compute a cohort now."""
        done = await self._refreshing.refresh(environment_id(), _key(request.cohort_key))
        return pb.RefreshCohortResponse(cohort=_write(done.cohort), added=done.added, removed=done.removed)

    async def ListCohorts(self, request: pb.ListCohortsRequest, _context: Any) -> pb.ListCohortsResponse:
        """A page of cohorts."""
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, str)
        cohorts = await self._cohorts.page(environment_id(), after=position[0] if position else "", limit=limit)
        response = pb.ListCohortsResponse()
        if (last := fill(response.cohorts, cohorts, limit, _write)) is not None:
            response.next_page_token = page_token(last.key)
        return response

    async def DeleteCohort(self, request: pb.DeleteCohortRequest, _context: Any) -> pb.DeleteCohortResponse:
        """Take a cohort away."""
        await self._cohorts.delete(environment_id(), _key(request.cohort_key), principal().name, request.change_note)
        return pb.DeleteCohortResponse()

    async def ListCohortMembers(
        self, request: pb.ListCohortMembersRequest, _context: Any
    ) -> pb.ListCohortMembersResponse:
        """A page of members."""
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, str)
        if position is None:  # what is computed between two pages could be on neither
            max_age = _read_age(request.max_age) if request.HasField("max_age") else None
            await self._refreshing.fresh(environment_id(), _key(request.cohort_key), max_age)
        members = await self._cohorts.members(
            environment_id(), _key(request.cohort_key), after=position[0] if position else "", limit=limit
        )
        response = pb.ListCohortMembersResponse(
            next_page_token=page_token(members[-1].key) if len(members) == limit else ""
        )
        for member in members:
            response.members.add(key=member.key, added_at=timestamp(member.added_at))
        return response

    async def ChangeCohortMembers(
        self, request: pb.ChangeCohortMembersRequest, _context: Any
    ) -> pb.ChangeCohortMembersResponse:
        """Put members in and take others out."""
        change = await self._cohorts.change(
            environment_id(),
            _key(request.cohort_key),
            request.add,
            request.remove,
            principal().name,
            request.change_note,
        )
        return pb.ChangeCohortMembersResponse(
            cohort=_write(change.cohort), added=len(change.added), removed=len(change.removed)
        )

    async def _unknown(self, key: str, context: Any) -> Sequence[UnknownName]:
        """What a cohort goes by that nobody has ever sent."""
        environment, asker = environment_id(), principal().api_key_id
        known, timeout = await self._group_types.known(environment), context.time_remaining()
        return await self._insights.unknown_in_cohort(key, Terms(environment, known, timeout, asker=asker))


def _defined(cohort: pb.Cohort) -> pb.Cohort:
    """The cohort, which says how it comes by its members. Raises Invalid: a newer client may ask for other ways."""
    if cohort.WhichOneof("definition") is None:
        raise Invalid.of("cohort.definition", "must be given: this server knows `listed` and `computed`")
    return cohort


def _computed(cohort: pb.Cohort) -> Computed | None:
    """How it is computed; None for a list. Raises Invalid."""
    return read_computed(cohort.computed, "cohort.computed") if cohort.HasField("computed") else None


def _read_age(message: "Duration") -> timedelta:
    """Raises Invalid."""
    try:
        age: timedelta = message.ToTimedelta()
    except (OverflowError, ValueError) as error:
        raise Invalid.of("max_age", "is longer than any time there is") from error
    if age < timedelta(0):
        raise Invalid.of("max_age", "must not be negative")
    return age


def _write(cohort: Cohort) -> pb.Cohort:
    message = pb.Cohort(
        key=cohort.key,
        description=cohort.description,
        group_type=cohort.group_type,
        member_count=cohort.member_count,
        version=cohort.version,
        created_at=timestamp(cohort.created_at),
        updated_at=timestamp(cohort.updated_at),
        computed_at=timestamp(cohort.computed_at),
    )
    if cohort.computed is None:
        message.listed.SetInParent()
    else:
        message.computed.CopyFrom(write_computed(cohort.computed))
    return message

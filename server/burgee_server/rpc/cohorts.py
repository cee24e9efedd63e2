"""CohortService."""

from typing import Any

from burgee.v1 import cohorts_pb2 as pb
from burgee.v1 import cohorts_pb2_grpc
from burgee_server.cohorts import Cohorts
from burgee_server.errors import Invalid
from burgee_server.ports.cohorts import Cohort
from burgee_server.rpc.call import environment_id, principal
from burgee_server.rpc.paging import page_size, page_token, read_page_token
from burgee_server.rpc.timestamps import timestamp


class CohortServicer(cohorts_pb2_grpc.CohortServiceServicer):
    """Cohorts and their members."""

    def __init__(self, cohorts: Cohorts) -> None:
        self._cohorts = cohorts

    async def CreateCohort(self, request: pb.CreateCohortRequest, _context: Any) -> pb.CreateCohortResponse:
        """Create a cohort."""
        asked = _defined(request.cohort)
        cohort = await self._cohorts.create(
            environment_id(), asked.key, asked.group_type, asked.description, principal().name, request.change_note
        )
        return pb.CreateCohortResponse(cohort=_write(cohort))

    async def UpdateCohort(self, request: pb.UpdateCohortRequest, _context: Any) -> pb.UpdateCohortResponse:
        """Describe a cohort anew."""
        if request.expected_version < 0:
            raise Invalid.of("expected_version", "must be 0 or the version that the change was made from")
        asked = _defined(request.cohort)
        cohort = await self._cohorts.update(
            environment_id(),
            _key(asked.key, "cohort.key"),
            asked.group_type,
            asked.description,
            request.expected_version,
            principal().name,
            request.change_note,
        )
        return pb.UpdateCohortResponse(cohort=_write(cohort))

    async def GetCohort(self, request: pb.GetCohortRequest, _context: Any) -> pb.GetCohortResponse:
        """One cohort."""
        return pb.GetCohortResponse(cohort=_write(await self._cohorts.get(environment_id(), _key(request.cohort_key))))

    async def ListCohorts(self, request: pb.ListCohortsRequest, _context: Any) -> pb.ListCohortsResponse:
        """A page of cohorts."""
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, str)
        cohorts = await self._cohorts.page(environment_id(), after=position[0] if position else "", limit=limit)
        token = page_token(cohorts[-1].key) if len(cohorts) == limit else ""
        return pb.ListCohortsResponse(cohorts=map(_write, cohorts), next_page_token=token)

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


def _defined(cohort: pb.Cohort) -> pb.Cohort:
    """The cohort, which says how it comes by its members. Raises Invalid: a newer client may ask for other ways."""
    if cohort.WhichOneof("definition") is None:
        raise Invalid.of("cohort.definition", "must be given: this server knows `listed`")
    return cohort


def _key(cohort_key: str, field: str = "cohort_key") -> str:
    if not cohort_key:
        raise Invalid.of(field, "must not be empty")
    return cohort_key


def _write(cohort: Cohort) -> pb.Cohort:
    return pb.Cohort(
        key=cohort.key,
        description=cohort.description,
        group_type=cohort.group_type,
        listed=pb.ListedCohort(),
        member_count=cohort.member_count,
        version=cohort.version,
        created_at=timestamp(cohort.created_at),
        updated_at=timestamp(cohort.updated_at),
    )

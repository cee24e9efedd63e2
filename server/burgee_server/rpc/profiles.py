"""ProfileService."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from burgee import wire
from burgee.evaluation.model import USER
from burgee.v1 import capture_pb2
from burgee.v1 import profiles_pb2 as pb
from burgee_server.erasure import Erasures
from burgee_server.errors import Invalid
from burgee_server.exports import Exports
from burgee_server.names import group_type_fault, name_fault, require
from burgee_server.ports.journal import Journal
from burgee_server.ports.profiles import Profile, PropertyChange
from burgee_server.ports.warehouse import StoredEvent, Warehouse, from_micros, to_micros
from burgee_server.profiles import GroupTypes, Hierarchy, Profiles, SeenProfile, parent_of
from burgee_server.rpc.call import environment_id, principal
from burgee_server.rpc.erasures import ErasureCalls
from burgee_server.rpc.paging import fill, page_size, page_token, read_page_token
from burgee_server.rpc.selections import check_whose, cursor, read_cursor, read_selection
from burgee_server.rpc.timestamps import timestamp


class ProfileServicer(ErasureCalls):
    """Persons, groups, timelines, exports; removals are in erasures.py."""

    def __init__(
        self,
        profiles: Profiles,
        group_types: GroupTypes,
        hierarchy: Hierarchy,
        warehouse: Warehouse,
        exports: Exports,
        journal: Journal,
        erasures: Erasures,
    ) -> None:
        super().__init__(erasures, group_types)
        self._profiles = profiles
        self._group_types = group_types
        self._hierarchy = hierarchy
        self._warehouse = warehouse
        self._exports = exports
        self._journal = journal

    async def IdentifyPerson(self, request: pb.IdentifyPersonRequest, _context: Any) -> pb.IdentifyPersonResponse:
        """Change a person's properties."""
        profile = await self._profiles.identify_person(
            environment_id(), request.distinct_id, _property_change(request.change)
        )
        return pb.IdentifyPersonResponse(person=_person(_unseen(profile)))

    async def AliasPerson(self, request: pb.AliasPersonRequest, _context: Any) -> pb.AliasPersonResponse:
        """Make two ids one person."""
        profile = await self._profiles.alias_person(environment_id(), request.distinct_id, request.alias)
        return pb.AliasPersonResponse(person=_person(_unseen(profile)))

    async def IdentifyGroup(self, request: pb.IdentifyGroupRequest, _context: Any) -> pb.IdentifyGroupResponse:
        """Change a group's properties."""
        profile = await self._profiles.identify_group(
            environment_id(),
            request.group_type,
            request.group_key,
            _property_change(request.change),
            (request.parent.group_type, request.parent.group_key) if request.HasField("parent") else None,
            principal().name,
        )
        return pb.IdentifyGroupResponse(group=(await self._writer(request.group_type))(_unseen(profile)))

    async def GetPerson(self, request: pb.GetPersonRequest, _context: Any) -> pb.GetPersonResponse:
        """One person."""
        require("distinct_id", name_fault(request.distinct_id))
        return pb.GetPersonResponse(
            person=_person(await self._profiles.get(environment_id(), USER, request.distinct_id))
        )

    async def GetGroup(self, request: pb.GetGroupRequest, _context: Any) -> pb.GetGroupResponse:
        """One group."""
        require("group_type", group_type_fault(request.group_type))
        require("group_key", name_fault(request.group_key))
        profile = await self._profiles.get(environment_id(), request.group_type, request.group_key)
        return pb.GetGroupResponse(group=(await self._writer(request.group_type))(profile))

    async def ListPersons(self, request: pb.ListPersonsRequest, _context: Any) -> pb.ListPersonsResponse:
        """A page of persons."""
        limit, profiles = await self._page(request, partial(self._profiles.page, environment_id(), USER))
        response = pb.ListPersonsResponse()
        if (last := fill(response.persons, profiles, limit, _person)) is not None:
            response.next_page_token = page_token(last.key)
        return response

    async def ListGroups(self, request: pb.ListGroupsRequest, _context: Any) -> pb.ListGroupsResponse:
        """A page of groups."""
        require("group_type", group_type_fault(request.group_type))
        await self._group_types.require(environment_id(), "group_type", request.group_type)
        whose = environment_id(), request.group_type
        read = partial(self._profiles.page, *whose)
        if request.parent_key:
            require("parent_key", name_fault(request.parent_key))
            read = partial(self._profiles.children, *whose, request.parent_key)
        limit, profiles = await self._page(request, read)
        response = pb.ListGroupsResponse()
        if (last := fill(response.groups, profiles, limit, await self._writer(request.group_type))) is not None:
            response.next_page_token = page_token(last.key)
        return response

    async def UpdateGroupType(self, request: pb.UpdateGroupTypeRequest, _context: Any) -> pb.UpdateGroupTypeResponse:
        """What the groups of a type belong to."""
        await self._hierarchy.set_parent_type(environment_id(), request.name, request.parent_type, principal().name)
        [updated] = [each for each in await self._all_types() if each.name == request.name]
        return pb.UpdateGroupTypeResponse(group_type=updated)

    async def ListGroupTypes(self, _request: pb.ListGroupTypesRequest, _context: Any) -> pb.ListGroupTypesResponse:
        """The group types."""
        return pb.ListGroupTypesResponse(group_types=await self._all_types())

    async def ListEvents(self, request: pb.ListEventsRequest, _context: Any) -> pb.ListEventsResponse:
        """A page of a timeline."""
        await check_whose(request, self._group_types, environment_id())
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, int, str)
        events = await self._warehouse.timeline(
            environment_id(),
            distinct_ids=await self._ids(request.distinct_id),
            group_type=request.group_type,
            group_key=request.group_key,
            event_names=list(request.event_names),
            before=_before(position),
            limit=limit,
        )
        response = pb.ListEventsResponse()
        if (last := fill(response.events, events, limit, _event)) is not None:
            response.next_page_token = page_token(to_micros(last.timestamp), last.uuid)
        return response

    async def ExportEvents(self, request: pb.ExportEventsRequest, _context: Any) -> AsyncIterator[Any]:
        """Every event that is selected, as bytes: with a cursor behind them they are a message."""
        await check_whose(request, self._group_types, environment_id())
        ids = await self._ids(request.distinct_id)
        selection, after = read_selection(request, environment_id(), ids), read_cursor(request.cursor)
        with self._exports.turn():
            complete_until = datetime.fromtimestamp(await self._journal.complete_until(), UTC)
            estimated_events = await self._exports.count(selection, after)
            yield pb.ExportEventsResponse(
                cursor=request.cursor, complete_until=timestamp(complete_until), estimated_events=estimated_events
            )
            async with aclosing(self._exports.parts(selection, after)) as parts:
                async for part in parts:
                    yield part.payload + pb.ExportEventsResponse(cursor=cursor(part.last)).SerializeToString()

    async def _ids(self, distinct_id: str) -> Sequence[str]:
        """All ids of the person that has this one; none for none."""
        return await self._profiles.ids(environment_id(), distinct_id) if distinct_id else ()

    async def _page(
        self,
        request: pb.ListPersonsRequest | pb.ListGroupsRequest,
        read: Callable[..., Awaitable[Sequence[SeenProfile]]],
    ) -> tuple[int, Sequence[SeenProfile]]:
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, str)
        return limit, await read(after=position[0] if position else "", limit=limit)

    async def _all_types(self) -> list[pb.GroupType]:
        parent_types = await self._hierarchy.known(environment_id())
        return [
            pb.GroupType(
                name=known.name, created_at=timestamp(known.created_at), parent_type=parent_types.get(known.name, "")
            )
            for known in await self._group_types.all(environment_id())
        ]

    async def _writer(self, group_type: str) -> Callable[[SeenProfile], pb.Group]:
        """What writes groups of a type as messages."""
        return partial(_group, group_type, (await self._hierarchy.known(environment_id())).get(group_type, ""))


def _property_change(change: pb.PropertyChange) -> PropertyChange:
    return PropertyChange(
        set=wire.properties_from_struct(change.set, "change.set"),
        set_once=wire.properties_from_struct(change.set_once, "change.set_once"),
        unset=frozenset(change.unset),
    )


def _before(position: tuple[Any, ...] | None) -> tuple[datetime, str] | None:
    """The time and uuid that a page token of a timeline holds. Raises Invalid."""
    if position is None:
        return None
    try:
        return from_micros(position[0]), str(UUID(position[1]))
    except (OverflowError, ValueError) as error:
        raise Invalid.of("page_token", "is not one that this server gave for such a request") from error


def _unseen(profile: Profile) -> SeenProfile:
    return SeenProfile(profile.key, profile.properties, profile.aliases)


def _person(profile: SeenProfile) -> pb.Person:
    return pb.Person(
        distinct_id=profile.key,
        properties=wire.properties_to_struct(profile.properties),
        first_seen_at=timestamp(profile.first_seen_at),
        last_seen_at=timestamp(profile.last_seen_at),
        distinct_ids=sorted((profile.key, *profile.aliases), key=str.encode),
    )


def _group(group_type: str, parent_type: str, profile: SeenProfile) -> pb.Group:
    parent_key = parent_of(profile.properties, parent_type) if parent_type else None
    return pb.Group(
        parent=None if parent_key is None else pb.GroupName(group_type=parent_type, group_key=parent_key),
        group_type=group_type,
        group_key=profile.key,
        properties=wire.properties_to_struct(profile.properties),
        first_seen_at=timestamp(profile.first_seen_at),
        last_seen_at=timestamp(profile.last_seen_at),
    )


def _event(event: StoredEvent) -> capture_pb2.Event:
    return capture_pb2.Event(
        uuid=event.uuid,
        event=event.event,
        distinct_id=event.distinct_id,
        groups=event.groups,
        properties_json=event.properties_json,
        timestamp_micros=to_micros(event.timestamp),
    )

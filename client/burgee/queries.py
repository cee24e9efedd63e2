"""The way of a question to the server and of its answer back."""

from dataclasses import replace

import grpc
from google.protobuf.json_format import MessageToDict

from burgee.channel import Connection
from burgee.insights import Answer, Query, QueryError
from burgee.status import code_and_message, violations
from burgee.v1.insights_pb2_grpc import InsightServiceStub
from burgee.waits import Waits


class Questions:
    """Asks the server about usage. `timeout` is in seconds."""

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout

    async def ask(self, waits: Waits, query: Query[Answer]) -> Answer:
        """Client.ask. Raises QueryError."""
        request = query.write()
        method = getattr(self._connection.stub(InsightServiceStub), query.method)
        try:
            response = await waits.call(method, request, self._timeout)
        except grpc.RpcError as error:
            code, message = code_and_message(error)
            raise QueryError(code.name, message, violations(error)) from None
        asked = MessageToDict(response.asked, preserving_proto_field_name=True)
        previous = query.read(response.previous) if response.HasField("previous") else None
        return replace(query.read(response), asked=asked, previous=previous)

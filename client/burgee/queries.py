"""The way of a question to the server and of its answer back."""

import grpc

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
        return query.read(response)

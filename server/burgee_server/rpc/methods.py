"""The methods of a grpcio server, found by name. Registered with it one by one, each would make every call dearer."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import grpc

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Methods(grpc.GenericRpcHandler):
    """Stands where generated code wants a server to add its methods to.

    grpc.aio keeps a task waiting for the next call of each registered method, and at each call looks at all of them:
    with a hundred methods that is a quarter of what a call costs. Of this one handler it keeps one.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Take the methods of a service."""
        self._handlers.update({f"/{service}/{name}": handler for name, handler in handlers.items()})

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Generated code hands over the same methods in this form, too."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        """The handler of a method; none of one that is not there."""
        return self._handlers.get(handler_call_details.method)

    def serve(self, server: grpc.aio.Server, apart: Sequence[str]) -> None:
        """Have a server answer them. Calls of those `apart` wait in lines of their own, and all others in one.

        grpc.aio takes one call at a time out of each line.
        """
        for method in apart:
            if (handler := self._handlers.get(method)) is not None:
                service, _, name = method[1:].rpartition("/")
                server.add_registered_method_handlers(service, {name: handler})
        server.add_generic_rpc_handlers((self,))

"""`burgee health`: whether a server answers, for whoever starts it and waits."""

import click
import grpc

from burgee.status import code_and_message
from burgee.target import read_target
from burgee_server.cli.target import checked, in_words


@click.command()
@click.option(
    "--target",
    envvar="BURGEE_TARGET",
    default="localhost:4750",
    show_default=True,
    callback=checked,
    help="The server.",
)
@click.option("--service", default="", metavar="NAME", help="One service, such as burgee.v1.FlagService. [all of it]")
@click.option("--timeout", default=3.0, show_default=True, help="Seconds to wait for an answer.")
def health(target: str, service: str, timeout: float) -> None:
    """Ask a server for its health; no key is needed. Exits with 1 unless it says SERVING."""
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with read_target(target).open() as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout)
        except grpc.RpcError as error:
            code, message = code_and_message(error)
            raise click.ClickException(in_words(target, code, message) or f"{target}: {code.name}: {message}") from None
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    click.echo(status)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise SystemExit(1)

"""Starts the server, keeps it running, and stops it without losing anything."""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable

import uvloop

from burgee_server import garbage
from burgee_server.access import new_secret
from burgee_server.bootstrap import build
from burgee_server.ending import End, end
from burgee_server.house import House
from burgee_server.installation import reconcile
from burgee_server.logs import log_of_loop
from burgee_server.metrics import MetricsServer
from burgee_server.rpc.server import RpcServer
from burgee_server.settings import Settings
from burgee_server.storage.directory import KEY_FILE, DataDirectory

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0002
"""How long a thread that works, such as that which checks batches, may keep the event loop waiting for its turn."""

LAST_SECONDS = 30.0
"""How long a server that stops may take beyond what its calls and its loading have, until it is ended where it is."""


def run(settings: Settings, say: Callable[[str], None], part: str = "") -> None:
    """Serve in this process, on an event loop of its own; see serve()."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.get_loop().set_exception_handler(log_of_loop)
        runner.run(serve(settings, say, part))


async def serve(settings: Settings, say: Callable[[str], None], part: str = "") -> None:
    """Serve until SIGTERM or SIGINT; tell people what they need to know through `say`.

    `part` names this process among several of one server, which ends when the one that started it does.
    Raises DirectoryInUse, OSError for an address that cannot be had, Invalid for a bootstrap key that will not do.
    """
    stopping = End(settings.drain_notice_seconds + settings.drain_seconds + LAST_SECONDS)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if (parent := multiprocessing.parent_process()) is not None:
        loop.add_reader(parent.sentinel, stopping.set)
    _open_many_files()
    os.umask(0o077)  # events, profiles and keys are nobody else's to read, whoever made the directory
    directory = DataDirectory(settings.data, part)
    log.info("settings in force: %s", _told(settings))
    os.chdir(directory.path)  # chDB keeps a cache of format schemas in the working directory, wherever that is
    try:
        # Batches go to chDB in temporary files; those of a server that is killed must not be left lying in /tmp. Python
        # goes by the one, chDB's own code by the other.
        tempfile.tempdir = os.environ["TMPDIR"] = str(directory.scratch())
        house = await build(directory, settings)
        stores = house.stores
        try:
            async with stores.turns[0]:  # of nodes that start at once, one makes the first key
                await _begin(house, directory, settings, say)
                await reconcile(stores.access, stores.profiles, stores.journal, stores.warehouse)
            await _run(house, directory, settings, say, stopping)
        finally:
            await house.close()
    finally:
        directory.release()


async def _begin(house: House, directory: DataDirectory, settings: Settings, say: Callable[[str], None]) -> None:
    """Make the first key. It is on disk before it works: a crash in between must not lock everybody out."""
    path = directory.common / KEY_FILE
    if not await house.administration.is_new():
        if path.exists():
            say(f"burgee API key in {path}")
        return
    if settings.bootstrap_key is not None:
        await house.administration.begin(settings.bootstrap_key.get_secret_value())
        return
    secret = new_secret()
    path = directory.write_secret(KEY_FILE, secret + "\n")
    await house.administration.begin(secret)
    say(f"burgee API key {secret} (shown once; kept in {path})")


async def _run(
    house: House, directory: DataDirectory, settings: Settings, say: Callable[[str], None], stopping: End
) -> None:
    answers, works = settings.role != "loader", settings.role != "api"
    endless = [asyncio.create_task(house.stores.feed.follow())]
    working = [asyncio.create_task(house.work.run())] if works else []
    if house.handover is not None:
        working.append(asyncio.create_task(house.handover.run()))
    servicers = house.servicers if answers else None
    server = RpcServer(servicers, house.gate, house.streams, house.limits, house.calls, house.transport)
    metrics = None
    try:
        if settings.metrics_listen is not None:
            host, _, metrics_port = settings.metrics_listen.rpartition(":")
            metrics = MetricsServer(house.collector, host.strip("[]"), int(metrics_port))
            say(f"burgee metrics http://{host}:{metrics.port}/metrics")
        port = await server.start(settings.listen)
        if answers:
            await house.warm()
        await server.ready()
        if answers and settings.redis is not None and settings.journal_away == "refuse":
            endless.append(asyncio.create_task(server.follow(house.stores.journal)))
        garbage.calm()
        sys.setswitchinterval(SWITCH_SECONDS)
        target = settings.target(f"{settings.listen.rpartition(':')[0]}:{port}")
        directory.tell(target)
        say(f"burgee ready grpc={target}")
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({stopped, *endless, *working}, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping: finishing what runs")
    finally:
        stopping.set()  # what ended by itself is no reason to take longer
        drain = settings.drain_notice_seconds + settings.drain_seconds
        deadline = asyncio.get_running_loop().time() + drain
        await server.stop(settings.drain_seconds, settings.drain_notice_seconds)
        if metrics is not None:
            await metrics.stop()
        house.work.stop()
        if house.handover is not None:
            house.handover.stop()
        # What is not in the warehouse by then is in the journal, and loaded by the next start.
        if working:
            await asyncio.wait(working, timeout=max(deadline - asyncio.get_running_loop().time(), 1.0))
        outcomes = await end(*endless, *working)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome  # work that ended by itself: better a restart than a server that stores nothing


def _told(settings: Settings) -> str:
    """The settings that are not the defaults; secrets as asterisks."""
    other = {name: value for name, value in settings if value != type(settings).model_fields[name].default}
    return ", ".join(f"{name}={value}" for name, value in other.items()) or "the defaults"


def _open_many_files() -> None:
    """Take as many open files as the system gives: a large part takes ten to twenty for each name of a property.

    With the 1,024 of most shells, events with a hundred names would wait in the journal for ever.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError):  # where "no limit" cannot be had
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

"""Running the server: one process, or several behind one port."""

import asyncio
import contextlib
import gc
import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Final

import structlog
from aiohttp import web

from persplit.bootstrap import Node, open_node
from persplit.config import Settings
from persplit.logs import set_up_logs
from persplit.transport.http_server import Runner, room_for_connections

BACKLOG: Final = 4096
"""Connections that wait to be accepted: after a restart every client comes back at once."""
CLEANUP_SECONDS: Final = 2.0
"""For connections that are left when everybody was told to go."""
GARBAGE_THRESHOLDS: Final = (10_000, 10, 10)
"""How many objects more before the collector looks at the young, the older, and all. To look at all that 5,000
connections are made of stops the loop for half a second, and by default that happens again and again while they come.
What a connection is made of holds no circles and needs no collector."""
RESPAWN_SECONDS: Final = 1.0
"""Before a worker that died is started again, so that a fault at start doesn't spin."""
STOP_SECONDS_MAX: Final = 20.0

_log = structlog.get_logger(__name__)


def run(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `announce` is told the address once it answers."""
    if settings.workers == 1:
        _run_one(settings, announce)
    else:
        _run_many(settings, announce)


def _run_one(settings: Settings, announce: Callable[[str], None], *, reuse_port: bool = False) -> None:
    set_up_logs(settings.log_level, settings.log_format)
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, announce, reuse_port=reuse_port))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop of uvloop where it installs: faster sockets, nothing else different."""
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(settings: Settings, announce: Callable[[str], None], *, reuse_port: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises instead
            loop.add_signal_handler(signal_number, stopped.set)
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A worker doesn't outlive who started it, however that ended.
        loop.add_reader(parent.sentinel, stopped.set)
    async with open_node(settings) as node:
        runner, url = await listen(node, reuse_port=reuse_port)
        # What start-up made stays: keep the collector from walking it again and again.
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        announce(url)
        await stopped.wait()
        if parent is not None:
            loop.remove_reader(parent.sentinel)
        _log.info("stopping", sockets=len(node.sockets))
        await node.drain()
        await runner.cleanup()


async def listen(node: Node, *, reuse_port: bool = False) -> tuple[web.AppRunner, str]:
    """Listen on the configured address. Returns what to clean up, and the URL (with the port that was taken)."""
    runner = Runner(node.app, room_for_connections(), shutdown_timeout=CLEANUP_SECONDS)
    await runner.setup()
    host, port = node.settings.host, node.settings.port
    await web.TCPSite(runner, host, port, backlog=BACKLOG, reuse_port=reuse_port or None).start()
    taken = runner.addresses[0][1]
    shown = f"[{host}]" if ":" in host else host
    return runner, f"http://{shown}:{taken}"


# --- several workers: each listens on the same port, the kernel spreads the connections


class _Stop(Exception):
    """SIGTERM or SIGINT came."""


def _run_many(settings: Settings, announce: Callable[[str], None]) -> None:
    set_up_logs(settings.log_level, settings.log_format)
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, _raise_stop)
    workers: list[BaseProcess] = []
    try:
        workers = [_start_worker(settings) for _ in range(settings.workers)]
        announce(settings.own_url)
        while True:
            time.sleep(RESPAWN_SECONDS)
            for index, worker in enumerate(workers):
                if not worker.is_alive():
                    _log.error("worker_died", exit_code=worker.exitcode)
                    workers[index] = _start_worker(settings)
    except _Stop:
        _stop(workers)


def _raise_stop(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the library's shape
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise _Stop


def _start_worker(settings: Settings) -> BaseProcess:
    # Spawned, not forked: no open connection or thread of ours is shared.
    worker = multiprocessing.get_context("spawn").Process(target=_work, args=(settings,), daemon=True)
    worker.start()
    return worker


def _work(settings: Settings) -> None:
    _run_one(settings, lambda _: None, reuse_port=True)


def _stop(workers: list[BaseProcess]) -> None:
    for worker in workers:
        worker.terminate()
    deadline = time.monotonic() + STOP_SECONDS_MAX
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
        if worker.is_alive():
            worker.kill()

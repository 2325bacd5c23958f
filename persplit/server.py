"""Running the server: one process, or several behind one port."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import Final

import structlog
from aiohttp import web

from persplit import workers
from persplit.bootstrap import Node, open_node
from persplit.config import ConfigError, Settings
from persplit.ledger.errors import PerSplitError
from persplit.logs import set_up_logs
from persplit.service.errors import StoreUnusable
from persplit.transport.http_server import Runner, room_for_connections
from persplit.transport.security_headers import security_headers
from persplit.worker_metrics import shared_metrics
from persplit.workers import BACKLOG, Listeners

CLEANUP_SECONDS: Final = 4.0
"""For requests under way and connections that are left when everybody was told to go."""
GARBAGE_THRESHOLDS: Final = (50_000, 2, 50)
"""How many objects more before the collector looks at the young, how many such looks before it looks at the older,
and of those before it looks at all. To look at all that 5,000 connections are made of stops the loop for half a
second, and by default that happens again and again while they come: so that is rare. A look at the young or the older
ones has 150,000 objects at most, seven to fifteen milliseconds. What commands and connections are made of holds no circles
and needs no collector. A few hundred commands under way are more than ten thousand objects: looking for circles at each
so many took a tenth of a busy server's time."""

SWITCH_SECONDS: Final = 0.0005
"""How long a thread that wants to run lets another one run. The store's writer needs the interpreter several times for
each commit, and the loop whenever it has waited for something: by Python's default each time costs up to 5 ms."""

_log = structlog.get_logger(__name__)


def run(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `announce` is told the address once it answers.

    Raises:
        ConfigError: the settings don't fit.
        OSError: the address can't be listened on.
        StoreUnavailable: the store did not answer; several workers keep trying instead.

    """
    set_up_logs(settings.log_level, settings.log_format)
    if settings.workers == 1:
        _run_loop(_serve(settings, announce))
        return
    listeners = workers.open_listeners(settings.host, settings.port, settings.workers)
    with shared_metrics() as metrics:
        supervisor = workers.Supervisor(
            partial(_work, settings),
            [workers.Place(each) for each in listeners],
            metrics,
            workers.DRAIN_SECONDS_MAX + settings.shutdown_delay_seconds,
        )
        supervisor.run(lambda: announce(settings.own_url))


def _run_loop(serving: Coroutine[None, None, None]) -> None:
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serving)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop of uvloop where it installs: faster sockets, nothing else different."""
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


@dataclass(slots=True)
class _End:
    """How the serving ends. `is_replaced`: another worker serves on the same sockets; `urgent`: told twice."""

    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    urgent: asyncio.Event = field(default_factory=asyncio.Event)
    is_replaced: bool = False

    def stop(self) -> None:
        """End; told again, without the delay."""
        if self.stopped.is_set():
            self.urgent.set()
        self.stopped.set()

    def replace(self) -> None:
        """End, because another one has taken over."""
        self.is_replaced = True
        self.stopped.set()


async def _serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """The only process. SIGHUP ends it as a closed terminal does: there is no other one to take over."""
    end = _End()
    _on_signals(end.stop, "SIGTERM", "SIGINT", *_hang_up())
    async with open_node(settings) as node:
        runner, url = await listen(node)
        await _until_the_end(node, runner, end, lambda: announce(url))


def _hang_up() -> tuple[str, ...]:
    """SIGHUP, unless whoever started us (nohup, say) had it ignored."""
    number = getattr(signal, "SIGHUP", None)
    return () if number is None or signal.getsignal(number) is signal.SIG_IGN else ("SIGHUP",)


def _on_signals(act: Callable[[], None], *names: str) -> None:
    loop = asyncio.get_running_loop()
    for name in names:
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises instead
            loop.add_signal_handler(getattr(signal, name), act)


def tune_interpreter() -> None:
    """Set the interpreter for serving. Call it once everything is loaded: the collector looks at none of that again."""
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    sys.setswitchinterval(SWITCH_SECONDS)


async def _until_the_end(node: Node, runner: web.AppRunner, end: _End, announce: Callable[[], None]) -> None:
    tune_interpreter()
    announce()
    await end.stopped.wait()
    _log.info("stopping", sockets=len(node.sockets), is_replaced=end.is_replaced)
    if end.is_replaced:
        # Whoever connects from now on gets to the new worker.
        for site in list(runner.sites):
            await site.stop()
    else:
        node.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(node.settings.shutdown_delay_seconds):
                await end.urgent.wait()
    await node.drain(is_replaced=end.is_replaced)
    await runner.cleanup()


async def listen(node: Node, listeners: Listeners = ()) -> tuple[web.AppRunner, str]:
    """Listen on the configured address, or the sockets that are given.

    Returns what to clean up, and the URL (with the port that was taken).
    """
    headers = security_headers(node.settings.own_url)
    runner = Runner(
        node.app, room_for_connections(), node.sockets.carried, headers, shutdown_timeout=CLEANUP_SECONDS
    )
    await runner.setup()
    host, port = node.settings.host, node.settings.port
    if listeners:
        for listener in listeners:
            await web.SockSite(runner, listener, backlog=BACKLOG).start()
    else:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
    taken = runner.addresses[0][1]
    shown = f"[{host}]" if ":" in host else host
    return runner, f"http://{shown}:{taken}"


# --- one of several workers


def _work(settings: Settings, listeners: Listeners, line: Connection) -> None:
    """The life of a worker, in a process of its own. `line` leads to the parent."""
    # A terminal that closes tells all of us; what it means, the parent decides.
    with contextlib.suppress(AttributeError):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    set_up_logs(settings.log_level, settings.log_format)
    try:
        _run_loop(_serve_place(settings, listeners, line))
    except (ConfigError, StoreUnusable) as error:
        line.send((workers.FAILED, str(error)))
        raise SystemExit(2) from None
    except (PerSplitError, OSError) as error:
        _log.error("worker_not_started", error=str(error))
        raise SystemExit(1) from None


async def _serve_place(settings: Settings, listeners: Listeners, line: Connection) -> None:
    end = _End()
    _on_signals(end.stop, "SIGTERM", "SIGINT")
    loop = asyncio.get_running_loop()

    def hear() -> None:
        try:
            if line.recv() == workers.REPLACED:
                end.replace()
        except (EOFError, OSError):
            # A worker doesn't outlive who started it, however that ended.
            loop.remove_reader(line.fileno())
            end.stop()

    loop.add_reader(line.fileno(), hear)
    try:
        async with open_node(settings) as node:
            runner, _ = await listen(node, listeners)
            await _until_the_end(node, runner, end, lambda: line.send((workers.READY, "")))
    finally:
        loop.remove_reader(line.fileno())

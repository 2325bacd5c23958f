"""Commands in a closed loop: each sender sends the next one when one is answered.

One thread, raw sockets, as little work for a frame as Python allows; who sends is looked at at once, who only listens
every few milliseconds, so that a look finds several frames.
"""

import select
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from scripts.benchmarks.commands import Commands, in_order, require_ok
from scripts.benchmarks.servers import Failed, Running
from scripts.benchmarks.sockets import Device, Reader, frame_bytes

SWEEP_SECONDS_MIN: Final = 0.002
SWEEP_SECONDS_MAX: Final = 0.01
SWEEP_SECONDS_EACH: Final = 0.000_02
"""From one look at the devices that only listen to the next: so much for each of them, within these bounds. Looking
takes a tenth of it, and what comes meanwhile fits into what the kernel holds for a device."""
SLICE: Final = 64
"""Devices that are looked at before those that send are looked at again."""
SETTLE_SECONDS: Final = 120.0
"""For the last broadcasts to arrive everywhere once nothing more is sent."""
_GROUP_NUMBERS: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Rates:
    """What a closed loop came to, per second of it; shares are of one core.

    With a `client_share` near 1 the load may have been what limited the server.
    """

    deliveries: float
    commands: float
    client_share: float
    server_share: float


class ClosedLoop:
    """Senders that each have a few commands under way, and devices that listen. It can be run several times."""

    def __init__(self, running: Running, devices: Sequence[Device], senders: Sequence[Device]) -> None:
        self._running = running
        self._devices = devices
        self._senders = {sender.sock.fileno(): sender for sender in senders}
        self._listeners = [device for device in devices if device.sock.fileno() not in self._senders]
        self._commands = [
            Commands(group, number * _GROUP_NUMBERS) for number, group in enumerate(running.world.groups)
        ]
        self._reader = Reader()
        self._watching = select.epoll()
        for number, sender in self._senders.items():
            self._watching.register(number, select.EPOLLIN)
            sender.on_ack = self._answered
        self._looked_at = 0
        self._looked_at_bytes = 0
        self._sent = 0
        self._is_sending = False
        self._next_sweep = 0.0
        self._sweep_seconds = min(
            max(SWEEP_SECONDS_MIN, SWEEP_SECONDS_EACH * len(self._listeners)), SWEEP_SECONDS_MAX
        )
        self._sweep = self._sweeping()

    def run(self, outstanding: int, warm_seconds: float, seconds: float) -> Rates:
        """Let each sender have so many commands under way. While it warms up the order of all broadcasts is checked.

        Raises:
            Failed: a device missed a broadcast, or got one out of order, or a command was refused.

        """
        self._is_sending = True
        self._check(is_on=True)
        for sender in self._senders.values():
            for _ in range(outstanding):
                self._send(sender)
        self._until(time.perf_counter() + warm_seconds)
        self._check(is_on=False)
        rates = self._measured(seconds)
        self._is_sending = False
        self._settle()
        return rates

    def listen(self, warm_seconds: float, seconds: float) -> Rates:
        """Send nothing: for a server that writes without being asked."""
        self._until(time.perf_counter() + warm_seconds)
        return self._measured(seconds)

    def _measured(self, seconds: float) -> Rates:
        before = self._now()
        self._until(time.perf_counter() + seconds)
        after = self._now()
        took, deliveries, commands, client, server = (b - a for a, b in zip(before, after, strict=True))
        return Rates(deliveries / took, commands / took, client / took, server / took)

    def _now(self) -> tuple[float, int, int, float, float]:
        return (
            time.perf_counter(),
            sum(device.broadcasts for device in self._devices),
            sum(sender.acks for sender in self._senders.values()),
            time.process_time(),
            self._running.cpu_seconds(),
        )

    def _until(self, end: float) -> None:
        read, now, senders, sweep = self._reader.read, time.perf_counter, self._senders, self._sweep
        while (left := end - now()) > 0:
            wait = min(left, max(0.0, self._next_sweep - now()))
            for number, _ in self._watching.poll(wait):
                read(senders[number])
            next(sweep)

    def _sweeping(self) -> Iterator[None]:
        """Each step is a look at a few devices; once through, nothing until the next sweep is due."""
        read, now = self._reader.read, time.perf_counter
        while True:
            if now() < self._next_sweep:
                yield
                continue
            began = now()
            for start in range(0, len(self._listeners), SLICE):
                for device in self._listeners[start : start + SLICE]:
                    read(device)
                yield
            self._next_sweep = began + self._sweep_seconds

    def _settle(self) -> None:
        deadline = time.perf_counter() + SETTLE_SECONDS
        while not self._is_settled():
            if time.perf_counter() > deadline:
                raise Failed("some device did not get every broadcast")
            self._until(time.perf_counter() + SWEEP_SECONDS_MAX)

    def _is_settled(self) -> bool:
        """Whether all commands are answered, and every device has had as many broadcasts as its group had commands."""
        answered = dict.fromkeys(range(len(self._commands)), 0)
        for sender in self._senders.values():
            answered[sender.group] += sender.acks
        return sum(answered.values()) == self._sent and all(
            device.broadcasts == answered[device.group] for device in self._devices
        )

    def _check(self, *, is_on: bool) -> None:
        for device in self._devices:
            device.seq = 0
            device.on_broadcast = self._look_at if is_on else None

    def _look_at(self, device: Device, buffer: bytearray, begin: int, stop: int) -> None:
        in_order(device, buffer, begin, stop)
        self._looked_at += 1
        self._looked_at_bytes += frame_bytes(stop - begin)

    @property
    def frame_bytes(self) -> int:
        """How long broadcasts were on the wire, on average of those whose order was checked."""
        return round(self._looked_at_bytes / max(1, self._looked_at))

    def _send(self, sender: Device) -> None:
        sender.send(self._commands[sender.group].next())
        self._sent += 1

    def _answered(self, sender: Device, buffer: bytearray, begin: int, stop: int) -> None:
        require_ok(buffer, begin, stop)
        if self._is_sending:
            self._send(sender)

"""Commands at a steady rate whatever happens, or one at a time; and how long each takes to everybody."""

import select
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from scripts.benchmarks.closed_loop import SETTLE_SECONDS
from scripts.benchmarks.commands import Commands, number_in, require_accepted
from scripts.benchmarks.servers import Failed, Running
from scripts.benchmarks.sockets import Device, Reader, frame_bytes

_FIRST_STEADY: Final = 1 << 40
_FIRST_IN_TURN: Final = 1 << 41
"""Where numbers of commands begin, so that several loops can be run over the same groups."""
_LOOK_SECONDS: Final = 0.01


@dataclass(slots=True)
class OpenLoop:
    """Commands at a steady rate, one after the other by each sender, and how long each takes to the last device."""

    running: Running
    devices: Sequence[Device]
    senders: Sequence[Device]
    per_second: float
    _reader: Reader = field(default_factory=Reader)
    _by_number: dict[int, Device] = field(default_factory=dict)
    _sent_at: list[float] = field(default_factory=list)
    _last_at: list[float] = field(default_factory=list)
    _missing: list[int] = field(default_factory=list)
    _arrived: list[int] = field(default_factory=list)
    _outstanding: int = 0

    def run(self, warm_seconds: float, seconds: float) -> list[float]:
        """Seconds from sending to the last device, for each command sent after the warm-up.

        Raises:
            Failed: a command was refused, or a device had not got a broadcast long after the last was sent.

        """
        commands = Commands(self.running.world.groups[0], _FIRST_STEADY)
        watching = self._watched()
        warm, count = int(self.per_second * warm_seconds), int(self.per_second * (warm_seconds + seconds))
        began = time.perf_counter()
        for number in range(count):
            due = began + number / self.per_second
            while time.perf_counter() < due:
                self._take(watching, due)
            self._send(self.senders[number % len(self.senders)], commands.next())
        deadline = time.perf_counter() + SETTLE_SECONDS
        while self._outstanding:
            if time.perf_counter() > deadline:
                raise Failed("some device did not get every broadcast")
            self._take(watching, deadline)
        watching.close()
        return [last - sent for sent, last in zip(self._sent_at, self._last_at, strict=True)][warm:]

    def _watched(self) -> select.epoll:
        watching = select.epoll()
        for device in self.devices:
            watching.register(device.sock.fileno(), select.EPOLLIN)
            self._by_number[device.sock.fileno()] = device
            device.on_broadcast = self._seen
        for sender in self.senders:
            sender.on_ack = require_accepted
        return watching

    def _take(self, watching: select.epoll, until: float) -> None:
        for number, _ in watching.poll(max(0.0, until - time.perf_counter())):
            self._reader.read(self._by_number[number])
            self._note_arrivals()

    def _send(self, sender: Device, text: bytes) -> None:
        self._missing.append(len(self.devices))
        self._last_at.append(0.0)
        self._outstanding += 1
        self._sent_at.append(time.perf_counter())
        sender.send(text)

    def _seen(self, _: Device, buffer: bytearray, begin: int, stop: int) -> None:
        self._arrived.append(number_in(buffer, begin, stop) - _FIRST_STEADY)

    def _note_arrivals(self) -> None:
        """The moment is the one after the read in which the frame came."""
        if self._arrived:
            now = time.perf_counter()
            for number in self._arrived:
                self._missing[number] -= 1
                if not self._missing[number]:
                    self._last_at[number] = now
                    self._outstanding -= 1
            self._arrived.clear()


class Turns:
    """One command at a time, by each device in turn: every server gets the same ones in the same order."""

    def __init__(self, running: Running, devices: Sequence[Device]) -> None:
        self._devices = devices
        self._commands = Commands(running.world.groups[0], _FIRST_IN_TURN)
        self._reader = Reader()
        self._sizes: list[int] = []
        devices[0].on_broadcast = self._seen
        for device in devices:
            device.on_ack = require_accepted

    def run(self, count: int) -> list[int]:
        """How long the broadcast of each command was on the wire, in bytes. Raises `Failed` where one doesn't come."""
        for number in range(count):
            self._devices[number % len(self._devices)].send(self._commands.next())
            deadline = time.perf_counter() + SETTLE_SECONDS
            while any(device.broadcasts <= number for device in self._devices):
                if time.perf_counter() > deadline:
                    raise Failed("some device did not get every broadcast")
                select.select([device.sock for device in self._devices], (), (), _LOOK_SECONDS)
                for device in self._devices:
                    self._reader.read(device)
        return self._sizes

    def _seen(self, _: Device, __: bytearray, begin: int, stop: int) -> None:
        self._sizes.append(frame_bytes(stop - begin))

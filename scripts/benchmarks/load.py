"""The load: commands in a closed loop as fast as they are answered, or at a given rate whatever happens.

One thread, raw sockets, as little work for a frame as Python allows; who sends is looked at at once, who only listens
every few milliseconds, so that a look finds several frames. `client_share` says how much of its core the load took:
near 1 it may have been what limited the server.
"""

import select
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from scripts.benchmarks.servers import Failed, Running
from scripts.benchmarks.sockets import Device, Reader, connected
from scripts.benchmarks.world import Group

SWEEP_SECONDS: Final = 0.01
"""From one look at a device that only listens to the next."""
SLICE: Final = 64
"""Devices that are looked at before those that send are looked at again."""
SETTLE_SECONDS: Final = 60.0
"""For the last broadcasts to arrive everywhere once nothing more is sent."""
LOOK_SECONDS: Final = 2.0
"""Between two looks for pings at those that wait while others connect: servers give up after 10 s and more."""
_EXACT_EVERY: Final = 4


class Commands:
    """Expenses that everybody of a group has a part in, each for another amount, split equally or, one in four, exactly.

    The number of a command is in its id, so that a broadcast tells which one it is.
    """

    def __init__(self, group: Group, first: int = 0) -> None:
        self._group = group
        self._next = first
        self._ack = 0

    def next(self) -> bytes:
        """The text of the next one."""
        number = self._next
        self._next += 1
        self._ack = self._ack % 999_999 + 1
        amount = 1_000 + number * 7_919 % 50_000
        body = (
            f'{{"commandId":"{command_id(number)}","groupId":"{self._group.id}","description":"Dinner by the sea",'
            f'"amount":{amount},{self._split(number, amount)}}}'
        )
        return f'42{self._ack}["expense:create",{body}]'.encode()

    def _split(self, number: int, amount: int) -> str:
        if number % _EXACT_EVERY:
            return '"splitType":"EQUAL"'
        first, *others = self._group.members
        each = amount // (len(others) + 2)
        rows = [f'{{"userId":"{first.id}","value":{amount - each * len(others)}}}']
        rows += [f'{{"userId":"{person.id}","value":{each}}}' for person in others]
        return f'"splitType":"EXACT","splits":[{",".join(rows)}]'


def command_id(number: int) -> str:
    """The id of the command with this number."""
    return f"00000000-0000-7000-8000-{number:012x}"


_COMMAND_ID: Final = b'"commandId":"'
_NUMBER_AT: Final = len(_COMMAND_ID) + len("00000000-0000-7000-8000-")


def number_in(buffer: bytearray, begin: int, stop: int) -> int:
    """Which command the broadcast is about."""
    at = buffer.index(_COMMAND_ID, begin, stop) + _NUMBER_AT
    return int(buffer[at : at + 12], 16)


def joined(running: Running, devices: int, besides: Sequence[Device] = ()) -> list[Device]:
    """So many devices, signed in: the first member's of each group, then the second's …, then everybody's second.

    They and those that are there `besides` answer pings meanwhile.
    """
    members = zip(*(group.members for group in running.world.groups), strict=True)
    people = [(person, number) for row in members for number, person in enumerate(row)]
    found, reader = list[Device](), Reader()
    looked = time.monotonic()
    for each in range(devices):
        person, number = people[each % len(people)]
        found.append(connected(running.port, person.token, number))
        if time.monotonic() - looked > LOOK_SECONDS:
            for device in (*besides, *found):
                reader.read(device)
            looked = time.monotonic()
    return found


def in_order(device: Device, buffer: bytearray, begin: int, stop: int) -> None:
    """Check that the broadcast is the one after the last."""
    at = buffer.index(b'"seq":', begin, stop) + 6
    end = buffer.index(b",", at, stop)
    seq = int(buffer[at:end])
    if device.seq and seq != device.seq + 1:
        raise Failed(f"a device was told {seq} after {device.seq}")
    device.seq = seq


@dataclass(frozen=True, slots=True)
class Rates:
    """What a closed loop came to, per second of it; shares are of one core."""

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
        self._commands = [Commands(group, number << 32) for number, group in enumerate(running.world.groups)]
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
            self._next_sweep = began + SWEEP_SECONDS

    def _settle(self) -> None:
        deadline = time.perf_counter() + SETTLE_SECONDS
        while not self._is_settled():
            if time.perf_counter() > deadline:
                raise Failed("some device did not get every broadcast")
            self._until(time.perf_counter() + SWEEP_SECONDS)

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


def require_ok(buffer: bytearray, begin: int, stop: int) -> None:
    """Raise `Failed` for an ack that isn't good."""
    if buffer.find(b'"ok":true', begin, min(stop, begin + 40)) < 0:
        raise Failed(f"refused: {bytes(buffer[begin:stop])[:300]!r}")


@dataclass(slots=True)
class OpenLoop:
    """Commands at a steady rate, one after the other by each sender, and how long each takes to the last device."""

    running: Running
    devices: Sequence[Device]
    senders: Sequence[Device]
    per_second: float
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
        reader, commands = Reader(), Commands(self.running.world.groups[0])
        watching, by_number = select.epoll(), {device.sock.fileno(): device for device in self.devices}
        for number, device in by_number.items():
            watching.register(number, select.EPOLLIN)
            device.on_broadcast = self._seen
        for sender in self.senders:
            sender.on_ack = _refused_only
        warm, count = int(self.per_second * warm_seconds), int(self.per_second * (warm_seconds + seconds))
        began = time.perf_counter()

        def take(until: float) -> None:
            for number, _ in watching.poll(max(0.0, until - time.perf_counter())):
                reader.read(by_number[number])
                self._note_arrivals()

        for number in range(count):
            due = began + number / self.per_second
            while time.perf_counter() < due:
                take(due)
            self._send(self.senders[number % len(self.senders)], commands.next())
        deadline = time.perf_counter() + SETTLE_SECONDS
        while self._outstanding:
            if time.perf_counter() > deadline:
                raise Failed("some device did not get every broadcast")
            take(deadline)
        watching.close()
        return [last - sent for sent, last in zip(self._sent_at, self._last_at, strict=True)][warm:]

    def _send(self, sender: Device, text: bytes) -> None:
        self._missing.append(len(self.devices))
        self._last_at.append(0.0)
        self._outstanding += 1
        self._sent_at.append(time.perf_counter())
        sender.send(text)

    def _seen(self, _: Device, buffer: bytearray, begin: int, stop: int) -> None:
        self._arrived.append(number_in(buffer, begin, stop))

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
        self._commands = Commands(running.world.groups[0])
        self._reader = Reader()
        self._sizes: list[int] = []
        devices[0].on_broadcast = self._seen
        for device in devices:
            device.on_ack = _refused_only

    def run(self, count: int) -> list[int]:
        """How long the broadcast of each command was on the wire, in bytes. Raises `Failed` where one doesn't come."""
        for number in range(count):
            self._devices[number % len(self._devices)].send(self._commands.next())
            deadline = time.perf_counter() + SETTLE_SECONDS
            while any(device.broadcasts <= number for device in self._devices):
                if time.perf_counter() > deadline:
                    raise Failed("some device did not get every broadcast")
                select.select([device.sock for device in self._devices], (), (), SWEEP_SECONDS)
                for device in self._devices:
                    self._reader.read(device)
        return self._sizes

    def _seen(self, _: Device, __: bytearray, begin: int, stop: int) -> None:
        self._sizes.append(frame_bytes(stop - begin))


def frame_bytes(payload_bytes: int) -> int:
    """The payload with its frame, from a server."""
    return payload_bytes + (2 if payload_bytes < 126 else 4 if payload_bytes < 65_536 else 10)


def _refused_only(_: Device, buffer: bytearray, begin: int, stop: int) -> None:
    require_ok(buffer, begin, stop)

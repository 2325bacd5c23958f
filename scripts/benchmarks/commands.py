"""What the load asks for, and what it reads of the answers without parsing them."""

from typing import Final

from scripts.benchmarks.servers import Failed
from scripts.benchmarks.sockets import Device
from scripts.benchmarks.world import Group

_EXACT_EVERY: Final = 4
_COMMAND_ID: Final = b'"commandId":"'
_NUMBER_AT: Final = len(_COMMAND_ID) + len("00000000-0000-7000-8000-")


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


def number_in(buffer: bytearray, begin: int, stop: int) -> int:
    """Which command the broadcast is about."""
    at = buffer.index(_COMMAND_ID, begin, stop) + _NUMBER_AT
    return int(buffer[at : at + 12], 16)


def in_order(device: Device, buffer: bytearray, begin: int, stop: int) -> None:
    """Check that the broadcast is the one after the last."""
    at = buffer.index(b'"seq":', begin, stop) + 6
    end = buffer.index(b",", at, stop)
    seq = int(buffer[at:end])
    if device.seq and seq != device.seq + 1:
        raise Failed(f"a device was told {seq} after {device.seq}")
    device.seq = seq


def require_ok(buffer: bytearray, begin: int, stop: int) -> None:
    """Raise `Failed` for an ack that isn't good."""
    if buffer.find(b'"ok":true', begin, min(stop, begin + 40)) < 0:
        raise Failed(f"refused: {bytes(buffer[begin:stop])[:300]!r}")


def require_accepted(_: Device, buffer: bytearray, begin: int, stop: int) -> None:
    """Look at an ack that asks for nothing more: see `require_ok`."""
    require_ok(buffer, begin, stop)

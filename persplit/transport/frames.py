"""What a client may write on a socket: the few shapes of Engine.IO and Socket.IO frames that this server reads.

The libraries read much more: binary attachments without a bound, JSON with NaN in it or nested without end, digits
of any script. Here a frame is one of ours or it is a `BadFrame`, which ends the connection. An event that is well
formed but carries the wrong thing is not a bad frame: it can be answered.
"""

import json
import re
from typing import Any, Final, NoReturn

import orjson
from socketio import packet

from persplit.service.errors import Malformed
from persplit.transport.json_text import check_bounds

# Engine.IO: closing, pong, and a message that starts like a Socket.IO packet of a kind that clients send. Binary
# kinds aren't taken: the library keeps their attachments in memory without a bound.
_ENGINE_FRAME: Final = re.compile(r"1|3|4[0-3].*", re.DOTALL)
# Socket.IO: the kind, perhaps the default namespace spelled out, perhaps an ack id that a double holds, JSON.
_PACKET: Final = re.compile(r"([0-3])(?:/,)?([0-9]{1,15})?([\[{].*)?", re.DOTALL)


class BadFrame(Exception):
    """Not something that a Socket.IO client sends. The message is a short reason, without what was sent."""


def is_engine_frame(text: str) -> bool:
    """Whether a client may send this, as far as the first two characters tell."""
    return _ENGINE_FRAME.fullmatch(text) is not None


class Json:
    """orjson in the shape in which python-socketio wants it. Strict: what isn't JSON can't be sent either."""

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        """The value as compact JSON."""
        return orjson.dumps(value).decode()


class GuardedPacket(packet.Packet):
    """A Socket.IO packet that reads only what `_PACKET` allows, on the default namespace.

    The data of an EVENT is its name and the one object that it carries, or the `Malformed` to refuse it with.
    """

    # Nothing binary is sent either, so no message needs to be searched for it.
    uses_binary_events = False
    json = Json

    def decode(self, encoded_packet: str) -> int:
        """Read the text. Returns the number of attachments to wait for: always 0.

        Raises:
            BadFrame: it is none of the four shapes.

        """
        match = _PACKET.fullmatch(encoded_packet)
        if match is None:
            raise BadFrame("not a packet")
        kind, ack_id, text = match.groups()
        self.packet_type = int(kind)
        self.id = None if ack_id is None else int(ack_id)
        is_event = self.packet_type == packet.EVENT
        if text is not None:
            self.data = _event(text) if is_event else _loads(text)
        elif is_event:
            raise BadFrame("an event without a name")
        return 0


def _event(text: str) -> tuple[str, dict[str, Any] | Malformed]:
    try:
        data, refused = _loads(text), None
    except BadFrame:
        data, refused = (
            _loads_leniently(text),
            Malformed("holds a number or a text that JSON clients can't mean"),
        )
    if not isinstance(data, list) or not data or not isinstance(data[0], str):
        raise BadFrame("an event without a name")
    return data[0], refused or _one_object(data[1:])


def _loads(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadFrame("not JSON") from None


def _loads_leniently(text: str) -> Any:
    """Read what is JSON by its grammar, but of which nothing can be made: half an emoji, 1e999.

    Half an emoji is what a client sends that cut a text in the wrong place, and it will send it again: an answer
    helps it, a closed connection doesn't.
    """
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadFrame("not JSON") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _one_object(arguments: list[Any]) -> dict[str, Any] | Malformed:
    match arguments:
        case [dict() as body]:
            try:
                check_bounds(body)
            except Malformed as error:
                return error
            return body
        case _:
            return Malformed("an event carries exactly one JSON object")

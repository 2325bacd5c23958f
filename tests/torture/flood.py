"""A fuzzer over the framing of HTTP, WebSocket, Engine.IO and Socket.IO: raw bytes that no client of ours sends.

Each attack is one connection. What comes back is looked at: HTTP is answered with a coded problem and never with a
fault of the server; whether others are served, memory and the log are for the caller to watch.
"""

import asyncio
import base64
import collections
import contextlib
import json
import random
import re
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

READ_SECONDS: Final = 0.3
"""How long an attack listens after its last word."""
CONNECT_SECONDS: Final = 30.0
ANSWER_BYTES_MAX: Final = 65_536
SOCKET_PATH: Final = "/socket.io/?EIO=4&transport=websocket"
GROUPS: Final = "/api/v1/groups"


@dataclass(frozen=True, slots=True)
class Target:
    """The server, and the access token of somebody who has gone bad."""

    url: str
    token: str


class Wire:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, target: Target) -> "Wire":
        """Connect."""
        parts = urlsplit(target.url)
        async with asyncio.timeout(CONNECT_SECONDS):
            return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def send(self, data: bytes) -> None:
        """Send, as far as the other side takes it in a moment."""
        self._writer.write(data)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                await self._writer.drain()

    async def until(self, end: bytes) -> bytes:
        """Read so far."""
        async with asyncio.timeout(CONNECT_SECONDS):
            return await self._reader.readuntil(end)

    async def rest(self) -> bytes:
        """What comes in a moment."""
        heard = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READ_SECONDS):
                while len(heard) < ANSWER_BYTES_MAX and (data := await self._reader.read(65_536)):
                    heard += data
        return heard

    def close(self) -> None:
        """Be gone, without a word."""
        self._writer.transport.abort()


Attack: TypeAlias = Callable[[Target, random.Random], Awaitable[None]]
ATTACKS: Final[dict[str, Attack]] = {}
"""By name."""


def _attack(made: Attack) -> Attack:
    ATTACKS[getattr(made, "__name__").removeprefix("_")] = made  # noqa: B009 - a Callable has none, for mypy
    return made


async def attack(target: Target, seed: int, seconds: float, at_once: int) -> collections.Counter[str]:
    """Attack in all ways, so many at a time, for so long; returns how often each was done.

    Raises:
        AssertionError: an answer is none that we give. It names the attack and its seed.

    """
    done: collections.Counter[str] = collections.Counter()
    end = time.monotonic() + seconds

    async def attacker(number: int) -> None:
        chance = random.Random(f"{seed}-{number}")  # noqa: S311 - no secret
        while time.monotonic() < end:
            name = chance.choice(list(ATTACKS))
            one = chance.getrandbits(64)
            try:
                # The server may end it at any word.
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    await ATTACKS[name](target, random.Random(one))  # noqa: S311 - no secret
            except Exception as error:
                raise AssertionError(f"attack {name}, chance {one}: {error!r}") from error
            done[name] += 1

    await asyncio.gather(*(attacker(number) for number in range(at_once)))
    return done


def _check(heard: bytes) -> None:
    """What came back is an answer that we give."""
    if not heard:
        return
    head, _, _ = heard.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/[01]\.\d (\d{3}) ", head)
    assert found, heard[:300]
    status = int(found[1])
    assert status < 500, heard[:1_000]
    if status >= 400:
        assert b"application/problem+json" in head, heard[:1_000]


# --- how to spoil


def _spoilt(chance: random.Random, data: bytes, times: int = 4) -> bytes:
    """The same with some bytes changed, left out, doubled, or swapped."""
    made = bytearray(data)
    for _ in range(chance.randint(1, times)):
        at, end = sorted(chance.randrange(len(made) + 1) for _ in range(2))
        match chance.randrange(5):
            case 0:
                made[at:at] = chance.randbytes(chance.randint(1, 8))
            case 1:
                del made[at : min(end, at + 8)]
            case 2:
                made[at:at] = made[at : min(end, at + 64)]
            case 3:
                made[at : at + 1] = chance.choice((b"\0", b"\r", b"\n", b"\xff", b" ", b":", b"\r\n\r\n"))
            case _:
                made[at:end] = made[at:end][::-1]
    return bytes(made)


def _request(target: Target, chance: random.Random, body: bytes = b"") -> bytes:
    method = chance.choice(("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"))
    path = chance.choice((GROUPS, "/healthz", "/api/v1/auth/login", "/openapi.json", SOCKET_PATH, "/"))
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {target.token}\r\n"
    return (head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body


async def _say(target: Target, *parts: bytes, pause: float = 0.0) -> None:
    wire = await Wire.open(target)
    try:
        for part in parts:
            await wire.send(part)
            await asyncio.sleep(pause)
        _check(await wire.rest())
    finally:
        wire.close()


# --- HTTP


@_attack
async def _http_noise(target: Target, chance: random.Random) -> None:
    await _say(target, chance.randbytes(chance.randint(1, 4_000)))


@_attack
async def _http_spoilt(target: Target, chance: random.Random) -> None:
    await _say(target, _spoilt(chance, _request(target, chance, b'{"name":"x"}')))


@_attack
async def _http_half(target: Target, chance: random.Random) -> None:
    request = _request(target, chance, b'{"name":"x"}')
    wire = await Wire.open(target)
    await wire.send(request[: chance.randrange(len(request))])
    await asyncio.sleep(chance.uniform(0, 0.1))
    wire.close()


@_attack
async def _http_large_headers(target: Target, chance: random.Random) -> None:
    line = f"{'X' * chance.choice((1, 9_000))}: {'v' * chance.choice((1, 8_000, 100_000))}\r\n"
    lines = line * chance.choice((1, 200))
    await _say(target, f"GET /healthz HTTP/1.1\r\nHost: x\r\n{lines[:400_000]}\r\n".encode())


@_attack
async def _http_slow(target: Target, chance: random.Random) -> None:
    request = _request(target, chance, b'{"name":"x"}')
    await _say(target, *(request[at : at + 1] for at in range(chance.randint(1, 50))), pause=0.02)


@_attack
async def _http_pipelined(target: Target, chance: random.Random) -> None:
    requests = [_request(target, chance) for _ in range(chance.randint(2, 100))]
    await _say(target, b"".join(requests) + _spoilt(chance, requests[0]))


@_attack
async def _http_body(target: Target, chance: random.Random) -> None:
    deep = b"[" * 50_000
    body = chance.choice(
        (deep, b'{"a":' * 2_000, b'{"amount":1e999}', b'{"amount":' + b"9" * 5_000 + b"}", b"\xff" * 100)
    )
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = f"POST {GROUPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {target.token}\r\n"
    ways = (
        f"Content-Length: {len(body)}\r\n\r\n".encode() + body,
        f"Content-Length: {len(body) + 50}\r\n\r\n".encode() + body,
        b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
        b"Transfer-Encoding: chunked\r\n\r\n" + _spoilt(chance, chunks),
        b"Transfer-Encoding: chunked, gzip\r\n\r\n" + chunks,
        b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n" + body,
    )
    wire = await Wire.open(target)
    await wire.send(head.encode() + chance.choice(ways))
    heard = (await wire.rest()).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    wire.close()
    _check(heard)


# --- the handshake


def _handshake(target: Target, path: str = SOCKET_PATH, **headers: str) -> bytes:
    lines = {
        "Host": urlsplit(target.url).netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(b"0" * 16).decode(),
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    head = [f"GET {path} HTTP/1.1", *(f"{n}: {v}" for n, v in lines.items() if v != "none"), "", ""]
    return "\r\n".join(head).encode()


@_attack
async def _handshake_broken(target: Target, chance: random.Random) -> None:
    path = "/socket.io/?" + chance.choice(
        ("EIO=4&transport=websocket", "EIO=4&transport=polling", "EIO=3&transport=websocket", "transport=websocket",
         "EIO=4", "EIO=4&transport=websocket&sid=x", "EIO=x&transport=websocket", "EIO=4&transport=websocket&j=1", "")
    )  # fmt: skip
    spoilt: dict[str, str] = {
        chance.choice(
            ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Host")
        ): chance.choice(("none", "x", "", "websocket", "8", "keep-alive", "=" * 24, "\u00e9")),
        "Sec-WebSocket-Extensions": chance.choice(
            (
                "permessage-deflate; client_max_window_bits=99",
                "x; y=" + "z" * 1_000,
                "permessage-deflate",
                ",,;;",
            )
        ),
        "Origin": chance.choice(("none", "https://evil.example", "null", target.url)),
    }
    wire = await Wire.open(target)
    await wire.send(
        _handshake(target, path, **spoilt) + chance.choice((b"", b"\x81", b"GET / HTTP/1.1\r\n\r\n"))
    )
    heard = await wire.rest()
    wire.close()
    if not heard.startswith(b"HTTP/1.1 101"):
        _check(heard)


# --- frames


def _frame(
    opcode: int, payload: bytes, *, first: int = 0x80, is_masked: bool = True, length: int | None = None
) -> bytes:
    """A WebSocket frame; `first` holds FIN and the reserved bits, `length` what it claims to be."""
    size = len(payload) if length is None else length
    mask_bit = 0x80 if is_masked else 0
    if size < 126:
        head = struct.pack("!BB", first | opcode, mask_bit | size)
    elif size < 65_536:
        head = struct.pack("!BBH", first | opcode, mask_bit | 126, size)
    else:
        head = struct.pack("!BBQ", first | opcode, mask_bit | 127, size)
    # A mask of zeros leaves the payload as it is.
    return head + (bytes(4) if is_masked else b"") + payload


def _text(text: str) -> bytes:
    return _frame(1, text.encode("utf-8", "surrogatepass"))


async def _upgraded(target: Target, *, is_signed_in: bool) -> Wire:
    wire = await Wire.open(target)
    await wire.send(_handshake(target))
    await wire.until(b"\r\n\r\n")
    if is_signed_in:
        await wire.send(_text(f"40{json.dumps({'token': target.token})}"))
        await wire.until(b"session:ready")
    return wire


async def _frames(target: Target, chance: random.Random, *frames: bytes) -> None:
    wire = await _upgraded(target, is_signed_in=chance.random() < 0.7)
    try:
        for frame in frames:
            await wire.send(frame)
        await wire.rest()
    finally:
        wire.close()


@_attack
async def _ws_broken_frames(target: Target, chance: random.Random) -> None:
    pieces = (
        _frame(1, b"2", first=0x80 | chance.choice((0x10, 0x20, 0x40))),
        _frame(chance.choice((3, 4, 5, 6, 7, 11, 15)), b"x"),
        _frame(1, b"2", is_masked=False),
        _frame(9, b"x", first=0),
        _frame(9, b"x" * 126),
        _frame(1, b"42", length=2**63 + 5),
        _frame(1, b"42", length=1_000_000),
        _frame(1, b"42" + b"x" * 70_000),
        _frame(1, b'42["x",{"a":"\xff\xfe"}]'),
        _frame(1, b'42["x",{"a":"\xed\xa0\x80"}]'),
        _frame(0, b"no beginning"),
        _frame(1, b"42", first=0) + _frame(1, b"again"),
        _frame(1, b"42", first=0) + _frame(0, b"x", first=0) * 500,
        _frame(8, b"\x03"),
        _frame(8, struct.pack("!H", chance.choice((0, 999, 1_005, 1_015, 5_000))) + b"\xff"),
        _frame(2, chance.randbytes(50)),
        _frame(9, b"") * 300,
        _frame(10, b"x") * 300,
    )
    await _frames(target, chance, *(chance.choice(pieces) for _ in range(chance.randint(1, 3))))


@_attack
async def _ws_half_a_frame(target: Target, chance: random.Random) -> None:
    frame = _text(f'42["expense:create",{{"description":"{"x" * 500}"}}]')
    await _frames(target, chance, frame[: chance.randrange(1, len(frame))])


@_attack
async def _ws_spoilt(target: Target, chance: random.Random) -> None:
    await _frames(
        target, chance, _spoilt(chance, _text("3") + _text('421["sync:pull",{"groupId":"x","after":0}]'))
    )


# --- Engine.IO and Socket.IO

_PACKETS: Final = (
    "0", "1", "2", "3", "4", "5", "6", "9", "x", "", "40", "41", "42", "43", "44", "45", "46", "49",
    "2probe", "40{}", "40/x,{}", '40{"token":1}', "41/x,", "42[]", '42["x"]', '42["connect",{},{}]',
    '42["disconnect","x"]', '42["message",{}]', '42["*",{}]', "42{}", "42[1,2]", '42/x,["x",{}]',
    '42["expense:create",{},{}]', '421["expense:create",[]]', '421["expense:create",null]',
    '429999999999999999999["expense:create",{}]', '42-1["expense:create",{}]', '43["x"]', "430[]", "4399999[1]",
    '451-["x",{"_placeholder":true,"num":0}]', '459999999999-["x"]', '45-["x"]', '461-1["x"]',
    '421["expense:create",{"amount":NaN}]', '421["expense:create",{"amount":1e999}]',
    f'421["expense:create",{{"amount":{"9" * 5_000}}}]', '421["expense:create",{"a":"\ud800"}]',
    '421["expense:create",{"a":"\\ud800"}]', '421["expense:create",{"a":1,"a":2}]', f"42{'[' * 30_000}",
    '421["expense:create",' + '{"a":' * 2_000 + "1" + "}" * 2_000 + "]", f'421["{"x" * 60_000}",{{}}]',
    '421["sync:pull",{"groupId":"../x","after":-1}]', '421["sync:push",{"commands":[{}]}]', "b4AAAA", "4\x00", "42\u202e",
)  # fmt: skip


@_attack
async def _packets(target: Target, chance: random.Random) -> None:
    texts = [chance.choice(_PACKETS) for _ in range(chance.randint(1, 4))]
    await _frames(target, chance, *map(_text, texts))


@_attack
async def _packets_spoilt(target: Target, chance: random.Random) -> None:
    text = chance.choice(_PACKETS).encode("utf-8", "surrogatepass") or b"4"
    await _frames(target, chance, _frame(1, _spoilt(chance, text)))


@_attack
async def _attachments(target: Target, chance: random.Random) -> None:
    binary = _frame(2, chance.randbytes(60_000))
    await _frames(target, chance, _text('455-["expense:create",{}]'), *[binary] * 5)


@_attack
async def _messages(target: Target, chance: random.Random) -> None:
    event = _text(f'42{chance.randrange(1_000)}["balances:get",{{"groupId":"x"}}]')
    await _frames(target, chance, event * chance.choice((300, 3_000)))

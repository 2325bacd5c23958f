"""A proxy to MongoDB that answers writes as a server does that has just lost its place as primary."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import bson

_HEADER: Final = struct.Struct("<iiii")
"""Length with the header, request id, whom it answers, operation."""
_OP_MSG: Final = 2013
_WRITES: Final = frozenset({"insert", "update", "delete", "findAndModify", "createIndexes"})
_REFUSAL: Final = bson.encode(
    {"ok": 0.0, "errmsg": "not primary", "code": 10107, "codeName": "NotWritablePrimary"}
)


class ReadOnlyProxy:
    """Passes everything on to `target_port`, except writes while `is_read_only`. `refused` counts those."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.is_read_only = False
        self.refused = 0
        self._target_port = target_port
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    def close(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.close()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers += [writer, there_writer]
        back = asyncio.create_task(_pass_on(there_reader, writer))
        self._tasks.add(back)
        back.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, EOFError):
            while True:
                header = await reader.readexactly(_HEADER.size)
                length, request_id, _, operation = _HEADER.unpack(header)
                body = await reader.readexactly(length - _HEADER.size)
                if self.is_read_only and operation == _OP_MSG and _command_of(body) in _WRITES:
                    self.refused += 1
                    writer.write(_answer_to(request_id))
                else:
                    there_writer.write(header + body)
        there_writer.close()


def _command_of(body: bytes) -> str:
    """The name of the command: the first key of the document after the flags and the section's kind."""
    (size,) = struct.unpack_from("<i", body, 5)
    return str(next(iter(bson.decode(body[5 : 5 + size]))))


def _answer_to(request_id: int) -> bytes:
    body = struct.pack("<ib", 0, 0) + _REFUSAL
    return _HEADER.pack(_HEADER.size + len(body), 0, request_id, _OP_MSG) + body


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
    writer.close()


@asynccontextmanager
async def read_only_proxying(target_port: int) -> AsyncIterator[ReadOnlyProxy]:
    """A proxy to the port, while the block runs."""
    proxy = ReadOnlyProxy(target_port)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.close()

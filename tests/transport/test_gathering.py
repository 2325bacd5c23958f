"""On the fast path, what goes to a socket in one turn of the loop goes in one piece, in order, and never too much."""

import asyncio
from typing import Any

import pytest

from persplit.transport.direct import GATHERED_BYTES_MAX, DirectLink
from tests.transport.guarded import Client, Served, serving


class Writes:
    """What is written to a link's transport."""

    def __init__(self, served: Served, monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
        link = served.server._link_of(client.sid)
        assert isinstance(link, DirectLink)
        assert link.transport is not None
        self.pieces: list[bytes] = []
        write = link.transport.write

        def watched(data: bytes) -> None:
            self.pieces.append(data)
            write(data)

        monkeypatch.setattr(link.transport, "write", watched)


async def tell(served: Served, client: Client, *numbers: int, **more: Any) -> None:
    for number in numbers:
        await served.server.emit("told", {"number": number, **more}, to=f"of {client.sid}")


async def heard(client: Client, count: int) -> list[str]:
    return [(await client.hears()).removeprefix('42["told",{"number":').rstrip("}]") for _ in range(count)]


async def test_one_turn_is_one_write_for_each_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(fast_path=True) as served:
        asha, ben = await served.signed_in(), await served.signed_in()
        await served.until(lambda: len(served.ready) == 2)
        for_asha, for_ben = (Writes(served, monkeypatch, client) for client in (asha, ben))
        await tell(served, asha, 1, 2, 3)
        await tell(served, ben, 4)
        assert await heard(asha, 3) == ["1", "2", "3"]
        assert await heard(ben, 1) == ["4"]
        assert (len(for_asha.pieces), len(for_ben.pieces)) == (1, 1)


async def test_the_answer_goes_with_what_was_announced_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(fast_path=True) as served:
        asha = await served.signed_in()
        create = served.on_create

        async def announced(sid: str, body: dict[str, Any]) -> dict[str, Any]:
            await tell(served, asha, 1)
            return await create(sid, body)

        served.server.on("expense:create", announced)
        await served.until(lambda: len(served.ready) == 1)
        writes = Writes(served, monkeypatch, asha)
        await asha.ws.send_str('421["expense:create",{"amount":1}]')
        assert await heard(asha, 1) == ["1"]
        assert (await asha.hears()).startswith("431")
        assert len(writes.pieces) == 1


async def test_no_more_is_gathered_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(fast_path=True) as served:
        asha = await served.signed_in()
        await served.until(lambda: len(served.ready) == 1)
        writes = Writes(served, monkeypatch, asha)
        text = "x" * (GATHERED_BYTES_MAX // 4)
        await tell(served, asha, *range(9), text=text)
        assert [(await asha.hears())[20:21] for _ in range(9)] == list("012345678")
        assert len(writes.pieces) == 3
        assert max(map(len, writes.pieces)) < GATHERED_BYTES_MAX + len(text)


async def test_what_was_gathered_goes_out_before_the_goodbye() -> None:
    async with serving(fast_path=True) as served:
        asha = await served.signed_in()
        await served.until(lambda: len(served.ready) == 1)
        await tell(served, asha, 1, 2)
        await served.server.close(asha.sid)
        assert len(await asha.ends()) == 2


@pytest.mark.parametrize("text", ["", "x" * GATHERED_BYTES_MAX], ids=["at the end of a turn", "within it"])
async def test_a_write_that_fails_ends_its_own_socket_and_no_other_misses_anything(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    async with serving(fast_path=True) as served:
        asha, ben = await served.signed_in(), await served.signed_in()
        await served.until(lambda: len(served.ready) == 2)
        link = served.server._link_of(asha.sid)
        assert isinstance(link, DirectLink)

        def broken(data: bytes) -> None:
            raise RuntimeError("the transport can't write")

        monkeypatch.setattr(link.transport, "write", broken)
        for client in (asha, ben):
            await tell(served, client, 1, text=text)
        assert (await ben.hears()).startswith('42["told",{"number":1')
        await asha.is_gone()
        await served.until(lambda: served.left == [asha.sid])


async def test_nothing_is_written_to_who_has_gone_in_between() -> None:
    async with serving(fast_path=True) as served:
        asha, ben = await served.signed_in(), await served.signed_in()
        await served.until(lambda: len(served.ready) == 2)
        await tell(served, asha, 1)
        await tell(served, ben, 2)
        served.server.abort(asha.sid)
        assert await heard(ben, 1) == ["2"]
        await asha.is_gone()
        await asyncio.sleep(0)

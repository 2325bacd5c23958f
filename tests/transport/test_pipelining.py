"""Commands of one client that may wait in line together do; everything else waits for them, its end included."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from persplit.transport.direct import IN_LINE_MAX, INBOX_FRAMES_MAX
from persplit.transport.guard import HandOn
from tests.transport.guarded import Client, Served, serving

PIPELINED = ["queue", "queue:slowly"]
SOME = 5
MORE_THAN_ANY = IN_LINE_MAX + INBOX_FRAMES_MAX + 50


class Line:
    """Where the handlers of `queue` wait: it lets go whom the test says."""

    def __init__(self, served: Served) -> None:
        self.begun: list[int] = []
        self.waiting: dict[int, asyncio.Future[None]] = {}
        served.server.on("queue", self._on_queue)
        served.server.on("queue:slowly", self._on_queue_slowly)
        self.may_get_in = asyncio.Event()

    async def _on_queue(self, sid: str, body: dict[str, Any], hand_on: HandOn) -> dict[str, Any]:
        number = body["number"]
        self.begun.append(number)
        self.waiting[number] = asyncio.get_running_loop().create_future()
        hand_on()
        await self.waiting[number]
        hand_on()  # once more changes nothing
        return {"ok": True}

    async def _on_queue_slowly(self, sid: str, body: dict[str, Any], hand_on: HandOn) -> dict[str, Any]:
        await self.may_get_in.wait()
        return await self._on_queue(sid, body, hand_on)

    def lets_go(self, *numbers: int) -> None:
        for number in numbers:
            self.waiting.pop(number).set_result(None)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(fast_path=True, pipelined=PIPELINED) as served:
        yield served


async def queues(client: Client, *numbers: int, event: str = "queue") -> None:
    for number in numbers:
        await client.ws.send_str(f'42{number}["{event}",{{"number":{number}}}]')


async def answered(client: Client, count: int) -> list[int]:
    """The numbers of the acks that come next."""
    return [int((await client.hears()).removeprefix("43").partition("[")[0]) for _ in range(count)]


async def test_the_next_is_begun_once_the_one_before_is_in_line(served: Served) -> None:
    line, client = Line(served), await served.signed_in()
    await queues(client, *range(1, SOME))
    await served.until(lambda: line.begun == list(range(1, SOME)))
    line.lets_go(3)
    assert await answered(client, 1) == [3]
    line.lets_go(1, 4, 2)
    assert sorted(await answered(client, 3)) == [1, 2, 4]


async def test_nobody_overtakes_one_that_is_not_in_line_yet(served: Served) -> None:
    line, client = Line(served), await served.signed_in()
    await queues(client, 1, event="queue:slowly")
    await queues(client, 2)
    await (await served.signed_in()).is_served()  # time enough for the second to be begun, if it were
    assert line.begun == []
    line.may_get_in.set()
    await served.until(lambda: line.begun == [1, 2])
    line.lets_go(1, 2)
    assert sorted(await answered(client, 2)) == [1, 2]


async def test_anything_else_waits_for_those_in_line_and_holds_up_what_follows(served: Served) -> None:
    line, client = Line(served), await served.signed_in()
    await queues(client, 1, 2)
    await client.ws.send_str('427["expense:create",{"amount":1}]')
    await queues(client, 3)
    await served.until(lambda: line.begun == [1, 2])
    line.lets_go(2)
    assert await answered(client, 1) == [2]
    assert served.handled == []
    line.lets_go(1)
    assert await answered(client, 2) == [1, 7]
    await served.until(lambda: line.begun == [1, 2, 3])
    line.lets_go(3)
    assert await answered(client, 1) == [3]


async def test_so_many_wait_in_line_and_no_more_is_read_than_there_is_room_for(served: Served) -> None:
    line, client = Line(served), await served.signed_in()
    (link,) = served.server.eio.links.values()
    await queues(client, *range(MORE_THAN_ANY))
    await served.until(lambda: len(line.begun) > IN_LINE_MAX and not link.transport.is_reading())
    assert len(line.begun) == IN_LINE_MAX + 1, "the last of them stays the one that is being handled"
    for number in range(MORE_THAN_ANY):
        await served.until(partial(line.waiting.__contains__, number))
        line.lets_go(number)
    assert sorted(await answered(client, MORE_THAN_ANY)) == list(range(MORE_THAN_ANY))
    assert line.begun == list(range(MORE_THAN_ANY))
    await client.is_served(ack_id=MORE_THAN_ANY)


@pytest.mark.parametrize("says_so", [True, False])
async def test_who_goes_is_forgotten_once_all_of_theirs_are_over(served: Served, *, says_so: bool) -> None:
    line, client = Line(served), await served.signed_in()
    (link,) = served.server.eio.links.values()
    await queues(client, 1, 2)
    await served.until(lambda: line.begun == [1, 2])
    if says_so:
        await client.ws.send_str("41")
        await queues(client, 3)
    else:
        await client.ws.close()
        await served.until(lambda: link.transport is None)
    line.lets_go(2)
    await (await served.signed_in()).is_served()
    assert served.left == []
    line.lets_go(1)
    await served.until(lambda: client.sid in served.left)
    assert line.begun == [1, 2]


async def test_who_is_cut_off_is_forgotten_once_all_of_theirs_are_over(served: Served) -> None:
    line, client = Line(served), await served.signed_in()
    await queues(client, 1, 2)
    await served.until(lambda: line.begun == [1, 2])
    await client.ws.send_str("no frame of ours")
    await client.is_gone()
    line.lets_go(1)
    await (await served.signed_in()).is_served()
    assert served.left == []
    line.lets_go(2)
    await served.until(lambda: client.sid in served.left)


async def test_the_other_path_handles_one_at_a_time() -> None:
    async with serving(fast_path=False, pipelined=PIPELINED) as served:
        line, client = Line(served), await served.signed_in()
        await queues(client, 1, 2)
        await served.until(lambda: line.begun == [1])
        await (await served.signed_in()).is_served()  # time enough for the second to be begun, if it were
        assert line.begun == [1]
        line.lets_go(1)
        await served.until(lambda: line.begun == [1, 2])
        line.lets_go(2)
        assert await answered(client, 2) == [1, 2]

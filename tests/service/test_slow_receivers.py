"""Whoever keeps the notifier waiting, on purpose or not, keeps nobody else waiting."""

import asyncio
from collections import Counter

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from persplit.adapters import webhooks as webhooks_module
from persplit.adapters.webhooks import Webhooks
from persplit.ledger.notices import Notice
from persplit.service import channels as owners
from persplit.service import notifier as notifying
from persplit.service.channels import WEBHOOKS_MAX, Channel
from persplit.service.notifier import SENDING_AT_ONCE, SENDING_AT_ONCE_OF_ONE, Notifier, Sender
from persplit.service.users import User
from tests.service.test_notifier import Place, look

PATIENCE_SECONDS = 30.0
SLOW = [f"slow-{number:02}" for number in range(SENDING_AT_ONCE // SENDING_AT_ONCE_OF_ONE)]
"""So many that their receivers could hold every place at once."""


class Programs:
    """Other people's: those at /slow/… answer late, and not at all while they are to `hang`."""

    def __init__(self) -> None:
        self.hang = False
        self.asked: Counter[str] = Counter()
        self.told = asyncio.Event()
        self.released = asyncio.Event()

    async def slow(self, request: web.Request) -> web.Response:
        self.asked[request.path] += 1
        await (self.released.wait() if self.hang else asyncio.sleep(notifying.SLOW_SECONDS * 1.5))
        return web.Response()

    async def quick(self, request: web.Request) -> web.Response:
        self.told.set()
        return web.Response()


async def crowd(url: str) -> Place:
    """Somebody quick, last of all, and many whose receivers are slow; all in one group."""
    place = Place()
    for name in ("asha", *SLOW):
        await place.users.insert(User(name, name, None, None, None, None, ""), None)
    await place.node.makes(*SLOW, "zoe")
    place.clock.move(1)
    for name in SLOW:
        for number in range(SENDING_AT_ONCE_OF_ONE):
            await place.channels.add_webhook(owners.person(name), name, f"{url}slow/{name}/{number}")
    return place


async def test_many_accounts_with_slow_receivers_hold_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "SLOW_SECONDS", 0.1)
    for module in (notifying, webhooks_module):
        monkeypatch.setattr(module, "SEND_SECONDS_MAX", 10 * PATIENCE_SECONDS)
    programs, app = Programs(), web.Application()
    app.router.add_post("/slow/{path:.*}", programs.slow)
    app.router.add_post("/quick", programs.quick)
    async with TestServer(app) as server:
        place = await crowd(str(server.make_url("/")))
        sender = Webhooks(place.clock, private_too=True)
        notifier = place.notifier(sender)
        try:
            await place.spends(1)
            await look(notifier)
            assert len(programs.asked) == len(SLOW) * SENDING_AT_ONCE_OF_ONE
            await place.users.insert(User("zoe", "zoe", None, None, None, None, ""), None)
            await place.channels.add_webhook(owners.person("zoe"), "zoe", str(server.make_url("/quick")))
            programs.hang = True
            await place.spends(2)
            await notifier.sweep()
            await asyncio.wait_for(programs.told.wait(), PATIENCE_SECONDS)
        finally:
            programs.released.set()
            await notifier.settled()
            await sender.close()


async def test_one_person_takes_only_so_many_places_among_those_who_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notifying, "WAITING_MAX", WEBHOOKS_MAX)
    monkeypatch.setattr(notifying, "WAITING_OF_ONE_MAX", 3)
    place, released, told = Place(), asyncio.Event(), list[str]()
    await place.node.makes("ben")
    for name, hooks in (("asha", WEBHOOKS_MAX), ("ben", 1)):
        await place.users.insert(User(name, name, None, None, None, None, ""), None)
        for number in range(hooks):
            await place.channels.add_webhook(owners.person(name), name, f"https://example.org/{number}")
    place.clock.move(1)

    class Held(Sender):
        async def send(self, channel: Channel, notice: Notice) -> None:
            if channel.by == "asha":
                await released.wait()
            told.append(channel.by)

    notifier = place.notifier(Held())
    await place.spends(1)
    await notifier.sweep()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while told != ["ben"]:  # noqa: ASYNC110 - a sender tells nobody
            await asyncio.sleep(0)
    released.set()
    await notifier.settled()
    await look(notifier)
    assert sorted(told) == ["asha"] * WEBHOOKS_MAX + ["ben"], "the others are found by the next sweep"


async def test_a_long_backlog_waits_its_turn_like_anybody_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "SENDING_AT_ONCE", 1)
    monkeypatch.setattr(notifying, "TURN_SECONDS_MAX", 0.0)
    place, told = Place(), list[str]()
    await place.node.makes("ben")
    for name in ("asha", "ben"):
        await place.users.insert(User(name, name, None, None, None, None, ""), None)
        await place.channels.add_webhook(owners.person(name), name, "https://example.org/hook")
    place.clock.move(1)

    class Kept(Sender):
        async def send(self, channel: Channel, notice: Notice) -> None:
            told.append(channel.by)

    for number in range(3):
        await place.spends(number)
    notifier: Notifier = place.notifier(Kept())
    await look(notifier)
    assert told == ["asha", "ben"] * 3
    assert not (await place.deliveries.scan("", 9))[0].body["node"]

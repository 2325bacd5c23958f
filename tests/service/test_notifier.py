"""Telling whoever isn't looking: at least once and in order, by one node at a time, and nobody who has no business."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.ledger.commands import ChangeRole, CreateSettlement, RemoveMember, SendReminder
from persplit.ledger.errors import Conflict, LimitReached, NotFound
from persplit.ledger.group import Role
from persplit.ledger.notices import Notice
from persplit.service import channels as owners
from persplit.service import notifier as notifying
from persplit.service.absentees import Absentees
from persplit.service.channels import DEVICES_MAX, WEBHOOKS_MAX, Channel, Channels, Kind
from persplit.service.errors import StoreUnavailable
from persplit.service.notifier import (
    ATTEMPTS_MAX,
    BACKOFF_SECONDS_FIRST,
    BACKOFF_SECONDS_MAX,
    LEASE_SECONDS,
    NoticingHints,
    Notifier,
    NotSent,
    Sender,
    backoff_seconds,
)
from persplit.service.ports import Hint
from persplit.service.suspensions import Suspensions
from persplit.service.users import UNIQUE_KEYS, User, Users
from tests.service.nodes import Clock, Node, ToldHints, spending

URL = "https://example.org/hook"


@dataclass
class Told(Sender):
    """Keeps what it was given; `fails` says whether the next attempt does."""

    fails: Callable[[], bool] = lambda: False
    got: list[Notice] = field(default_factory=list)
    attempts: int = 0
    hold: asyncio.Event | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, channel: Channel, notice: Notice) -> None:
        self.attempts += 1
        self.news.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.fails():
            raise NotSent("not now")
        self.got.append(notice)

    def seqs(self) -> list[int]:
        """Of what came, in order."""
        return [notice.seq for notice in self.got]


class Place:
    """A store that several nodes share."""

    def __init__(self) -> None:
        self.store = MemoryEvents()
        self.clock = Clock()
        self.documents = MemoryDocuments()
        self.deliveries = MemoryDocuments()
        self.users = Users(MemoryDocuments(UNIQUE_KEYS))
        self.suspensions = Suspensions(MemoryDocuments(), self.clock)
        self.node = Node(self.store, clock=self.clock)
        self.channels = Channels(self.documents, self.deliveries, self.clock)

    def notifier(self, sender: Sender, kind: Kind = Kind.WEBHOOK) -> Notifier:
        """Another node's."""
        node = Node(self.store, is_shared=True, clock=self.clock)
        channels = Channels(self.documents, self.deliveries, self.clock)
        absentees = Absentees(self.users, self.suspensions)
        return Notifier(
            node.wire, node.groups, channels, self.deliveries, {kind: sender}, absentees, self.clock
        )

    async def spends(self, number: int) -> None:
        self.clock.move(1)
        await self.node.does("asha", spending(f"e{number}"))


async def look(*notifiers: Notifier) -> None:
    """Each node looks once at everything, at the same time."""
    await asyncio.gather(*(notifier.sweep() for notifier in notifiers))
    await asyncio.gather(*(notifier.settled() for notifier in notifiers))


async def trip() -> Place:
    """Asha, an admin, and Ben, with a webhook of Asha's; what happened before it isn't told."""
    place = Place()
    for name in ("asha", "ben"):
        await place.users.insert(User(name, name, None, None, None, None, ""), None)
    await place.node.makes("ben")
    place.clock.move(1)
    await place.channels.add_webhook(owners.person("asha"), "asha", URL)
    return place


async def test_what_happens_after_a_channel_was_made_is_told_once_and_in_order() -> None:
    place, told = await trip(), Told()
    notifier = place.notifier(told)
    for number in range(3):
        await place.spends(number)
    await look(notifier)
    await look(notifier)
    assert told.seqs() == [3, 4, 5]
    assert {(it.type, it.by, it.group_id) for it in told.got} == {("expense:created", "asha", "goa")}
    assert [it.subject_id for it in told.got] == ["e0", "e1", "e2"]


@given(st.data())
@settings(deadline=None, max_examples=25)
def test_nothing_is_lost_or_out_of_order_whatever_fails_and_whoever_dies(data: st.DataObject) -> None:
    asyncio.run(_weathered(data))


async def _weathered(data: st.DataObject) -> None:
    place = await trip()
    told = Told(fails=lambda: data.draw(st.integers(0, 3), "fails") == 0)
    nodes = [place.notifier(told) for _ in range(2)]
    for number in range(data.draw(st.integers(1, 6), "events")):
        await place.spends(number)
        if data.draw(st.booleans(), "dies"):
            # A node that was killed: nobody hears of it again, and its lease runs out.
            nodes[data.draw(st.integers(0, 1), "which")] = place.notifier(told)
        await look(*nodes)
    told.fails = lambda: False
    place.clock.move(BACKOFF_SECONDS_MAX + LEASE_SECONDS)
    await look(*nodes)
    head = (await place.store.heads(["goa"]))["goa"]
    first_times = list(dict.fromkeys(told.seqs()))
    assert first_times == list(range(3, head + 1))


async def test_receivers_that_take_for_ever_hold_up_none_but_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notifying, "SENDING_AT_ONCE", WEBHOOKS_MAX)
    place, told = await trip(), Told()
    for number in range(1, WEBHOOKS_MAX):
        await place.channels.add_webhook(owners.person("asha"), "asha", f"{URL}/{number}")
    await place.channels.add_webhook(owners.person("ben"), "ben", URL)
    for_ever = asyncio.Event()

    class Slow(Told):
        async def send(self, channel: Channel, notice: Notice) -> None:
            if channel.by == "asha":
                await for_ever.wait()
            await told.send(channel, notice)

    notifier = place.notifier(Slow())
    await place.spends(1)
    await notifier.sweep()
    await asyncio.wait_for(told.news.wait(), 60)
    for_ever.set()
    await notifier.settled()
    assert told.seqs() == [3] * (WEBHOOKS_MAX + 1)


async def test_a_group_in_which_nothing_is_new_is_looked_into_once(monkeypatch: pytest.MonkeyPatch) -> None:
    place, told = await trip(), Told()
    notifier = place.notifier(told)
    await look(notifier)
    begun: list[object] = []
    monkeypatch.setattr(notifier, "_begin", begun.append)
    await look(notifier)
    assert begun == []


async def test_how_far_somebody_was_told_by_mail_is_forgotten_when_they_turn_it_off() -> None:
    place, told = await trip(), Told()
    await place.channels.set_email("ben", wanted=True)
    await place.spends(1)
    await look(place.notifier(told, Kind.EMAIL))
    assert await place.deliveries.find("owner", owners.person("ben"), 10)
    await place.channels.set_email("ben", wanted=False)
    assert not await place.deliveries.find("owner", owners.person("ben"), 10)


async def test_one_node_sends_at_a_time() -> None:
    place, told = await trip(), Told(hold=asyncio.Event())
    one, other = place.notifier(told), place.notifier(told)
    await place.spends(1)
    await one.sweep()
    await asyncio.wait_for(told.news.wait(), 60)
    await look(other)
    assert told.attempts == 1
    assert told.hold is not None
    told.hold.set()
    await one.settled()
    await look(other, one)
    assert told.seqs() == [3]


async def test_a_killed_node_s_work_is_taken_over_when_its_lease_is_over_under_the_same_id() -> None:
    place, told = await trip(), Told()
    await place.spends(1)
    killed = place.notifier(told)
    replace_ = place.deliveries.replace
    moves = 0

    async def dies_after_sending(document: object) -> object:
        nonlocal moves
        moves += 1
        if moves == 2:  # the first is the lease
            raise asyncio.CancelledError
        return await replace_(document)  # type: ignore[arg-type]

    place.deliveries.replace = dies_after_sending  # type: ignore[assignment,method-assign]
    await killed.sweep()
    await killed.settled()
    assert told.seqs() == [3]
    other = place.notifier(told)
    place.clock.move(LEASE_SECONDS - 1)
    await look(other)
    assert told.seqs() == [3]
    place.clock.move(2)
    await look(other)
    assert told.seqs() == [3, 3]
    assert told.got[0] == told.got[1]


async def test_a_receiver_that_is_away_is_asked_less_and_less_often_and_given_up_in_the_end() -> None:
    place, told = await trip(), Told(fails=lambda: True)
    notifier = place.notifier(told)
    await place.spends(1)
    await look(notifier)
    await look(notifier)
    assert told.attempts == 1, "not before it is due"
    for _ in range(ATTEMPTS_MAX + 3):
        place.clock.move(BACKOFF_SECONDS_MAX)
        await look(notifier)
    assert told.attempts == ATTEMPTS_MAX
    told.fails = lambda: False
    await place.spends(2)
    await look(notifier)
    assert told.seqs() == [4]


def test_the_wait_doubles_up_to_an_hour() -> None:
    for attempts in range(1, ATTEMPTS_MAX + 1):
        most = min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_FIRST * 2 ** (attempts - 1))
        assert 0.75 * most <= backoff_seconds(attempts) <= most


async def test_who_has_left_is_told_nothing_more_nor_is_the_hook_of_who_is_no_admin_any_more() -> None:
    place, told = await trip(), Told()
    await place.channels.add_webhook(owners.person("ben"), "ben", f"{URL}/ben")
    await place.node.does("asha", ChangeRole("ben", Role.ADMIN))
    await place.channels.add_webhook(owners.group("goa"), "ben", f"{URL}/goa")
    await look(place.notifier(told))
    told.got.clear()
    await place.node.does("asha", RemoveMember("ben"))
    await place.spends(1)
    await look(place.notifier(told))
    assert {it.id.partition(".")[0] for it in told.got} == {
        channel.id for channel in (await place.channels.of(owners.person("asha"))).channels
    }


@pytest.mark.parametrize("kind", list(Kind))
async def test_nobody_is_told_for_an_account_that_is_disabled_and_all_of_it_once_it_is_enabled(
    kind: Kind,
) -> None:
    place, told = await trip(), Told()
    await place.node.does("asha", ChangeRole("ben", Role.ADMIN))
    await place.channels.add_webhook(owners.person("ben"), "ben", URL)
    await place.channels.add_webhook(owners.group("goa"), "ben", f"{URL}/goa")
    await place.channels.set_email("ben", wanted=True)
    place.clock.move(1)
    notifier = place.notifier(told, kind)
    await place.suspensions.disable("ben")
    await place.node.does("asha", SendReminder("asha", "ben", 450)) if kind is Kind.EMAIL else None
    await place.spends(1)
    await look(notifier)
    theirs = {it.id for it in (await place.channels.of(owners.person("asha"))).channels}
    assert {it.id.partition(".")[0] for it in told.got} <= theirs
    begun = len(told.got)
    await look(notifier)
    await place.suspensions.enable("ben")
    await look(notifier)
    assert len(told.got) > begun


async def test_what_an_account_that_is_gone_has_made_of_a_group_s_is_told_nothing() -> None:
    place, told = await trip(), Told()
    await place.channels.add_webhook(owners.group("goa"), "asha", f"{URL}/goa")
    await place.users.delete("asha")
    await place.spends(1)
    await look(place.notifier(told))
    assert told.got == []


async def test_people_are_written_to_when_something_is_asked_of_them() -> None:
    place, told = await trip(), Told()
    await place.channels.set_email("ben", wanted=True)
    await place.spends(1)
    await place.node.does("asha", SendReminder("asha", "ben", 450))
    await place.node.does("ben", CreateSettlement("s1", "asha", 450))
    await place.node.does("asha", CreateSettlement("s2", "ben", 5))
    place.clock.move(1)
    await place.node.makes("ben", group_id="pune")
    await look(place.notifier(told, Kind.EMAIL))
    assert sorted(it.type for it in told.got) == ["member:joined", "reminder:sent", "settlement:created"]


async def test_a_node_that_records_something_tells_at_once() -> None:
    place, told = await trip(), Told()
    notifier = place.notifier(told)
    hints = NoticingHints(ToldHints())
    hints.notifier = notifier
    running = asyncio.create_task(notifier.run())
    try:
        await place.spends(1)
        await hints.publish(Hint("goa", 3))
        await asyncio.wait_for(told.news.wait(), 60)
        assert told.seqs() == [3]
        assert hints.are_connected() is None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("fault", [ValueError("damaged"), StoreUnavailable("away")])
async def test_a_look_that_goes_wrong_is_not_the_last_one(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr("persplit.service.notifier.BACKOFF_SECONDS_FIRST", 0.0)
    monkeypatch.setattr("persplit.service.notifier.SWEEP_SECONDS", 0.0)
    place, told = await trip(), Told()
    await place.spends(1)
    notifier = place.notifier(told)
    faults = [fault]
    sweep = notifier.sweep

    async def failing() -> None:
        if faults:
            raise faults.pop()
        await sweep()

    monkeypatch.setattr(notifier, "sweep", failing)
    running = asyncio.create_task(notifier.run())
    try:
        await asyncio.wait_for(told.news.wait(), 60)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_channel_that_was_removed_is_told_nothing_more() -> None:
    place, told = await trip(), Told(fails=lambda: True)
    notifier = place.notifier(told)
    await place.spends(1)
    await look(notifier)
    (channel,) = (await place.channels.of(owners.person("asha"))).channels
    await place.channels.remove_webhook(owners.person("asha"), channel.id)
    assert not await place.deliveries.scan("", 10)
    told.fails = lambda: False
    place.clock.move(BACKOFF_SECONDS_MAX)
    await look(notifier)
    assert told.got == []


async def test_what_one_owner_has_is_bounded() -> None:
    channels = Channels(MemoryDocuments(), MemoryDocuments(), Clock())
    for number in range(WEBHOOKS_MAX):
        await channels.add_webhook("u:asha", "asha", f"{URL}/{number}")
    with pytest.raises(Conflict):
        await channels.add_webhook("u:asha", "asha", f"{URL}/0")
    with pytest.raises(LimitReached):
        await channels.add_webhook("u:asha", "asha", URL)
    with pytest.raises(NotFound):
        await channels.remove_webhook("u:asha", "none")
    first = await channels.add_device("asha", "fcm", "token 0")
    assert await channels.add_device("asha", "fcm", "token 0") == first
    for number in range(DEVICES_MAX):
        await channels.add_device("asha", "fcm", f"token {number + 1}")
    owned = await channels.of(owners.person("asha"))
    assert len(owned.devices) == DEVICES_MAX
    assert first not in owned.devices
    with pytest.raises(NotFound):
        await channels.remove_device("asha", first.id)
    await channels.remove_device("asha", owned.devices[0].id)
    assert (await channels.set_email("asha", wanted=True)).has_email
    assert (await channels.set_email("asha", wanted=True)).has_email
    assert not (await channels.set_email("asha", wanted=False)).has_email
    assert len((await channels.of("u:asha")).webhooks()) == WEBHOOKS_MAX

"""The ledger of two people is one and the same, however and wherever it is made."""

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.ledger.commands import AddMember, JoinGroup
from persplit.ledger.direct import direct_ledger_id, is_direct_id
from persplit.ledger.errors import Forbidden, Invalid, LimitReached, NotFound
from persplit.ledger.events import GroupCreated, MemberJoined
from persplit.ledger.group import GroupKind, Role
from persplit.ledger.money import CURRENCIES
from persplit.service import overview as overview_module
from persplit.service.direct_ledgers import CURRENCIES_OF_TWO_MAX, DirectLedgers
from persplit.service.errors import StoreUnavailable
from persplit.service.overview import Overview
from persplit.service.users import UNIQUE_KEYS, User, Users
from tests.service.nodes import AFTER, BEFORE, FINE, LATE, Node

LEDGER = direct_ledger_id("asha", "ben", "INR")


def person(user_id: str, guest_of: str | None = None) -> User:
    return User(user_id, user_id.title(), f"{user_id}@example.org", None, None, None, "2026-01-01", guest_of)


async def people() -> Users:
    users = Users(MemoryDocuments(UNIQUE_KEYS))
    for user_id in ("asha", "ben", "chitra"):
        await users.insert(person(user_id), None)
    return users


def ledgers_of(node: Node, users: Users) -> DirectLedgers:
    return DirectLedgers(node.wire, node.groups, node.handler, Overview(node.wire, node.groups), users)


def test_its_id_is_the_same_for_both_and_another_for_each_pair_and_currency() -> None:
    assert direct_ledger_id("ben", "asha", "INR") == LEDGER
    others = {direct_ledger_id("asha", "chitra", "INR"), direct_ledger_id("asha", "ben", "EUR")}
    assert len({LEDGER, *others}) == 3
    assert all(map(is_direct_id, (LEDGER, *others)))


faults = st.lists(st.sampled_from([FINE, FINE, BEFORE, AFTER, LATE]), max_size=3)


@settings(deadline=None, max_examples=40)
@given(st.integers(), st.lists(faults, min_size=2, max_size=2))
def test_two_who_open_it_at_once_on_two_nodes_have_the_same_one(seed: int, planned: list[list[str]]) -> None:
    """Whatever the store does to them: who got no answer asks again."""

    async def opened(node: Node, users: Users, me: str, other: str) -> None:
        while True:
            try:
                found = await ledgers_of(node, users).open(person(me), other, "INR", "UTC")
            except StoreUnavailable:
                continue
            assert found.state.is_person(me)
            assert found.state.is_person(other)
            return

    async def scenario() -> None:
        store, users, dice = MemoryEvents(), await people(), Random(seed)  # noqa: S311 - no secret
        one, two = (Node(store, is_shared=True, ticks=lambda: dice.randrange(4)) for _ in range(2))
        await one.makes("ben")
        for node, its in zip((one, two), planned, strict=True):
            node.wire.faults.extend(its)
        await asyncio.gather(
            opened(one, users, "asha", "ben"),
            opened(two, users, "ben", "asha"),
            opened(two, users, "asha", "ben"),
        )
        await asyncio.gather(*one.wire.late, *two.wire.late)
        events = [recorded.event for recorded in await store.read(LEDGER, 0, 10)]
        assert [type(event) for event in events] == [GroupCreated, MemberJoined]
        state = await two.groups.peek(LEDGER)
        assert state is not None
        assert state.settings.kind is GroupKind.DIRECT
        assert [(m.user_id, m.role) for m in sorted(state.active(), key=lambda m: m.user_id)] == [
            ("asha", Role.ADMIN),
            ("ben", Role.ADMIN),
        ]

    asyncio.run(scenario())


async def test_it_is_for_people_with_accounts_who_share_a_group() -> None:
    node, users = Node(MemoryEvents()), await people()
    await users.insert(person("gita", guest_of="goa"), None)
    await node.makes("ben", "gita", "gone")
    ledgers = ledgers_of(node, users)
    for other in ("chitra", "gita", "gone", "nobody"):
        with pytest.raises(NotFound, match="no such person"):
            await ledgers.open(person("asha"), other, "INR", "UTC")
    with pytest.raises(Invalid):
        await ledgers.open(person("asha"), "asha", "INR", "UTC")
    opened = await ledgers.open(person("asha"), "ben", "INR", "UTC")
    assert not opened.is_known
    # Who is erased has no name any more, and settings stay as they were recorded.
    assert not {"Asha", "Ben"} & set(opened.state.settings.name.split())
    assert (await ledgers.open(person("ben"), "asha", "INR", "UTC")).is_known


async def test_nobody_is_in_more_groups_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    node, users = Node(MemoryEvents()), await people()
    await node.makes("ben")
    await node.makes(group_id="diu", maker="ben")
    monkeypatch.setattr(overview_module, "GROUPS_PER_USER_MAX", 2)
    with pytest.raises(LimitReached):  # Ben is
        await ledgers_of(node, users).open(person("asha"), "ben", "INR", "UTC")
    assert await node.groups.peek(LEDGER) is None


async def test_two_people_have_ledgers_in_so_many_currencies() -> None:
    """Nobody can leave one, and each is one of the groups that a person may be in."""
    node, users = Node(MemoryEvents()), await people()
    await node.makes("ben", "chitra")
    ledgers, currencies = ledgers_of(node, users), sorted(CURRENCIES)
    for currency in currencies[:CURRENCIES_OF_TWO_MAX]:
        await ledgers.open(person("ben"), "asha", currency, "UTC")
    with pytest.raises(LimitReached, match="currencies"):
        await ledgers.open(person("ben"), "asha", currencies[CURRENCIES_OF_TWO_MAX], "UTC")
    assert (await ledgers.open(person("asha"), "ben", currencies[0], "UTC")).is_known
    assert not (await ledgers.open(person("chitra"), "asha", currencies[-1], "UTC")).is_known


async def test_nobody_else_comes_in_not_even_before_the_other_one() -> None:
    node, users = Node(MemoryEvents()), await people()
    await node.makes("ben", "chitra")
    ledgers = ledgers_of(node, users)
    await ledgers._made(LEDGER, person("asha"), "INR", "UTC")
    with pytest.raises(NotFound):
        await node.does("chitra", JoinGroup("Chitra"), group_id=LEDGER)
    with pytest.raises(Forbidden):
        await node.does("asha", AddMember("chitra", "Chitra"), group_id=LEDGER)
    assert (await ledgers.open(person("ben"), "asha", "INR", "UTC")).state.is_person("ben")
    with pytest.raises(NotFound):
        await node.does("chitra", JoinGroup("Chitra"), group_id=LEDGER)

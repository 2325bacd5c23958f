"""One person over all their groups."""

import asyncio
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.adapters.memory_store import MemoryEvents
from persplit.ledger.commands import AddMember, CreateGroup, JoinGroup, RemoveMember
from persplit.ledger.errors import LimitReached
from persplit.service import overview as overview_module
from persplit.service.overview import FriendBalance, Overview
from tests.service.nodes import Node, spending, whole

PEOPLE = ("asha", "ben", "chitra")


@pytest.fixture
def node() -> Node:
    return Node(MemoryEvents())


@pytest.fixture
def overview(node: Node) -> Overview:
    return Overview(node.wire, node.groups)


async def group_in(node: Node, group_id: str, currency: str) -> None:
    await node.does("asha", CreateGroup("Asha", group_id, currency=currency), f"make {group_id}", group_id)
    for other in PEOPLE[1:]:
        await node.does("asha", AddMember(other, other.title()), f"{other} {group_id}", group_id)


async def test_friends_are_netted_over_groups_by_currency(node: Node, overview: Overview) -> None:
    for group_id, currency in (("goa", "INR"), ("diu", "INR"), ("rome", "EUR")):
        await group_in(node, group_id, currency)
    await node.does("asha", spending("tea", 900, "ben"), group_id="goa")
    await node.does("ben", spending("taxi", 200, "asha"), group_id="diu")
    await node.does("ben", spending("pizza", 50, "asha"), group_id="rome")
    assert await overview.friends("asha") == [
        FriendBalance("ben", "Ben", "EUR", -50),
        FriendBalance("ben", "Ben", "INR", 700),
    ]
    assert await overview.friends("ben") == [
        FriendBalance("asha", "Asha", "EUR", 50),
        FriendBalance("asha", "Asha", "INR", -700),
    ]
    assert await overview.friends("chitra") == []
    assert await overview.friends("nobody") == []


async def test_what_evens_out_over_groups_is_left_out(node: Node, overview: Overview) -> None:
    for group_id in ("goa", "diu"):
        await group_in(node, group_id, "INR")
    await node.does("asha", spending("tea", 900, "ben"), group_id="goa")
    await node.does("ben", spending("taxi", 900, "asha"), group_id="diu")
    assert await overview.friends("asha") == []


spent = st.tuples(
    st.sampled_from(["goa", "diu", "rome"]),
    st.sampled_from(PEOPLE),
    st.integers(1, 10_000),
    st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(spent, max_size=12))
def test_friends_owe_what_the_expenses_say(expenses: list[tuple[str, str, int, list[str]]]) -> None:
    async def check() -> None:
        node = Node(MemoryEvents())
        currencies = {"goa": "INR", "diu": "INR", "rome": "EUR"}
        for group_id, currency in currencies.items():
            await group_in(node, group_id, currency)
        owed: dict[tuple[str, str, str], int] = defaultdict(int)
        for number, (group_id, payer, amount, among) in enumerate(expenses):
            outcome = await node.does(payer, spending(f"tea {number}", amount, *among), group_id=group_id)
            expense = getattr(outcome.recorded.event, "expense")  # noqa: B009 - an ExpenseCreated
            for share in expense.shares:
                owed[payer, share.user_id, currencies[group_id]] += share.amount
                owed[share.user_id, payer, currencies[group_id]] -= share.amount
        overview = Overview(node.wire, node.groups)
        for me in PEOPLE:
            naive = {
                (other, currency): amount
                for (creditor, other, currency), amount in owed.items()
                if creditor == me and other != me and amount
            }
            friends = await overview.friends(me)
            assert {(f.user_id, f.currency): f.amount for f in friends} == naive
            assert friends == sorted(friends, key=lambda f: (f.user_id, f.currency))
            mine = sum(f.amount for f in friends if f.currency == "EUR")
            assert mine == (await whole(node.wire.store, "rome")).balances[me]

    asyncio.run(check())


async def test_a_group_that_one_has_left_no_longer_counts(node: Node, overview: Overview) -> None:
    await group_in(node, "goa", "INR")
    await node.does("asha", RemoveMember("ben"), group_id="goa")
    assert await overview.group_ids("ben") == []
    assert await overview.states("ben", ["goa", "nowhere"]) == []
    await node.does("ben", JoinGroup("Ben"), group_id="goa")
    assert await overview.group_ids("ben") == ["goa"]
    (state,) = await overview.states("ben", ["goa"])
    assert state.is_member("ben")


async def test_states_come_in_the_order_asked_however_many_they_are(node: Node, overview: Overview) -> None:
    ids = [f"group-{number:02d}" for number in range(40)]
    for id_ in ids:
        await node.makes(group_id=id_)
    assert await overview.group_ids("asha") == ids
    assert [state.group_id for state in await overview.states("asha", ids[::-1])] == ids[::-1]


async def test_a_person_is_in_a_bounded_number_of_groups(
    node: Node, overview: Overview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview_module, "GROUPS_PER_USER_MAX", 2)
    await node.makes(group_id="goa")
    await overview.check_room("asha")
    await node.makes(group_id="diu")
    with pytest.raises(LimitReached):
        await overview.check_room("asha")
    await overview.check_room("ben")

"""What a person does with the client, with the server there."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from persplit.client import (
    Change,
    Confirmed,
    ConnectionChanged,
    ExpenseDraft,
    GroupGone,
    Happened,
    Item,
    LoanDraft,
    Offline,
    OtherAccount,
    Pending,
    Posting,
    Refused,
    SignedOut,
    SplitType,
    SplitValue,
    UnsentCommands,
    draft_of,
)
from persplit.ledger.errors import Invalid, NotFound
from persplit.ledger.events import ExpenseCreated
from persplit.ledger.group import Role
from tests.attachments.given import picture
from tests.client.devices import (
    Devices,
    check_equals_fresh_fetch,
    dinner,
    fetch,
    group_of,
    my_id,
    next_of,
    until,
)
from tests.system.phone import PASSWORD, PATIENCE_SECONDS


async def test_a_write_shows_at_once_and_is_the_servers_after_a_sync(devices: Devices) -> None:
    asha, ben = await devices.of("Asha", "asha@okaxis"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    written = await asha.create_expense(group_id, dinner(90_001))
    (entry,) = await asha.expenses(group_id)
    assert entry.is_pending
    assert entry.pending == (written.command_id,)
    provisional = await asha.balances(group_id)
    assert provisional.pending == 1
    report = await asha.sync()
    assert (report.waiting, report.refused) == (0, 0)
    assert (await asha.balances(group_id)).balances == provisional.balances
    assert not (await asha.expense(group_id, written.id)).is_pending
    await check_equals_fresh_fetch(asha, group_id)
    await ben.sync()
    await check_equals_fresh_fetch(ben, group_id)


async def test_a_file_is_attached_here_fetched_there_and_taken_off_with_no_network(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    written = await asha.create_expense(group_id, dinner())
    attached = await asha.attach(group_id, written.id, picture("PNG"), name="bill.png")
    (mine,) = (await asha.expense(group_id, written.id)).expense.attachments
    assert (mine.id, mine.name, mine.width) == (attached, "bill.png", 64)
    with pytest.raises(Refused, match="conflict"):
        await asha.attach(group_id, written.id, picture("PNG"))
    with pytest.raises(Refused, match="unsupported_media"):
        await asha.attach(group_id, written.id, b"hello")
    await ben.sync()
    body = await ben.fetch_attachment(group_id, attached)
    assert len(body) == mine.size
    assert len(await ben.fetch_attachment(group_id, attached, thumbnail=True)) < 10_000
    with pytest.raises(Refused, match="not_found"):
        await ben.fetch_attachment(group_id, "0" * 64)
    removed = await ben.detach(group_id, written.id, attached)
    entry = await ben.expense(group_id, written.id)
    assert (entry.expense.attachments, entry.pending) == ((), (removed.command_id,))
    with pytest.raises(NotFound):
        await ben.detach(group_id, written.id, attached)
    await ben.sync()
    for client in (asha, ben):
        await client.sync()
        await check_equals_fresh_fetch(client, group_id)
        assert (await client.expense(group_id, written.id)).expense.attachments == ()


async def test_every_kind_of_write_is_decided_here_as_the_server_decides_it(devices: Devices) -> None:
    asha, ben = await devices.of("Asha", "asha@okaxis"), await devices.of("Ben", "ben@ybl")
    group_id = await group_of(asha, ben)
    me, him = await my_id(asha), await my_id(ben)
    chitra = (await asha.add_placeholder(group_id, " Chitra ")).id
    dev = (await asha.add_placeholder(group_id, "Dev")).id
    await asha.remove_member(group_id, dev)
    drafts = [
        dinner(10_001, "Equal", include_payer=False),
        dinner(100, "Among", participants=(me, chitra), notes=" as said ", category="Food"),
        ExpenseDraft("Exact", 300, SplitType.EXACT, splits=(SplitValue(me, 100), SplitValue(him, 200))),
        ExpenseDraft(
            "Percent",
            999,
            SplitType.PERCENTAGE,
            splits=(SplitValue(me, 333_333), SplitValue(him, 666_667)),
        ),
        ExpenseDraft(
            "Shares", 1_000, SplitType.SHARES, splits=(SplitValue(me, 15_000), SplitValue(him, 10_000))
        ),
        ExpenseDraft("Adjusted", 1_000, SplitType.ADJUSTMENT, splits=(SplitValue(him, -10),)),
        ExpenseDraft(
            "Items",
            1_100,
            SplitType.ITEMIZED,
            payers=(Posting(me, 600), Posting(him, 500)),
            items=(Item("Dal", 400, (me,)), Item("Roti", 600, (me, him, chitra))),
        ),
    ]
    made = [await asha.create_expense(group_id, draft) for draft in drafts]
    first = draft_of((await asha.expense(group_id, made[0].id)).expense)
    await asha.update_expense(group_id, made[0].id, replace(first, amount=20_002, payers=None))
    await asha.delete_expense(group_id, made[1].id)
    await asha.delete_expense(group_id, made[2].id)
    await asha.restore_expense(group_id, made[2].id)
    paid = await asha.settle(group_id, him, 500, note="cash", utr="123456789012")
    other = await asha.settle(group_id, me, 700, from_id=chitra)
    await asha.confirm(group_id, other.id)
    await asha.cancel(group_id, paid.id)
    await asha.update_group(group_id, name="Goa again", description="Sun", simplify=False)
    provisional = await asha.balances(group_id)
    shown = await asha.expenses(group_id, include_deleted=True)
    assert [entry.expense.description for entry in shown][:2] == ["Items", "Adjusted"]
    await asha.sync()
    assert (await asha.refused(), await asha.pending()) == ([], [])
    assert (await asha.balances(group_id)).balances == provisional.balances
    await check_equals_fresh_fetch(asha, group_id)
    group = await asha.group(group_id)
    assert (group.name, group.settings.description, group.currency) == ("Goa again", "Sun", "INR")
    assert [member.name for member in await asha.members(group_id)] == ["Asha", "Ben", "Chitra"]


async def test_what_the_rules_or_plain_sense_refuse_is_refused_at_once(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    me = await my_id(asha)
    for draft in (
        dinner(0),
        dinner(1.5),  # type: ignore[arg-type]
        dinner(amount=True),
        dinner(description=" "),
        dinner(category=""),
        dinner(notes="x" * 2_001),
        dinner(date="2026-02-30"),
        dinner(date="today"),
        dinner(participants=("nobody",)),
        dinner(participants=()),
        dinner(payers=(Posting(me, 1),)),
        dinner(payers=(Posting(me, 0),)),
        ExpenseDraft("x", 1, SplitType.SHARES, splits=(SplitValue(me, 0),)),
        ExpenseDraft("x", 1, SplitType.EXACT, splits=(SplitValue(me, 0.5),)),  # type: ignore[arg-type]
        ExpenseDraft("x", 1, SplitType.ITEMIZED, items=(Item("", 1, (me,)), Item("a", 0, ()))),
        ExpenseDraft("x", 1, SplitType.ITEMIZED, items=tuple(Item("a", 1, (me,)) for _ in range(201))),
        ExpenseDraft(
            "x", 1, SplitType.ITEMIZED, items=tuple(Item("a" * 99, 1, (me,) * 99) for _ in range(99))
        ),
    ):
        with pytest.raises(Invalid):
            await asha.create_expense(group_id, draft)
    with pytest.raises(Invalid):
        await asha.create_group("Flat", currency="RUPEES")
    with pytest.raises(Invalid):
        await asha.settle(group_id, me, 100, utr="1")
    with pytest.raises(NotFound):
        await asha.delete_expense(group_id, "no such")
    with pytest.raises(NotFound):
        await asha.create_expense("no such group", dinner())
    with pytest.raises(NotFound):
        await asha.expense(group_id, "no such")
    assert [queued.type for queued in await asha.pending()] == ["group:create"]


async def test_everybody_follows_live_and_is_told_what_changed(devices: Devices) -> None:
    asha, ben = await devices.of("Asha", "asha@okaxis"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    changes = {client: client.changes() for client in (asha, ben)}
    for client in (asha, ben):
        assert await client.connect(wait_seconds=PATIENCE_SECONDS)
        assert (await next_of(changes[client], ConnectionChanged)).is_live
    written = await asha.create_expense(group_id, dinner())
    told: list[Change] = [await anext(changes[asha]) for _ in range(3)]
    assert told[0] == Pending(group_id, written.command_id)
    assert told[1] == Confirmed(group_id, written.command_id, 3)
    assert isinstance(told[2], Happened)
    happened = await next_of(changes[ben], Happened)
    assert isinstance(happened.event.event, ExpenseCreated)
    assert happened.event.event.expense.id == written.id
    await ben.settle(group_id, await my_id(asha), 45_000)
    await next_of(changes[asha], Happened)
    await asha.disconnect()
    assert not (await next_of(changes[asha], ConnectionChanged)).is_live
    for client in (asha, ben):
        await client.sync()
        await check_equals_fresh_fetch(client, group_id)


async def test_a_burst_from_all_sides_leaves_everybody_equal(devices: Devices) -> None:
    people = [await devices.of(name) for name in ("Asha", "Ben", "Chitra")]
    group_id = await group_of(*people)
    for client in people:
        await client.connect(wait_seconds=PATIENCE_SECONDS)

    async def spend(client: Any, count: int) -> None:
        for number in range(count):
            await client.create_expense(group_id, dinner(1_000 + number))

    await asyncio.gather(*(spend(client, 15) for client in people))

    async def are_all_there() -> bool:
        seqs = [(await client.balances(group_id)).seq for client in people]
        waiting = [len(await client.pending()) for client in people]
        return seqs == [48] * 3 and waiting == [0] * 3

    await until(are_all_there)
    for client in people:
        await check_equals_fresh_fetch(client, group_id)


async def test_the_past_of_a_group_can_be_read_here(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    him = await my_id(ben)
    await asha.create_expense(group_id, dinner(100))
    await asha.sync()
    now = datetime.now(UTC)
    await asha.create_expense(group_id, dinner(300))
    assert (await asha.balances_as_of(group_id, 3)).balances[him] == -50
    assert (await asha.balances_as_of(group_id, 2)).balances[him] == 0
    assert (await asha.balances_as_of(group_id, now)).balances == (
        await asha.balances_as_of(group_id, date(2999, 1, 1))
    ).balances
    for moment in (99, date(2000, 1, 1)):
        with pytest.raises(NotFound):
            await asha.balances_as_of(group_id, moment)
    history = await asha.history(group_id)
    assert [entry.is_pending for entry in history.entries] == [False] * 3 + [True]
    explained = await asha.explain(group_id, him, await my_id(asha))
    assert explained.amount == 200
    assert [cause.amount for debt in explained.debts for cause in debt.causes] == [50, 150]
    with pytest.raises(Invalid):
        await asha.explain(group_id, him, "a stranger")


async def test_what_came_as_a_snapshot_gets_its_past_when_it_is_asked_for(devices: Devices) -> None:
    asha, ben = await devices.of("Asha", "asha@okaxis"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    made = await asha.create_expense(group_id, dinner(1_000))
    for number in range(230):
        await asha.update_expense(group_id, made.id, dinner(1_001 + number))
    await asha.create_expense(group_id, dinner(1, "Newest"))
    await asha.settle(group_id, await my_id(ben), 5)
    await asha.sync()
    tablet = await devices.another_of(ben)
    await check_equals_fresh_fetch(tablet, group_id)
    assert (await tablet._do(tablet._book.first_gap, group_id)) == 0
    explained = await tablet.explain(group_id, await my_id(ben), await my_id(asha))
    answer = await fetch(
        ben, f"/groups/{group_id}/explain", **{"from": explained.from_id, "to": explained.to_id}
    )
    assert explained.amount == answer["amount"]
    assert [c.amount for d in explained.debts for c in d.causes] == [
        c["amount"] for d in answer["debts"] for c in d["causes"]
    ]
    assert (await tablet.history(group_id)).missing == 0


async def test_my_balances_and_friends_are_the_servers(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    one, two = await group_of(asha, ben), await group_of(asha, ben)
    three = (await asha.create_group("Paris", currency="EUR")).group_id
    await asha.add_placeholder(three, "Zoé")
    await asha.create_expense(one, dinner(100))
    await asha.create_expense(two, dinner(400))
    await asha.create_expense(three, dinner(900))
    await ben.create_expense(two, dinner(50))
    await ben.lend(two, LoanDraft(700), borrower_id=await my_id(asha))
    await ben.sync()
    await asha.sync()
    mine, answer = await asha.my_balances(), await fetch(asha, "/balances/me")
    assert [{"currency": c, "amount": a} for c, a in mine.overall.items()] == answer["overall"]
    assert {row.group_id: row.amount for row in mine.groups} == {
        row["groupId"]: row["amount"] for row in answer["groups"]
    }
    friends = (await fetch(asha, "/balances/friends"))["friends"]
    assert [
        {
            "userId": friend.user_id,
            "name": friend.name,
            "balances": [{"currency": c, "amount": a} for c, a in friend.balances.items()],
            "loans": [{"currency": c, "amount": a} for c, a in friend.loans.items()],
        }
        for friend in await asha.friends()
    ] == friends
    assert len(friends) == 2
    assert [loan["amount"] for friend in friends for loan in friend["loans"]] == [-700]


async def test_what_only_the_server_can_judge_needs_it(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = (await asha.create_group("Flat", join_password="open sesame", description=" ")).group_id
    account = await ben.account()
    assert account is not None
    await asha.add_member(group_id, account.user["email"])
    await asha.change_role(group_id, account.user_id, Role.ADMIN)
    with pytest.raises(Refused) as refused:
        await asha.add_member(group_id, "nobody@example.org")
    assert refused.value.code == "validation_failed"
    assert refused.value.errors[0].path == "email"
    await ben.update_profile(name="Benjamin")
    await ben.sync()
    await check_equals_fresh_fetch(ben, group_id)
    chitra = await devices.of("Chitra")
    code = (await asha.invite(group_id)).code
    with pytest.raises(Refused):
        await chitra.join(code, password="wrong")
    await chitra.join(code, password="open sesame")
    await check_equals_fresh_fetch(chitra, group_id)


async def test_who_leaves_keeps_nothing_of_the_group(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    changes = ben.changes()
    await ben.leave(group_id)
    assert await ben.groups() == []
    await ben.sync()
    assert await next_of(changes, GroupGone) == GroupGone(group_id)
    with pytest.raises(NotFound):
        await ben.group(group_id)
    assert await ben.pending() == []


async def test_signing_in_and_out(devices: Devices) -> None:
    asha = await devices.of("Asha")
    account = await asha.account()
    assert account is not None
    assert account.refresh_token not in repr(account)
    with pytest.raises(Refused, match="credentials_invalid"):
        await asha.login(account.user["email"], "wrong password")
    stranger = await devices.of("Ben")
    his = await stranger.account()
    assert his is not None
    with pytest.raises(OtherAccount):
        await asha.login(his.user["email"], PASSWORD)
    await asha.create_group("Flat")
    with pytest.raises(UnsentCommands):
        await asha.logout()
    await asha.logout(discard_unsent=True)
    assert await asha.account() is None
    assert await asha.groups() == []
    for work in (asha.sync(), asha.create_group("Flat"), asha.run()):
        with pytest.raises(SignedOut):
            await work
    with pytest.raises(SignedOut):
        await asha.connect(wait_seconds=PATIENCE_SECONDS)
    await asha.login(his.user["email"], PASSWORD)


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/html", "<h1>Sign in to the hotel</h1>"), ("application/json", "[]"), ("application/json", "{")],
)
async def test_something_else_at_the_address_is_offline(devices: Devices, kind: str, body: str) -> None:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text=body, content_type=kind)

    async with RawTestServer(answer) as portal:
        client = await devices.open(url=str(portal.make_url("")))
        with pytest.raises(Offline):
            await client.login("asha@example.org", PASSWORD)


async def test_no_server_is_offline(devices: Devices) -> None:
    asha = await devices.of("Asha")
    there = await devices.open(asha._book.replica.path, url="http://127.0.0.1:9")
    with pytest.raises(Offline):
        await there.sync()
    changes = there.changes()
    assert not await there.connect(wait_seconds=0.2)
    assert (await there.account()) == (await asha.account())
    there._hub.close()
    assert [change async for change in changes] == []

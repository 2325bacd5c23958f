"""Loans on a device, with and without the server, in a group and between two people."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from persplit.bootstrap import Node
from persplit.client import ExpenseDraft, LoanDraft, LoanStatus, Offline, Refused, SplitType
from persplit.ledger.direct import direct_ledger_id
from persplit.ledger.errors import Conflict, Forbidden, Invalid, NotFound
from persplit.ledger.group import GroupKind
from tests.client.devices import Devices, check_equals_fresh_fetch, group_of, my_id

NOWHERE = "http://127.0.0.1:9"
TODAY = date.today()  # noqa: DTZ011 - a loan's day is the device's
A_YEAR_AGO = (TODAY - timedelta(days=365)).isoformat()
TERMS = LoanDraft(1_000_000, A_YEAR_AGO, "2090-01-31", "6.50", "Deposit")


async def test_a_loan_is_noted_and_repaid_offline_and_both_have_it(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    url, asha._rest.url = asha._rest.url, NOWHERE
    lent = await asha.lend(group_id, TERMS, borrower_id=await my_id(ben))
    (entry,) = await asha.loans(group_id, on=TODAY)
    assert (entry.is_pending, entry.loan.rate, entry.interest_due, entry.to_repay) == (
        True,
        "6.5",
        65_000,
        1_065_000,
    )
    await asha.update_loan(group_id, lent.id, replace(TERMS, description=None))
    await asha.delete_loan(group_id, lent.id)
    await asha.restore_loan(group_id, lent.id)
    assert len(await asha.pending()) == 4
    asha._rest.url = url
    await asha.sync()
    assert not (await asha.loan(group_id, lent.id)).is_pending
    await ben.sync()
    ben._rest.url = NOWHERE
    paid = await ben.repay(group_id, lent.id, 100_000, note="A part", utr="123456789012")
    ben._rest.url = url
    await ben.sync()
    await asha.sync()
    await asha.confirm(group_id, paid.id)
    (entry,) = await asha.loans(group_id)
    assert entry.loan.outstanding + 100_000 - entry.loan.interest_paid == 1_000_000
    await asha.sync()
    await ben.sync()
    for device in (asha, ben):
        await check_equals_fresh_fetch(device, group_id)
    (here,), (there,) = await asha.loans(group_id), await ben.loans(group_id)
    assert here.loan == there.loan
    assert (here.loan.outstanding, here.is_pending) == (entry.loan.outstanding, False)


async def test_a_loan_of_a_day_that_has_begun_here_and_not_in_the_group_is_repaid_at_once(
    devices: Devices,
) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)  # its days are UTC's
    tomorrow = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
    lent = await asha.lend(group_id, LoanDraft(5_000, tomorrow, rate="99"), borrower_id=await my_id(ben))
    await asha.sync()
    await ben.sync()
    paid = await ben.repay(group_id, lent.id)
    await ben.sync()
    assert not await ben.refused()
    await asha.sync()
    await asha.confirm(group_id, paid.id)
    assert (await asha.loan(group_id, lent.id)).loan.status is LoanStatus.REPAID


async def test_what_repays_all_of_it_is_paid_unless_told(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    lent = await asha.lend(group_id, LoanDraft(5_000, A_YEAR_AGO), borrower_id=await my_id(ben))
    await asha.sync()
    await ben.sync()
    everything = await ben.repay(group_id, lent.id)
    await ben.sync()
    await asha.sync()
    await asha.confirm(group_id, everything.id)
    assert (await asha.loan(group_id, lent.id)).loan.status is LoanStatus.REPAID
    assert set((await asha.balances(group_id)).balances.values()) == {0}


async def test_the_ledger_of_two_is_made_online_and_then_works_offline(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    await group_of(asha, ben)
    ben_id = await my_id(ben)
    url, asha._rest.url = asha._rest.url, NOWHERE
    with pytest.raises(Offline):
        await asha.direct_ledger(ben_id)
    asha._rest.url = url
    ledger_id = await asha.direct_ledger(ben_id)
    await ben.sync()
    asha._rest.url = ben._rest.url = NOWHERE
    assert await asha.direct_ledger(ben_id) == await ben.direct_ledger(await my_id(asha)) == ledger_id
    assert [(await one.group(ledger_id)).name for one in (asha, ben)] == ["Ben", "Asha"]
    assert (await asha.group(ledger_id)).settings.kind is GroupKind.DIRECT
    await asha.lend(ledger_id, LoanDraft(500), borrower_id=ben_id)
    await asha.create_expense(ledger_id, ExpenseDraft("Tea", 60, SplitType.EQUAL))
    with pytest.raises(Forbidden):
        await asha.leave(ledger_id)
    with pytest.raises(Forbidden):
        await asha.add_placeholder(ledger_id, "Uncle")
    asha._rest.url = ben._rest.url = url
    await asha.sync()
    await ben.sync()
    (entry,) = await ben.loans(ledger_id)
    assert (entry.loan.principal, (await ben.balances(ledger_id)).balances[ben_id]) == (500, -30)
    assert [
        balance.name for balance in (await ben.my_balances()).groups if balance.group_id == ledger_id
    ] == ["Asha"]


async def test_a_ledger_of_two_whose_making_broke_off_is_completed(
    server: tuple[Node, str], devices: Devices
) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    await group_of(asha, ben)
    services, ids = server[0].services, [await my_id(asha), await my_id(ben)]
    ledger_id = direct_ledger_id(ids[0], ids[1], "INR")
    me = await services.accounts.profile(ids[0])
    await services.direct_ledgers._made(ledger_id, me, "INR", "UTC")
    await asha.sync()
    assert (await asha.group(ledger_id)).other_id is None
    assert await asha.direct_ledger(ids[1]) == ledger_id
    assert (await asha.group(ledger_id)).other_id == ids[1]


async def test_a_stranger_has_no_ledger_with_one(devices: Devices) -> None:
    asha, chitra = await devices.of("Asha"), await devices.of("Chitra")
    with pytest.raises(Refused, match="no such person"):
        await asha.direct_ledger(await my_id(chitra))


async def test_what_no_server_would_take_is_refused_at_once(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id, ben_id = await group_of(asha, ben), await my_id(ben)
    for terms in (
        replace(TERMS, principal=0),
        replace(TERMS, date="2026-02-30"),
        replace(TERMS, due_date="soon"),
        replace(TERMS, rate="0"),
        replace(TERMS, description=" "),
    ):
        with pytest.raises(Invalid):
            await asha.lend(group_id, terms, borrower_id=ben_id)
    with pytest.raises(Invalid):
        await asha.lend(group_id, TERMS)  # to oneself
    with pytest.raises(NotFound):
        await asha.loan(group_id, "none")
    lent = await asha.lend(group_id, TERMS, lender_id=ben_id)
    await asha.delete_loan(group_id, lent.id)
    with pytest.raises(Conflict):
        await asha.delete_loan(group_id, lent.id)
    assert (await asha.loans(group_id))[0].to_repay == 0

"""Guests, units and blocking on devices, with and without a network."""

import pytest

from persplit.client import Offline, Refused, UnsentCommands
from persplit.ledger.errors import Forbidden, Invalid
from tests.client.devices import Devices, check_equals_fresh_fetch, dinner, group_of, my_id
from tests.system.phone import PASSWORD

NOWHERE = "http://127.0.0.1:9"


async def test_a_guest_has_a_replica_of_their_one_group_and_keeps_it_as_an_account(devices: Devices) -> None:
    asha, gita = await devices.of("Asha"), await devices.open()
    group_id = await group_of(asha)
    invite = await asha.invite(group_id, hours=1, uses_max=1)
    assert await gita.join_as_guest(invite.code, "Gita") == group_id
    await gita.create_expense(group_id, dinner())
    await gita.sync()
    await check_equals_fresh_fetch(gita, group_id)
    with pytest.raises(Refused, match="account"):
        await gita.invite(group_id)
    before = await my_id(gita)
    account = await gita.upgrade("gita.the.guest@example.org", PASSWORD)
    assert (account.user_id, account.user["guestOf"]) == (before, None)
    await gita.invite(group_id)
    await check_equals_fresh_fetch(gita, group_id)


async def test_asking_again_after_no_answer_is_the_same_guest(devices: Devices) -> None:
    asha, gita = await devices.of("Asha"), await devices.open(url=NOWHERE)
    group_id = await group_of(asha)
    code = (await asha.invite(group_id)).code
    for _ in range(2):
        with pytest.raises(Offline):
            await gita.join_as_guest(code, "Gita")
    first = gita._signing_in._guest
    gita._rest.url = devices.url
    # The server gets it, and the answer is lost.
    assert first is not None
    await gita._rest.ask("POST", "/guests", {**first[0], "key": first[1]})
    await gita.join_as_guest(code, "Gita")
    await asha.sync()
    assert [member.name for member in await asha.members(group_id)] == ["Asha", "Gita"]


async def test_units_and_blocking_are_decided_here_as_the_server_decides_them(devices: Devices) -> None:
    asha, ben, chen = await devices.of("Asha"), await devices.of("Ben"), await devices.of("Chen")
    group_id = await group_of(asha, ben, chen)
    me, him, her = await my_id(asha), await my_id(ben), await my_id(chen)
    await ben.create_expense(group_id, dinner(30_000))
    await ben.sync()
    await asha.sync()
    await asha.change_unit(group_id, me, " Rao family ")
    await asha.change_unit(group_id, her, "Rao family")
    (row,) = (await asha.plan(group_id)).rows
    assert (row.from_id, row.to_id, row.amount) == (me, him, 20_000)
    explained = await asha.explain(group_id, me, him)
    assert {debt.debtor_id for debt in explained.debts} == {me, her}
    await asha.sync()
    await check_equals_fresh_fetch(asha, group_id)
    await chen.sync()
    await check_equals_fresh_fetch(chen, group_id)
    with pytest.raises(Forbidden):
        await chen.change_unit(group_id, him, "Rao family")
    with pytest.raises(Invalid):
        await asha.change_unit(group_id, him, " ")
    await chen.change_unit(group_id, her, None)
    await chen.settle(group_id, him, 10_000)
    await chen.sync()
    await ben.sync()
    for waiting in await ben.settlements(group_id):
        await ben.confirm(group_id, waiting.settlement.id)
    await ben.sync()
    await asha.sync()
    await asha.remove_member(group_id, her, block=True)
    await asha.unblock_member(group_id, her)
    await asha.remove_member(group_id, her, block=True)
    await asha.sync()
    assert await asha.refused() == []
    await check_equals_fresh_fetch(asha, group_id)
    with pytest.raises(Refused, match="blocked"):
        await chen.join((await asha.invite(group_id)).code)


async def test_an_account_is_not_given_up_with_something_unsent(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = await group_of(asha)
    await asha.create_expense(group_id, dinner())
    with pytest.raises(UnsentCommands):
        await asha.delete_account(PASSWORD)
    text, token = await asha.create_token("script", "read", group_id=group_id, days=1)
    assert text.startswith("pst_")
    assert await asha.tokens() == [token]
    await asha.revoke_token(token.id)
    assert b"persplit-account" in await asha.export_account()
    await asha.delete_account(PASSWORD, discard_unsent=True)
    assert await asha.account() is None

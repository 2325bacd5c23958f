"""Other currencies, refunds and income on a device, with and without the server."""

from dataclasses import replace

import pytest

from persplit.bootstrap import Node
from persplit.client import (
    ExpenseKind,
    Frequency,
    PresetDraft,
    Schedule,
    SplitType,
    SplitValue,
    draft_of,
)
from persplit.exchange.rate_table import Rate
from persplit.ledger.errors import Invalid, NotFound, RateUnknown
from tests.client.devices import Devices, check_equals_fresh_fetch, dinner, group_of, my_id


async def test_the_servers_rate_is_written_in_and_offline_it_has_to_be_said(
    server: tuple[Node, str], devices: Devices
) -> None:
    asha = await devices.of("Asha")
    group_id = await group_of(asha)
    with pytest.raises(RateUnknown):
        await asha.create_expense(group_id, dinner(currency="CHF"))
    await server[0].services.rates.add([Rate("2026-01-01", "CHF", "INR", "105")])
    assert await asha.rates("INR", "2026-11-25") == {"CHF": "105"}
    assert await asha.rates("INR", "2025-11-25") == {}
    written = await asha.create_expense(group_id, dinner(1_000, currency="CHF"))
    assert (await asha.expense(group_id, written.id)).expense.amount == 105_000
    await asha.sync()
    await asha.update_expense(group_id, written.id, dinner(1_000, currency="CHF", rate="100"))
    asha._rest.url = "http://127.0.0.1:9"
    with pytest.raises(RateUnknown):
        await asha.create_expense(group_id, dinner(currency="CHF"))
    with pytest.raises(Invalid, match="rate"):
        await asha.create_expense(group_id, dinner(currency="CHF", rate="0"))
    with pytest.raises(Invalid, match="currency"):
        await asha.create_expense(group_id, dinner(currency="CH", rate="1"))
    again = replace(draft_of((await asha.expense(group_id, written.id)).expense), description="Cheese")
    await asha.update_expense(group_id, written.id, again)
    assert (await asha.expense(group_id, written.id)).expense.amount == 100_000


async def test_what_is_typed_in_euros_is_the_same_here_and_there(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    euros = dinner(10_01, currency="EUR", rate="97.255")
    written = await asha.create_expense(group_id, euros)
    provisional = (await asha.expense(group_id, written.id)).expense
    assert provisional.amount == 97_352
    await asha.create_expense(group_id, dinner(500, "Back", kind=ExpenseKind.REFUND))
    await asha.sync()
    await check_equals_fresh_fetch(asha, group_id)
    await ben.sync()
    draft = replace(draft_of((await ben.expense(group_id, written.id)).expense), amount=20_00)
    assert (draft.currency, draft.rate) == ("EUR", None)
    await ben.update_expense(group_id, written.id, draft)
    await ben.sync()
    await check_equals_fresh_fetch(ben, group_id)
    assert (await ben.expense(group_id, written.id)).expense.amount == 194_510


async def test_what_is_arranged_offline_is_the_same_on_the_server(
    server: tuple[Node, str], devices: Devices
) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    me, him = await my_id(asha), await my_id(ben)
    flat = PresetDraft(
        " Flat ", SplitType.PERCENTAGE, splits=(SplitValue(me, 600_000), SplitValue(him, 400_000))
    )
    preset_id = (await asha.save_preset(group_id, flat)).id
    everybody = PresetDraft("All", SplitType.EQUAL, participants=(me, him), is_default=True)
    await asha.save_preset(group_id, everybody)
    written = await asha.create_expense(group_id, dinner(1_000, preset_id=preset_id))
    assert [share.amount for share in (await asha.expense(group_id, written.id)).expense.shares] == [600, 400]
    rent = await asha.save_recurrence(
        group_id, Schedule(Frequency.MONTHLY, "2026-12-31"), dinner(900, "Rent")
    )
    await asha.pause_recurrence(group_id, rent.id)
    await asha.update_group(group_id, time_zone="Asia/Kolkata")
    await asha.sync()
    assert await asha.refused() == []
    await check_equals_fresh_fetch(asha, group_id)
    await ben.sync()
    assert [preset.name for preset in await ben.presets(group_id)] == ["All", "Flat"]
    (template,) = await ben.recurrences(group_id)
    assert (template.id, template.paused, template.draft.description) == (rent.id, True, "Rent")
    await ben.change_weight(group_id, him, 25_000)
    assert [member.weight for member in await ben.members(group_id)] == [10_000, 25_000]
    await ben.pause_recurrence(group_id, rent.id, paused=False)
    await ben.stop_recurrence(group_id, rent.id)
    await ben.delete_preset(group_id, preset_id)
    await ben.sync()
    await asha.sync()
    assert (len(await asha.presets(group_id)), await asha.recurrences(group_id)) == (1, [])
    for schedule, path in (
        (Schedule(Frequency.DAILY, "soon"), "schedule.start"),
        (Schedule(Frequency.DAILY, "2026-12-01", interval=0), "schedule.interval"),
        (Schedule(Frequency.DAILY, "2026-12-01", count=0), "schedule.count"),
    ):
        with pytest.raises(Invalid, match=path):
            await asha.save_recurrence(group_id, schedule, dinner())
    with pytest.raises(Invalid, match="name"):
        await asha.save_preset(group_id, PresetDraft(" ", SplitType.EQUAL))
    with pytest.raises(Invalid, match="timeZone"):
        await asha.update_group(group_id, time_zone="Mars/Base")


async def test_an_edit_made_offline_of_what_was_stopped_or_changed_meanwhile_is_refused(
    devices: Devices,
) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    monthly = Schedule(Frequency.MONTHLY, "2026-12-31")
    ids = [(await asha.save_recurrence(group_id, monthly, dinner(900, name))).id for name in ("Rent", "Club")]
    # What isn't on the server yet is edited on top of what waits.
    await asha.save_recurrence(group_id, monthly, dinner(800, "Rent"), recurrence_id=ids[0])
    await asha.sync()
    await ben.sync()
    await ben.stop_recurrence(group_id, ids[0])
    await ben.save_recurrence(group_id, monthly, dinner(700, "Club"), recurrence_id=ids[1])
    for id_ in ids:
        await asha.save_recurrence(group_id, monthly, dinner(600), recurrence_id=id_)
        await asha.save_recurrence(group_id, monthly, dinner(500), recurrence_id=id_)
    await ben.sync()
    await asha.sync()
    assert [(one.id, one.draft.amount) for one in await asha.recurrences(group_id)] == [(ids[1], 500)]
    refused = await asha.refused()
    assert [(one.thing_id, one.error.code) for one in refused if one.error] == [
        (ids[0], "not_found"),
        (ids[0], "conflict"),
        (ids[1], "conflict"),
    ]
    with pytest.raises(NotFound):
        await asha.save_recurrence(group_id, monthly, dinner(), recurrence_id=ids[0])
    await check_equals_fresh_fetch(asha, group_id)

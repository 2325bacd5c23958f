"""Comments and reminders with the client, with and without a network."""

import sqlite3
from pathlib import Path

import pytest

from persplit.client import Client, Refused
from persplit.client.replica import SCHEMA_VERSION, Replica
from persplit.ledger.errors import Forbidden, Invalid, NotFound
from tests.client.devices import Devices, dinner, group_of, my_id


async def texts(client: Client, group_id: str, expense_id: str) -> list[tuple[str, bool]]:
    """What is said about an expense, and whether it waits."""
    return [(it.comment.text, it.is_pending) for it in await client.comments(group_id, expense_id)]


async def test_a_comment_shows_at_once_and_reaches_the_others(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    expense_id = (await asha.create_expense(group_id, dinner())).id
    written = await asha.add_comment(group_id, expense_id, " With wine ")
    assert await texts(asha, group_id, expense_id) == [("With wine", True)]
    await asha.sync()
    assert await texts(asha, group_id, expense_id) == [("With wine", False)]
    await ben.sync()
    assert await texts(ben, group_id, expense_id) == [("With wine", False)]
    with pytest.raises(Forbidden):
        await ben.delete_comment(group_id, expense_id, written.id)
    assert (await asha.delete_comment(group_id, expense_id, written.id)).id == written.id
    assert await texts(asha, group_id, expense_id) == []
    await asha.sync()
    await ben.sync()
    assert await texts(ben, group_id, expense_id) == []


async def test_a_device_that_began_with_a_snapshot_fetches_what_was_said_before(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = await group_of(asha)
    expense_id = (await asha.create_expense(group_id, dinner())).id
    kept = await asha.add_comment(group_id, expense_id, "Kept")
    gone = await asha.add_comment(group_id, expense_id, "Gone")
    for number in range(205):  # more events than a pull holds, and few expenses: a snapshot is shorter
        await asha.update_group(group_id, name=f"Trip {number}")
    await asha.sync()
    other = await devices.another_of(asha)
    await asha.delete_comment(group_id, expense_id, gone.id)
    await asha.sync()
    await other.sync()  # the deletion comes before what it deletes
    (entry,) = await other.comments(group_id, expense_id)
    assert entry.comment.id == kept.id


async def test_nothing_is_said_about_what_is_not_there_or_with_no_words(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = await group_of(asha)
    with pytest.raises(NotFound):
        await asha.add_comment(group_id, "none", "Hello")
    with pytest.raises(NotFound):
        await asha.comments(group_id, "none")
    with pytest.raises(Invalid):
        await asha.add_comment(group_id, "none", "  ")


async def test_reminding(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    await asha.create_expense(group_id, dinner(90_000))
    assert await asha.remind(group_id, await my_id(ben)) == 45_000
    with pytest.raises(Refused) as refused:
        await asha.remind(group_id, await my_id(ben))
    assert refused.value.code == "reminded_recently"


async def test_a_file_of_the_version_before_comments_is_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    Replica(path).close()
    database = sqlite3.connect(path)
    database.executescript("DROP TABLE comments; PRAGMA user_version = 1")
    database.close()
    replica = Replica(path)
    with replica.reading():
        assert replica.comments("g", "e") == []
    replica.close()
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    database.close()


async def test_devices_are_kept_for_later(devices: Devices) -> None:
    asha = await devices.of("Asha")
    made = await asha.notifications.add_device("apns", "a token")
    assert (await asha.notifications.get()).devices == (made,)
    await asha.notifications.remove_device(made.id)
    assert (await asha.notifications.get()).devices == ()

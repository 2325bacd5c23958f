"""Comments, reminders and categories, over a real server."""

from typing import Any

from persplit.ledger.categories import CATEGORIES
from tests.system.conftest import MakePhone
from tests.system.phone import Phone, key


async def trip(phones: MakePhone) -> tuple[Phone, Phone, str, str]:
    """Asha and Ben, their group, and a dinner that Asha paid."""
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id = await asha.makes_group(ben)
    dinner = await asha.spends(group_id, 90_000)
    return asha, ben, group_id, str(dinner["expense"]["id"])


async def test_a_comment_reaches_everybody_in_the_group_and_is_listed(phones: MakePhone) -> None:
    asha, ben, group_id, dinner = await trip(phones)
    ack = await ben.done(
        "comment:add", groupId=group_id, expenseId=dinner, text=" Was the wine in it?\nReally? "
    )
    told = await asha.hears("comment:added")
    assert told["comment"] == ack["comment"]
    assert told["comment"]["text"] == "Was the wine in it?\nReally?"
    assert (told["seq"], told["by"]) == (ack["seq"], ben.user_id)
    path = f"/groups/{group_id}/expenses/{dinner}/comments"
    assert (await asha.ok("GET", path))["comments"] == [ack["comment"]]
    gone = await asha.ok("DELETE", f"{path}/{ack['comment']['id']}")
    assert (await ben.hears("comment:deleted"))["comment"] == gone["comment"]
    assert (await ben.ok("GET", path))["comments"] == []


async def test_a_comment_that_is_sent_again_is_said_once(phones: MakePhone) -> None:
    asha, ben, group_id, dinner = await trip(phones)
    said: dict[str, Any] = {"groupId": group_id, "expenseId": dinner, "text": "Thanks", "commandId": key()}
    first, second = await ben.done("comment:add", said), await ben.done("comment:add", said)
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert first["comment"] == second["comment"]
    other = await ben.refused("comment:add", {**said, "text": "No thanks"})
    assert other["code"] == "idempotency_key_reused"
    path = f"/groups/{group_id}/expenses/{dinner}/comments"
    assert len((await asha.ok("GET", path))["comments"]) == 1


async def test_comments_are_for_members_and_have_something_in_them(phones: MakePhone) -> None:
    asha, _, group_id, dinner = await trip(phones)
    stranger = await phones("Dev")
    path = f"/groups/{group_id}/expenses/{dinner}/comments"
    assert (await stranger.rest("GET", path)).code == "not_found"
    assert (await stranger.rest("POST", path, {"text": "Hi"})).code == "not_found"
    assert (await asha.rest("GET", f"/groups/{group_id}/expenses/none/comments")).code == "not_found"
    for text in ("", "   ", "x" * 1_001, "\u2066", 7):
        assert (await asha.rest("POST", path, {"text": text})).code == "validation_failed"


async def test_who_is_owed_reminds_who_owes_once_a_day(phones: MakePhone) -> None:
    asha, ben, group_id, _ = await trip(phones)
    path = f"/groups/{group_id}/reminders"
    used = key()
    sent = await asha.ok("POST", path, {"toUserId": ben.user_id}, idempotency_key=used)
    assert sent["reminder"]["amount"] == 45_000
    assert (await ben.hears("reminder:sent"))["reminder"] == sent["reminder"]
    again = await asha.rest("POST", path, {"toUserId": ben.user_id}, idempotency_key=used)
    assert again.body["replayed"]
    assert (await asha.rest("POST", path, {"toUserId": ben.user_id})).code == "reminded_recently"
    assert (await ben.rest("POST", path, {"toUserId": asha.user_id})).code == "nothing_owed"


async def test_a_reminder_that_was_sent_is_replayed_though_nothing_is_owed_any_more(
    phones: MakePhone,
) -> None:
    asha, ben, group_id, dinner = await trip(phones)
    path, used = f"/groups/{group_id}/reminders", key()
    await asha.ok("POST", path, {"toUserId": ben.user_id}, idempotency_key=used)
    await asha.done("expense:delete", groupId=group_id, expenseId=dinner)
    again = await asha.rest("POST", path, {"toUserId": ben.user_id}, idempotency_key=used)
    assert again.body["replayed"]


async def test_an_admin_reminds_for_others(phones: MakePhone) -> None:
    asha, ben, group_id, _ = await trip(phones)
    chitra = await phones("Chitra")
    invite = await asha.ok("POST", f"/groups/{group_id}/invites")
    await chitra.ok("POST", "/groups/join", {"code": invite["code"]})
    await chitra.spends(group_id, 300_000)
    sent = await asha.ok("POST", f"/groups/{group_id}/reminders", {"toUserId": ben.user_id})
    assert sent["reminder"]["amount"] == 145_000
    assert sent["reminder"]["fromUserId"] == asha.user_id


async def test_the_categories_are_there_before_anybody_signs_in(phones: MakePhone) -> None:
    nobody = await phones()
    found = (await nobody.ok("GET", "/categories"))["categories"]
    assert [(it["key"], it["icon"]) for it in found] == [(it.key, it.icon) for it in CATEGORIES]

"""Taking one's data along, and giving the account up."""

from tests.system.conftest import MakePhone
from tests.system.phone import PASSWORD
from tests.system.test_guests import guest_of, invited


async def test_the_file_has_all_of_ones_own_and_nobody_elses(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    ours = await asha.spends(group_id, 900)
    mine = await ben.spends(group_id, 500, participants=[ben.user_id])
    theirs = await asha.spends(group_id, 300, participants=[asha.user_id], description="A present")
    await ben.ok("POST", f"/groups/{group_id}/settlements", {"toUserId": asha.user_id, "amount": 100})
    await ben.ok("POST", "/auth/tokens", {"name": "script", "scope": "read"})
    file = await ben.ok("GET", "/auth/me/export.json")
    assert file["user"] == await ben.ok("GET", "/auth/me")
    assert [session["current"] for session in file["sessions"]] == [True]
    assert [token["name"] for token in file["tokens"]] == ["script"]
    (group,) = file["groups"]
    assert [it["id"] for it in group["expenses"]] == [ours["expense"]["id"], mine["expense"]["id"]]
    assert theirs["expense"]["id"] not in repr(file)
    assert len(group["settlements"]) == 1
    assert group["balance"] == -450


async def test_who_gives_their_account_up_stays_as_a_placeholder(phones: MakePhone) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id, alone = await asha.makes_group(ben), await ben.makes_group()
    await asha.spends(group_id, 900)
    before = await asha.ok("GET", f"/groups/{group_id}/balances")
    email = (await ben.ok("GET", "/auth/me"))["email"]
    script = await ben.ok("POST", "/auth/tokens", {"name": "script", "scope": "read"})
    wrong = await ben.rest("DELETE", "/auth/me", {"password": "not this one"})
    assert (wrong.status, wrong.code) == (401, "credentials_invalid")
    assert (await ben.rest("DELETE", "/auth/me")).code == "credentials_invalid"
    assert (await ben.rest("DELETE", "/auth/me", {"password": PASSWORD})).status == 204
    # Gone everywhere …
    assert (await ben.hears("session:closing"))["code"] == "signed_out"
    assert (await ben.rest("GET", "/auth/me")).code == "token_invalid"
    ben.token = script["token"]
    assert (await ben.rest("GET", "/groups")).status in (401, 404)
    stranger = await phones()
    signing_in = {"email": email, "password": PASSWORD}
    assert (await stranger.rest("POST", "/auth/login", signing_in)).code == "credentials_invalid"
    assert (await stranger.rest("POST", "/auth/register", {**signing_in, "name": "Bea"})).status == 201
    # … but for the place in the group.
    shown = (await asha.hears("group:updated"))["group"]["members"][1]
    assert (shown["name"], shown["placeholder"], shown["userId"]) == ("Ben", True, ben.user_id)
    group = await asha.ok("GET", f"/groups/{group_id}")
    assert group["members"][1]["name"] == "Ben"
    after = await asha.ok("GET", f"/groups/{group_id}/balances")
    assert (after["balances"], after["debts"]) == (before["balances"], before["debts"])
    assert (await asha.rest("GET", f"/groups/{alone}")).status == 404
    # Somebody can take the place over.
    code = await invited(asha, group_id)
    joined = await stranger.rest("POST", "/auth/login", signing_in)
    stranger.take(joined.body)
    await stranger.ok("POST", "/groups/join", {"code": code, "claim": ben.user_id})
    assert (await stranger.ok("GET", "/balances/me"))["overall"][0]["amount"] == -450


async def test_the_only_admin_hands_the_group_over(phones: MakePhone) -> None:
    asha, ben, chen = await phones("Asha"), await phones("Ben"), await phones("Chen")
    group_id = await asha.makes_group(ben, chen)
    await asha.ok("POST", f"/groups/{group_id}/archive")
    await asha.ok("DELETE", "/auth/me", {"password": PASSWORD})
    members = (await chen.ok("GET", f"/groups/{group_id}"))["members"]
    assert [(m["name"], m["role"]) for m in members] == [
        ("Asha", "MEMBER"),
        ("Ben", "ADMIN"),
        ("Chen", "MEMBER"),
    ]


async def test_a_guest_gives_up_without_a_password(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group_id = await asha.makes_group()
    gita, _ = await guest_of(phones, await invited(asha, group_id))
    assert (await gita.ok("GET", "/auth/me/export.json"))["user"]["guestOf"] == group_id
    assert (await gita.rest("DELETE", "/auth/me")).status == 204
    members = (await asha.ok("GET", f"/groups/{group_id}"))["members"]
    assert [(m["name"], m["placeholder"]) for m in members] == [("Asha", False), ("Gita", True)]


async def test_blocked_people_units_and_who_is_told(phones: MakePhone) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id = await asha.makes_group(ben)
    code = await invited(asha, group_id)
    together = await asha.done("member:unit", groupId=group_id, userId=ben.user_id, unit="Rao family")
    assert together["member"]["unit"] == "Rao family"
    await ben.hears("group:updated", lambda told: told["seq"] == together["seq"])
    alone = await ben.ok("PUT", f"/groups/{group_id}/members/{ben.user_id}/unit", {"unit": None})
    assert alone["member"]["unit"] is None
    await asha.done("member:remove", groupId=group_id, userId=ben.user_id, block=True)
    assert (await asha.hears("member:left"))["member"]["blocked"] is True
    assert (await ben.refused("group:join", code=code))["code"] == "blocked"
    assert (await ben.ok("GET", "/groups"))["groups"] == []
    unblocked = await asha.done("member:unblock", groupId=group_id, userId=ben.user_id)
    await asha.hears("group:updated", lambda told: told["seq"] == unblocked["seq"])
    assert (await ben.ok("GET", "/groups"))["groups"] == []
    await ben.done("group:join", code=code)
    put_out = await asha.rest("DELETE", f"/groups/{group_id}/members/{ben.user_id}?block=true")
    assert put_out.status == 200
    assert (await ben.refused("group:join", code=code))["code"] == "blocked"

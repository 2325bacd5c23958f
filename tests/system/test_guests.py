"""Guests: people with a name and a place in one group, and no account, until they want one."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from persplit.service.invites import Invite, Invites
from persplit.service.joining import GUEST_RETRY_MINUTES
from tests.system.conftest import MakePhone, phones_of, serving, settings_for
from tests.system.phone import PASSWORD, Json, Phone


class Ticking:
    """The time, or some time `ahead` of it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def invited(admin: Phone, group_id: str, **options: object) -> str:
    """An invite's code."""
    return str((await admin.ok("POST", f"/groups/{group_id}/invites", dict(options)))["code"])


async def guest_of(phones: MakePhone, code: str, name: str = "Gita", **fields: str) -> tuple[Phone, Json]:
    """A phone whose owner came in as a guest, and what they were answered."""
    phone = await phones()
    answer = await phone.ok("POST", "/guests", {"key": str(uuid4()), "name": name, "code": code, **fields})
    phone.take(answer)
    return phone, answer


async def test_a_guest_comes_in_by_a_link_and_shares_expenses_with_no_account(phones: MakePhone) -> None:
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    gita, answer = await guest_of(phones, await invited(asha, group_id))
    assert answer["user"]["email"] is None
    assert answer["user"]["guestOf"] == answer["group"]["id"] == group_id
    joined = await asha.hears("member:joined")
    assert joined["member"]["name"] == "Gita"
    await gita.connect()
    assert [group["id"] for group in (await gita.hears("session:ready"))["groups"]] == [group_id]
    await gita.done("expense:create", groupId=group_id, description="Tea", amount=5_000, splitType="EQUAL")
    heard = await asha.hears("expense:created")
    assert heard["by"] == gita.user_id
    assert {row["userId"]: row["amount"] for row in heard["updatedBalances"]} == {
        asha.user_id: -2_500,
        gita.user_id: 2_500,
    }
    assert (await gita.ok("GET", "/balances/me"))["overall"] == [{"currency": "INR", "amount": 2_500}]


async def test_a_guest_has_one_group_and_nothing_else(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group_id, other_id = await asha.makes_group(), await asha.makes_group()
    gita, _ = await guest_of(phones, await invited(asha, group_id))
    elsewhere = await invited(asha, other_id)
    for method, path, body in (
        ("POST", "/groups", {"name": "Mine"}),
        ("POST", "/groups/join", {"code": elsewhere}),
        ("POST", f"/groups/{group_id}/invites", {}),
        ("GET", f"/groups/{group_id}/invites", None),
        ("POST", f"/groups/{group_id}/members", {"email": "asha@example.org"}),
        ("PATCH", "/auth/me", {"email": "gita@example.org"}),
    ):
        answer = await gita.rest(method, path, body)
        assert (answer.status, answer.code) == (403, "account_needed"), path
    assert (await gita.rest("GET", f"/groups/{other_id}")).code == "not_found"
    assert await gita.ok("GET", "/rates?into=INR") == {"rates": []}
    await gita.connect()
    pushed = await gita.done(
        "sync:push", commands=[{"type": "group:create", "commandId": "mine", "name": "Mine"}]
    )
    assert pushed["results"][0]["error"]["code"] == "account_needed"
    assert (await gita.refused("group:create", name="Mine"))["code"] == "account_needed"


async def test_an_invite_used_up_elsewhere_lets_no_guest_in_and_keeps_none(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group()
    code = await invited(asha, group_id, maxUses=1)
    await ben.ok("POST", "/groups/join", {"code": code})
    stranger = await phones()
    refused = await stranger.rest("POST", "/guests", {"key": str(uuid4()), "name": "Gita", "code": code})
    assert (refused.status, refused.code) == (404, "not_found")
    assert len((await asha.ok("GET", f"/groups/{group_id}"))["members"]) == 2


async def test_a_guest_whose_answer_got_lost_asks_again_and_is_the_same_one(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group_id = await asha.makes_group()
    code = await invited(asha, group_id, maxUses=1)
    phone = await phones()
    body = {"key": str(uuid4()), "name": "Gita", "code": code}
    first = await phone.ok("POST", "/guests", body)
    again = await phone.ok("POST", "/guests", body)
    assert again["user"]["id"] == first["user"]["id"]
    assert again["replayed"] is True
    assert len(again["group"]["members"]) == 2
    events = (await asha.ok("GET", f"/groups/{group_id}/events"))["events"]
    assert body["key"] not in repr(events)
    other = await phone.rest("POST", "/guests", {**body, "name": "Hema"})
    assert other.code == "idempotency_key_reused"


async def test_a_guest_who_asks_twice_at_once_for_the_last_place_is_kept(
    phones: MakePhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha, phone = await phones("Asha"), await phones()
    group_id = await asha.makes_group()
    code = await invited(asha, group_id, maxUses=1)
    take, are_both_there, is_in, asked = Invites.take, asyncio.Event(), asyncio.Event(), list[Invite]()

    async def taken(invites: Invites, invite: Invite) -> None:
        asked.append(invite)
        if len(asked) == 2:
            are_both_there.set()
            await is_in.wait()
        await are_both_there.wait()
        await take(invites, invite)

    monkeypatch.setattr(Invites, "take", taken)
    body = {"key": str(uuid4()), "name": "Gita", "code": code}
    both = [asyncio.create_task(phone.rest("POST", "/guests", body)) for _ in range(2)]
    done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    assert [one.result().status for one in done] == [201]
    is_in.set()
    answers = await asyncio.gather(*both)
    assert sorted(answer.status for answer in answers) == [201, 404]
    (let_in,) = (answer for answer in answers if answer.status == 201)
    phone.take(let_in.body)
    assert (await phone.ok("GET", "/auth/me"))["name"] == "Gita"
    assert (await phone.ok("POST", "/guests", body))["replayed"] is True


async def test_a_guest_takes_a_placeholder_over_and_refreshes_like_anybody(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group_id = await asha.makes_group()
    added = await asha.ok("POST", f"/groups/{group_id}/members", {"name": "Gita"})
    await asha.spends(group_id, 9_000)
    gita, answer = await guest_of(phones, await invited(asha, group_id), claim=added["member"]["userId"])
    assert answer["group"]["members"][-1]["claimed"] == added["member"]["userId"]
    gita.take(await gita.ok("POST", "/auth/refresh", {"refreshToken": gita.refresh_token}))
    assert (await gita.ok("GET", "/balances/me"))["overall"][0]["amount"] == -4_500
    assert (await gita.rest("POST", "/groups", {"name": "Mine"})).code == "account_needed"


async def test_the_password_of_a_group_is_asked_of_guests_too(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group_id = await asha.makes_group(joinPassword="sunset at the fort")
    code = await invited(asha, group_id)
    phone = await phones()
    body = {"key": str(uuid4()), "name": "Gita", "code": code}
    assert (await phone.rest("POST", "/guests", {**body, "password": "sunrise"})).code == "forbidden"
    assert (await phone.rest("POST", "/guests", body)).code == "validation_failed"
    await phone.ok("POST", "/guests", {**body, "password": "sunset at the fort"})


async def test_a_guest_becomes_an_account_and_keeps_everything(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group_id, other_id = await asha.makes_group(), await asha.makes_group()
    gita, _ = await guest_of(phones, await invited(asha, group_id))
    await gita.connect()
    await gita.spends(group_id, 3_000)
    taken = await asha.ok("GET", "/auth/me")
    upgrade = {"email": taken["email"], "password": PASSWORD}
    assert (await gita.rest("POST", "/auth/upgrade", upgrade)).code == "email_taken"
    weak = {"email": "gita@example.org", "password": "password"}
    assert (await gita.rest("POST", "/auth/upgrade", weak)).code == "validation_failed"
    user = await gita.ok("POST", "/auth/upgrade", {**upgrade, "email": "gita@example.org"})
    assert (user["id"], user["guestOf"]) == (gita.user_id, None)
    # The socket stays, and hears all groups once it has a token for them.
    gita.take(await gita.ok("POST", "/auth/refresh", {"refreshToken": gita.refresh_token}))
    await gita.done("auth:renew", token=gita.token)
    await gita.done("group:join", code=await invited(asha, other_id))
    await gita.hears("member:joined", lambda told: told["groupId"] == other_id)
    signed_in = await gita.ok("POST", "/auth/login", {"email": "gita@example.org", "password": PASSWORD})
    assert signed_in["user"]["id"] == gita.user_id
    assert len((await gita.ok("GET", "/balances/me"))["groups"]) == 2
    again = await gita.rest("POST", "/auth/upgrade", {"email": "g@example.org", "password": PASSWORD})
    assert again.code == "conflict"


async def test_invites_are_listed_counted_and_taken_back(phones: MakePhone) -> None:
    asha, ben, chen = await phones("Asha"), await phones("Ben"), await phones("Chen")
    group_id = await asha.makes_group(ben)
    made = await ben.ok("POST", f"/groups/{group_id}/invites", {"hours": 1, "maxUses": 5})
    assert (await ben.ok("GET", f"/groups/{group_id}/invites"))["invites"] == [
        {key: made[key] for key in ("id", "createdBy", "createdAt", "expiresAt", "uses", "maxUses")}
    ]
    await chen.ok("POST", "/groups/join", {"code": made["code"]})
    listed = (await asha.ok("GET", f"/groups/{group_id}/invites"))["invites"]
    assert {invite["id"]: invite["uses"] for invite in listed}[made["id"]] == 1
    assert "code" not in listed[0]
    mine = next(invite["id"] for invite in listed if invite["createdBy"] == asha.user_id)
    assert (await ben.rest("DELETE", f"/groups/{group_id}/invites/{mine}")).code == "not_found"
    assert (await asha.rest("DELETE", f"/groups/{group_id}/invites/{made['id']}")).status == 204
    late = await (await phones("Dev")).rest("POST", "/groups/join", {"code": made["code"]})
    assert late.code == "not_found"


async def test_a_guests_key_is_worth_nothing_after_ten_minutes(tmp_path: Path) -> None:
    clock = Ticking()
    async with serving(settings_for(tmp_path), clock=clock.now) as (_, url), phones_of(url) as make:
        asha = await make("Asha")
        code = await invited(asha, await asha.makes_group())
        body = {"key": str(uuid4()), "name": "Gita", "code": code}
        stranger = await make()
        await stranger.ok("POST", "/guests", body)
        clock.ahead = timedelta(minutes=GUEST_RETRY_MINUTES, seconds=1)
        late = await stranger.rest("POST", "/guests", body)
        assert (late.status, late.code) == (409, "conflict")

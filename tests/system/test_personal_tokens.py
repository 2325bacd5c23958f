"""Personal tokens: what they open and what not, over REST and on sockets."""

from datetime import timedelta
from pathlib import Path

import pytest
import socketio

from persplit.bootstrap import Node
from persplit.service import personal_tokens
from persplit.service.session_sweep import SessionSweep
from tests.system.conftest import MakePhone, phones_of, serving, settings_for
from tests.system.phone import Json, Phone, key
from tests.system.test_guests import Ticking


async def token_of(phone: Phone, scope: str = "write", **fields: object) -> Json:
    """A new token of the phone's owner."""
    return await phone.ok("POST", "/auth/tokens", {"name": "budget script", "scope": scope, **fields})


def script_of(phone: Phone, token: Json) -> Phone:
    """A program of the phone's owner, which has the token alone."""
    return Phone(phone.url, phone.http, phone.name, phone.user_id, token["token"])


async def test_a_token_is_told_once_listed_and_taken_back(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    made = await token_of(asha, days=30)
    listed = await asha.ok("GET", "/auth/tokens")
    assert listed["tokens"] == [{name: value for name, value in made.items() if name != "token"}]
    script = script_of(asha, made)
    assert (await script.ok("GET", "/auth/me"))["id"] == asha.user_id
    assert (await ben.rest("DELETE", f"/auth/tokens/{made['id']}")).code == "not_found"
    assert (await asha.rest("DELETE", f"/auth/tokens/{made['id']}")).status == 204
    refused = await script.rest("GET", "/auth/me")
    assert (refused.status, refused.code) == (401, "token_invalid")
    assert (await asha.ok("GET", "/auth/tokens"))["tokens"] == []


async def test_who_may_only_read_changes_nothing(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group_id = await asha.makes_group()
    reader = script_of(asha, await token_of(asha, "read"))
    assert (await reader.ok("GET", f"/groups/{group_id}"))["id"] == group_id
    tea: Json = {"description": "Tea", "amount": 100, "splitType": "EQUAL"}
    refused = await reader.rest("POST", f"/groups/{group_id}/expenses", tea)
    assert (refused.status, refused.code) == (403, "scope_insufficient")
    await reader.connect()
    assert (await reader.refused("expense:create", **tea, groupId=group_id))["code"] == "scope_insufficient"
    pushed = [{**tea, "type": "expense:create", "groupId": group_id, "commandId": key()}]
    assert (await reader.refused("sync:push", commands=pushed))["code"] == "scope_insufficient"
    await asha.spends(group_id, 900)
    await reader.hears("expense:created")
    assert (await reader.done("balances:get", groupId=group_id))["balances"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/auth/tokens", None),
        ("POST", "/auth/tokens", {"name": "another", "scope": "write"}),
        ("PATCH", "/auth/me", {"name": "Eve"}),
        ("GET", "/auth/sessions", None),
        ("POST", "/auth/logout-all", None),
        ("POST", "/notifications/webhooks", {"url": "https://example.org/hook"}),
        ("POST", "/groups/goa/webhooks", {"url": "https://example.org/hook"}),
    ],
)
async def test_no_token_opens_the_account_itself(
    phones: MakePhone, method: str, path: str, body: Json | None
) -> None:
    asha = await phones("Asha")
    refused = await script_of(asha, await token_of(asha)).rest(method, path, body)
    assert (refused.status, refused.code) == (403, "scope_insufficient")


async def test_a_token_for_one_group_opens_and_hears_that_one(phones: MakePhone) -> None:
    asha, ben = await phones("Asha", "asha@okaxis"), await phones("Ben", online=True)
    group_id, other_id = await asha.makes_group(ben), await asha.makes_group(ben)
    stranger = await asha.rest(
        "POST",
        "/auth/tokens",
        {"name": "x", "scope": "read", "groupId": "01890000-0000-7000-8000-000000000000"},
    )
    assert stranger.code == "not_found"
    script = script_of(ben, await token_of(ben, groupId=group_id))
    assert (await script.rest("GET", f"/groups/{other_id}")).code == "not_found"
    for path in ("/groups", "/balances/me", "/balances/friends"):
        assert (await script.rest("GET", path)).code == "scope_insufficient"
    assert (await script.rest("POST", "/groups", {"name": "Mine"})).code == "scope_insufficient"
    await script.connect()
    assert [g["id"] for g in (await script.hears("session:ready"))["groups"]] == [group_id]
    # What is elsewhere isn't heard, though it is told to every other device of theirs.
    await asha.spends(other_id, 700)
    await ben.hears("settlement:due", lambda told: told["groupId"] == other_id)
    third = await ben.ok("POST", "/groups", {"name": "Third"})
    await asha.spends(group_id, 900)
    await script.hears("settlement:due", lambda told: told["groupId"] == group_id)
    heard = {told.get("groupId") for name, told in script.heard if name != "session:ready"}
    assert heard == {group_id}
    assert third["group"]["id"] not in repr(script.heard)


async def test_a_socket_ends_with_its_token_and_renews_with_no_other(phones: MakePhone) -> None:
    asha = await phones("Asha")
    made = await token_of(asha)
    script = await script_of(asha, made).connect()
    assert (await script.refused("auth:renew", token=asha.token))["code"] == "token_invalid"
    assert (await script.done("auth:renew", token=script.token))["expiresAt"] == made["expiresAt"][
        :-4
    ] + "000Z"
    await asha.connect()
    assert (await asha.refused("auth:renew", token=script.token))["code"] == "token_invalid"
    await asha.rest("DELETE", f"/auth/tokens/{made['id']}")
    assert (await script.hears("session:closing"))["code"] == "signed_out"
    with pytest.raises(socketio.exceptions.ConnectionError):
        await script_of(asha, made).connect()


async def test_a_token_that_was_taken_back_elsewhere_is_found_out(tmp_path: Path) -> None:
    async with serving(settings_for(tmp_path)) as (node, url), phones_of(url) as make:
        asha = await make("Asha")
        made = await token_of(asha)
        script = await script_of(asha, made).connect()
        await asha.connect()
        tokens = node.services.personal_tokens
        await tokens._documents.delete(made["id"])
        await SessionSweep(tokens, node.sockets.personal_tokens).sweep()
        assert (await script.hears("session:closing"))["code"] == "signed_out"
        assert node.sockets.sessions()


async def test_a_token_runs_out(tmp_path: Path) -> None:
    clock = Ticking()
    async with serving(settings_for(tmp_path), clock=clock.now) as (_, url), phones_of(url) as make:
        asha = await make("Asha")
        script = script_of(asha, await token_of(asha, days=1))
        await script.ok("GET", "/groups")
        clock.ahead = timedelta(days=1)
        refused = await script.rest("GET", "/groups")
        assert (refused.status, refused.code) == (401, "token_expired")
        asha.take(await asha.ok("POST", "/auth/refresh", {"refreshToken": asha.refresh_token}))
        assert (await asha.ok("GET", "/auth/tokens"))["tokens"] == []


async def test_nobody_has_any_number_of_tokens_and_guests_have_none(
    phones: MakePhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal_tokens, "TOKENS_PER_USER_MAX", 2)
    asha = await phones("Asha")
    for _ in range(2):
        await token_of(asha)
    full = await asha.rest("POST", "/auth/tokens", {"name": "one more", "scope": "read"})
    assert full.code == "limit_reached"
    assert (await script_of(asha, {"token": "pst_nonsense"}).rest("GET", "/groups")).code == "token_invalid"


async def test_a_token_of_an_admin_of_the_platform_opens_nothing_of_the_platform(
    phones: MakePhone, server: tuple[Node, str]
) -> None:
    ada, ben = await phones("Ada"), await phones("Ben")
    await server[0].services.administration.grant(ada.user_id)
    script = script_of(ada, await token_of(ada))
    for method, path in (
        ("GET", "/admin/users"),
        ("GET", "/analytics/summary"),
        ("POST", f"/admin/users/{ben.user_id}/disable"),
    ):
        refused = await script.rest(method, path)
        assert (refused.status, refused.code) == (403, "scope_insufficient"), path
    assert (await ben.ok("GET", "/auth/me"))["id"] == ben.user_id


async def test_a_token_leaves_nothing_that_goes_on_hearing_the_groups(phones: MakePhone) -> None:
    asha = await phones("Asha")
    script = script_of(asha, await token_of(asha))
    refused = await script.rest("POST", "/notifications/webhooks", {"url": "https://example.org/hook"})
    assert (refused.status, refused.code) == (403, "scope_insufficient")
    assert (await script.ok("GET", "/notifications"))["webhooks"] == []
    group_id = await asha.makes_group()
    path, hook = f"/groups/{group_id}/webhooks", {"url": "https://example.org/hook"}
    assert (await script.rest("POST", path, hook)).code == "scope_insufficient"
    await asha.ok("POST", path, hook)


async def test_an_invite_that_a_token_made_lets_nobody_in_longer_than_the_token(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group()
    path, wanted = f"/groups/{group_id}/invites", {"hours": 365 * 24}
    made = await token_of(asha, days=3)
    script = script_of(asha, made)
    by_script, by_asha = await script.ok("POST", path, wanted), await asha.ok("POST", path, wanted)
    assert by_script["expiresAt"] <= made["expiresAt"] < by_asha["expiresAt"]
    brief = await script.ok("POST", path, {"hours": 1})
    assert brief["expiresAt"] < by_script["expiresAt"]
    assert (await asha.rest("DELETE", f"/auth/tokens/{made['id']}")).status == 204
    assert (await ben.rest("POST", "/groups/join", {"code": by_script["code"]})).code == "not_found"
    assert [invite["id"] for invite in (await asha.ok("GET", path))["invites"]] == [by_asha["id"]]
    await ben.ok("POST", "/groups/join", {"code": by_asha["code"]})

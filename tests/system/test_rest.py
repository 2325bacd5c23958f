"""REST as the contract has it: shapes, codes, pages, idempotency, time travel, and what strangers see."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import MakePhone, phones_of, serving, settings_for
from tests.system.phone import PASSWORD, Phone, key

MISSING = "01890000-0000-7000-8000-000000000000"


async def test_registering_signs_in_and_the_address_is_then_taken(phones: MakePhone) -> None:
    phone = await phones()
    body = {"name": "Asha", "email": "Asha@Example.org", "password": PASSWORD, "vpa": "Asha@OkAxis"}
    made = await phone.rest("POST", "/auth/register", body)
    assert made.status == 201
    assert made.body["user"]["vpa"] == "asha@okaxis"
    assert made.body["expiresIn"] == 600
    again = await phone.rest("POST", "/auth/register", {**body, "email": "asha@example.ORG"})
    assert (again.status, again.code) == (409, "email_taken")


async def test_signing_in_never_tells_whether_the_account_exists(phones: MakePhone) -> None:
    asha = await phones("Asha")
    profile = await asha.ok("GET", "/auth/me")
    stranger = await phones()
    wrong = await stranger.rest("POST", "/auth/login", {"email": profile["email"], "password": "not the one"})
    nobody = await stranger.rest(
        "POST", "/auth/login", {"email": "no@example.org", "password": "not the one"}
    )
    assert wrong.body == nobody.body
    assert (wrong.status, wrong.code) == (401, "credentials_invalid")
    right = await stranger.rest("POST", "/auth/login", {"email": profile["email"], "password": PASSWORD})
    assert right.status == 200


async def test_failing_to_sign_in_again_and_again_gets_slower(phones: MakePhone) -> None:
    phone = await phones()
    body = {"email": "somebody@example.org", "password": "guessing on"}
    answers = [await phone.rest("POST", "/auth/login", body) for _ in range(8)]
    assert answers[0].code == "credentials_invalid"
    assert (answers[-1].status, answers[-1].code) == (429, "rate_limited")
    assert answers[-1].body["retryAfterMs"] > 0
    assert int(answers[-1].headers["Retry-After"]) >= 1


async def test_a_spent_refresh_token_ends_its_session(phones: MakePhone) -> None:
    asha = await phones("Asha")
    first = asha.refresh_token
    second = (await asha.ok("POST", "/auth/refresh", {"refreshToken": first}))["refreshToken"]
    third = (await asha.ok("POST", "/auth/refresh", {"refreshToken": second}))["refreshToken"]
    reused = await asha.rest("POST", "/auth/refresh", {"refreshToken": first})
    assert (reused.status, reused.code) == (401, "token_reused")
    assert (await asha.rest("POST", "/auth/refresh", {"refreshToken": third})).status == 401
    assert (await asha.rest("GET", "/auth/me")).code == "token_invalid"


async def test_a_browser_gets_its_refresh_token_in_a_cookie_and_not_in_the_body(phones: MakePhone) -> None:
    phone = await phones()
    web = {"X-PerSplit-Client": "web"}
    body = {"name": "Asha", "email": "asha@example.org", "password": PASSWORD}
    made = await phone.rest("POST", "/auth/register", body, headers=web)
    assert made.body["refreshToken"] is None
    cookie = made.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    sent = {**web, "Cookie": cookie.partition(";")[0]}
    refreshed = await phone.rest("POST", "/auth/refresh", headers=sent)
    assert refreshed.status == 200
    assert refreshed.body["refreshToken"] is None
    foreign = await phone.rest("POST", "/auth/refresh", headers={**sent, "Sec-Fetch-Site": "cross-site"})
    assert foreign.code == "forbidden"
    without_header = await phone.rest("POST", "/auth/refresh", headers={"Cookie": sent["Cookie"]})
    assert without_header.code == "token_missing"


async def test_devices_can_be_listed_and_signed_out_one_by_one_and_all_together(phones: MakePhone) -> None:
    asha = await phones("Asha")
    email = (await asha.ok("GET", "/auth/me"))["email"]
    tablet = await phones()
    tablet.take(await tablet.ok("POST", "/auth/sessions", {"email": email, "password": PASSWORD}))
    devices = (await asha.ok("GET", "/auth/sessions"))["sessions"]
    assert len(devices) == 2
    (other,) = [device for device in devices if not device["current"]]
    assert (await asha.rest("DELETE", f"/auth/sessions/{other['id']}")).status == 204
    assert (await tablet.rest("GET", "/auth/me")).code == "token_invalid"
    assert (await asha.rest("DELETE", f"/auth/sessions/{other['id']}")).code == "not_found"
    assert (await asha.rest("POST", "/auth/logout-all")).status == 204
    assert (await asha.rest("GET", "/auth/me")).code == "token_invalid"


async def test_a_profile_is_changed_field_by_field_and_null_removes(phones: MakePhone) -> None:
    asha = await phones("Asha", "asha@okaxis")
    changed = await asha.ok(
        "PATCH", "/auth/me", {"name": "Asha Rao", "phone": "+91 98765 43210", "locale": "hi-IN"}
    )
    assert (changed["name"], changed["vpa"], changed["locale"]) == ("Asha Rao", "asha@okaxis", "hi-IN")
    changed = await asha.ok("PATCH", "/auth/me", {"vpa": None})
    assert (changed["vpa"], changed["phone"]) == (None, "+91 98765 43210")
    refused = await asha.rest("PATCH", "/auth/me", {"name": None})
    assert refused.body["errors"][0]["path"] == "name"
    refused = await asha.rest("PATCH", "/auth/me", {"vpa": "asha@gmail.com"})
    assert refused.body["errors"][0]["path"] == "vpa"


async def test_setting_a_upi_id_shows_in_the_plan_at_once(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    await asha.spends(group_id, 1000)
    before = await ben.ok("GET", f"/groups/{group_id}/balances")
    assert [row["upiLink"] for row in before["settleUp"]] == [None]
    await asha.ok("PATCH", "/auth/me", {"vpa": "asha@okaxis"})
    after = await ben.ok("GET", f"/groups/{group_id}/balances")
    assert after["settleUp"][0]["upiLink"].startswith("upi://pay?pa=asha@okaxis")


@pytest.mark.parametrize(
    "path", ["", "/balances", "/expenses", "/settlements", "/events", "/explain?from=a&to=b"]
)
async def test_a_group_that_i_am_not_in_answers_exactly_like_one_that_does_not_exist(
    phones: MakePhone, path: str
) -> None:
    asha, mallory = await phones("Asha"), await phones("Mallory")
    group_id = await asha.makes_group()
    there = await mallory.rest("GET", f"/groups/{group_id}{path}")
    nowhere = await mallory.rest("GET", f"/groups/{MISSING}{path}")
    assert (there.status, there.code) == (404, "not_found")
    assert there.body == nowhere.body


async def test_writing_to_a_group_that_i_am_not_in_is_like_writing_to_none(phones: MakePhone) -> None:
    asha, mallory = await phones("Asha"), await phones("Mallory")
    command_id = key()
    group_id = await asha.makes_group()
    body = {"description": "Tea", "amount": 100, "splitType": "EQUAL"}
    await asha.ok("POST", f"/groups/{group_id}/expenses", body, idempotency_key=command_id)
    for group in (group_id, MISSING):
        answer = await mallory.rest("POST", f"/groups/{group}/expenses", body, idempotency_key=command_id)
        assert answer.body == {
            "type": "/docs#not_found",
            "status": 404,
            "code": "not_found",
            "title": "Not found",
            "detail": "there is no such group",
            "errors": [],
        }


async def test_making_a_group_twice_with_one_key_makes_one_group(phones: MakePhone) -> None:
    asha = await phones("Asha")
    command_id = key()
    body = {"name": "Flat", "joinPassword": "open sesame"}
    first = await asha.rest("POST", "/groups", body, idempotency_key=command_id)
    second = await asha.rest("POST", "/groups", body, idempotency_key=command_id)
    assert (first.status, second.status) == (201, 201)
    assert first.body["group"] == second.body["group"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len((await asha.ok("GET", "/groups"))["groups"]) == 1


async def test_a_write_without_a_key_is_refused(phones: MakePhone) -> None:
    asha = await phones("Asha")
    headers = {"Authorization": f"Bearer {asha.token}"}
    async with asha.http.post(
        f"{asha.url}/api/v1/groups", json={"name": "Flat"}, headers=headers
    ) as response:
        body = await response.json(content_type=None)
        assert (response.status, body["code"]) == (422, "validation_failed")
        assert response.content_type == "application/problem+json"
        assert body["errors"] == [{"path": "commandId", "message": "required"}]


async def test_the_key_may_stand_in_the_body_but_not_differ_from_the_header(phones: MakePhone) -> None:
    asha = await phones("Asha")
    answer = await asha.rest("POST", "/groups", {"name": "Flat", "commandId": "one"}, idempotency_key="one")
    assert answer.status == 201
    answer = await asha.rest("POST", "/groups", {"name": "Flat", "commandId": "one"}, idempotency_key="two")
    assert answer.body["errors"][0]["path"] == "commandId"


async def test_a_group_with_a_password_is_joined_with_it_only(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(joinPassword="open sesame")
    code = (await asha.ok("POST", f"/groups/{group_id}/invites"))["code"]
    without = await ben.rest("POST", "/groups/join", {"code": code})
    assert without.body["errors"][0]["path"] == "password"
    assert (
        await ben.rest("POST", "/groups/join", {"code": code, "password": "open barley"})
    ).code == "forbidden"
    assert (await ben.rest("POST", "/groups/join", {"code": code, "password": "open sesame"})).status == 200
    assert (await ben.rest("POST", "/groups/join", {"code": code})).code == "already_member"
    assert (await ben.rest("POST", "/groups/join", {"code": "nonsense"})).code == "not_found"
    events = await ben.ok("GET", f"/groups/{group_id}/events")
    assert "sesame" not in str(events)


async def test_a_placeholder_is_claimed_with_all_its_history(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group()
    uncle = (await asha.ok("POST", f"/groups/{group_id}/members", {"name": "Uncle"}))["member"]["userId"]
    await asha.spends(group_id, 3000)
    code = (await asha.ok("POST", f"/groups/{group_id}/invites"))["code"]
    joined = await ben.ok("POST", "/groups/join", {"code": code, "claim": uncle})
    members = {member["userId"]: member for member in joined["group"]["members"]}
    assert members[ben.user_id]["claimed"] == uncle
    assert members[uncle]["leftAt"] is not None
    balances = await ben.ok("GET", f"/groups/{group_id}/balances")
    assert balances["balances"] == [
        {"userId": asha.user_id, "amount": 1500},
        {"userId": ben.user_id, "amount": -1500},
    ]


async def test_a_placeholder_never_gets_the_id_of_somebodys_account(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group()
    refused = await asha.rest("POST", f"/groups/{group_id}/members", {"name": "Uncle", "id": ben.user_id})
    assert (refused.status, refused.code) == (409, "conflict")
    assert (await ben.ok("GET", "/groups"))["groups"] == []


async def test_expenses_come_in_pages_newest_first_each_once(phones: MakePhone) -> None:
    asha = await phones("Asha")
    group_id = await asha.makes_group()
    ids = [(await asha.spends(group_id, amount))["expense"]["id"] for amount in range(1, 8)]
    await asha.ok("DELETE", f"/groups/{group_id}/expenses/{ids[3]}")
    seen: list[str] = []
    cursor = ""
    while True:
        page = await asha.ok("GET", f"/groups/{group_id}/expenses?limit=2{cursor}")
        seen += [expense["id"] for expense in page["expenses"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert seen == [id_ for id_ in reversed(ids) if id_ != ids[3]]
    everything = await asha.ok("GET", f"/groups/{group_id}/expenses?includeDeleted=true")
    assert len(everything["expenses"]) == 7
    deleted = await asha.ok("GET", f"/groups/{group_id}/expenses/{ids[3]}")
    assert deleted["deletedAt"] is not None
    for query in ("limit=0", "limit=201", "limit=ten", "cursor=!!", "colour=red"):
        answer = await asha.rest("GET", f"/groups/{group_id}/expenses?{query}")
        assert answer.body["errors"][0]["path"] == query.partition("=")[0]


async def test_groups_and_events_come_in_pages_too(phones: MakePhone) -> None:
    asha = await phones("Asha")
    ids = sorted([await asha.makes_group() for _ in range(3)])
    first = await asha.ok("GET", "/groups?limit=2")
    second = await asha.ok("GET", f"/groups?limit=2&cursor={first['nextCursor']}")
    assert [group["id"] for group in first["groups"] + second["groups"]] == ids
    assert second["nextCursor"] is None
    for amount in (1, 2, 3):
        await asha.spends(ids[0], amount)
    page = await asha.ok("GET", f"/groups/{ids[0]}/events?limit=3")
    assert [event["seq"] for event in page["events"]] == [1, 2, 3]
    page = await asha.ok("GET", f"/groups/{ids[0]}/events?limit=3&cursor={page['nextCursor']}")
    assert ([event["seq"] for event in page["events"]], page["nextCursor"]) == ([4], None)
    page = await asha.ok("GET", f"/groups/{ids[0]}/events?after=3")
    assert [event["seq"] for event in page["events"]] == [4]


async def test_an_edit_keeps_both_versions_in_the_ledger(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    expense = (await asha.spends(group_id, 1000))["expense"]
    edit = {"description": "Supper", "amount": 1200, "splitType": "EQUAL"}
    await ben.ok("PUT", f"/groups/{group_id}/expenses/{expense['id']}", edit)
    (event,) = (await asha.ok("GET", f"/groups/{group_id}/events?after=3"))["events"]
    assert (event["type"], event["by"]) == ("expense:updated", ben.user_id)
    assert event["before"] == expense
    assert (event["expense"]["amount"], event["expense"]["paidBy"]) == (1200, asha.user_id)


async def test_sending_an_expense_back_as_it_came_changes_nothing_of_it(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    people = [asha.user_id, ben.user_id]
    drafts: list[dict[str, Any]] = [
        {"splitType": "EQUAL", "includePayer": False},
        {
            "splitType": "EXACT",
            "splits": [{"userId": people[0], "value": 400}, {"userId": people[1], "value": 601}],
        },
        {
            "splitType": "PERCENTAGE",
            "splits": [{"userId": people[0], "value": 33.3333}, {"userId": people[1], "value": 66.6667}],
        },
        {
            "splitType": "SHARES",
            "splits": [{"userId": people[0], "value": 1.5}, {"userId": people[1], "value": 2}],
        },
        {"splitType": "ADJUSTMENT", "splits": [{"userId": people[1], "value": -101}]},
        {
            "splitType": "ITEMIZED",
            "items": [
                {"name": "Dosa", "amount": 300, "participants": people},
                {"name": "Lassi", "amount": 150, "participants": people[1:]},
            ],
        },
        {
            "splitType": "EQUAL",
            "paidBy": [{"userId": people[0], "amount": 1}, {"userId": people[1], "amount": 1000}],
        },
    ]
    for draft in drafts:
        made = (await asha.spends(group_id, 1001, category="food", notes="two\nlines", **draft))["expense"]
        assert sum(share["amount"] for share in made["shares"]) == 1001
        server_made = ("id", "groupId", "seq", "shares", "createdBy", "createdAt", "updatedAt", "deletedAt")
        sent = {name: value for name, value in made.items() if name not in server_made}
        back = (await asha.ok("PUT", f"/groups/{group_id}/expenses/{made['id']}", sent))["expense"]
        changed = {name for name in made if made[name] != back[name]}
        assert changed <= {"seq", "updatedAt"}


async def test_the_past_can_be_seen_by_seq_and_by_time(tmp_path: Path) -> None:
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    async with serving(settings_for(tmp_path), clock=lambda: now) as (_, url), phones_of(url) as make:
        asha, ben = await make("Asha"), await make("Ben")
        group_id = await asha.makes_group(ben)
        now += timedelta(minutes=1)
        await asha.spends(group_id, 1000)
        now += timedelta(minutes=1)
        await ben.spends(group_id, 400)
        path = f"/groups/{group_id}/balances"
        assert (await asha.ok("GET", path))["balances"][0]["amount"] == 300
        for query in ("seq=3", "at=2026-11-01T12:01:30Z", "at=2026-11-01T17:31:30%2B05:30"):
            then = await asha.ok("GET", f"{path}?{query}")
            assert (then["seq"], then["at"]) == (3, "2026-11-01T12:01:00.000Z")
            assert then["balances"][0]["amount"] == 500
        assert (await asha.ok("GET", f"{path}?seq=99"))["seq"] == 4
        assert (await asha.rest("GET", f"{path}?at=2026-10-01T00:00:00Z")).code == "not_found"
        assert (await asha.rest("GET", f"{path}?at=yesterday")).body["errors"][0]["path"] == "at"
        assert (await asha.rest("GET", f"{path}?at=2026-11-01T12:00:00Z&seq=1")).code == "validation_failed"


async def test_every_row_of_the_plan_is_explained_to_the_paisa(phones: MakePhone) -> None:
    asha, ben, chitra = [await phones(name) for name in ("Asha", "Ben", "Chitra")]
    group_id = await asha.makes_group(ben, chitra)
    await asha.spends(group_id, 9000, description="Room")
    await ben.spends(group_id, 3000, description="Taxi")
    plan = (await asha.ok("GET", f"/groups/{group_id}/balances"))["settleUp"]
    for row in plan:
        why = await asha.ok("GET", f"/groups/{group_id}/explain?from={row['from']}&to={row['to']}")
        assert why["amount"] == row["amount"]
        for debt in why["debts"]:
            assert sum(cause["amount"] for cause in debt["causes"]) == debt["amount"]
            assert {cause["description"] for cause in debt["causes"]} <= {"Room", "Taxi"}


async def test_leaving_takes_a_zero_balance(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    expense = (await asha.spends(group_id, 1000))["expense"]
    for phone, path in ((ben, "leave"), (asha, f"members/{ben.user_id}")):
        answer = await phone.rest("DELETE", f"/groups/{group_id}/{path}")
        assert (answer.status, answer.code) == (409, "balance_not_zero")
    await asha.ok("DELETE", f"/groups/{group_id}/expenses/{expense['id']}")
    await ben.ok("DELETE", f"/groups/{group_id}/leave")
    assert (await ben.rest("GET", f"/groups/{group_id}")).code == "not_found"
    assert (await ben.ok("GET", "/groups"))["groups"] == []
    answer = await asha.rest("POST", f"/groups/{group_id}/expenses/{expense['id']}/restore")
    assert answer.code == "balance_not_zero"


async def test_an_archived_group_is_read_only_until_an_admin_brings_it_back(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    assert (await ben.rest("POST", f"/groups/{group_id}/archive")).code == "forbidden"
    archived = await asha.ok("POST", f"/groups/{group_id}/archive")
    assert archived["group"]["archivedAt"] is not None
    body = {"description": "Tea", "amount": 100, "splitType": "EQUAL"}
    assert (await ben.rest("POST", f"/groups/{group_id}/expenses", body)).code == "group_archived"
    await asha.ok("PATCH", f"/groups/{group_id}", {"archived": False})
    await ben.ok("POST", f"/groups/{group_id}/expenses", body)


async def test_my_balances_add_up_over_groups_and_friends(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    goa, flat = await asha.makes_group(ben), await asha.makes_group(ben, name="Flat")
    euros = await asha.makes_group(ben, currency="EUR")
    await asha.spends(goa, 1000)
    await ben.spends(flat, 400)
    await asha.spends(euros, 50)
    mine = await asha.ok("GET", "/balances/me")
    assert mine["overall"] == [{"currency": "EUR", "amount": 25}, {"currency": "INR", "amount": 300}]
    assert {row["groupId"]: row["amount"] for row in mine["groups"]} == {goa: 500, flat: -200, euros: 25}
    (friend,) = (await ben.ok("GET", "/balances/friends"))["friends"]
    assert (friend["userId"], friend["name"]) == (asha.user_id, "Asha")
    assert friend["balances"] == [{"currency": "EUR", "amount": -25}, {"currency": "INR", "amount": -300}]


async def test_a_qr_of_a_transfer_or_an_invite_loads_without_signing_in_and_only_with_its_signature(
    phones: MakePhone,
) -> None:
    asha, ben = await phones("Asha", "asha@okaxis"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    await asha.spends(group_id, 1000)
    (row,) = (await ben.ok("GET", f"/groups/{group_id}/balances"))["settleUp"]
    invite = await asha.ok("POST", f"/groups/{group_id}/invites")
    assert invite["url"] == f"{asha.url.rpartition(':')[0]}:0/i/{invite['code']}"
    for url in (row["qrUrl"], invite["qrUrl"]):
        async with asha.http.get(asha.url + url) as response:
            assert (response.status, response.content_type) == (200, "image/png")
        async with asha.http.get(asha.url + url.removesuffix("png") + "svg") as response:
            assert (response.status, response.content_type) == (200, "image/svg+xml")
        forged = url[:-6] + ("A" if url[-6] != "A" else "B") + url[-5:]
        async with asha.http.get(asha.url + forged) as response:
            assert response.status == 404
    await asha.ok("PATCH", "/auth/me", {"vpa": "asha@ybl"})
    async with asha.http.get(asha.url + row["qrUrl"]) as response:
        assert response.status == 404


async def test_concurrent_writes_of_many_phones_make_one_gap_free_ledger(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    writes = [who.spends(group_id, amount) for amount in range(1, 21) for who in (asha, ben)]
    answers = await asyncio.gather(*writes)
    assert sorted(answer["seq"] for answer in answers) == list(range(3, 43))
    balances = await ben.ok("GET", f"/groups/{group_id}/balances")
    assert balances["seq"] == 42
    assert sum(row["amount"] for row in balances["balances"]) == 0


async def test_health_readiness_and_metrics_answer_at_the_root(phones: MakePhone) -> None:
    asha = await phones("Asha", online=True)
    for path, expected in (("/healthz", "ok"), ("/readyz", "ready")):
        async with asha.http.get(asha.url + path) as response:
            assert (await response.json())["status"] == expected
    async with asha.http.get(f"{asha.url}/metrics") as response:
        text = await response.text()
    assert "persplit_sockets 1.0" in text
    assert asha.user_id not in text


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/nothing", "/api/v1/groups/x/y/z", "/api/v2/groups"])
async def test_what_is_not_there_is_a_coded_404(phones: MakePhone, path: str) -> None:
    phone: Phone = await phones()
    async with phone.http.get(phone.url + path) as response:
        assert response.status == 404
        assert (await response.json(content_type=None))["code"] == "not_found"


async def test_the_wrong_method_is_a_coded_405_that_names_the_right_ones(phones: MakePhone) -> None:
    phone = await phones()
    async with phone.http.put(f"{phone.url}/api/v1/auth/login") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "POST"
        assert (await response.json(content_type=None))["code"] == "method_not_allowed"

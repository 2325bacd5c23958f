"""Admins of the platform, over a real server: who may, and what disabling does to whoever is connected."""

import asyncio
import json

import pytest

from persplit.bootstrap import Node
from tests.system.conftest import MakePhone
from tests.system.phone import PASSWORD, PATIENCE_SECONDS, Json, Phone

FOR_ADMINS = ["/admin/users", "/admin/audit"]
ANALYTICS = ["summary", "top-spenders", "group-activity", "unsettled-debts"]


async def email_of(phone: Phone) -> str:
    return str((await phone.ok("GET", "/auth/me"))["email"])


@pytest.fixture
async def admin(phones: MakePhone, server: tuple[Node, str]) -> Phone:
    """Somebody whom the command line made an admin."""
    phone = await phones("Ada")
    await server[0].services.administration.grant(phone.user_id)
    return phone


@pytest.mark.parametrize("path", FOR_ADMINS)
async def test_only_admins_are_answered_and_a_revoked_one_no_more(
    admin: Phone, phones: MakePhone, server: tuple[Node, str], path: str
) -> None:
    ben = await phones("Ben")
    refused = await ben.rest("GET", path)
    assert (refused.status, refused.code) == (403, "forbidden")
    assert (await (await phones()).rest("GET", path)).code == "token_missing"
    await admin.ok("GET", path)
    await server[0].services.administration.revoke(admin.user_id)
    assert (await admin.rest("GET", path)).code == "forbidden"


@pytest.mark.parametrize("path", [*FOR_ADMINS, "/analytics/summary"])
async def test_an_admin_s_personal_token_has_nothing_of_the_role(admin: Phone, path: str) -> None:
    made = await admin.ok("POST", "/auth/tokens", {"name": "budget script", "scope": "write"})
    script = Phone(admin.url, admin.http, admin.name, admin.user_id, made["token"])
    refused = await script.rest("GET", path)
    assert (refused.status, refused.code) == (403, "scope_insufficient")


async def test_who_is_disabled_is_told_and_kept_out_until_enabled_and_nobody_else_notices(
    admin: Phone, phones: MakePhone
) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id = await asha.makes_group(ben)
    spent = {"description": "Dinner", "amount": 1000, "splitType": "EQUAL"}
    await ben.ok("POST", f"/groups/{group_id}/expenses", spent)
    before = await asha.ok("GET", f"/groups/{group_id}")
    login = {"email": await email_of(ben), "password": PASSWORD}
    disabled = await admin.ok("POST", f"/admin/users/{ben.user_id}/disable")
    assert disabled["disabledAt"] is not None
    assert (await ben.hears("session:closing"))["code"] == "account_disabled"
    refused = await ben.rest("GET", "/auth/me")
    assert (refused.status, refused.code) == (403, "account_disabled")
    assert (await ben.rest("POST", "/auth/login", login)).code == "account_disabled"
    wrong = {**login, "password": "quite another one"}
    assert (await ben.rest("POST", "/auth/login", wrong)).code == "credentials_invalid"
    assert (await ben.rest("POST", "/auth/refresh", {"refreshToken": ben.refresh_token})).status == 401
    assert await asha.ok("GET", f"/groups/{group_id}") == before
    await asha.ok("POST", f"/groups/{group_id}/expenses", spent)
    found = await admin.ok("GET", f"/admin/users?q={login['email'].upper()}")
    assert [(user["id"], user["disabledAt"]) for user in found["users"]] == [
        (ben.user_id, disabled["disabledAt"])
    ]
    assert (await admin.ok("POST", f"/admin/users/{ben.user_id}/enable"))["disabledAt"] is None
    ben.take(await ben.ok("POST", "/auth/login", login))
    assert len((await ben.ok("GET", f"/groups/{group_id}/expenses"))["expenses"]) == 2


async def test_users_and_the_log_come_in_pages(admin: Phone, phones: MakePhone) -> None:
    made = [await phones("Zed") for _ in range(3)]
    for phone in made[:2]:
        await admin.ok("POST", f"/admin/users/{phone.user_id}/disable")
    seen, cursor = [], ""
    while cursor is not None:
        page = await admin.ok(
            "GET", f"/admin/users?q=ZED&limit=2&cursor={cursor}" if cursor else "/admin/users?q=ZED&limit=2"
        )
        seen += [user["id"] for user in page["users"]]
        cursor = page["nextCursor"]
    assert seen == sorted(phone.user_id for phone in made)
    first = await admin.ok("GET", "/admin/audit?limit=3")
    rest = await admin.ok("GET", f"/admin/audit?cursor={first['nextCursor']}")
    told = [(entry["action"], entry["by"], entry["on"]) for entry in first["entries"] + rest["entries"]]
    assert [one for one in told if one[0] != "users.searched"] == [
        ("user.disabled", admin.user_id, made[1].user_id),
        ("user.disabled", admin.user_id, made[0].user_id),
        ("admin.granted", None, admin.user_id),
    ]


async def test_nobody_is_disabled_who_is_not_there_or_is_an_admin(admin: Phone) -> None:
    assert (await admin.rest("POST", "/admin/users/nobody/disable")).code == "not_found"
    assert (await admin.rest("POST", f"/admin/users/{admin.user_id}/disable")).code == "forbidden"


async def test_analytics_tell_sizes_by_id_and_nothing_of_what_is_in_groups(
    admin: Phone, phones: MakePhone, server: tuple[Node, str]
) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    spent = {
        "description": "Hush",
        "amount": 1000,
        "splitType": "EQUAL",
        "date": "2026-03-01",
        "notes": "Psst",
    }
    dinner = await asha.ok("POST", f"/groups/{group_id}/expenses", spent)
    await asha.ok("POST", f"/groups/{group_id}/expenses", {**spent, "date": "2026-03-02"})
    paid = await ben.ok("POST", f"/groups/{group_id}/settlements", {"toUserId": asha.user_id, "amount": 300})
    await asha.ok("POST", f"/groups/{group_id}/settlements/{paid['settlement']['id']}/confirm")
    await asha.ok("DELETE", f"/groups/{group_id}/expenses/{dinner['expense']['id']}")
    seq = (await asha.ok("GET", f"/groups/{group_id}"))["seq"]

    async def answers(query: str = "") -> list[Json]:
        return [await admin.ok("GET", f"/analytics/{name}{query}") for name in ANALYTICS]

    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await answers())[0]["events"] != seq:  # noqa: ASYNC110 - nothing tells when it is
            await asyncio.sleep(0.05)
    told = await answers()
    summary, spenders, activity, unsettled = told
    assert {**summary, "asOf": "", "lagSeconds": 0} == {
        "asOf": "",
        "lagSeconds": 0,
        "from": "0001-01-01",
        "to": "9999-12-31",
        "users": 3,
        "groups": 1,
        "activeGroups": 1,
        "events": seq,
        "currencies": [
            {
                "currency": "INR",
                "expenses": 1,
                "spent": 1000,
                "settlements": 1,
                "settled": 300,
                "unsettledGroups": 1,
                "outstanding": 200,
            }
        ],
    }
    assert spenders["spenders"] == [
        {"currency": "INR", "userId": asha.user_id, "name": "Asha", "expenses": 1, "amount": 1000}
    ]
    (active,) = activity["groups"]
    assert (active["groupId"], active["members"], active["events"], active["spent"]) == (
        group_id,
        2,
        seq,
        1000,
    )
    (owing,) = unsettled["groups"]
    assert (owing["groupId"], owing["debtors"], owing["outstanding"]) == (group_id, 1, 200)
    name = (await asha.ok("GET", f"/groups/{group_id}"))["name"]
    assert not any(secret in json.dumps(told) for secret in ("Hush", "Psst", name, "Ben"))
    assert (await answers("?from=2026-03-01&to=2026-03-01"))[1]["spenders"] == []
    assert (await answers("?from=2026-03-02&to=2026-03-02"))[1]["spenders"] == spenders["spenders"]


@pytest.mark.parametrize("name", ANALYTICS)
async def test_analytics_are_for_admins_and_refuse_what_makes_no_sense(
    admin: Phone, phones: MakePhone, name: str
) -> None:
    path = f"/analytics/{name}"
    assert (await (await phones("Ben")).rest("GET", path)).code == "forbidden"
    bad = ["from=2026-02-30", "from=2026-03-02&to=2026-03-01", "from=today", "who=me"]
    bad += [] if name == "summary" else ["limit=0", "limit=101", "limit=ten"]
    for query in bad:
        refused = await admin.rest("GET", f"{path}?{query}")
        assert (refused.status, refused.code) == (422, "validation_failed"), query
    if name != "summary":
        await admin.ok("GET", f"{path}?limit=100")

"""`persplit admin …` on a store that a real server is serving from."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from persplit.bootstrap import open_stores
from persplit.config import Settings
from persplit.service import session_sweep
from persplit.service.tally_progress import TallyProgress
from tests.keeping.given import a_store
from tests.keeping.test_commands import run
from tests.processes import PATIENCE_SECONDS
from tests.system.conftest import MakePhone, phones_of, serving
from tests.system.phone import PASSWORD, Phone


@pytest.fixture(autouse=True)
def _quick_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_sweep, "SWEEP_SECONDS", 0.2)


@pytest.fixture
async def phones(store_settings: Settings) -> AsyncIterator[MakePhone]:
    """Phones of a server on the store."""
    async with serving(store_settings) as (_, url), phones_of(url) as make:
        yield make


async def email_of(phone: Phone) -> str:
    return str((await phone.ok("GET", "/auth/me"))["email"])


async def test_the_command_line_makes_admins_and_unmakes_them(
    phones: MakePhone, store_settings: Settings
) -> None:
    asha = await phones("Asha")
    email = await email_of(asha)
    assert (await run(store_settings, "admin", "list"))[1] == "There are no admins.\n"
    assert (await run(store_settings, "admin", "grant", email))[1] == f"{email} is an admin.\n"
    await asha.ok("GET", "/admin/audit")
    listed = json.loads((await run(store_settings, "admin", "list", "--json"))[1])["admins"]
    assert [one["id"] for one in listed] == [asha.user_id]
    assert email in (await run(store_settings, "admin", "list"))[1]
    assert (await run(store_settings, "admin", "revoke", email))[0] == 0
    assert (await asha.rest("GET", "/admin/audit")).code == "forbidden"
    code, _, err = await run(store_settings, "admin", "grant", "nobody@example.org")
    assert (code, "no such account" in err) == (1, True)


async def test_a_running_server_finds_out_who_was_disabled_and_enabled(
    phones: MakePhone, store_settings: Settings
) -> None:
    ben = await phones("Ben", online=True)
    email = await email_of(ben)
    assert (await run(store_settings, "admin", "disable", email))[1] == f"{email} is disabled.\n"
    assert (await ben.hears("session:closing"))["code"] == "account_disabled"
    login = {"email": email, "password": PASSWORD}
    assert (await ben.rest("POST", "/auth/login", login)).code == "account_disabled"
    found = json.loads((await run(store_settings, "admin", "users", "BEN", "--json"))[1])["users"]
    assert [bool(one["disabledAt"]) for one in found] == [True]
    assert "disabled" in (await run(store_settings, "admin", "users", "ben"))[1]
    assert (await run(store_settings, "admin", "enable", email))[1] == f"{email} can sign in.\n"
    await ben.ok("POST", "/auth/login", login)
    log = json.loads((await run(store_settings, "admin", "audit", "--json"))[1])["entries"]
    assert [(one["action"], one["by"], one["on"]) for one in log if one["on"]] == [
        ("user.enabled", None, ben.user_id),
        ("user.disabled", None, ben.user_id),
    ]
    assert "command line" in (await run(store_settings, "admin", "audit", "--limit", "1"))[1]


async def test_the_analytics_are_made_anew_while_a_server_answers_from_them(
    phones: MakePhone, store_settings: Settings
) -> None:
    asha = await phones("Asha")
    await run(store_settings, "admin", "grant", await email_of(asha))
    group_id = await asha.makes_group()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await asha.ok("GET", "/analytics/summary"))["events"] != 1:  # noqa: ASYNC110 - nothing tells when it is
            await asyncio.sleep(0.05)
    before = await asha.ok("GET", "/analytics/group-activity")
    code, out, err = await run(store_settings, "admin", "rebuild")
    assert (code, out) == (0, "The analytics are made anew, of 1 groups.\n"), err
    after = await asha.ok("GET", "/analytics/group-activity")
    assert after["groups"] == before["groups"]
    assert after["asOf"] > before["asOf"] if before["asOf"] else after["asOf"]
    assert "analytics.rebuilt" in (await run(store_settings, "admin", "audit"))[1]
    assert (await run(store_settings, "erase", "--group", group_id, "--yes"))[0] == 0
    assert (await asha.ok("GET", "/analytics/group-activity"))["groups"] == []


@pytest.mark.parametrize("what", ["summary", "top-spenders", "group-activity", "unsettled-debts"])
async def test_the_command_line_tells_what_a_server_would(store_settings: Settings, what: str) -> None:
    async with open_stores(store_settings) as stores:
        await a_store(stores)
    code, out, err = await run(store_settings, "admin", "analytics", what, "--limit", "1")
    assert code == 0, err
    told = json.loads(out)
    assert told["asOf"] is not None
    if what == "summary":
        assert (told["users"], told["groups"], told["events"]) == (3, 2, 18)
    else:
        assert len(told.get("spenders") or told["groups"]) == 1
    code, _, err = await run(store_settings, "admin", "analytics", what, "--from", "2026-02-30")
    assert (code, "from: " in err) == (2, True)
    assert (await run(store_settings, "admin", "analytics", "--from", "2026-03-02", "--to", "2026-03-01"))[
        0
    ] == 2


async def test_a_rebuild_that_another_one_overtook_says_so(
    store_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_stores(store_settings) as stores:
        await a_store(stores)
        finish = TallyProgress.finish

        async def overtaken(progress: TallyProgress, generation: str, as_of: str) -> None:
            await progress.begin()
            await finish(progress, generation, as_of)

        monkeypatch.setattr(TallyProgress, "finish", overtaken)
        code, _, err = await run(store_settings, "admin", "rebuild")
        assert (code, "another rebuild" in err) == (2, True)

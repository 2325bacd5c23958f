"""What `persplit client watch` prints."""

import asyncio
import io
import json

import pytest
from rich.console import Console

from persplit.client import watching
from tests.system.conftest import MakePhone
from tests.system.phone import PATIENCE_SECONDS, Phone


async def watched(
    monkeypatch: pytest.MonkeyPatch, phone: Phone, **options: object
) -> tuple[asyncio.Task[None], io.StringIO]:
    """The watcher of the phone's owner, running, and what it has printed."""
    printed = io.StringIO()
    console = Console(file=printed, width=120, color_system=None)
    monkeypatch.setattr(watching, "Console", lambda **_: console)
    task = asyncio.create_task(watching.watch(phone.url, phone.token, **options))  # type: ignore[arg-type]
    await until(printed, "Connected as")
    return task, printed


async def until(printed: io.StringIO, text: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while text not in printed.getvalue():  # noqa: ASYNC110 - a text that grows has no event to wait for
            await asyncio.sleep(0.01)


async def test_it_shows_changes_balances_and_the_qr_of_what_is_due(
    phones: MakePhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha, ben = await phones("Asha", "asha@okaxis"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    task, printed = await watched(monkeypatch, ben)
    await asha.spends(group_id, 100_050, description="[bold]Dinner[/bold]")
    await until(printed, "Scan it")
    shown = printed.getvalue()
    assert "Connected as Ben: Goa trip" in shown
    assert "Goa trip #3  expense:created  [bold]Dinner[/bold], ₹1000.50" in shown
    assert "balances: Asha ₹500.25, Ben -₹500.25" in shown
    assert "to settle: Ben pays Asha ₹500.25" in shown
    assert "to settle up, pay ₹500.25 to Asha" in shown
    assert "▄▄▄▄▄" in shown
    paid = await ben.ok(
        "POST", f"/groups/{group_id}/settlements", {"toUserId": asha.user_id, "amount": 50_025}
    )
    await until(printed, "settlement:created  Ben pays Asha ₹500.25")
    await asha.ok("POST", f"/groups/{group_id}/settlements/{paid['settlement']['id']}/confirm")
    await until(printed, "settlement:completed")
    await asha.ok("PATCH", f"/groups/{group_id}", {"name": "Goa again"})
    await until(printed, "Goa again #6  group:updated")
    assert printed.getvalue().count("Scan it") == 1
    await ben.ok("POST", "/auth/logout")
    await until(printed, "session:closing: signed_out")
    await asyncio.wait_for(task, PATIENCE_SECONDS)


async def test_it_prints_json_lines_for_scripts(
    phones: MakePhone, capsys: pytest.CaptureFixture[str]
) -> None:
    asha = await phones("Asha")
    task = asyncio.create_task(watching.watch(asha.url, asha.token, as_json=True))
    lines: list[str] = []

    async def has_printed(count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(lines) < count:
                await asyncio.sleep(0.01)
                lines.extend(capsys.readouterr().out.splitlines())

    await has_printed(1)
    await asha.makes_group()
    await has_printed(2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [json.loads(line)["event"] for line in lines] == ["session:ready", "group:created"]
    async with asyncio.timeout(PATIENCE_SECONDS):
        await watching.watch(asha.url, asha.token, as_json=True, seconds=0.1)


async def test_a_bad_token_or_no_server_is_said_plainly(phones: MakePhone) -> None:
    asha = await phones("Asha")
    with pytest.raises(watching.WatchError, match="token_invalid"):
        await watching.watch(asha.url, "nonsense")
    with pytest.raises(watching.WatchError, match="no server answers"):
        await watching.watch("http://127.0.0.1:9", asha.token)

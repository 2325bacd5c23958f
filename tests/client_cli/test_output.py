"""What is printed where, and how long things wait."""

import asyncio
import json

import pytest
import typer

from persplit.client import (
    Change,
    CommandDoubted,
    CommandRefused,
    ConnectionChanged,
    GroupGone,
    GroupRead,
    Missed,
    NewerServer,
    Offline,
    Pending,
    Refused,
    SignedOut,
)
from persplit.client_cli import news, output, running
from persplit.client_cli.errors import CliError, NeedsNetwork, NotSignedIn
from persplit.client_cli.output import Output, plain
from persplit.client_cli.session import explained
from persplit.ledger.errors import FieldError


async def slow(seconds: float, result: str) -> str:
    await asyncio.sleep(seconds)
    return result


async def test_what_takes_long_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "PROGRESS_AFTER_SECONDS", 0.05)
    out = Output()
    assert await out.patiently("Asking", slow(0, "quick")) == "quick"
    assert capsys.readouterr().err == ""
    assert await out.patiently("Asking", slow(0.1, "slow")) == "slow"
    assert capsys.readouterr().err == "Asking\n"


async def test_a_terminal_gets_a_spinner(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "PROGRESS_AFTER_SECONDS", 0.05)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert await Output().patiently("Asking", slow(0.2, "slow")) == "slow"
    assert "Asking" in capsys.readouterr().err


async def test_who_gives_up_ends_the_work() -> None:
    done = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            done.set()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await Output().patiently("Asking", work())
    await asyncio.wait_for(done.wait(), 5)


def test_json_is_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=True)
    out.note("beside the point")
    out.show({"a": "ü"}, "for people")
    out.fail(CliError("no", code="refused", lines=["why"]))
    printed = capsys.readouterr()
    assert printed.out == '{"a": "ü"}\n'
    assert json.loads(printed.err) == {"error": {"code": "refused", "message": "no", "details": ["why"]}}


def test_colours_only_where_they_are_seen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Output().fail(CliError("no", lines=["why"]))
    assert capsys.readouterr().err == "no\n  why\n"
    Output().fail(CliError("url: no address", lines=["url: no address"]))
    assert capsys.readouterr().err == "url: no address\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    Output().fail(CliError("no"))
    assert "\x1b[1;31m" in capsys.readouterr().err
    monkeypatch.setenv("NO_COLOR", "1")
    Output().fail(CliError("no"))
    assert "31m" not in capsys.readouterr().err


def test_what_people_type_can_not_move_the_cursor() -> None:
    assert plain("a\x1b[2Jb\u202ec\td\n") == "a\ufffd[2Jb\ufffdc\td\n"
    assert plain("क्\u200dष") == "क्\u200dष"


@pytest.mark.parametrize(
    ("raised", "kind", "code"),
    [
        (Refused("conflict", "changed"), CliError, "conflict"),
        (SignedOut("over"), NotSignedIn, "not_signed_in"),
        (Offline("gone"), NeedsNetwork, "offline"),
        (NewerServer("newer"), CliError, "newer_server"),
    ],
)
def test_the_errors_of_the_library(raised: Exception, kind: type[CliError], code: str) -> None:
    with pytest.raises(kind) as caught, explained():
        raise raised
    assert caught.value.code == code


def test_bad_fields_are_listed() -> None:
    with pytest.raises(CliError) as caught, explained():
        raise Refused("validation_failed", "bad", (FieldError("amount", "too much"),))
    assert caught.value.lines == ("amount: too much",)


def test_interrupting_has_its_own_exit_code() -> None:
    async def work(_: Output) -> None:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as caught:
        running.run_alone(work)
    assert caught.value.exit_code == 130


REFUSED = CommandRefused("g", "c", Refused("conflict", "it changed"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (ConnectionChanged(is_live=True), "Connected."),
        (ConnectionChanged(is_live=False, reason="no answer"), "Offline: no answer."),
        (ConnectionChanged(is_live=False), "Offline."),
        (GroupGone("g"), "You are no longer in one of your groups."),
        (Missed(), "A lot has happened: look again."),
        (REFUSED, "The server refused something: it changed. See `refused`."),
        (CommandDoubted("g", "c", "deleted"), "Something that waits doesn't fit any more: deleted"),
        (CommandDoubted("g", "c", None), None),
        (Pending("g", "c"), None),
        (GroupRead("g", 3), None),
    ],
)
async def test_news_that_need_no_group(change: Change, said: str | None) -> None:
    assert await news.words(None, change) == said  # type: ignore[arg-type]


def test_news_as_json() -> None:
    live = {"change": "connectionChanged", "live": False, "reason": "gone"}
    assert news.to_json(ConnectionChanged(is_live=False, reason="gone")) == live
    assert news.to_json(REFUSED) == {
        "change": "commandRefused",
        "groupId": "g",
        "commandId": "c",
        "error": {"code": "conflict", "detail": "it changed"},
    }
    assert news.to_json(GroupRead("g", 3)) == {"change": "groupRead", "groupId": "g", "seq": 3}
    assert news.to_json(Missed()) == {"change": "missed"}

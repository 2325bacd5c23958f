"""What the help promises."""

from collections.abc import Iterator

import pytest
import typer

from persplit.cli import app as whole
from persplit.client_cli import errors, running
from persplit.client_cli.app import app
from tests.terminal import CliRunner

NO_JSON = {"interactive"}


def commands(it: typer.Typer, *before: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for info in it.registered_commands:
        assert info.callback is not None
        name = info.name or info.callback.__name__.replace("_", "-")
        yield (*before, name), info.callback.__doc__ or ""
    for group in it.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance, *before, str(group.name))


EVERY = list(commands(app))


def test_they_are_all_there() -> None:
    names = {" ".join(words) for words, _ in EVERY}
    assert names >= {
        "sign-up",
        "log-in",
        "log-out",
        "watch",
        "interactive",
        "expense restore",
        "group join",
        "qr",
    }


@pytest.mark.parametrize(("words", "help_"), EVERY, ids=[" ".join(words) for words, _ in EVERY])
def test_every_command_says_what_its_json_is(words: tuple[str, ...], help_: str) -> None:
    shown = CliRunner().invoke(whole, ["client", *words, "--help"])
    assert shown.exit_code == 0
    assert ("--json" in shown.output) == (words[-1] not in NO_JSON)
    assert ("JSON: " in help_) == (words[-1] not in NO_JSON)


def test_the_exit_codes_in_the_help_are_those_that_there_are() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    for code, meaning in errors.EXIT_CODES.items():
        assert f"{code}: {meaning[:20]}" in shown
    classes = (errors.CliError, errors.UsageFault, errors.NeedsNetwork, errors.NotSignedIn)
    assert {0, running.INTERRUPTED, *(it.exit_code for it in classes)} == set(errors.EXIT_CODES)


def test_it_works_with_no_options_before_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert running.default_data().name == "client"
    shown = CliRunner().invoke(whole, ["client", "whoami"], env={"PERSPLIT_CLIENT_DATA": "nowhere-at-all"})
    assert shown.exit_code == 4


def test_completion_is_there() -> None:
    shown = CliRunner().invoke(
        whole,
        [],
        prog_name="persplit",
        env={"_PERSPLIT_COMPLETE": "complete_bash", "COMP_WORDS": "persplit client gr", "COMP_CWORD": "2"},
    )
    assert "group" in shown.output

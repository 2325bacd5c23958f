"""`persplit admin …`: the platform's admins, and accounts, for whoever runs the server.

It acts on the store itself, so it works whether servers are running or not. Exit codes as in `admin_cli`.
"""

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

import orjson
import typer
from pydantic import ValidationError

from persplit.admin_cli import (
    EXIT_CANNOT,
    AsJson,
    DataDir,
    MongoDb,
    fail,
    progress_bar,
    run_work,
    settings_of,
)
from persplit.config import Settings
from persplit.ledger.errors import Invalid
from persplit.service.administration import Administration, UserEntry
from persplit.service.audit import AuditEntry
from persplit.service.tallies import FIRST_DAY, LAST_DAY
from persplit.service.tally_progress import Overtaken
from persplit.transport.analytics_requests import ROWS_DEFAULT, ROWS_MAX, RowsOfPeriod
from persplit.transport.requests import field_errors

ENTRIES_MAX: Final = 1_000
"""Entries that a command prints at most: one read of the store."""

app = typer.Typer(help="The platform's admins, and accounts. Acts on the store itself.", no_args_is_help=True)


class What(StrEnum):
    """What can be looked at."""

    SUMMARY = "summary"
    TOP_SPENDERS = "top-spenders"
    GROUP_ACTIVITY = "group-activity"
    UNSETTLED_DEBTS = "unsettled-debts"


Account = Annotated[str, typer.Argument(metavar="EMAIL", help="The e-mail address or id of an account.")]
Limit = Annotated[int, typer.Option(min=1, max=ENTRIES_MAX, help="At most so many.")]

T = TypeVar("T")


def _on(settings: Settings, work: Callable[[Administration], Awaitable[T]]) -> T:
    from persplit.administering import administration  # noqa: PLC0415 - help and completion stay quick without it

    async def act() -> T:
        async with administration(settings) as opened:
            return await work(opened)

    return run_work(act())


@app.command()
def grant(account: Account, data_dir: DataDir = None, mongodb_uri: MongoDb = None) -> None:
    """Make an account an admin of the platform: it sees the analytics, and can disable accounts."""
    entry = _on(settings_of(data_dir, mongodb_uri), lambda it: it.grant(account))
    typer.echo(f"{entry.user.email} is an admin.")


@app.command()
def revoke(account: Account, data_dir: DataDir = None, mongodb_uri: MongoDb = None) -> None:
    """Take the role away, at once."""
    entry = _on(settings_of(data_dir, mongodb_uri), lambda it: it.revoke(account))
    typer.echo(f"{entry.user.email} isn't an admin any more.")


@app.command("list")
def list_(data_dir: DataDir = None, mongodb_uri: MongoDb = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - an option
    """Say who is an admin."""
    entries = _on(settings_of(data_dir, mongodb_uri), lambda it: it.admins())
    if as_json:
        _print({"admins": [_user(entry) for entry in entries]})
    else:
        typer.echo("\n".join(_line(entry) for entry in entries) or "There are no admins.")


@app.command()
def users(
    words: Annotated[str, typer.Argument(metavar="WORDS", help="A part of the name or e-mail address.")] = "",
    limit: Limit = 50,
    data_dir: DataDir = None,
    mongodb_uri: MongoDb = None,
    as_json: AsJson = False,  # noqa: FBT002 - an option
) -> None:
    """Find accounts."""
    entries = _on(settings_of(data_dir, mongodb_uri), lambda it: _found(it, words, limit))
    if as_json:
        _print({"users": [_user(entry) for entry in entries]})
    else:
        typer.echo("\n".join(_line(entry) for entry in entries) or "There is no such account.")


async def _found(it: Administration, words: str, limit: int) -> Sequence[UserEntry]:
    """The first accounts that match, through as many pages as it takes."""
    found: list[UserEntry] = []
    after: str | None = ""
    while after is not None and len(found) < limit:
        page = await it.search(words, after, limit - len(found), by=None)
        found += page.entries
        after = page.next_after
    return found


@app.command()
def disable(account: Account, data_dir: DataDir = None, mongodb_uri: MongoDb = None) -> None:
    """End all sessions of an account, and let it not sign in any more. Its data stays as it is."""
    entry = _on(settings_of(data_dir, mongodb_uri), lambda it: it.disable(account, by=None))
    typer.echo(f"{entry.user.email} is disabled.")


@app.command()
def enable(account: Account, data_dir: DataDir = None, mongodb_uri: MongoDb = None) -> None:
    """Let a disabled account sign in again."""
    entry = _on(settings_of(data_dir, mongodb_uri), lambda it: it.enable(account, by=None))
    typer.echo(f"{entry.user.email} can sign in.")


@app.command()
def audit(
    limit: Limit = 50,
    data_dir: DataDir = None,
    mongodb_uri: MongoDb = None,
    as_json: AsJson = False,  # noqa: FBT002 - an option
) -> None:
    """Print what admins did, newest first."""
    entries = _on(settings_of(data_dir, mongodb_uri), lambda it: it.audit("", limit))
    if as_json:
        _print({"entries": [_entry(entry) for entry in entries]})
    else:
        for entry in entries:
            typer.echo(f"{entry.at}  {entry.action:20}{entry.by or 'command line':38}{entry.on or ''}")


@app.command()
def rebuild(data_dir: DataDir = None, mongodb_uri: MongoDb = None) -> None:
    """Make what the analytics are answered from anew, from all ledgers. Servers may be running.

    They answer from the old figures meanwhile. If it breaks off nothing has changed: run it again.
    """
    from persplit import administering  # noqa: PLC0415 - help and completion stay quick without it

    settings = settings_of(data_dir, mongodb_uri)
    with progress_bar() as bar:
        task = bar.add_task("Reading groups", total=None, events=0)
        try:
            count = run_work(administering.rebuild(settings, lambda done: bar.update(task, completed=done)))
        except Overtaken:
            fail(EXIT_CANNOT, "Nothing was changed: another rebuild has begun since.")
    typer.echo(f"The analytics are made anew, of {count} groups.")


@app.command()
def analytics(
    what: Annotated[What, typer.Argument(help="What to look at.")] = What.SUMMARY,
    since: Annotated[
        str, typer.Option("--from", metavar="DAY", help="The first day, YYYY-MM-DD.")
    ] = FIRST_DAY,
    until: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day.")] = LAST_DAY,
    limit: Annotated[
        int, typer.Option(min=1, max=ROWS_MAX, help="At most so many of a currency.")
    ] = ROWS_DEFAULT,
    data_dir: DataDir = None,
    mongodb_uri: MongoDb = None,
) -> None:
    """Print sizes and sums of all groups together as JSON, as `/api/v1/analytics/…` answers them, brought up to now."""
    try:
        asked = RowsOfPeriod.model_validate({"from": since, "to": until, "limit": limit})
    except (ValidationError, Invalid) as error:
        faults = error.errors if isinstance(error, Invalid) else field_errors(error)
        fail(EXIT_CANNOT, "\n".join(f"{fault.path}: {fault.message}" for fault in faults))
    _print(run_work(_analytics(settings_of(data_dir, mongodb_uri), what, asked)))


async def _analytics(settings: Settings, what: What, asked: RowsOfPeriod) -> dict[str, Any]:
    from persplit import administering  # noqa: PLC0415 - help and completion stay quick without it
    from persplit.transport import analytics_views as views  # noqa: PLC0415 - as above

    async with administering.analytics(settings) as (it, generation, as_of):
        period, limit = asked.period, asked.limit
        match what:
            case What.SUMMARY:
                found = views.summary(await it.summary(generation, period))
            case What.TOP_SPENDERS:
                found = views.spenders(await it.top_spenders(generation, period, limit))
            case What.GROUP_ACTIVITY:
                found = views.activity(await it.group_activity(generation, period, limit))
            case What.UNSETTLED_DEBTS:
                found = views.unsettled(await it.unsettled_debts(generation, period, limit))
        return {**views.projected(as_of, period), **found}


def _print(content: dict[str, Any]) -> None:
    typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


def _line(entry: UserEntry) -> str:
    marks = [*(["admin"] if entry.is_admin else []), *(["disabled"] if entry.disabled_at else [])]
    return f"{entry.user.id}  {entry.user.email}  {entry.user.name}  {', '.join(marks)}".rstrip()


def _user(entry: UserEntry) -> dict[str, Any]:
    user = entry.user
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "createdAt": user.created_at,
        "isAdmin": entry.is_admin,
        "disabledAt": entry.disabled_at,
    }


def _entry(entry: AuditEntry) -> dict[str, Any]:
    return {"id": entry.id, "at": entry.at, "action": entry.action, "by": entry.by, "on": entry.on}

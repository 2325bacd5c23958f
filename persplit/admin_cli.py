"""The commands of whoever runs a server: check, backup, restore, migrate, erase, new-epoch.

Each answers with an exit code: 0 it is done, or all is well; 1 something is wrong with what is kept, or asked for;
2 it can't be done now. Progress goes to standard error, results to standard output.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, TypeAlias, TypeVar

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from persplit.config import ConfigError, Settings, load_settings
from persplit.ledger.errors import NotFound
from persplit.service.backup import BadBackup, DamagedStore, NotEmpty
from persplit.service.check import Finding, Tally
from persplit.service.errors import StoreDamaged, StoreUnavailable, StoreUnusable

EXIT_FAULTS: Final = 1
EXIT_CANNOT: Final = 2

_NO_SECRET: Final = "no command in here signs or reads a token"  # noqa: S105 - says so itself
_T = TypeVar("_T")

DataDir: TypeAlias = Annotated[
    Path | None, typer.Option("--data-dir", help="The embedded server's data. [PERSPLIT_DATA_DIR]")
]
MongoDb: TypeAlias = Annotated[
    str | None, typer.Option("--mongodb-uri", help="Or MongoDB. [PERSPLIT_MONGODB_URI]")
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")]


def settings_of(data_dir: Path | None, mongodb_uri: str | None) -> Settings:
    """The settings of the store that is meant. Ends the command where they are wrong."""
    try:
        return load_settings(data_dir=data_dir, mongodb_uri=mongodb_uri, jwt_secret=_NO_SECRET)
    except ConfigError as error:
        _fail(EXIT_CANNOT, f"persplit can't do this:\n{error}")


def _fail(code: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)


def run_work(work: Coroutine[Any, Any, _T]) -> _T:
    """The result of the work. What can go wrong with any of it ends the command, in a sentence."""
    try:
        return asyncio.run(work)
    except StoreDamaged as error:
        _fail(EXIT_FAULTS, f"persplit can't do this: {error}")
    except StoreUnusable as error:
        _fail(EXIT_CANNOT, f"persplit can't do this: {error}")
    except StoreUnavailable as error:
        _fail(EXIT_CANNOT, f"persplit can't do this: {error.detail}")
    except DamagedStore as error:
        _fail(EXIT_FAULTS, "\n".join(["The store isn't sound:", *map(_told, error.findings)]))
    except (BadBackup, NotEmpty) as error:
        _fail(EXIT_FAULTS, f"Nothing was done: {error}")
    except NotFound as error:
        _fail(EXIT_FAULTS, f"Nothing was done: {error.detail}")
    except OSError as error:
        _fail(EXIT_CANNOT, f"persplit can't do this: {error}")


def _progress() -> Progress:
    """A bar on standard error; nothing where that isn't a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[events]} events"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _follower(progress: Progress, description: str) -> Callable[[Tally, int | None], None]:
    """Shows how far something has come: groups out of a total, where that is known."""
    task = progress.add_task(description, total=None, events=0)

    def follow(tally: Tally, total: int | None) -> None:
        progress.update(task, completed=tally.groups, total=total, events=tally.events)

    return follow


def _told(finding: Finding) -> str:
    what = "" if finding.seq is None else f", seq {finding.seq}"
    what += "" if finding.id is None else f", {finding.id}"
    return f"{finding.severity.value:8}{finding.place}{what}: {finding.detail} [{finding.rule}]"


def check(data_dir: DataDir = None, mongodb_uri: MongoDb = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - an option
    """Look for damage: every rule of every group, and all that is kept beside. The server may be running.

    Exit code 0: sound (there may be warnings). 1: faults were found. 2: it can't be checked.
    """
    from persplit import admin  # noqa: PLC0415 - help and completion stay quick without it

    settings = settings_of(data_dir, mongodb_uri)
    findings: list[Finding] = []
    with _progress() as progress:
        follow = _follower(progress, "Checking groups")

        def found(finding: Finding) -> None:
            findings.append(finding)
            if not as_json:
                typer.echo(_told(finding))

        tally = run_work(admin.check(settings, found, follow))
    if as_json:
        _print_report(tally, findings)
    else:
        verdict = "Sound" if tally.faults == 0 else "NOT SOUND"
        typer.echo(
            f"{verdict}: {tally.groups} groups, {tally.events} events, {tally.documents} documents; "
            f"{tally.faults} faults, {tally.warnings} warnings."
        )
    raise typer.Exit(EXIT_FAULTS if tally.faults else 0)


def _print_report(tally: Tally, findings: list[Finding]) -> None:
    """`findings` has at most so many of a kind; the tally counts all."""
    report = {"sound": tally.faults == 0, **asdict(tally), "findings": [asdict(one) for one in findings]}
    sys.stdout.buffer.write(orjson.dumps(report, default=str, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.flush()


def backup(
    target: Annotated[
        Path, typer.Argument(help="The file to write, or a directory for one named by the time.")
    ],
    data_dir: DataDir = None,
    mongodb_uri: MongoDb = None,
) -> None:
    """Back up everything but who is signed in. The server may be running.

    The file is checked before it gets its name, is for its owner only, and never takes the place of another. It can
    be restored into SQLite and MongoDB alike. The server's secret is not in it: keep that apart.
    """
    from persplit import admin  # noqa: PLC0415 - help and completion stay quick without it

    settings = settings_of(data_dir, mongodb_uri)
    with _progress() as progress:
        follow = _follower(progress, "Backing up groups")
        path, tally = run_work(admin.make_backup(settings, target, lambda tally: follow(tally, None)))
    typer.echo(f"{path}: {_counted(tally)}.")


def restore(
    source: Annotated[Path, typer.Argument(help="A file that `persplit backup` wrote.")],
    data_dir: DataDir = None,
    mongodb_uri: MongoDb = None,
) -> None:
    """Restore a backup into an empty store, with no server on it.

    The whole file is checked before anything is written, and the store afterwards. If it breaks off, no server
    starts on the store: run it again. Everybody signs in again, and clients begin anew.
    """
    from persplit import admin  # noqa: PLC0415 - help and completion stay quick without it

    settings = settings_of(data_dir, mongodb_uri)
    with _progress() as progress:
        follow = _follower(progress, "Restoring groups")
        tally = run_work(admin.restore(settings, source, lambda tally: follow(tally, None)))
    typer.echo(f"Restored {_counted(tally)}, and checked them. Start the server.")


def _counted(tally: Tally) -> str:
    return f"{tally.groups} groups, {tally.events} events, {tally.documents} documents"


def migrate(data_dir: DataDir = None, mongodb_uri: MongoDb = None) -> None:
    """Bring the store up to this release, with all servers of older ones stopped.

    An embedded server does this at its start. If it breaks off, run it again: it goes on where it was.
    """
    from persplit import admin  # noqa: PLC0415 - help and completion stay quick without it

    settings = settings_of(data_dir, mongodb_uri)
    taken, version = run_work(admin.migrate(settings, lambda name: typer.echo(f"Migrating: {name}")))
    typer.echo(f"{taken} steps taken: the store's data has schema {version}.")


def erase(
    account: Annotated[str | None, typer.Option(help="The id or e-mail address of an account.")] = None,
    group: Annotated[str | None, typer.Option(help="The id of a group.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,  # noqa: FBT002 - an option
    data_dir: DataDir = None,
    mongodb_uri: MongoDb = None,
) -> None:
    """Erase an account, or a group with everything in it, for good. The server may be running.

    Of an account go profile, sign-ins and invites; its groups keep what it did, under no name. If it breaks off, run
    it again. Backups made before still have what was erased.
    """
    from persplit import admin  # noqa: PLC0415 - help and completion stay quick without it

    if (account is None) == (group is None):
        _fail(EXIT_CANNOT, "Say either --account or --group.")
    settings = settings_of(data_dir, mongodb_uri)
    what = f"the account {account}" if account is not None else f"the group {group}"
    if not yes and not typer.confirm(f"Erase {what} for good?"):
        _fail(EXIT_FAULTS, "Nothing was done.")
    if account is not None:
        run_work(admin.erase_account(settings, account))
    else:
        run_work(admin.erase_group(settings, group or ""))
    typer.echo(f"Erased {what}.")


def new_epoch(data_dir: DataDir = None, mongodb_uri: MongoDb = None) -> None:
    """After putting back a copy of the store's own files, with the server stopped: make every client begin anew.

    Clients may know a later past than the copy has. With another epoch they drop it and take what the server has;
    what waits in their outboxes is sent again. `persplit restore` does this by itself.
    """
    from persplit import admin  # noqa: PLC0415 - help and completion stay quick without it

    run_work(admin.renew_epoch(settings_of(data_dir, mongodb_uri)))
    typer.echo("Every group has a new epoch. Start the server again.")


COMMANDS: Final = (check, backup, restore, migrate, erase, new_epoch)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in COMMANDS:
        app.command(command.__name__.replace("_", "-"))(command)

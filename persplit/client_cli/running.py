"""From a typer command to a coroutine and back: one place for sessions, errors and exit codes."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer

from persplit.client_cli.errors import CliError
from persplit.client_cli.output import Output
from persplit.client_cli.profiles import Profiles
from persplit.client_cli.session import Place, Session, explained, opened

Work: TypeAlias = Callable[[Session], Awaitable[None]]

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as shells have it."""

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Group: TypeAlias = Annotated[
    str | None,
    typer.Option("--group", "-g", envvar="PERSPLIT_GROUP", help="The group: name, its beginning, or id."),
]
FromDay: TypeAlias = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="The first day: 2026-11-21, today or yesterday.")
]
ToDay: TypeAlias = Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day.")]
Server: TypeAlias = Annotated[str, typer.Option(envvar="PERSPLIT_SERVER", help="The server.")]


def default_data() -> Path:
    """Where the client's data is unless told."""
    return Path(typer.get_app_dir("persplit")) / "client"


def place_of(context: typer.Context) -> Place:
    """What the options before the command say."""
    found = context.obj
    return found if isinstance(found, Place) else Place(Profiles(default_data()))


def run(context: typer.Context, work: Work, *, as_json: bool = False) -> None:
    """Do the work as who is signed in; whatever goes wrong becomes a message and an exit code."""

    async def with_session(out: Output) -> None:
        async with opened(place_of(context), out) as session:
            await work(session)

    run_alone(with_session, as_json=as_json)


def run_alone(work: Callable[[Output], Coroutine[Any, Any, None]], *, as_json: bool = False) -> None:
    """The same for work that needs nobody to be signed in."""
    out = Output(as_json=as_json)
    try:
        with explained():
            asyncio.run(work(out))
    except CliError as error:
        out.fail(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None

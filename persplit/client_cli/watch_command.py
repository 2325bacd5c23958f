"""`persplit client watch`: everybody's changes as they happen."""

import asyncio
from collections import deque
from typing import Annotated, Final

import typer
from rich.console import Group as Stack
from rich.live import Live

from persplit.client import Change
from persplit.client_cli import news, tables
from persplit.client_cli.errors import CliError
from persplit.client_cli.output import Output, text
from persplit.client_cli.profiles import SERVER_DEFAULT
from persplit.client_cli.running import Json, Server, run, run_alone
from persplit.client_cli.session import Session

LINES_SHOWN: Final = 12
"""News below the table of groups: both fit on a small screen."""


def watch(
    context: typer.Context,
    *,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="PERSPLIT_TOKEN", help="Watch as the owner of this access token, and keep nothing."
        ),
    ] = None,
    server: Server = SERVER_DEFAULT,
    qr: Annotated[bool, typer.Option(help="With --token: draw the QR of each payment due from you.")] = True,
    seconds: Annotated[float | None, typer.Option(help="Stop after this many seconds.")] = None,
    as_json: Json = False,
) -> None:
    """Your groups, live: updates when anybody changes anything. Plain lines where it isn't a terminal.

    JSON: one object a line, {"change": "happened", "groupId", "event"} above all; with --token, the server's messages
    """
    if token is not None:
        run_alone(
            lambda out: _with_token(server, token, draw_qr=qr, seconds=seconds, as_json=out.as_json),
            as_json=as_json,
        )
        return

    async def work(session: Session) -> None:
        session.online()
        await session.refresh()
        await watch_session(session, seconds)

    run(context, work, as_json=as_json)


async def _with_token(
    server: str, token: str, *, draw_qr: bool, seconds: float | None, as_json: bool
) -> None:
    from persplit.client import watching  # noqa: PLC0415 - help and completion stay quick without it

    try:
        await watching.watch(server, token, draw_qr=draw_qr, seconds=seconds, as_json=as_json)
    except watching.WatchError as error:
        raise CliError(str(error), code="watch_failed") from None


async def watch_session(session: Session, seconds: float | None) -> None:
    """Show changes for so many seconds, or until Ctrl-C."""
    out = session.out
    if not out.is_terminal or out.as_json:
        await news.follow(session, Lines(session, out).show, until=_passed(seconds))
        return
    with Live(console=out.console, auto_refresh=False) as live:
        screen = Screen(session, live)
        await screen.draw()
        await news.follow(session, screen.show, until=_passed(seconds))


async def _passed(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)


class Lines:
    """Changes as lines."""

    def __init__(self, session: Session, out: Output) -> None:
        self._session = session
        self._out = out

    async def show(self, change: Change) -> None:
        """Print it."""
        if self._out.as_json:
            self._out.line(news.to_json(change))
        elif said := await news.words(self._session, change):
            self._out.show(None, said)


class Screen:
    """Changes below a table of the groups, which changes with them."""

    def __init__(self, session: Session, live: Live) -> None:
        self._session = session
        self._live = live
        self._lines: deque[str] = deque(maxlen=LINES_SHOWN)

    async def show(self, change: Change) -> None:
        """Draw everything with it."""
        if said := await news.words(self._session, change):
            self._lines.append(said)
        await self.draw()

    async def draw(self) -> None:
        """Draw everything."""
        views = await self._session.views()
        below = [text(line) for line in self._lines]
        groups = tables.groups(views, self._session.profile.group)
        self._live.update(Stack(groups, text(""), *below, text("Ctrl-C ends this.", "dim")), refresh=True)

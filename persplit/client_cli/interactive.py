"""`persplit client interactive`: menus instead of commands, with others' news as they come."""

import sys
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import typer

from persplit.client import Change, ConnectionChanged, Happened
from persplit.client_cli import menu_actions as do
from persplit.client_cli import news
from persplit.client_cli.dialogue import Back, Dialogue, Left
from persplit.client_cli.errors import CliError, NotSignedIn
from persplit.client_cli.output import Output
from persplit.client_cli.profiles import SERVER_DEFAULT, profile_for
from persplit.client_cli.prompts import Lines
from persplit.client_cli.running import Server, place_of, run_alone
from persplit.client_cli.sentences import how_you_stand
from persplit.client_cli.session import Place, Session, explained, opened, signed_in

Action: TypeAlias = Callable[[Dialogue, Session], Awaitable[None]]


async def _leave(_: Dialogue, __: Session) -> None:
    raise Left


WITH_GROUP: Final[tuple[tuple[str, Action], ...]] = (
    ("Add an expense", do.add_expense),
    ("Expenses", do.expenses),
    ("Balances, and who pays whom", do.balances),
    ("Pay somebody", do.pay),
    ("Confirm or decline a payment", do.answer_payment),
    ("What happened", do.history),
    ("Friends, over all groups", do.friends),
    ("Invite somebody", do.invite),
    ("Another group", do.another_group),
    ("Make a group", do.make_group),
    ("Join a group", do.join_group),
    ("Quit", _leave),
)
WITHOUT_GROUP: Final[tuple[tuple[str, Action], ...]] = (
    ("Make a group", do.make_group),
    ("Join a group", do.join_group),
    ("Quit", _leave),
)


def interactive(context: typer.Context, *, server: Server = SERVER_DEFAULT) -> None:
    """Menus, for people who don't know commands. What others do is shown as it happens.

    Answer with a number, or with how the words begin; an empty answer goes back. There is no JSON here.
    """
    run_alone(lambda out: _interact(place_of(context), server, out))


async def _interact(place: Place, server: str, out: Output) -> None:
    dialogue = Dialogue(Lines(sys.stdin), out)
    try:
        await _with_account(place, server, dialogue)
    except (Left, Back):
        dialogue.say("Goodbye.")


async def _with_account(place: Place, server: str, dialogue: Dialogue) -> None:
    try:
        async with opened(place, dialogue.out) as session:
            await _live(dialogue, session)
    except NotSignedIn:
        await _sign_in(place, server, dialogue)
        async with opened(place, dialogue.out) as session:
            await _live(dialogue, session)


async def _sign_in(place: Place, server: str, dialogue: Dialogue) -> None:
    """Ask until somebody is signed in. Raises `Back`, `Left`."""
    while True:
        is_new = await dialogue.choose("Welcome", [("Make an account", True), ("Log in", False)])
        where = await dialogue.ask("Server", default=server)
        name = await dialogue.ask("Your name, as others see it") if is_new else None
        email = await dialogue.ask("E-mail address")
        password = await dialogue.ask_unseen("Password")
        try:
            with explained():
                account = await signed_in(place, profile_for(where, email), password, name=name)
        except CliError as error:
            _apologise(dialogue, error)
        else:
            dialogue.say(f"You are signed in as {account.name}.", "green")
            return


async def _live(dialogue: Dialogue, session: Session) -> None:
    await session.refresh()
    notices = Notices(dialogue, session)
    if session.leaves_network_alone:
        await _menus(dialogue, session)
    else:
        await news.follow(session, notices.show, until=_menus(dialogue, session))


class Notices:
    """What others do, said between questions and answers."""

    def __init__(self, dialogue: Dialogue, session: Session) -> None:
        self._dialogue = dialogue
        self._session = session
        self._was_live = not session.is_offline

    async def show(self, change: Change) -> None:
        """Say it, unless the user did it here and was told already, or it is only the connection as usual."""
        if isinstance(change, Happened) and change.event.by == self._session.me:
            return
        if isinstance(change, ConnectionChanged) and change.is_live == self._was_live:
            return
        if isinstance(change, ConnectionChanged):
            self._was_live = change.is_live
            self._session.is_offline = not change.is_live
        if said := await news.words(self._session, change):
            self._dialogue.say(f"» {said}", "cyan")


async def _menus(dialogue: Dialogue, session: Session) -> None:
    """One thing after the other. Raises `Left`."""
    while True:
        title, actions = await _situation(session)
        dialogue.out.print("")
        dialogue.out.print(title, "bold")
        try:
            action = await dialogue.choose("What next", actions)
            with explained():
                await action(dialogue, session)
        except Back:
            continue
        except CliError as error:
            _apologise(dialogue, error)


async def _situation(session: Session) -> tuple[str, tuple[tuple[str, Action], ...]]:
    views = await session.views()
    if not views:
        return f"{session.account.name}, you are in no group yet.", WITHOUT_GROUP
    view = next((view for view in views if view.id == session.profile.group), views[0])
    if view.id != session.profile.group:
        session.use(view.id)
    waits = f"  ({view.group.pending} waiting)" if view.is_pending else ""
    return f"{view.title}: {how_you_stand(view.my_balance, view.currency)}{waits}", WITH_GROUP


def _apologise(dialogue: Dialogue, error: CliError) -> None:
    dialogue.say(error.message, "red")
    for line in error.more:
        dialogue.say(f"  {line}")

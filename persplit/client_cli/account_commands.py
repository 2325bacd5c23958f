"""Signing up, in and out; the profile."""

from typing import Annotated, Any

import typer

from persplit.client_cli import prompts
from persplit.client_cli.errors import UsageFault
from persplit.client_cli.output import Output
from persplit.client_cli.profiles import SERVER_DEFAULT, profile_for
from persplit.client_cli.running import Json, Server, place_of, run, run_alone
from persplit.client_cli.session import Session, signed_in
from persplit.ledger.upi import normalise_vpa

Vpa = Annotated[
    str | None, typer.Option(help="Your UPI id, name@handle: others pay you by it. Empty removes it.")
]
Phone = Annotated[str | None, typer.Option(help="Your phone number. Empty removes it.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("sign-up")(sign_up)
    app.command("log-in")(log_in)
    app.command("log-out")(log_out)
    app.command()(whoami)
    app.command()(profile)


def sign_up(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What others see.")],
    email: Annotated[str, typer.Argument(help="What you log in with.")],
    *,
    server: Server = SERVER_DEFAULT,
    vpa: Vpa = None,
    phone: Phone = None,
    as_json: Json = False,
) -> None:
    """Make an account. The password is asked for, or read from standard input, or from PERSPLIT_PASSWORD.

    JSON: {"user": {id, name, email, phone, vpa, …}, "server"}
    """

    async def work(out: Output) -> None:
        wanted = profile_for(server, email)
        details = {"vpa": _checked_vpa(vpa) or "", "phone": phone or ""}
        told = {field: value for field, value in details.items() if value}
        account = await signed_in(place_of(context), wanted, prompts.password(), name=name, **told)
        out.show(
            {"user": account.user, "server": wanted.server}, f"Welcome, {account.name}: you are signed in."
        )

    run_alone(work, as_json=as_json)


def log_in(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="The address of your account.")],
    *,
    server: Server = SERVER_DEFAULT,
    as_json: Json = False,
) -> None:
    """Sign in. The password is asked for, or read from standard input, or from PERSPLIT_PASSWORD.

    JSON: {"user": {…}, "server"}
    """

    async def work(out: Output) -> None:
        wanted = profile_for(server, email)
        account = await signed_in(place_of(context), wanted, prompts.password())
        out.show({"user": account.user, "server": wanted.server}, f"You are signed in as {account.name}.")

    run_alone(work, as_json=as_json)


def log_out(
    context: typer.Context,
    *,
    discard: Annotated[bool, typer.Option(help="Even if the server doesn't have everything yet.")] = False,
    as_json: Json = False,
) -> None:
    """Sign out, and forget what this device holds; what the server doesn't have would be lost, so it goes first.

    JSON: {"signedOut": true}
    """

    async def work(session: Session) -> None:
        if not discard:
            await session.refresh()
        await session.client.logout(discard_unsent=discard)
        session.forget_current()
        session.out.show({"signedOut": True}, "You are signed out.")

    run(context, work, as_json=as_json)


def whoami(context: typer.Context, *, as_json: Json = False) -> None:
    """Who is signed in, and where.

    JSON: {"user": {…}, "server", "group": default group's id or null}
    """

    async def work(session: Session) -> None:
        user = session.account.user
        session.out.show(
            {"user": user, "server": session.profile.server, "group": session.profile.group},
            f"{user['name']} <{user['email'] or 'a guest'}> at {session.profile.server}",
            f"UPI id: {user['vpa'] or 'none; set it with `profile --vpa`'}",
        )

    run(context, work, as_json=as_json)


def profile(
    context: typer.Context,
    *,
    name: Annotated[str | None, typer.Option(help="What others see.")] = None,
    vpa: Vpa = None,
    phone: Phone = None,
    as_json: Json = False,
) -> None:
    """Change your profile (needs the server).

    JSON: {"user": {…}}
    """

    async def work(session: Session) -> None:
        changes: dict[str, Any] = {"name": name, "vpa": _checked_vpa(vpa), "phone": phone}
        told = {field: value or None for field, value in changes.items() if value is not None}
        if not told:
            raise UsageFault("say what to change: --name, --vpa or --phone")
        session.online()
        account = await session.client.update_profile(**told)
        session.out.show({"user": account.user}, "Changed.")

    run(context, work, as_json=as_json)


def _checked_vpa(vpa: str | None) -> str | None:
    try:
        return normalise_vpa(vpa) if vpa else vpa
    except ValueError as error:
        raise UsageFault(str(error), code="bad_upi_id") from None

"""Guests: joining with no account, and making one of it later."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

import typer

from persplit.client import Client
from persplit.client_cli import prompts
from persplit.client_cli.errors import NotSignedIn
from persplit.client_cli.output import Output
from persplit.client_cli.profiles import SERVER_DEFAULT, profile_for
from persplit.client_cli.running import Json, Server, place_of, run_alone

Password = Annotated[bool, typer.Option(help="Ask for the group's password, or PERSPLIT_GROUP_PASSWORD.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    # Codes are random, and some begin with a hyphen.
    app.command("join-as-guest", context_settings={"ignore_unknown_options": True})(join_as_guest)
    app.command()(upgrade)


def join_as_guest(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="An invite's link, or its code.")],
    name: Annotated[str, typer.Argument(help="What others see.")],
    *,
    server: Server = SERVER_DEFAULT,
    password: Password = False,
    claim: Annotated[str | None, typer.Option(help="The id of the placeholder that stood for you.")] = None,
    as_json: Json = False,
) -> None:
    """Join a group with no account (needs the server): this device alone lets you in, until you `upgrade`.

    JSON: {"user": {…}, "server", "group": id}
    """

    async def work(out: Output) -> None:
        place, only_code = place_of(context), code.rstrip("/").rpartition("/")[2]
        wanted = profile_for(_server_of(code) or server, f"guest {name}")
        async with Client.open(place.profiles.replica(wanted), wanted.server) as client:
            group_id = await client.join_as_guest(
                only_code, name, password=prompts.group_password(wanted=password), claim=claim
            )
            account = await client.account()
            title = (await client.group(group_id)).name
        assert account is not None, "they have just signed in"  # noqa: S101 - for the type checker
        kept = replace(wanted, name=account.name, group=group_id)
        place.profiles.save(kept)
        place.profiles.make_current(kept)
        out.show(
            {"user": account.user, "server": wanted.server, "group": group_id},
            f"Welcome to {title}, {account.name}. Make an account with `upgrade` to use other devices, too.",
        )

    run_alone(work, as_json=as_json)


def upgrade(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="What you log in with from now on.")],
    *,
    as_json: Json = False,
) -> None:
    """Make an account of a guest, who keeps everything (needs the server). The password is asked for.

    JSON: {"user": {…}, "server"}
    """

    async def work(out: Output) -> None:
        place = place_of(context)
        profile = place.profiles.current(place.account)
        async with Client.open(place.profiles.replica(profile), profile.server) as client:
            if await client.account() is None:
                raise NotSignedIn
            account = await client.upgrade(email, prompts.password())
        kept = place.profiles.rename(profile, replace(profile, email=str(account.user["email"]).lower()))
        place.profiles.make_current(kept)
        out.show({"user": account.user, "server": profile.server}, "You have an account now.")

    run_alone(work, as_json=as_json)


def _server_of(link: str) -> str | None:
    """Where a link leads; None for a mere code."""
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None

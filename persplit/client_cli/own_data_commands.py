"""What is one's own: personal tokens, all data as a file, and the end of the account."""

from pathlib import Path
from typing import Annotated

import typer

from persplit.client_cli import prompts, shapes, tables
from persplit.client_cli.errors import CliError, UsageFault
from persplit.client_cli.names import Named, choose
from persplit.client_cli.running import Json, run
from persplit.client_cli.session import Session

tokens = typer.Typer(help="Personal tokens, for your own scripts.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(tokens, name="token")
    app.command("export-account")(export_account)
    app.command("delete-account")(delete_account)


@tokens.command("list")
def list_tokens(context: typer.Context, *, as_json: Json = False) -> None:
    """Your tokens that have not run out (needs the server).

    JSON: {"tokens": [{id, name, scope, groupId, createdAt, expiresAt}]}
    """

    async def work(session: Session) -> None:
        session.online()
        found = await session.client.tokens()
        session.out.show({"tokens": [shapes.token(it) for it in found]}, tables.tokens(found))

    run(context, work, as_json=as_json)


@tokens.command("create")
def create_token(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    write: Annotated[bool, typer.Option(help="It may change things; else it only reads.")] = False,
    group: Annotated[str | None, typer.Option("--group", "-g", help="The only group that it opens.")] = None,
    days: Annotated[int | None, typer.Option(help="How long it is good for; 90 unless told.")] = None,
    as_json: Json = False,
) -> None:
    """Make a token, which is shown this once (needs the server). Scripts send it as `Authorization: Bearer …`.

    JSON: {"token", id, name, scope, groupId, createdAt, expiresAt}
    """

    async def work(session: Session) -> None:
        session.online()
        if group is not None:
            await session.refresh()
        group_id = None if group is None else (await session.view(group)).id
        text, made = await session.client.create_token(
            name, "write" if write else "read", group_id=group_id, days=days
        )
        session.out.show({"token": text, **shapes.token(made)}, text, f"Good until {made.expires_at}")

    run(context, work, as_json=as_json)


@tokens.command("revoke")
def revoke_token(
    context: typer.Context,
    token: Annotated[str, typer.Argument(help="Its name, or id.")],
    *,
    as_json: Json = False,
) -> None:
    """Take a token back (needs the server).

    JSON: {"revoked": id}
    """

    async def work(session: Session) -> None:
        session.online()
        known = [Named(it.id, it.name) for it in await session.client.tokens()]
        found = choose(token, known, "token")
        await session.client.revoke_token(found)
        session.out.show({"revoked": found}, "It opens nothing any more.")

    run(context, work, as_json=as_json)


def export_account(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
    *,
    as_json: Json = False,
) -> None:
    """Write all that the server keeps of you into a JSON file (needs the server).

    JSON: {"file", "bytes"}
    """

    async def work(session: Session) -> None:
        session.online()
        content = await session.client.export_account()
        try:
            file.write_bytes(content)
        except OSError as error:
            raise CliError(f"{file} can't be written: {error.strerror}", code="file_unwritable") from None
        session.out.show({"file": str(file), "bytes": len(content)}, f"{file}: {len(content)} bytes.")

    run(context, work, as_json=as_json)


def delete_account(
    context: typer.Context,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="You mean it.")] = False,
    discard: Annotated[bool, typer.Option(help="Even if the server doesn't have everything yet.")] = False,
    as_json: Json = False,
) -> None:
    """Give your account up for good (needs the server). In your groups your name stays, with its balance.

    The password is asked for, or read from standard input, or from PERSPLIT_PASSWORD.

    JSON: {"deleted": true}
    """

    async def work(session: Session) -> None:
        session.online()
        if not yes:
            raise UsageFault("this can't be undone: say --yes if you mean it")
        await session.refresh()
        is_guest = session.account.user["email"] is None
        password = None if is_guest else prompts.password()
        await session.client.delete_account(password, discard_unsent=discard)
        session.forget_current()
        session.out.show({"deleted": True}, "Your account is gone.")

    run(context, work, as_json=as_json)

"""`persplit client group …`."""

from typing import Annotated

import typer
from rich.text import Text

from persplit.client.terminal_qr import terminal
from persplit.client_cli import prompts, shapes, tables
from persplit.client_cli.amounts import parse_scaled
from persplit.client_cli.errors import UsageFault
from persplit.client_cli.names import Named, choose, choose_person
from persplit.client_cli.running import Group, Json, run
from persplit.client_cli.session import Session

app = typer.Typer(help="Groups and their members.", no_args_is_help=True)

Name = Annotated[str | None, typer.Argument(metavar="GROUP", help="The default group unless told.")]
TimeZone = Annotated[
    str | None,
    typer.Option(help="When a day begins for recurring expenses, such as Asia/Kolkata.", show_default="UTC"),
]
Password = Annotated[bool, typer.Option(help="Ask for the group's password, or PERSPLIT_GROUP_PASSWORD.")]


@app.command("list")
def list_(context: typer.Context, *, as_json: Json = False) -> None:
    """Your groups, and where you stand in each.

    JSON: {"groups": [{id, name, currency, balance, default, pending, members, …}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        views, default = await session.views(), session.profile.group
        found = [shapes.group(view, default=view.id == default) for view in views]
        session.out.show({"groups": found}, tables.groups(views, default))

    run(context, work, as_json=as_json)


@app.command()
def create(
    context: typer.Context,
    name: str,
    *,
    currency: Annotated[str, typer.Option(help="ISO 4217; fixed once there are expenses.")] = "INR",
    description: Annotated[str | None, typer.Option()] = None,
    simplify: Annotated[bool, typer.Option(help="Suggest the fewest payments, whoever owes whom.")] = True,
    time_zone: TimeZone = None,
    password: Password = False,
    as_json: Json = False,
) -> None:
    """Make a group; from then on it is the default one.

    JSON: {"group": {…}}
    """

    async def work(session: Session) -> None:
        written = await session.client.create_group(
            name,
            description=description,
            currency=currency.upper(),
            simplify=simplify,
            join_password=prompts.group_password(wanted=password),
            time_zone=time_zone,
        )
        session.use(written.group_id)
        await session.deliver(written)
        await _shown(session, written.group_id)

    run(context, work, as_json=as_json)


@app.command()
def show(context: typer.Context, name: Name = None, *, as_json: Json = False) -> None:
    """A group's settings and members.

    JSON: {"group": {…}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        await _shown(session, (await session.view(name)).id)

    run(context, work, as_json=as_json)


@app.command()
def members(context: typer.Context, name: Name = None, *, as_json: Json = False) -> None:
    """Who is in a group.

    JSON: {"members": [{userId, name, role, placeholder, balance, leftAt, …}]}, former members too
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(name)
        session.out.show({"members": shapes.members(view)}, tables.members(view))

    run(context, work, as_json=as_json)


@app.command()
def use(context: typer.Context, name: str, *, as_json: Json = False) -> None:
    """Choose the group that is meant if none is named.

    JSON: {"group": {…}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(name)
        session.use(view.id)
        session.out.show({"group": shapes.group(view, default=True)}, f"{view.title} it is.")

    run(context, work, as_json=as_json)


# Codes are random, and some begin with a hyphen.
@app.command(context_settings={"ignore_unknown_options": True})
def join(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="An invite's code or link.")],
    *,
    password: Password = False,
    claim: Annotated[str | None, typer.Option(help="The id of the placeholder that stood for you.")] = None,
    as_json: Json = False,
) -> None:
    """Join a group by an invite (needs the server); from then on it is the default one.

    JSON: {"group": {…}}
    """

    async def work(session: Session) -> None:
        session.online()
        only_code = code.rstrip("/").rpartition("/")[2]
        group_id = await session.client.join(
            only_code, password=prompts.group_password(wanted=password), claim=claim
        )
        session.use(group_id)
        await _shown(session, group_id)

    run(context, work, as_json=as_json)


@app.command()
def invite(
    context: typer.Context,
    name: Name = None,
    *,
    qr: Annotated[bool, typer.Option(help="Draw the link's QR.")] = True,
    hours: Annotated[
        int | None, typer.Option(help="How long it is good for; seven days unless told.")
    ] = None,
    uses: Annotated[
        int | None, typer.Option(help="How many may come in by it; any number unless told.")
    ] = None,
    as_json: Json = False,
) -> None:
    """A code, a link and a QR by which others can join (needs the server).

    JSON: {"id", "code", "url", "expiresAt"}
    """

    async def work(session: Session) -> None:
        session.online()
        await session.refresh()
        made = await session.client.invite((await session.view(name)).id, hours=hours, uses_max=uses)
        drawn = [Text.from_ansi(terminal(made.url))] if qr else []
        session.out.show(
            {"id": made.id, "code": made.code, "url": made.url, "expiresAt": made.expires_at},
            *drawn,
            f"Code: {made.code}",
            f"Link: {made.url}",
            f"Good until {made.expires_at}",
        )

    run(context, work, as_json=as_json)


@app.command()
def invites(context: typer.Context, name: Name = None, *, as_json: Json = False) -> None:
    """Invites that have not run out: an admin sees all, others their own (needs the server).

    JSON: {"invites": [{id, createdBy, createdAt, expiresAt, uses, maxUses}]}
    """

    async def work(session: Session) -> None:
        session.online()
        await session.refresh()
        view = await session.view(name)
        found = await session.client.invites(view.id)
        session.out.show({"invites": [shapes.invite(it) for it in found]}, tables.invites(view, found))

    run(context, work, as_json=as_json)


@app.command("revoke-invite")
def revoke_invite(
    context: typer.Context,
    invite_id: Annotated[str, typer.Argument(help="Its id, or how it begins.")],
    *,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Take an invite back: nobody comes in by it any more (needs the server).

    JSON: {"revoked": id}
    """

    async def work(session: Session) -> None:
        session.online()
        await session.refresh()
        view = await session.view(group)
        known = [Named(it.id, it.id) for it in await session.client.invites(view.id)]
        found = choose(invite_id, known, "invite")
        await session.client.revoke_invite(view.id, found)
        session.out.show({"revoked": found}, "Nobody comes in by it any more.")

    run(context, work, as_json=as_json)


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Somebody without an account: a placeholder.")] = None,
    *,
    email: Annotated[str | None, typer.Option(help="Somebody with an account (needs the server).")] = None,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Add a placeholder by name, or a registered person by e-mail (admins).

    JSON: {"group": {…}}
    """

    async def work(session: Session) -> None:
        if (name is None) == (email is None):
            raise UsageFault("say either a name, for a placeholder, or --email")
        await session.refresh()
        view = await session.view(group)
        if email is not None:
            session.online()
            await session.client.add_member(view.id, email)
        elif name is not None:
            await session.deliver(await session.client.add_placeholder(view.id, name))
        await _shown(session, view.id)

    run(context, work, as_json=as_json)


@app.command()
def remove(
    context: typer.Context,
    member: str,
    *,
    group: Group = None,
    block: Annotated[
        bool, typer.Option(help="For good: no invite lets them in again. Who has left, by id.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a member out, at zero balance (admins).

    JSON: {"group": {…}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        people = [*view.people(), *view.former()] if block else view.people()
        user_id = choose_person(member, people, session.me)
        await session.deliver(await session.client.remove_member(view.id, user_id, block=block))
        await _shown(session, view.id)

    run(context, work, as_json=as_json)


@app.command()
def unblock(context: typer.Context, member: str, *, group: Group = None, as_json: Json = False) -> None:
    """Let somebody who was blocked come in again (admins).

    JSON: {"group": {…}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        user_id = choose(member, view.blocked(), "blocked person")
        await session.deliver(await session.client.unblock_member(view.id, user_id))
        await _shown(session, view.id)

    run(context, work, as_json=as_json)


@app.command()
def unit(
    context: typer.Context,
    member: str,
    name: Annotated[str | None, typer.Argument(help="The unit's name, such as `Rao family`.")] = None,
    *,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Let a member settle together with all of the same unit (admins); with no name, by themself.

    JSON: {"group": {…}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        user_id = choose_person(member, view.people(), session.me)
        await session.deliver(await session.client.change_unit(view.id, user_id, name))
        await _shown(session, view.id)

    run(context, work, as_json=as_json)


@app.command()
def weight(
    context: typer.Context, member: str, weight: str, *, group: Group = None, as_json: Json = False
) -> None:
    """Change what a member bears unless told of what is divided by shares: 2, 0.5 (needs the server).

    What was divided before stays as it is.

    JSON: {"group": {…}}
    """

    async def work(session: Session) -> None:
        session.online()
        await session.refresh()
        view = await session.view(group)
        user_id = choose_person(member, view.people(), session.me)
        await session.client.change_weight(view.id, user_id, parse_scaled(weight))
        await _shown(session, view.id)

    run(context, work, as_json=as_json)


@app.command()
def edit(
    context: typer.Context,
    group: Name = None,
    *,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    description: Annotated[str | None, typer.Option(help="Empty removes it.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217.")] = None,
    simplify: Annotated[bool | None, typer.Option("--simplify/--no-simplify")] = None,
    archived: Annotated[bool | None, typer.Option("--archive/--bring-back")] = None,
    time_zone: TimeZone = None,
    as_json: Json = False,
) -> None:
    """Change a group's settings (admins).

    JSON: {"group": {…}}
    """

    async def work(session: Session) -> None:
        if all(it is None for it in (name, description, currency, simplify, archived, time_zone)):
            raise UsageFault(
                "say what to change: --name, --description, --currency, --simplify, --archive, --time-zone"
            )
        await session.refresh()
        view = await session.view(group)
        written = await session.client.update_group(
            view.id,
            name=name,
            description=description,
            currency=currency and currency.upper(),
            simplify=simplify,
            archived=archived,
            time_zone=time_zone,
        )
        await session.deliver(written)
        await _shown(session, view.id)

    run(context, work, as_json=as_json)


@app.command()
def leave(context: typer.Context, name: Name = None, *, as_json: Json = False) -> None:
    """Leave a group, at zero balance.

    JSON: {"left": group id, "pending"}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(name)
        waits = await session.deliver(await session.client.leave(view.id))
        session.out.show({"left": view.id, "pending": waits}, f"You have left {view.title}.")

    run(context, work, as_json=as_json)


async def _shown(session: Session, group_id: str) -> None:
    view = await session.view(group_id)
    is_default = session.profile.group == view.id
    session.out.show({"group": shapes.group(view, default=is_default)}, *tables.group(view))

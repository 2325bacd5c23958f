"""`persplit client notify …`: where one is told of what happens while nobody is looking."""

from typing import Annotated

import typer

from persplit.client import Notifications, Webhook
from persplit.client_cli import tables
from persplit.client_cli.names import Named, choose
from persplit.client_cli.running import Json, run
from persplit.client_cli.session import Session

app = typer.Typer(help="Where you are told of what happens while you aren't looking.", no_args_is_help=True)

OfGroup = Annotated[
    str | None,
    typer.Option(
        "--group", "-g", help="A group's webhook, as its admin; one for all of your groups unless told."
    ),
]


def _switch(said: str) -> bool:
    """Raises `BadParameter`."""
    if said not in ("on", "off"):
        raise typer.BadParameter("on or off")
    return said == "on"


@app.command()
def show(context: typer.Context, *, as_json: Json = False) -> None:
    """Where you are told.

    JSON: {"email", "emailAvailable", "webhooks": [{id, url, createdAt}], "devices": [{id, platform, createdAt}]}
    """

    async def work(session: Session) -> None:
        session.online()
        _shown(session, await session.client.notifications.get())

    run(context, work, as_json=as_json)


@app.command("email")
def email_(
    context: typer.Context,
    wanted: Annotated[bool, typer.Argument(metavar="on|off", parser=_switch)],
    *,
    as_json: Json = False,
) -> None:
    """Be written to when somebody wants something of you: to pay, to confirm a payment.

    JSON: as of `show`
    """

    async def work(session: Session) -> None:
        session.online()
        _shown(session, await session.client.notifications.set_email(wanted=wanted))

    run(context, work, as_json=as_json)


@app.command()
def webhooks(
    context: typer.Context,
    group: Annotated[str, typer.Option("--group", "-g", help="Whose; you are its admin.")],
    *,
    as_json: Json = False,
) -> None:
    """A group's webhooks.

    JSON: {"webhooks": [{id, url, createdAt}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        session.online()
        found = await session.client.notifications.group_webhooks((await session.view(group)).id)
        session.out.show({"webhooks": [_webhook(it) for it in found]}, tables.webhooks(found))

    run(context, work, as_json=as_json)


@app.command("add-webhook")
def add_webhook(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="https://…, on the internet.")],
    *,
    group: OfGroup = None,
    as_json: Json = False,
) -> None:
    """Have a program told of every event. Its secret is shown this once: it signs what is sent.

    JSON: {id, url, createdAt, secret}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        session.online()
        group_id = None if group is None else (await session.view(group)).id
        made = await session.client.notifications.add_webhook(url, group_id)
        said = f"{made.url} is told from now on. Its secret, shown this once: {made.secret}"
        session.out.show({**_webhook(made), "secret": made.secret}, said)

    run(context, work, as_json=as_json)


@app.command("remove-webhook")
def remove_webhook(
    context: typer.Context,
    webhook: Annotated[str, typer.Argument(help="Its address, or its id or part of it.")],
    *,
    group: OfGroup = None,
    as_json: Json = False,
) -> None:
    """Have a program told no longer.

    JSON: {"removed": id}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        session.online()
        settings = session.client.notifications
        group_id = None if group is None else (await session.view(group)).id
        there = (
            list((await settings.get()).webhooks)
            if group_id is None
            else await settings.group_webhooks(group_id)
        )
        webhook_id = choose(webhook, [Named(it.id, it.url) for it in there], "webhook")
        await settings.remove_webhook(webhook_id, group_id)
        session.out.show({"removed": webhook_id}, "It is told no longer.")

    run(context, work, as_json=as_json)


def _shown(session: Session, found: Notifications) -> None:
    told = {
        "email": found.email,
        "emailAvailable": found.is_email_available,
        "webhooks": [_webhook(it) for it in found.webhooks],
        "devices": [
            {"id": it.id, "platform": it.platform, "createdAt": it.created_at} for it in found.devices
        ],
    }
    session.out.show(told, *tables.notifications(found))


def _webhook(it: Webhook) -> dict[str, str | None]:
    return {"id": it.id, "url": it.url, "createdAt": it.created_at}

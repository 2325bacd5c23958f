"""Where everybody stands, and how it came to that."""

from datetime import date
from typing import Annotated, Final

import typer

from persplit.client_cli import shapes, tables
from persplit.client_cli.output import Output, text
from persplit.client_cli.running import FromDay, Group, Json, ToDay, run, run_alone
from persplit.client_cli.session import Session
from persplit.client_cli.splitting import parse_day
from persplit.client_cli.views import Standing
from persplit.ledger.categories import CATEGORIES

HISTORY_DEFAULT: Final = 30
"""Events that are shown unless told."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (
        balances,
        overview,
        debts,
        plan,
        explain,
        history,
        friends,
        activity,
        read,
        stats,
        categories,
    ):
        app.command()(command)


def balances(
    context: typer.Context,
    *,
    at: Annotated[
        str | None,
        typer.Option(metavar="DAY|SEQ", help="As they were at the end of a day (UTC), or after an event."),
    ] = None,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Everybody's balance in a group, and who should pay whom.

    JSON: {groupId, currency, seq, at, pending, balances, debts, settleUp, optimal}; settleUp is null with --at
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        if at is None:
            found = await session.standing(view)
        else:
            found = Standing(view, await session.client.balances_as_of(view.id, moment(at)))
        session.out.show(shapes.standing(found), *tables.standing(found))

    run(context, work, as_json=as_json)


def moment(at: str) -> date | int:
    """A seq, or a day. Raises `UsageFault`."""
    if at.isascii() and at.isdigit():
        return int(at)
    return date.fromisoformat(parse_day(at, date.today()))  # noqa: DTZ011 - the user's own day is meant


def overview(context: typer.Context, *, as_json: Json = False) -> None:
    """Where you stand, overall and in each group.

    JSON: {"overall": [{currency, amount}], "groups": [{groupId, name, currency, amount}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        found = await session.client.my_balances()
        session.out.show(shapes.my_balances(found), *tables.my_balances(found))

    run(context, work, as_json=as_json)


def debts(context: typer.Context, *, group: Group = None, as_json: Json = False) -> None:
    """Who owes whom, pair by pair, before the plan makes fewer payments of it.

    JSON: {"debts": [{from, fromName, to, toName, amount}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        found = await session.client.balances(view.id)
        rows = [shapes.row(view, *debt) for debt in found.debts]
        session.out.show({"debts": rows}, *tables.debts(view, found))

    run(context, work, as_json=as_json)


def plan(context: typer.Context, *, group: Group = None, as_json: Json = False) -> None:
    """The fewest payments that settle a group.

    JSON: {"settleUp": [{from, fromName, to, toName, amount, upiLink}], "optimal"}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        found = await session.client.plan(view.id)
        rows = shapes.plan_rows(view, found.rows)
        session.out.show({"settleUp": rows, "optimal": found.optimal}, *tables.plan(view, found))

    run(context, work, as_json=as_json)


def explain(
    context: typer.Context,
    from_: Annotated[str, typer.Argument(metavar="FROM", help="Who pays.")],
    to: Annotated[str, typer.Argument(metavar="TO", help="Who is paid.")],
    *,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Why the plan has one pay the other: their debts, and the expenses behind them.

    JSON: {groupId, from, to, amount, debts: [{from, to, amount, causes: [{kind, id, description, date, amount}]}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        payer, payee = session.person(view, from_), session.person(view, to)
        found = await session.client.explain(view.id, payer, payee)
        session.out.show(shapes.explanation(view, found), *tables.explanation(view, found))

    run(context, work, as_json=as_json)


def history(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest.")] = HISTORY_DEFAULT,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Who did what, oldest first.

    JSON: {"events": [{seq, at, by, type, …, pending}], "missing": how many of the first aren't on this device}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        found = await session.client.history(view.id)
        entries = found.entries[-limit:]
        left = len(found.entries) - len(entries) + found.missing
        session.out.show(
            {"events": [shapes.event(entry) for entry in entries], "missing": found.missing},
            *([text(f"… {left} before these", "dim")] if left else []),
            tables.history(view, entries),
        )

    run(context, work, as_json=as_json)


def activity(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest.")] = HISTORY_DEFAULT,
    as_json: Json = False,
) -> None:
    """What happened in all of your groups, newest first, and how much of it is new to you.

    JSON: {"entries": [{groupId, groupName, event: {seq, at, by, type, …}, pending}], "unread": number, null offline}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        views = {view.id: view for view in await session.views()}
        entries = await session.client.activity(limit=limit)
        found = [] if session.is_offline else await session.client.unread()
        told = {
            "entries": [shapes.activity(views[it.group_id], it) for it in entries],
            "unread": None if session.is_offline else sum(it.unread for it in found),
        }
        session.out.show(told, *tables.unread(found), tables.activity(views, entries))

    run(context, work, as_json=as_json)


def read(context: typer.Context, *, group: Group = None, as_json: Json = False) -> None:
    """Say that you have read a group: nothing in it is new to you, on any of your devices.

    JSON: {groupId, seq}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        session.online()
        view = await session.view(group)
        seq = await session.client.mark_read(view.id)
        session.out.show({"groupId": view.id, "seq": seq}, f"{view.title} is read up to #{seq}.")

    run(context, work, as_json=as_json)


def stats(
    context: typer.Context,
    *,
    from_: FromDay = None,
    to: ToDay = None,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """What a group spent: by category, by member, by month; and what of it was yours.

    JSON: {groupId, currency, count, amount, paid, share, categories: [{category, icon, count, amount}],
    members: [{userId, name, count, paid, share}], months: [{month, count, amount, paid, share}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        found = await session.client.statistics(view.id, date_from=_day(from_), date_to=_day(to))
        session.out.show(shapes.statistics(view, found), *tables.statistics(view, found))

    run(context, work, as_json=as_json)


def _day(said: str | None) -> date | None:
    """The day. Raises `UsageFault`."""
    return date.fromisoformat(parse_day(said, date.today())) if said else None  # noqa: DTZ011 - the user's own day is meant


def categories(*, as_json: Json = False) -> None:
    """What expenses can be for: the keys that have an icon. Any other word will do, too.

    JSON: {"categories": [{key, name, icon}]}
    """

    async def work(out: Output) -> None:
        found = [{"key": it.key, "name": it.name, "icon": it.icon} for it in CATEGORIES]
        out.show({"categories": found}, tables.categories())

    run_alone(work, as_json=as_json)


def friends(context: typer.Context, *, as_json: Json = False) -> None:
    """What is open between you and each person, netted over all groups.

    JSON: {"friends": [{userId, name, balances: [{currency, amount}], loans}]}; positive: they owe you
    """

    async def work(session: Session) -> None:
        await session.refresh()
        found = await session.client.friends()
        session.out.show({"friends": [shapes.friend(it) for it in found]}, tables.friends(found))

    run(context, work, as_json=as_json)

"""`persplit client preset …` and `persplit client recurring …`: what a group arranges beforehand."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType

from persplit.client import Frequency, Preset, PresetDraft, Recurrence, Schedule
from persplit.client_cli.days import today
from persplit.client_cli.expense_commands import (
    Among,
    Currency,
    KindOption,
    Notes,
    PaidBy,
    Part,
    Rate,
    SplitOption,
)
from persplit.client_cli.money import money
from persplit.client_cli.names import Named, choose, short
from persplit.client_cli.output import table, text
from persplit.client_cli.running import Group, Json, run
from persplit.client_cli.session import Session
from persplit.client_cli.splitting import WORDS, Words, divided, drafted, parse_day
from persplit.client_cli.views import GroupView
from persplit.ledger.arrangement_codec import preset_to_json, recurrence_to_json
from persplit.ledger.recurrence import next_day

presets = typer.Typer(help="Ways to divide that have a name.", no_args_is_help=True)
recurring = typer.Typer(help="Expenses that come again and again.", no_args_is_help=True)

WhichPreset = Annotated[str, typer.Argument(metavar="PRESET", help="Its name, or its id or part of it.")]
Which = Annotated[str, typer.Argument(metavar="EXPENSE", help="Its description, or its id or part of it.")]


@presets.command("list")
def list_presets(context: typer.Context, *, group: Group = None, as_json: Json = False) -> None:
    """The group's presets, the default first.

    JSON: {"presets": [{id, name, splitType, participants, splits, isDefault, …}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        await _presets_shown(session, await session.view(group))

    run(context, work, as_json=as_json)


@presets.command("save")
def save_preset(
    context: typer.Context,
    name: str,
    *,
    split: SplitOption = None,
    among: Among = None,
    part: Part = None,
    default: Annotated[bool, typer.Option("--default", help="Offer it first.")] = False,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Name a way to divide: equal, shares or percent. One of this name gets another version.

    Examples: `save Flat --split percent --part me=60 --part Ben=40`, `save Family --split shares`.

    JSON: {"presets": […]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        words = Words(split=split, among=among or (), parts=part or ())
        split_type, people, splits = divided(words, lambda who: session.person(view, who), view.currency)
        known = {one.name: one.id for one in await session.client.presets(view.id)}
        draft = PresetDraft(name.strip(), split_type, people, splits, is_default=default)
        await session.deliver(
            await session.client.save_preset(view.id, draft, preset_id=known.get(name.strip()))
        )
        await _presets_shown(session, view)

    run(context, work, as_json=as_json)


@presets.command("delete")
def delete_preset(
    context: typer.Context, preset: WhichPreset, *, group: Group = None, as_json: Json = False
) -> None:
    """Delete a preset; expenses made with it stay.

    JSON: {"presets": […]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        known = [Named(one.id, one.name) for one in await session.client.presets(view.id)]
        await session.deliver(await session.client.delete_preset(view.id, choose(preset, known, "preset")))
        await _presets_shown(session, view)

    run(context, work, as_json=as_json)


@recurring.command("list")
def list_recurring(context: typer.Context, *, group: Group = None, as_json: Json = False) -> None:
    """The group's recurring expenses, and when each comes next.

    JSON: {"recurrences": [{id, schedule, expense, paused, problem, madeThrough, nextDate, …}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        await _recurring_shown(session, await session.view(group))

    run(context, work, as_json=as_json)


@recurring.command("add")
def add_recurring(
    context: typer.Context,
    description: str,
    amount: str,
    *,
    every: Annotated[Frequency, typer.Option(case_sensitive=False, help="How often.")] = Frequency.MONTHLY,
    interval: Annotated[int, typer.Option(min=1, help="Every so many of them.")] = 1,
    start: Annotated[str, typer.Option(metavar="DAY", help="The first day.")] = "today",
    end: Annotated[str | None, typer.Option(metavar="DAY", help="The last day.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="So many, then no more.")] = None,
    split: SplitOption = None,
    paid_by: PaidBy = None,
    among: Among = None,
    part: Part = None,
    notes: Notes = None,
    kind: KindOption = None,
    currency: Currency = None,
    rate: Rate = None,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Set up an expense that the server adds by itself, on its day in the group's time zone.

    What starts on the 31st falls on the last day of a shorter month.

    Examples: `add Rent 30k --start 2026-12-01`, `add Milk 60 --every daily --count 30`.

    JSON: {"recurrences": […]}
    """
    words = Words(
        description=description,
        amount=amount,
        split=split,
        paid_by=paid_by or (),
        among=among or (),
        parts=part or (),
        notes=notes,
        kind=kind,
        currency=currency,
        rate=rate,
    )

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        template = drafted(words, lambda who: session.person(view, who), view.currency, None)
        last = None if end is None else parse_day(end, today())
        schedule = Schedule(every, parse_day(start, today()), interval, last, count)
        await session.deliver(await session.client.save_recurrence(view.id, schedule, template))
        await _recurring_shown(session, view)

    run(context, work, as_json=as_json)


@recurring.command()
def pause(context: typer.Context, expense: Which, *, group: Group = None, as_json: Json = False) -> None:
    """Make no more of it for now.

    JSON: {"recurrences": […]}
    """
    _change(context, expense, group, "pause", as_json=as_json)


@recurring.command()
def resume(context: typer.Context, expense: Which, *, group: Group = None, as_json: Json = False) -> None:
    """Go on from today, without what would have been made meanwhile.

    JSON: {"recurrences": […]}
    """
    _change(context, expense, group, "resume", as_json=as_json)


@recurring.command()
def stop(context: typer.Context, expense: Which, *, group: Group = None, as_json: Json = False) -> None:
    """Make no more of it for good; what it has made stays.

    JSON: {"recurrences": […]}
    """
    _change(context, expense, group, "stop", as_json=as_json)


def _change(context: typer.Context, expense: str, group: str | None, verb: str, *, as_json: bool) -> None:
    async def work(session: Session) -> None:
        await session.refresh()
        view, client = await session.view(group), session.client
        known = [Named(one.id, one.draft.description) for one in await client.recurrences(view.id)]
        id_ = choose(expense, known, "recurring expense")
        if verb == "stop":
            written = await client.stop_recurrence(view.id, id_)
        else:
            written = await client.pause_recurrence(view.id, id_, paused=verb == "pause")
        await session.deliver(written)
        await _recurring_shown(session, view)

    run(context, work, as_json=as_json)


async def _presets_shown(session: Session, view: GroupView) -> None:
    found = await session.client.presets(view.id)
    shown = {"presets": [preset_to_json(one, view.id) for one in found]}
    session.out.show(shown, _preset_table(view, found))


def _preset_table(view: GroupView, found: Sequence[Preset]) -> RenderableType:
    if not found:
        return text("No presets.")
    rows = []
    for one in found:
        among = one.participants or tuple(split.user_id for split in one.splits)
        people = ", ".join(view.shown_name(user_id) for user_id in among) or "everybody"
        mark = "default" if one.is_default else ""
        rows.append([one.name, WORDS[one.split_type].value, people, mark, short(one.id)])
    return table(["name", "divided", "among", "", "id"], rows)


async def _recurring_shown(session: Session, view: GroupView) -> None:
    found = await session.client.recurrences(view.id)
    shown = [{**recurrence_to_json(one, view.id), "nextDate": _next(one)} for one in found]
    session.out.show({"recurrences": shown}, _recurring_table(view, found))


def _next(one: Recurrence) -> str | None:
    return None if one.paused else next_day(one.schedule, one.made_through)


def _recurring_table(view: GroupView, found: Sequence[Recurrence]) -> RenderableType:
    if not found:
        return text("No recurring expenses.")
    rows = []
    for one in found:
        paid = money(one.draft.amount, one.draft.currency or view.currency)
        often = one.schedule.frequency.value.lower()
        often += f", every {one.schedule.interval}" if one.schedule.interval > 1 else ""
        comes = one.problem or "paused" if one.paused else _next(one) or "no more"
        rows.append([one.draft.description, paid, often, comes, short(one.id)])
    return table(["what", "amount", "how often", "next", "id"], rows, right=["amount"])

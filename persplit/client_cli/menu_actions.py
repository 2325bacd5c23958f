"""What the menus do. Each asks what it needs, does it, and says what came of it."""

from datetime import date
from typing import Final

from rich.text import Text

from persplit.client import SettlementEntry
from persplit.client.terminal_qr import terminal
from persplit.client_cli import tables
from persplit.client_cli.amounts import parse_amount
from persplit.client_cli.dialogue import Dialogue
from persplit.client_cli.money import money
from persplit.client_cli.paying import how_to_pay
from persplit.client_cli.session import Session
from persplit.client_cli.splitting import Split, Words, drafted
from persplit.client_cli.views import GroupView
from persplit.ledger.settlement import SettlementStatus

_EXPENSES_SHOWN: Final = 15
_EVENTS_SHOWN: Final = 15

_WAYS: Final = (
    ("Equally among all", Split.EQUAL),
    ("Equally among some", Split.ITEMS),
    ("By exact amounts", Split.EXACT),
    ("By percent", Split.PERCENT),
    ("By shares", Split.SHARES),
)
"""ITEMS stands for "some" here: an itemised bill is nothing to type line by line."""


async def add_expense(dialogue: Dialogue, session: Session) -> None:
    """A new expense."""
    view = await session.view(None)
    description = await dialogue.ask("What was it for")
    amount = await dialogue.ask(f"How much, in {view.currency}")
    minor = parse_amount(amount, view.currency)  # said before everything else is asked
    payer = await dialogue.ask("Who paid", default="me")
    way = await dialogue.choose("How to divide it", _WAYS)
    words = Words(
        description=description,
        amount=amount,
        paid_by=[payer],
        split=Split.EQUAL if way is Split.ITEMS else way,
        among=[await dialogue.ask("Among whom, with commas")] if way is Split.ITEMS else (),
        parts=[] if way in (Split.EQUAL, Split.ITEMS) else await _parts(dialogue, view, way),
    )
    today = date.today()  # noqa: DTZ011 - the user's own day is meant
    draft = drafted(words, lambda who: session.person(view, who), view.currency, today)
    await session.deliver(await session.client.create_expense(view.id, draft))
    dialogue.say(f"Added: {description}, {money(minor, view.currency)}.", "green")


async def _parts(dialogue: Dialogue, view: GroupView, way: Split) -> list[str]:
    """Everybody's part; who is given 0 takes no part."""
    parts = []
    for person in view.people():
        value = await dialogue.ask(f"{person.name}: {way.value}", default="0")
        if value != "0":
            parts.append(f"{person.id}={value}")
    return parts


async def expenses(dialogue: Dialogue, session: Session) -> None:
    """The latest expenses; one of them can be deleted."""
    view = await session.view(None)
    entries = (await session.client.expenses(view.id))[:_EXPENSES_SHOWN]
    dialogue.out.show(None, tables.expenses(view, entries))
    if not entries:
        return
    named = await dialogue.ask("Look at which (nothing goes back)")
    entry = await session.expense(view, named)
    dialogue.out.show(None, *tables.expense(view, entry))
    if entry.expense.deleted_at is None and await dialogue.confirm("Delete it?"):
        await session.deliver(await session.client.delete_expense(view.id, entry.expense.id))
        dialogue.say("Deleted.", "green")


async def balances(dialogue: Dialogue, session: Session) -> None:
    """Where the group stands."""
    found = await session.standing(await session.view(None))
    dialogue.out.show(None, *tables.standing(found))


async def pay(dialogue: Dialogue, session: Session) -> None:
    """A transfer of the plan: its QR, and noting that it was paid."""
    view = await session.view(None)
    rows = [row for row in (await session.client.plan(view.id)).rows if row.from_id == session.me]
    if not rows:
        dialogue.say("You have nobody to pay here.", "green")
        return
    choices = [(tables.transfer(view, row.from_id, row.to_id, row.amount), row) for row in rows]
    row = await dialogue.choose("Pay whom", choices)
    dialogue.out.show(None, *how_to_pay(view, row))
    if await dialogue.confirm(f"Have you paid {money(row.amount, view.currency)}?"):
        await session.deliver(await session.client.settle(view.id, row.to_id, row.amount))
        dialogue.say(f"Noted. {view.name(row.to_id)} has to confirm it.", "green")


async def answer_payment(dialogue: Dialogue, session: Session) -> None:
    """Whether a payment to the user has arrived."""
    view = await session.view(None)
    waiting = [entry for entry in await session.client.settlements(view.id) if _waits_for_me(view, entry)]
    if not waiting:
        dialogue.say("No payment waits for you.", "green")
        return
    choices = [(tables.paid(view, entry.settlement), entry.settlement.id) for entry in waiting]
    settlement_id = await dialogue.choose("Which one", choices)
    arrived = await dialogue.choose("Did it arrive", [("Yes, confirm it", True), ("No, decline it", False)])
    answer = session.client.confirm if arrived else session.client.decline
    await session.deliver(await answer(view.id, settlement_id))
    dialogue.say("Confirmed." if arrived else "Declined.", "green")


def _waits_for_me(view: GroupView, entry: SettlementEntry) -> bool:
    return entry.settlement.status is SettlementStatus.PENDING and view.is_me(entry.settlement.to_id)


async def history(dialogue: Dialogue, session: Session) -> None:
    """The latest events."""
    view = await session.view(None)
    found = await session.client.history(view.id)
    dialogue.out.show(None, tables.history(view, found.entries[-_EVENTS_SHOWN:]))


async def friends(dialogue: Dialogue, session: Session) -> None:
    """What is open with each person."""
    dialogue.out.show(None, tables.friends(await session.client.friends()))


async def invite(dialogue: Dialogue, session: Session) -> None:
    """A way in for somebody else."""
    session.online()
    made = await session.client.invite((await session.view(None)).id)
    dialogue.out.show(None, Text.from_ansi(terminal(made.url)), f"Code: {made.code}", f"Link: {made.url}")


async def another_group(dialogue: Dialogue, session: Session) -> None:
    """Choose what the menu is about."""
    session.use(
        await dialogue.choose("Which group", [(view.title, view.id) for view in await session.views()])
    )


async def make_group(dialogue: Dialogue, session: Session) -> None:
    """A new group."""
    name = await dialogue.ask("What to call it")
    currency = await dialogue.ask("Currency", default="INR")
    written = await session.client.create_group(name, currency=currency.upper())
    session.use(written.group_id)
    await session.deliver(written)
    dialogue.say(f"Made {name}. Invite the others.", "green")


async def join_group(dialogue: Dialogue, session: Session) -> None:
    """Into somebody's group."""
    session.online()
    code = (await dialogue.ask("The invite's code or link")).rstrip("/").rpartition("/")[2]
    password = await dialogue.ask("The group's password, if it has one", default="-")
    group_id = await session.client.join(code, password=None if password == "-" else password)  # noqa: S105 - a dash means none
    session.use(group_id)
    dialogue.say(f"You are in {(await session.view_of(group_id)).title}.", "green")

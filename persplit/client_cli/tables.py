"""What people see: tables and a few lines around them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from persplit.client.notifications import Notifications, Webhook
from persplit.client.outbox import Queued
from persplit.client.people import InviteInfo, TokenInfo
from persplit.client.reading import (
    ActivityEntry,
    Balances,
    CommentEntry,
    ExpenseEntry,
    Explanation,
    Friend,
    HistoryEntry,
    MyBalances,
    Plan,
    SettlementEntry,
    UnreadGroup,
)
from persplit.client_cli.amounts import scaled_text
from persplit.client_cli.money import money, signed_money
from persplit.client_cli.names import short
from persplit.client_cli.output import table, text
from persplit.client_cli.sentences import how_you_stand, payment, sentence
from persplit.client_cli.splitting import WORDS
from persplit.client_cli.views import GroupView, Standing
from persplit.ledger.categories import CATEGORIES, category_of
from persplit.ledger.expense import SCALED_SPLITS, Expense, ExpenseKind, Posting, SplitType
from persplit.ledger.settlement import Settlement
from persplit.ledger.statistics import Statistics

PENDING_MARK: Final = "waiting"
"""Beside what the server doesn't have yet."""


def mark(*, pending: bool) -> Text:
    """The mark, where it is due."""
    return text(PENDING_MARK if pending else "", "yellow")


def groups(found: Sequence[GroupView], default: str | None) -> RenderableType:
    """The caller's groups."""
    if not found:
        return text("No groups yet: make one with `group create`, or join one with `group join CODE`.")
    return table(
        ["", "group", "members", "where you stand", "id", ""],
        [
            [
                "*" if it.id == default else "",
                it.title + (" (archived)" if it.settings.archived_at else ""),
                str(len(it.people())),
                how_you_stand(it.my_balance, it.currency),
                short(it.id),
                mark(pending=it.is_pending),
            ]
            for it in found
        ],
        right=["members"],
    )


def members(it: GroupView) -> Table:
    """Who is in the group."""
    return table(
        ["member", "role", "balance", "id"],
        [
            [
                it.name(member.user_id) + (" (you)" if it.is_me(member.user_id) else ""),
                ("placeholder" if member.placeholder else member.role.value.lower())
                + (f", settles with {member.unit}" if member.unit else ""),
                _coloured(it.balances.get(member.user_id, 0), it.currency),
                short(member.user_id),
            ]
            for member in it.active()
        ],
        right=["balance"],
    )


def invites(it: GroupView, found: Sequence[InviteInfo]) -> RenderableType:
    """Invites that have not run out."""
    if not found:
        return text("No invites.")
    return table(
        ["made by", "good until", "came in by it", "id"],
        [
            [
                it.shown_name(invite.created_by),
                invite.expires_at,
                f"{invite.uses}" if invite.uses_max is None else f"{invite.uses} of {invite.uses_max}",
                short(invite.id),
            ]
            for invite in found
        ],
    )


def tokens(found: Sequence[TokenInfo]) -> RenderableType:
    """Personal tokens."""
    if not found:
        return text("No tokens.")
    return table(
        ["name", "may", "group", "good until", "id"],
        [
            [it.name, it.scope, short(it.group_id) if it.group_id else "all", it.expires_at, short(it.id)]
            for it in found
        ],
    )


def group(it: GroupView) -> list[RenderableType]:
    """One group with its settings and members."""
    settings = it.settings
    says = [settings.currency, "fewest payments" if settings.simplify else "debts as they are"]
    says += ["password"] if settings.has_password else []
    says += ["archived"] if settings.archived_at else []
    head = text(f"{it.title}  ({', '.join(says)})  {PENDING_MARK if it.is_pending else ''}".rstrip(), "bold")
    gone = ", ".join(named.name for named in it.blocked())
    return [
        head,
        *([text(settings.description)] if settings.description else []),
        members(it),
        *([text(f"Blocked: {gone}")] if gone else []),
    ]


def expenses(it: GroupView, found: Iterable[ExpenseEntry]) -> RenderableType:
    """Expenses, newest first."""
    rows = [_expense_row(it, entry) for entry in found]
    if not rows:
        return text("No expenses.")
    return table(
        ["date", "expense", "amount", "paid by", "your share", "id", ""], rows, right=["amount", "your share"]
    )


def _expense_row(it: GroupView, entry: ExpenseEntry) -> list[str | Text]:
    found = entry.expense
    mine = sum(share.amount for share in found.shares if it.is_me(share.user_id))
    struck = "strike dim" if found.deleted_at else ""
    return [
        found.date,
        text(found.description + (" (deleted)" if found.deleted_at else ""), struck),
        money(found.amount, it.currency),
        ", ".join(it.shown_name(payer.user_id) for payer in found.payers),
        money(mine, it.currency),
        short(found.id),
        mark(pending=entry.is_pending),
    ]


def expense(it: GroupView, entry: ExpenseEntry) -> list[RenderableType]:
    """One expense with who paid, how it was divided and what came of it."""
    found = entry.expense
    says = [found.date, *([with_icon(found.category)] if found.category else []), short(found.id)]
    says += ["deleted"] if found.deleted_at else []
    says += [PENDING_MARK] if entry.is_pending else []
    lines: list[RenderableType] = [
        text(f"{found.description}, {money(found.amount, it.currency)}", "bold"),
        text("  ".join(says)),
        *(text(line) for line in _typed(found)),
        text(f"{_DID[found.kind]} by {_postings(it, found.payers)}"),
        text(f"divided: {_divided(it, found)}"),
        *(text(f"  {line}") for line in _items(it, found)),
        table(
            ["member", "share"],
            [[it.name(s.user_id), money(s.amount, it.currency)] for s in found.shares],
            right=["share"],
        ),
    ]
    lines += [text(f"attached: {one.name or one.type}  {one.id[:12]}") for one in found.attachments]
    return [*lines, text(found.notes)] if found.notes else lines


def with_icon(category: str) -> str:
    """The category with its icon, if it has one."""
    known = category_of(category)
    return category if known is None else f"{known.icon} {category}"


def comments(it: GroupView, found: Sequence[CommentEntry]) -> RenderableType:
    """What was said, oldest first."""
    if not found:
        return text("Nobody has said anything about it.")
    return table(
        ["when", "who", "comment", "id", ""],
        [
            [
                entry.comment.created_at[:16].replace("T", " "),
                it.shown_name(entry.comment.created_by),
                entry.comment.text,
                short(entry.comment.id),
                mark(pending=entry.is_pending),
            ]
            for entry in found
        ],
    )


def unread(found: Sequence[UnreadGroup]) -> list[RenderableType]:
    """How much is new, by group; nothing where nothing is."""
    news = [f"{it.name} {it.unread}{'+' if it.is_more else ''}" for it in found if it.unread]
    return [text(f"New to you: {', '.join(news)}", "bold")] if news else []


def activity(views: Mapping[str, GroupView], entries: Sequence[ActivityEntry]) -> RenderableType:
    """What happened in all groups, newest first."""
    if not entries:
        return text("Nothing has happened yet.")
    return table(
        ["when", "group", "what", ""],
        [
            [
                it.event.at[:16].replace("T", " "),
                views[it.group_id].title,
                sentence(views[it.group_id], it.event),
                mark(pending=it.is_pending),
            ]
            for it in entries
        ],
    )


def statistics(it: GroupView, found: Statistics) -> list[RenderableType]:
    """What was spent."""
    if not found.count:
        return [text("Nothing was spent then.")]

    def shown(amount: int) -> str:
        return money(amount, it.currency)

    expenses_ = "1 expense" if found.count == 1 else f"{found.count} expenses"
    head = f"{expenses_}, {shown(found.amount)}; you paid {shown(found.paid)}, your share is {shown(found.share)}"
    return [
        text(head, "bold"),
        table(
            ["category", "expenses", "amount"],
            [
                [with_icon(row.category) if row.category else "(none)", str(row.count), shown(row.amount)]
                for row in found.categories
            ],
            right=["expenses", "amount"],
        ),
        table(
            ["member", "paid", "share"],
            [[it.name(row.user_id), shown(row.paid), shown(row.share)] for row in found.members],
            right=["paid", "share"],
        ),
        table(
            ["month", "expenses", "amount", "you paid", "your share"],
            [
                [row.month, str(row.count), shown(row.amount), shown(row.paid), shown(row.share)]
                for row in found.months
            ],
            right=["expenses", "amount", "you paid", "your share"],
        ),
    ]


def notifications(found: Notifications) -> list[RenderableType]:
    """Where somebody is told."""
    says = "on" if found.email else "off" if found.is_email_available else "not sent by this server"
    return [text(f"e-mail: {says}"), webhooks(found.webhooks), text(f"devices: {len(found.devices)}")]


def webhooks(found: Sequence[Webhook]) -> RenderableType:
    """Programs that are told."""
    if not found:
        return text("No webhooks.")
    return table(["webhook", "since", "id"], [[it.url, it.created_at[:10], short(it.id)] for it in found])


def categories() -> RenderableType:
    """What expenses can be for."""
    return table(["", "key", "category"], [[it.icon, it.key, it.name] for it in CATEGORIES])


_DID: Final = {
    ExpenseKind.EXPENSE: "paid",
    ExpenseKind.REFUND: "refund, received",
    ExpenseKind.INCOME: "income, received",
}


def _typed(found: Expense) -> Iterator[str]:
    """What was typed in another currency, and at which rate."""
    if found.original is not None:
        typed = found.original
        yield f"typed as {money(typed.amount, typed.currency)}, at {typed.rate}"


def _postings(it: GroupView, postings: Sequence[Posting]) -> str:
    if len(postings) == 1:
        return it.shown_name(postings[0].user_id)
    return ", ".join(f"{it.shown_name(p.user_id)} {money(p.amount, it.currency)}" for p in postings)


def _divided(it: GroupView, found: Expense) -> str:
    word = WORDS[found.split_type].value
    values = ", ".join(f"{it.name(s.user_id)} {_value(it, found, s.value)}" for s in found.splits)
    return word + (f" ({values})" if values else "") + ("" if found.include_payer else ", without the payer")


def _value(it: GroupView, found: Expense, value: int) -> str:
    if found.split_type in SCALED_SPLITS:
        return scaled_text(value) + ("%" if found.split_type is SplitType.PERCENTAGE else "")
    adjusts = found.split_type is SplitType.ADJUSTMENT
    return signed_money(value, it.currency) if adjusts else money(value, it.currency)


def _items(it: GroupView, found: Expense) -> Iterator[str]:
    for item in found.items:
        people = ", ".join(it.name(user_id) for user_id in item.participants)
        yield f"{item.name} {money(item.amount, it.currency)} for {people}"


def settlements(it: GroupView, found: Iterable[SettlementEntry]) -> RenderableType:
    """Payments and what became of them, newest first."""
    rows: list[list[str | Text]] = [
        [
            entry.settlement.created_at[:10],
            it.shown_name(entry.settlement.from_id),
            it.shown_name(entry.settlement.to_id),
            money(entry.settlement.amount, it.currency),
            entry.settlement.status.value.lower(),
            entry.settlement.note or "",
            short(entry.settlement.id),
            mark(pending=entry.is_pending),
        ]
        for entry in found
    ]
    if not rows:
        return text("No payments.")
    return table(["date", "from", "to", "amount", "status", "note", "id", ""], rows, right=["amount"])


def paid(it: GroupView, settlement: Settlement) -> str:
    """`Ben paid you ₹300.00`."""
    said = payment(it, settlement)
    return said[0].upper() + said[1:]


def standing(it: Standing) -> list[RenderableType]:
    """Everybody's net position, and the plan."""
    view, found = it.view, it.balances
    rows: list[list[str | Text]] = [
        [view.name(user_id), _coloured(amount, view.currency)] for user_id, amount in found.balances.items()
    ]
    head = text(f"{view.title} after #{found.seq}, {found.at}", "dim")
    waits = [text("With what waits for the server.", "yellow")] if found.pending else []
    below = [] if it.plan is None else plan(view, it.plan)
    return [head, table(["member", "balance"], rows, right=["balance"]), *below, *waits]


def plan(it: GroupView, found: Plan) -> list[RenderableType]:
    """The payments that settle the group."""
    if not found.rows:
        return [text("Everybody is settled up.", "green")]
    lines = [f"  {transfer(it, row.from_id, row.to_id, row.amount)}" for row in found.rows]
    doubt = [] if found.optimal else [text("There may be a way with fewer payments.", "dim")]
    return [text("To settle up:", "bold"), *(text(line) for line in lines), *doubt]


def debts(it: GroupView, found: Balances) -> list[RenderableType]:
    """Who owes whom, netted by pairs."""
    if not found.debts:
        return [text("Nobody owes anybody.", "green")]
    return [
        text(f"{it.shown_name(a)} {_verb(it, a, 'owe')} {it.shown_name(b)} {money(amount, it.currency)}")
        for a, b, amount in found.debts
    ]


def _verb(it: GroupView, user_id: str, verb: str) -> str:
    return verb if it.is_me(user_id) else f"{verb}s"


def transfer(it: GroupView, from_id: str, to_id: str, amount: int) -> str:
    """`Ben pays Asha ₹300.00`."""
    verb = _verb(it, from_id, "pay")
    return f"{it.shown_name(from_id)} {verb} {it.shown_name(to_id)} {money(amount, it.currency)}"


def explanation(it: GroupView, found: Explanation) -> list[RenderableType]:
    """Debts with what made each of them up."""
    lines: list[RenderableType] = []
    if found.amount:
        lines.append(text(f"The plan: {transfer(it, found.from_id, found.to_id, found.amount)}.", "bold"))
    for debt in found.debts:
        debtor, creditor = it.shown_name(debt.debtor_id), it.shown_name(debt.creditor_id)
        verb = _verb(it, debt.debtor_id, "owe")
        lines.append(text(f"{debtor} {verb} {creditor} {money(debt.amount, it.currency)}, because of"))
        rows = [[c.date, c.description, signed_money(c.amount, it.currency)] for c in debt.causes]
        lines.append(table(["date", "what", "part"], rows, right=["part"]))
    return lines or [text("Nothing is open between them and anybody.")]


def history(it: GroupView, entries: Iterable[HistoryEntry]) -> Table:
    """Who did what, oldest first."""
    return table(
        ["#", "when", "what", ""],
        [
            [
                str(entry.event.seq),
                entry.event.at.replace("T", " ")[:16],
                sentence(it, entry.event),
                mark(pending=entry.is_pending),
            ]
            for entry in entries
        ],
        right=["#"],
    )


def my_balances(found: MyBalances) -> list[RenderableType]:
    """Where the caller stands overall and in each group."""
    lines = [how_you_stand(amount, currency) for currency, amount in found.overall.items()]
    overall = text(f"Overall: {', '.join(lines) or 'no groups yet'}.", "bold")
    rows: list[list[str | Text]] = [[it.name, _coloured(it.amount, it.currency)] for it in found.groups]
    return [table(["group", "balance"], rows, right=["balance"]), overall] if rows else [overall]


def friends(found: Sequence[Friend]) -> RenderableType:
    """What is open with each person, over all groups."""
    if not found:
        return text("Nothing is open with anybody.", "green")
    rows: list[list[str | Text]] = [
        [it.name, ("owes you" if amount > 0 else "you owe") + what, money(abs(amount), currency)]
        for it in found
        for what, amounts in (("", it.balances), (" of a loan", it.loans))
        for currency, amount in amounts.items()
    ]
    return table(["person", "", "amount"], rows, right=["amount"])


def commands(found: Sequence[Queued], names: Mapping[str, str]) -> RenderableType:
    """What waits for the server, or was refused; `names` are the groups'."""
    if not found:
        return text("Nothing.")
    return table(
        ["when", "group", "what", "command", ""],
        [
            [
                it.at.replace("T", " ")[:16],
                names.get(it.group_id, short(it.group_id)),
                f"{it.type} {it.fields.get('description') or it.fields.get('name') or ''}".strip(),
                short(it.command_id),
                text(it.doubt or (str(it.error) if it.error else PENDING_MARK), "yellow"),
            ]
            for it in found
        ],
    )


def _coloured(amount: int, currency: str) -> Text:
    return text(signed_money(amount, currency), "green" if amount > 0 else "red" if amount < 0 else "")

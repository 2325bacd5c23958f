"""What the server answers, as models: for the generated documents, and for the tests that compare.

Answers are built as plain JSON values by `views`; nothing is validated on the way out.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field

from persplit.ledger.expense import ExpenseKind, RateSource, SplitType
from persplit.ledger.group import GroupKind, Role
from persplit.ledger.recurrence import UTC_ZONE
from persplit.ledger.settlement import SettlementStatus
from persplit.transport.arrangement_results import Preset, Recurrence
from persplit.transport.loan_results import Loan, Repayment
from persplit.transport.result import Item, Minor, OneOf, Posting, Result, SplitValue, Time


class User(Result):
    """The caller's profile."""

    id: str
    name: str
    email: str | None = Field(description="null of a guest")
    phone: str | None
    vpa: str | None
    locale: str | None
    created_at: Time
    guest_of: str | None = Field(description="the one group of a guest, who has no account")


class SignedIn(Result):
    """A signed-in account. `expiresIn` is the access token's life in seconds."""

    user: User
    access_token: str
    refresh_token: str | None = Field(description="null where it went into the browser's cookie")
    expires_in: int


class GuestJoined(SignedIn):
    """A guest, signed in: the tokens open this group alone."""

    seq: int
    replayed: bool
    group: "Group"


class Session(Result):
    """A signed-in device."""

    id: str
    device: str | None
    created_at: Time
    last_used_at: Time
    current: bool


class Sessions(Result):
    """Signed-in devices."""

    sessions: list[Session]
    next_cursor: str | None


class Member(Result):
    """Somebody who is or was in the group."""

    user_id: str
    name: str
    role: Role
    placeholder: bool
    joined_at: Time
    left_at: Time | None
    claimed: str | None = Field(description="the placeholder that they took over")
    unit: str | None = Field(description="settles together with those of the same unit")
    blocked: bool = Field(description="doesn't come in again until an admin unblocks them")
    weight: float = Field(
        default=1, description="what they bear unless told in what is divided by SHARES; left out: 1"
    )


class Group(Result):
    """A group. `seq` is that of its last event."""

    id: str
    seq: int
    name: str
    description: str | None
    currency: str
    simplify: bool
    has_password: bool
    archived_at: Time | None
    time_zone: str = Field(description="IANA: when a day begins for recurring expenses")
    kind: GroupKind = Field(description="DIRECT: the ledger of two people; show the other one's name")
    created_by: str
    created_at: Time
    updated_at: Time
    members: list[Member]


class Groups(Result):
    """The caller's groups."""

    groups: list[Group]
    next_cursor: str | None


class Written(Result):
    """A write to the ledger: where it stands there, and whether it was a retry of an earlier one."""

    seq: int
    replayed: bool


class GroupWritten(Written):
    """The group after the write."""

    group: Group


class MemberWritten(GroupWritten):
    """The group and the member after the write."""

    member: Member


class InviteInfo(Result):
    """What is known of an invite: not its code, which only who made it was told."""

    id: str = Field(description="to take it back with; lets nobody in")
    created_by: str
    created_at: Time
    expires_at: Time
    uses: int
    max_uses: int | None = Field(description="null: without end")


class Invites(Result):
    """A group's invites that have not run out."""

    invites: list[InviteInfo]
    next_cursor: str | None


class Invite(InviteInfo):
    """A new invite. `qrUrl` is relative to the server."""

    code: str
    url: str
    qr_url: str


class Original(Result):
    """What was typed of an expense, in minor units of `currency`. `rate`: major units of the group's for one of it."""

    currency: str
    amount: int
    rate: str
    rate_source: RateSource = Field(description="GIVEN with the expense, or from the server's TABLE")
    paid_by: str | list[Posting]
    splits: list[SplitValue]
    items: list[Item]
    shares: list[Posting]


class Uploaded(Result):
    """A file that the group has now. It is collected after a day unless it is attached to an expense."""

    id: str = Field(description="the SHA-256 of what is kept")
    type: str = Field(description="its media type, by content")
    bytes: int
    width: int | None = Field(description="in pixels; null for a document")
    height: int | None


class Attachment(Uploaded):
    """A picture or a document that belongs to an expense."""

    name: str | None


class Expense(Result):
    """An expense; `shares` sum to `amount`. All amounts but those in `original` are in the group's currency."""

    id: str
    group_id: str
    seq: int
    description: str
    amount: Minor
    paid_by: str | list[Posting]
    split_type: SplitType
    participants: list[str]
    splits: list[SplitValue]
    items: list[Item]
    include_payer: bool
    date: Annotated[str, Field(json_schema_extra={"format": "date"})]
    category: str | None
    notes: str | None
    shares: list[Posting]
    created_by: str
    created_at: Time
    updated_at: Time
    deleted_at: Time | None
    attachments: list[Attachment] = Field(
        default_factory=list, description="left out where there are none; see `attachment:add`"
    )
    kind: ExpenseKind = Field(
        default=ExpenseKind.EXPENSE,
        description="left out: EXPENSE. REFUND, INCOME: those in `paidBy` received the money",
    )
    original: Original | None = Field(
        None, description="what was typed, where that was in another currency; else left out"
    )
    recurrence_id: str | None = Field(None, description="the recurring expense that made it; else left out")


class ExpenseWritten(Written):
    """The expense after the write."""

    expense: Expense


class AttachmentWritten(ExpenseWritten):
    """The expense after the write, and what was attached or taken off."""

    attachment: Attachment


class Expenses(Result):
    """Expenses, newest first."""

    expenses: list[Expense]
    next_cursor: str | None


class Settlement(Result):
    """A payment that somebody says was made."""

    id: str
    group_id: str
    seq: int
    from_user_id: str
    to_user_id: str
    amount: Minor
    note: str | None
    utr: str | None
    status: SettlementStatus
    created_by: str
    created_at: Time
    updated_at: Time
    loan_id: str | None = Field(None, description="the loan that it repays; else left out")
    paid_on: Annotated[str, Field(json_schema_extra={"format": "date"})] | None = Field(
        None, description="as of which day it repays the loan; else left out"
    )
    repayment: Repayment | None = Field(
        None, description="once it is COMPLETED: what of it repaid the loan; left out where nothing did"
    )


class Comment(Result):
    """What somebody said about an expense."""

    id: str
    group_id: str
    expense_id: str
    seq: int
    text: str
    created_by: str
    created_at: Time
    deleted_at: Time | None


class Reminder(Result):
    """Somebody was asked to pay; `amount` is what the plan said that they owe."""

    group_id: str
    seq: int
    from_user_id: str
    to_user_id: str
    amount: Minor
    created_at: Time


class PresetWritten(Written):
    """The preset after the write."""

    preset: Preset


class RecurrenceWritten(Written):
    """The recurring expense after the write."""

    recurrence: Recurrence


class LoanWritten(Written):
    """The loan after the write."""

    loan: Loan


class SettlementWritten(Written):
    """The settlement after the write."""

    settlement: Settlement


class Settlements(Result):
    """Settlements, newest first."""

    settlements: list[Settlement]
    next_cursor: str | None


class PlanRow(Result):
    """A suggested payment. The links are null where the payee has no UPI id or the currency is not INR."""

    model_config = ConfigDict(populate_by_name=True)
    from_: str = Field(alias="from")
    to: str
    amount: Minor
    upi_link: str | None
    qr_url: str | None


class DueRow(PlanRow):
    """A payment that is due from the person told, with its QR as a data URL."""

    qr: str | None


class Debt(Result):
    """Who owes whom, netted."""

    from_: str = Field(alias="from")
    to: str
    amount: Minor


class Balances(Result):
    """Where the group stands at `seq`. `optimal`: it is proven that fewer payments can't do."""

    group_id: str
    seq: int
    at: Time
    balances: list[Posting]
    debts: list[Debt]
    settle_up: list[PlanRow]
    optimal: bool


class Cause(Result):
    """One thing's part in a debt; negative where it lowers it."""

    kind: Literal["expense", "settlement", "handover"]
    id: str
    description: str
    date: str
    amount: int


class ExplainedDebt(Debt):
    """A debt with all that made it up; the causes' amounts sum to it."""

    causes: list[Cause]


class Explanation(Result):
    """Why one pays the other: `amount` is the plan's row (0 if there is none), `debts` those of the two people."""

    group_id: str
    seq: int
    from_: str = Field(alias="from")
    to: str
    amount: Minor
    debts: list[ExplainedDebt]


class GroupSettings(Result):
    """A group's settings in an event."""

    name: str
    description: str | None
    currency: str
    simplify: bool
    has_password: bool
    archived_at: Time | None
    seq: int
    time_zone: str = Field(default=UTC_ZONE, description="left out: UTC")
    kind: GroupKind = Field(default=GroupKind.GROUP, description="left out: GROUP")


class Recorded(Result):
    """What every event of the ledger carries."""

    group_id: str
    seq: int
    at: Time
    by: str
    command_id: str
    v: int = Field(description="the version of the event's shape")


class ExpenseEvent(Recorded):
    """An expense, after the event; `before` an edit."""

    type: Literal["expense:created", "expense:updated", "expense:deleted", "expense:restored"]
    expense: Expense
    before: Expense | None = None


class AttachmentEvent(Recorded):
    """Something was attached to an expense or taken off; the expense is as after the event."""

    type: Literal["attachment:added", "attachment:removed"]
    expense: Expense
    attachment: Attachment


class SettlementEvent(Recorded):
    """A settlement, after the event; `loan`, too, if it repaid one."""

    type: Literal["settlement:created", "settlement:completed", "settlement:declined", "settlement:cancelled"]
    settlement: Settlement
    loan: Loan | None = None


class LoanEvent(Recorded):
    """A loan, after the event; `before` other terms."""

    type: Literal["loan:created", "loan:updated", "loan:deleted", "loan:restored"]
    loan: Loan
    before: Loan | None = None


class GroupEvent(Recorded):
    """The group's settings, after the event; `before` a change. At its founding with its first member."""

    type: Literal["group:created", "group:updated"]
    group: GroupSettings
    member: Member | None = None
    before: GroupSettings | None = None


class MemberEvent(Recorded):
    """A member, after the event; `before` a change of role or unit, or of an account that was given up."""

    type: Literal["member:joined", "member:updated", "member:left", "member:unblocked"]
    member: Member
    before: Member | None = None


class CommentEvent(Recorded):
    """A comment, after the event."""

    type: Literal["comment:added", "comment:deleted"]
    comment: Comment


class ReminderEvent(Recorded):
    """A reminder."""

    type: Literal["reminder:sent"]
    reminder: Reminder


class PresetEvent(Recorded):
    """A preset, after the event."""

    type: Literal["preset:saved", "preset:deleted"]
    preset: Preset


class RecurrenceEvent(Recorded):
    """A recurring expense, after the event."""

    type: Literal["recurrence:saved", "recurrence:stopped"]
    recurrence: Recurrence


AnyEvent: TypeAlias = (
    ExpenseEvent
    | AttachmentEvent
    | SettlementEvent
    | LoanEvent
    | GroupEvent
    | MemberEvent
    | CommentEvent
    | ReminderEvent
    | PresetEvent
    | RecurrenceEvent
)


class Event(OneOf[AnyEvent]):
    """An event of the ledger; `type` tells which kind."""

    root: AnyEvent = Field(discriminator="type")


class Events(Result):
    """The ledger, oldest first."""

    events: list[Event]
    next_cursor: str | None


class LedgerState(Result):
    """The state for clients that compute with our own ledger code. Its shape may change with any version."""

    model_config = ConfigDict(extra="allow")


class GroupSnapshot(Balances):
    """A whole group, for a client that is far behind."""

    group: Group
    expenses: list[Expense]
    settlements: list[Settlement]
    presets: list[Preset]
    recurrences: list[Recurrence]
    loans: list[Loan]
    state: LedgerState


class Pulled(Result):
    """The events after the asked seq, or a snapshot; `seq` is the group's head.

    With `reset` the client drops what it has of the group first: what it knew is not, or too far, in the past of
    this ledger.
    """

    seq: int
    epoch: str
    reset: bool
    events: list[Event] | None = None
    more: bool | None = None
    snapshot: GroupSnapshot | None = None


class FieldError(Result):
    """One bad field; `path` with dots, as in `splits.0.userId`."""

    path: str
    message: str


class Ack(Result):
    """An ack: `ok` true with what the command answers, or false with `error`."""

    model_config = ConfigDict(extra="allow")

    ok: bool


class Pushed(Result):
    """One ack a command, in their order: exactly what each would have got if sent alone."""

    results: list[Ack]


class Qr(Result):
    """How to pay; both null where the payee has no UPI id or the currency is not INR."""

    upi_link: str | None
    qr: str | None = Field(description="a data:image/png;base64, URL")


class Renewed(Result):
    """When the socket's new token runs out."""

    expires_at: Time


class CurrencyBalance(Result):
    """A sum in one currency; positive is owed to me."""

    currency: str
    amount: int


class MyGroupBalance(CurrencyBalance):
    """My balance in one group."""

    group_id: str
    name: str


class MyBalances(Result):
    """My net position, by currency and by group."""

    overall: list[CurrencyBalance]
    groups: list[MyGroupBalance]


class Friend(Result):
    """One person: positive, they owe me; negative, I owe them."""

    user_id: str
    name: str
    balances: list[CurrencyBalance]
    loans: list[CurrencyBalance] = Field(
        description="what is left of loans, beside the balances; no interest"
    )


class Friends(Result):
    """Everybody with whom I have something open."""

    friends: list[Friend]
    next_cursor: str | None


class Rate(Result):
    """A rate of exchange: major units of `into` for one of `currency`, from the day `date` on."""

    date: Annotated[str, Field(json_schema_extra={"format": "date"})]
    currency: str
    into: str
    rate: str


class Rates(Result):
    """The newest rate of each currency that the server knows one of."""

    rates: list[Rate]


class Problem(Result):
    """An RFC 9457 problem, the same in a REST answer and in an ack's `error`."""

    status: int
    code: str
    title: str
    detail: str
    errors: list[FieldError]
    type: str | None = None
    retry_after_ms: int | None = None
    current: Expense | Settlement | Loan | GroupSettings | None = Field(
        None, description="with `conflict`: its version now"
    )

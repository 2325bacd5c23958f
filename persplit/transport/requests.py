"""What clients may send: one model a request, the same for REST and Socket.IO. Unknown fields are refused."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from persplit.exchange.book import FILE_CHARACTERS_MAX, ROWS_MAX
from persplit.ledger.errors import FieldError, Invalid
from persplit.ledger.expense import (
    ITEMS_MAX,
    SCALED_SPLITS,
    SHARES_VALUE_MAX,
    VALUE_SCALE,
    ExpenseDraft,
    ExpenseKind,
    Item,
    Posting,
    SplitType,
    SplitValue,
)
from persplit.ledger.finding import ExpenseFilter
from persplit.ledger.group import MEMBERS_MAX, Role
from persplit.ledger.recurrence import UTC_ZONE
from persplit.service.invites import INVITE_HOURS, INVITE_HOURS_MAX, USES_MAX
from persplit.transport import fields as f

PAYERS_MAX: Final = 32
"""People who paid for one expense: each debtor owes each of them, so this bounds what one expense can cost."""
COMMANDS_MAX: Final = 200
"""Commands of one push: about as much as a frame holds; an outbox goes out in several."""
SINCE_MAX: Final = 500
"""Groups that one person can be in."""
PEOPLE_MAX: Final = 2 * MEMBERS_MAX
"""People named in one list: every member, and former ones in the edit of an old expense."""


class Request(BaseModel):
    """A request: camelCase on the wire, strict types, nothing unknown."""

    model_config = ConfigDict(
        extra="forbid",
        alias_generator=to_camel,
        # Only the wire's names are known: a snake_case key is an unknown field.
        populate_by_name=False,
        frozen=True,
        # What was sent is never echoed into an error: it may be a password.
        hide_input_in_errors=True,
        # Each is made ready when it is first asked for: a start would pay for all, three milliseconds each.
        defer_build=True,
    )


class Nothing(Request):
    """A request that takes no fields."""


class Write(Request):
    """A write to the ledger, with the key that makes it safe to send again."""

    command_id: f.CommandId = Field(description="The client's key: the same key is carried out at most once.")

    def content(self) -> dict[str, Any]:
        """What tells a retry from another use of the key: all but the key, and never a password."""
        return self.model_dump(mode="json", exclude={"command_id", "join_password", "password"})


class GroupWrite(Write):
    """A write to a group that exists."""

    group_id: f.Id


class Page(Request):
    """Which page of a list."""

    limit: f.Limit = f.LIMIT_DEFAULT


# --- accounts


class Register(Request):
    """A new account."""

    name: f.Name
    email: f.Email
    password: f.NewPassword
    phone: f.Phone | None = None
    vpa: f.Vpa | None = Field(None, description="UPI id, name@handle")
    locale: f.Locale | None = None


class Upgrade(Request):
    """What a guest signs in with from now on."""

    email: f.Email
    password: f.NewPassword


class Login(Request):
    """Signing in."""

    email: f.Email
    password: f.Password


class Refresh(Request):
    """A refresh token; browsers send it as a cookie instead."""

    refresh_token: f.Token | None = None


def _as_it_is(schema: dict[str, Any]) -> None:
    """In the generated schema: there is no default, for a field left out stays as it is."""
    schema.pop("default", None)


class UpdateProfile(Request):
    """The fields of the profile to change; what is left out stays. Null removes a phone, UPI id or locale."""

    name: f.Name = Field("", json_schema_extra=_as_it_is)
    email: f.Email = Field("", json_schema_extra=_as_it_is)
    phone: f.Phone | None = Field(None, description="null removes it", json_schema_extra=_as_it_is)
    vpa: f.Vpa | None = Field(
        None, description="UPI id, name@handle; null removes it", json_schema_extra=_as_it_is
    )
    locale: f.Locale | None = Field(None, description="null removes it", json_schema_extra=_as_it_is)


class ListById(Page):
    """One's own groups, devices or friends, in order of id."""

    cursor: f.IdCursor | None = None


class EndSession(Request):
    """A signed-in device."""

    session_id: f.Id


# --- groups


class CreateGroup(Write):
    """A new group. `groupId` (or `id`) may be chosen by the client: a new UUID."""

    id: f.NewId | None = None
    group_id: f.NewId | None = None
    name: f.Name
    description: f.GroupDescription | None = None
    currency: f.Currency = "INR"
    time_zone: f.TimeZone = UTC_ZONE
    simplify: StrictBool = Field(
        default=True, description="fewest payments; false: each debt as it arose, netted"
    )
    join_password: f.NewPassword | None = Field(None, description="who joins by an invite has to know it")

    @model_validator(mode="after")
    def _one_id(self) -> Self:
        if self.id is not None and self.group_id is not None and self.id != self.group_id:
            raise ValueError("id and groupId differ")
        return self


class UpdateGroup(GroupWrite):
    """Settings to change; what is left out or null stays. An empty description removes it."""

    name: f.Name | None = None
    description: f.GroupDescription | None = None
    currency: f.Currency | None = None
    simplify: StrictBool | None = None
    join_password: f.NewPassword | None = None
    archived: StrictBool | None = None
    time_zone: f.TimeZone | None = None
    expected_seq: f.ExpectedSeq | None = None


class ArchiveGroup(GroupWrite):
    """Archive the group; `PATCH` with `archived: false` brings it back."""

    expected_seq: f.ExpectedSeq | None = None


class OneGroup(Request):
    """Which group."""

    group_id: f.Id


class AddMember(GroupWrite):
    """A registered person by `email`, or a placeholder by `name`."""

    email: f.Email | None = None
    name: f.Name | None = None
    id: f.NewId | None = Field(None, description="The placeholder's id, where the client chooses it")

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.email is None) == (self.name is None):
            raise ValueError("give either email or name")
        if self.id is not None and self.name is None:
            raise ValueError("an id goes with a placeholder's name")
        return self


class ChangeRole(GroupWrite):
    """A member's new role (admin), or their new weight (they, or an admin)."""

    user_id: f.Id
    weight: f.Number | None = Field(
        None, description="a positive number, up to four decimal places: their part unless told of SHARES"
    )
    role: Role | None = Field(None, validate_default=True)

    @field_validator("role")
    @classmethod
    def _one_of(cls, told: Role | None, info: ValidationInfo) -> Role | None:
        if "weight" in info.data and (told is None) == (info.data["weight"] is None):
            raise ValueError("give either role or weight")
        return told

    def scaled_weight(self) -> int:
        """The weight in ten-thousandths. Raises `Invalid`."""
        try:
            return split_value(SplitType.SHARES, self.weight or 0)
        except ValueError as error:
            raise Invalid(FieldError("weight", str(error))) from None


class RemoveMember(GroupWrite):
    """Who is put out. With `block` they don't come in again until they are unblocked; they may have left already."""

    user_id: f.Id
    block: StrictBool = False


class UnblockMember(GroupWrite):
    """Who may come in again."""

    user_id: f.Id


class ChangeUnit(GroupWrite):
    """Whom a member settles with: everybody with the same `unit`, a name. Null: by themself."""

    user_id: f.Id
    unit: f.Name | None = Field(description="such as the family's name; null: by themself")


class LeaveGroup(GroupWrite):
    """The caller goes."""


class CreateInvite(Request):
    """An invite to a group."""

    group_id: f.Id
    hours: Annotated[StrictInt, Field(ge=1, le=INVITE_HOURS_MAX)] = Field(
        INVITE_HOURS, description="how long it is good for: no longer than the personal token that makes it"
    )
    max_uses: Annotated[StrictInt, Field(ge=1, le=USES_MAX)] | None = Field(
        None, description="how many may come in by it; without end unless told"
    )


class ListInvites(ListById):
    """A group's invites, in order of id."""

    group_id: f.Id


class RevokeInvite(Request):
    """Which invite nobody is to come in by any more."""

    group_id: f.Id
    invite_id: f.Id


class JoinAsGuest(Request):
    """Come in with no account: with a name, by an invite's code, with the group's password where it has one."""

    key: f.NewId = Field(
        description="a new UUID (version 4), kept secret: who sends the same again within ten minutes is the same guest"
    )
    name: f.Name
    code: f.InviteCode
    password: f.Password | None = Field(None, description="the group's, where it has one")
    claim: f.Id | None = Field(None, description="the placeholder to take over")

    def content(self) -> dict[str, Any]:
        """What tells a retry from another use of the key."""
        return self.model_dump(mode="json", exclude={"key", "password", "code"})


class JoinGroup(Write):
    """Join by an invite's code, with the group's password where it has one, as the placeholder `claim` if wished."""

    code: f.InviteCode
    password: f.Password | None = Field(None, description="the group's, where it has one")
    claim: f.Id | None = Field(None, description="the placeholder to take over")
    group_id: f.Id | None = Field(None, description="the invite's group; the code alone tells it")


# --- expenses


class PaidBy(Request):
    """What one of several payers paid, in minor units."""

    user_id: f.Id
    amount: f.Amount


class SplitIn(Request):
    """One person's value; what it means depends on the split type."""

    user_id: f.Id
    value: f.Number = Field(
        description="EXACT and ADJUSTMENT: minor units, an integer. PERCENTAGE: percent, SHARES: a positive weight, "
        "both with up to four decimal places."
    )


class ItemIn(Request):
    """One line of a bill."""

    name: f.ItemName
    amount: f.Amount
    participants: Annotated[list[f.Id], Field(min_length=1, max_length=PEOPLE_MAX)]


class TemplateIn(Request):
    """An expense as asked for, on no day yet."""

    description: f.Description
    amount: f.Amount
    paid_by: f.Id | Annotated[list[PaidBy], Field(min_length=1, max_length=PAYERS_MAX)] | None = Field(
        None, description="who paid: a user id (the caller unless told), or what each of several paid"
    )
    preset_id: f.Id | None = Field(
        None, description="in place of splitType, participants and splits: as the group's preset says"
    )
    split_type: SplitType | None = Field(
        None, validate_default=True, description="how to divide it; required unless `presetId` says it"
    )
    participants: Annotated[list[f.Id], Field(max_length=PEOPLE_MAX)] | None = Field(
        None, description="EQUAL, ADJUSTMENT, SHARES: among whom; all current members unless told"
    )
    splits: Annotated[list[SplitIn], Field(max_length=PEOPLE_MAX)] | None = Field(
        None,
        description="EXACT, PERCENTAGE, SHARES, ADJUSTMENT: what is told of each; SHARES: everybody's weight unless told",
    )
    items: Annotated[list[ItemIn], Field(max_length=ITEMS_MAX)] | None = Field(
        None, description="ITEMIZED: the lines of the bill"
    )
    include_payer: StrictBool = Field(default=True, description="EQUAL: whether who paid takes part")
    category: f.Category | None = None
    notes: f.Notes | None = None
    kind: ExpenseKind = Field(
        default=ExpenseKind.EXPENSE,
        description="REFUND, INCOME: those in `paidBy` received the money, and it belongs to those who share it",
    )
    currency: f.Currency | None = Field(
        None,
        description="ISO 4217; all amounts of the request are in its minor units, and the answer has them in the "
        "group's, with what was sent in `original`. The group's unless told",
    )
    rate: f.Rate | None = Field(
        None,
        description="major units of the group's currency for one of `currency`. Unless told that of the version "
        "before, or else the server's newest on or before `date`: `rate_unknown` where it has none",
    )

    @field_validator("split_type")
    @classmethod
    def _one_way_to_divide(cls, told: SplitType | None, info: ValidationInfo) -> SplitType | None:
        if "preset_id" in info.data and (told is None) == (info.data["preset_id"] is None):
            raise ValueError("required" if told is None else "a preset says itself how to divide")
        return told

    def draft(self, table_rate: str | None = None) -> ExpenseDraft:
        """The draft for the ledger, with its day where it has one; `table_rate` is what the server knows.

        Raises:
            Invalid: a split's value isn't one of its type.

        """
        return ExpenseDraft(
            description=self.description,
            amount=self.amount,
            split_type=self.split_type or SplitType.EQUAL,
            preset_id=self.preset_id,
            payers=self._payers(),
            participants=None if self.participants is None else tuple(self.participants),
            splits=split_values(self.split_type or SplitType.EQUAL, self.splits),
            items=tuple(Item(i.name, i.amount, tuple(i.participants)) for i in self.items or ()),
            include_payer=self.include_payer,
            category=self.category,
            notes=self.notes or None,
            kind=self.kind,
            currency=self.currency,
            rate=self.rate,
            table_rate=table_rate,
            date=self._day(),
        )

    def _day(self) -> str | None:
        return None

    def _payers(self) -> tuple[Posting, ...] | None:
        if self.paid_by is None:
            return None
        if isinstance(self.paid_by, str):
            return (Posting(self.paid_by, self.amount),)
        return tuple(Posting(payer.user_id, payer.amount) for payer in self.paid_by)


class ExpenseIn(TemplateIn):
    """An expense as asked for."""

    date: f.Day | None = Field(None, description="the client's day, YYYY-MM-DD; today in UTC unless told")

    def _day(self) -> str | None:
        return self.date


def split_values(split_type: SplitType, told: Sequence[SplitIn] | None) -> tuple[SplitValue, ...]:
    """The splits in the units of the ledger. Raises `Invalid` where one isn't of its type."""
    splits, errors = [], []
    for index, split in enumerate(told or ()):
        try:
            splits.append(SplitValue(split.user_id, split_value(split_type, split.value)))
        except ValueError as error:
            errors.append(FieldError(f"splits.{index}.value", str(error)))
    if errors:
        raise Invalid(*errors)
    return tuple(splits)


def split_value(split_type: SplitType, value: float) -> int:
    """The value in the unit of `SplitValue`. `repr` of a float is what the client wrote, so no digit is guessed."""
    if split_type not in SCALED_SPLITS:
        if isinstance(value, float):
            raise ValueError("minor units: an integer")
        if value < 0 and split_type is not SplitType.ADJUSTMENT:
            raise ValueError("not negative")
        return value
    scaled = Decimal(repr(value)) * VALUE_SCALE
    if scaled != scaled.to_integral_value():
        raise ValueError("at most four decimal places")
    low = 0 if split_type is SplitType.PERCENTAGE else 1
    high = 100 * VALUE_SCALE if split_type is SplitType.PERCENTAGE else SHARES_VALUE_MAX
    if not low <= scaled <= high:
        raise ValueError(f"from {'0' if low == 0 else 'more than 0'} to {high // VALUE_SCALE}")
    return int(scaled)


class CreateExpense(GroupWrite, ExpenseIn):
    """A new expense. `id` may be chosen by the client: a new UUID."""

    id: f.NewId | None = None


class UpdateExpense(GroupWrite, ExpenseIn):
    """Another version of an expense. Without `paidBy` and `date` these stay."""

    expense_id: f.Id
    expected_seq: f.ExpectedSeq | None = None


class DeleteExpense(GroupWrite):
    """Which expense to delete."""

    expense_id: f.Id
    expected_seq: f.ExpectedSeq | None = None


class RestoreExpense(GroupWrite):
    """Which expense to restore."""

    expense_id: f.Id
    expected_seq: f.ExpectedSeq | None = None


class OneExpense(OneGroup):
    """Which expense."""

    expense_id: f.Id


class ListThings(Page):
    """A group's settlements, newest first."""

    group_id: f.Id
    cursor: f.SeqCursor | None = None


class ListExpenses(ListThings):
    """A group's expenses, newest first; deleted ones only if asked for. All that is given has to hold of them.

    Where something is looked for, a page may be short, or empty, and not the last: go on while there is a `nextCursor`.
    """

    include_deleted: StrictBool = False
    text: f.SearchText | None = Field(None, description="words that are all in the description or the notes")
    member: f.Id | None = Field(None, description="who paid or has a share")
    payer: f.Id | None = Field(None, description="who paid")
    category: f.Category | None = Field(
        None, description="a key of the list, another word for it, or a free text"
    )
    amount_min: f.Amount | None = None
    amount_max: f.Amount | None = None
    from_: f.Day | None = Field(None, alias="from", description="the first day")
    to: f.Day | None = Field(None, description="the last day")

    def where(self) -> ExpenseFilter:
        """What is looked for."""
        return ExpenseFilter(
            text=self.text,
            member=self.member,
            payer=self.payer,
            category=self.category,
            amount_min=self.amount_min,
            amount_max=self.amount_max,
            date_from=self.from_,
            date_to=self.to,
        )


# --- settlements


class CreateSettlement(GroupWrite):
    """A payment that was made, from the caller unless told. `id` may be chosen by the client: a new UUID."""

    id: f.NewId | None = None
    to_user_id: f.Id
    amount: f.Amount
    from_user_id: f.Id | None = None
    note: f.SettlementNote | None = None
    utr: f.Utr | None = Field(None, description="The bank's twelve-digit reference of a UPI payment")
    loan_id: f.Id | None = Field(None, description="The loan that it repays: the borrower pays the lender")
    paid_on: f.Day | None = Field(
        None, description="With `loanId`: when, for its interest; today unless told"
    )


class ConfirmSettlement(GroupWrite):
    """Which settlement arrived."""

    settlement_id: f.Id
    expected_seq: f.ExpectedSeq | None = None


class DeclineSettlement(GroupWrite):
    """Which settlement did not arrive."""

    settlement_id: f.Id
    expected_seq: f.ExpectedSeq | None = None


class CancelSettlement(GroupWrite):
    """Which settlement to take back."""

    settlement_id: f.Id
    expected_seq: f.ExpectedSeq | None = None


class SettlementQr(Request):
    """The QR to pay somebody; `amount` is the plan's unless told. `commandId` is taken and ignored: it's a read."""

    command_id: f.CommandId | None = None
    group_id: f.Id
    to_user_id: f.Id
    from_user_id: f.Id | None = None
    amount: f.Amount | None = None


# --- reading


class GetBalances(Request):
    """Balances now, at an instant, or after an event. `commandId` is taken and ignored: it's a read."""

    command_id: f.CommandId | None = None
    group_id: f.Id
    at: f.Instant | None = None
    seq: f.Seq | None = None


class Explain(OneGroup):
    """A row of the plan."""

    from_: f.Id = Field(alias="from")
    to: f.Id


class ListEvents(OneGroup):
    """The ledger after a seq. `cursor` is the answer's `nextCursor`."""

    after: f.After = 0
    cursor: f.SeqCursor | None = None
    limit: f.Limit = f.LIMIT_DEFAULT


class ListRates(Request):
    """Into which currency, and on which day: today, in UTC, unless told."""

    into: f.Currency
    date: f.Day | None = None


# --- files


class PersonMeant(Request):
    """Who somebody of the file is in the group."""

    key: f.PersonKey = Field(description="their `key` in a dry run's answer, or their name")
    user_id: f.Id | None = Field(None, description="a member; left out: a new placeholder")


class ImportFile(OneGroup):
    """A file to import. It needs no key: its rows are their own, and what was imported before isn't again."""

    file: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=FILE_CHARACTERS_MAX)] = (
        Field(description="the file's text")
    )
    format: f.FileFormat = Field(f.FOUND_OUT, description="whose file it is; `auto`: found out")
    members: Annotated[list[PersonMeant], Field(max_length=PEOPLE_MAX)] = Field(
        default_factory=list, description="who people of the file are; who isn't named is found by name"
    )
    skip: Annotated[list[f.Row], Field(max_length=ROWS_MAX)] = Field(
        default_factory=list, description="rows to leave out"
    )
    dry_run: StrictBool = Field(default=False, description="only look at what would happen")


class ListImports(OneGroup, Page):
    """A group's imports, newest first."""

    cursor: f.SeqCursor | None = None


class UndoImport(OneGroup):
    """Which import to take back."""

    import_id: f.Id


class ExportCsv(OneGroup):
    """A group as a table."""

    bom: StrictBool = Field(
        default=False, description="begin with a byte order mark, for spreadsheets that need it"
    )


class Pull(OneGroup):
    """What the client lacks after the seq that it has, in the epoch in which it got it."""

    after: f.After
    epoch: f.Id | None = None
    limit: f.Limit = f.LIMIT_MAX


class Push(Request):
    """An outbox, oldest first. Each command has the fields of its event, and the event's name as `type`."""

    commands: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=COMMANDS_MAX)]


class SincePoint(Request):
    """Up to where a client has a group."""

    seq: f.After
    epoch: f.Id | None = None


class Handshake(BaseModel):
    """The `auth` of a CONNECT beyond the token. Its other fields are the client's own affair."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        defer_build=True,  # as above
    )

    since: Annotated[dict[f.Id, SincePoint], Field(max_length=SINCE_MAX)] = Field(
        default_factory=dict, description="by group id: what the client has of it"
    )


class Renew(Request):
    """A fresh access token for this socket."""

    token: f.Token


def field_errors(error: Any, prefix: str = "") -> Iterator[FieldError]:
    """Pydantic's findings as ours: dotted wire paths, no echo of what was sent."""
    told: dict[tuple[str, ...], Any] = {}
    for found in error.errors(include_input=False, include_url=False, include_context=False):
        names = _names(found)
        # Each branch of a union says what is wrong: that it is of another type is the least that one can say.
        if names not in told or told[names]["type"].endswith("_type"):
            told[names] = found
    # Where one branch found a fault in a part, the whole is of its type, and the other branches only guess.
    wholes = {names[:length] for names in told for length in range(1, len(names))}
    for names, found in told.items():
        if names not in wholes:
            yield FieldError(".".join((prefix, *names) if prefix else names), _said(found))


_BRANCHES: Final = ("function-", "constrained-", "list[")
_BRANCH_TYPES: Final = frozenset({"str", "int", "float"})


def _names(found: Any) -> tuple[str, ...]:
    """The names on the way to the fault, without those of a union's branches."""
    *way, last = found["loc"] or [""]
    if found["type"] == "extra_forbidden":
        # What a client calls an unknown field may look like a branch.
        return (*(str(part) for part in way if not _is_branch(part)), str(last))
    # A default that is found wrong goes by the model's own name for the field.
    shown = to_camel(last) if isinstance(last, str) and "_" in last else last
    return tuple(str(part) for part in (*way, shown) if not _is_branch(part))


def _is_branch(part: int | str) -> bool:
    """Whether it names an alternative of a union rather than a field."""
    return isinstance(part, str) and (part in _BRANCH_TYPES or part.startswith(_BRANCHES))


def _said(found: Any) -> str:
    if found["type"] == "extra_forbidden":
        return "unknown field"
    if found["type"] == "missing":
        return "required"
    if found["type"] == "model_type":
        return "Input should be an object"
    return str(found["msg"]).removeprefix("Value error, ")

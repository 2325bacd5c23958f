"""Hypothesis strategies for the ledger's dataclasses: valid shapes, whose sums add up, in any combination."""

from hypothesis import strategies as st

from persplit.ledger.attachment import Attachment
from persplit.ledger.comment import Comment
from persplit.ledger.events import (
    AttachmentAdded,
    AttachmentRemoved,
    CommentAdded,
    CommentDeleted,
    Event,
    ExpenseCreated,
    ExpenseDeleted,
    ExpenseRestored,
    ExpenseUpdated,
    GroupCreated,
    GroupUpdated,
    LoanCreated,
    LoanDeleted,
    LoanRestored,
    LoanUpdated,
    MemberJoined,
    MemberLeft,
    MemberUnblocked,
    MemberUpdated,
    PresetDeleted,
    PresetSaved,
    RecordedEvent,
    RecurrenceSaved,
    RecurrenceStopped,
    ReminderSent,
    SettlementCancelled,
    SettlementCompleted,
    SettlementCreated,
    SettlementDeclined,
)
from persplit.ledger.expense import (
    SCALED_SPLITS,
    SHARES_VALUE_MAX,
    VALUE_SCALE,
    Expense,
    ExpenseDraft,
    ExpenseKind,
    Item,
    Original,
    Posting,
    RateSource,
    SplitType,
    SplitValue,
)
from persplit.ledger.group import GroupKind, GroupSettings, Member, Role
from persplit.ledger.loan import PARTS, Loan, Repayment
from persplit.ledger.money import AMOUNT_MAX
from persplit.ledger.preset import PRESET_SPLITS, Preset
from persplit.ledger.recurrence import Frequency, Recurrence, Schedule
from persplit.ledger.reminder import Reminder
from persplit.ledger.settlement import Settlement, SettlementStatus

ids = st.uuids().map(str)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
"""What JSON can carry: anything but lone surrogates."""
names = texts.filter(lambda text: text != "")
amounts = st.integers(1, AMOUNT_MAX)
seqs = st.integers(1, 2**53 - 1)
dates = st.dates().map(lambda day: day.isoformat())
instants = st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z")
user_ids = st.sampled_from([f"user-{number}" for number in range(1, 9)])
people = st.lists(user_ids, min_size=1, max_size=6, unique=True).map(tuple)


@st.composite
def postings_of(draw: st.DrawFn, total: int, users: tuple[str, ...]) -> tuple[Posting, ...]:
    """Postings over the users that sum to `total`; some may be zero."""
    cuts = sorted(draw(st.lists(st.integers(0, total), min_size=len(users) - 1, max_size=len(users) - 1)))
    edges = [0, *cuts, total]
    legs = zip(users, edges, edges[1:], strict=False)
    return tuple(Posting(user_id, high - low) for user_id, low, high in legs)


@st.composite
def split_values(draw: st.DrawFn, split_type: SplitType) -> tuple[SplitValue, ...]:
    """Values in the unit of the split type; they need not fit any amount."""
    if split_type in {SplitType.EQUAL, SplitType.ITEMIZED}:
        return ()
    low, high = (1, SHARES_VALUE_MAX) if split_type in SCALED_SPLITS else (-AMOUNT_MAX, AMOUNT_MAX)
    return tuple(SplitValue(user_id, draw(st.integers(low, high))) for user_id in draw(people))


rates = st.decimals("0.000001", "999999", places=6).map(lambda rate: f"{rate:f}".rstrip("0").rstrip("."))
"""Rates of exchange, as they are kept."""


@st.composite
def originals(draw: st.DrawFn, split_type: SplitType) -> Original:
    """What was typed of an expense of this split type."""
    amount = draw(amounts)
    return Original(
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        amount=amount,
        rate=draw(rates),
        rate_source=draw(st.sampled_from(RateSource)),
        payers=draw(people.flatmap(lambda users: postings_of(amount, users))),
        splits=draw(split_values(split_type)),
        items=tuple(draw(st.lists(items, min_size=1, max_size=2)))
        if split_type is SplitType.ITEMIZED
        else (),
        shares=draw(people.flatmap(lambda users: postings_of(amount, users))),
    )


items = st.builds(Item, name=names, amount=amounts, participants=people)


attachments = st.builds(
    Attachment,
    id=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    type=st.sampled_from(["image/jpeg", "image/png", "image/webp", "application/pdf"]),
    size=st.integers(1, 10**7),
    width=st.none() | st.integers(1, 20_000),
    height=st.none() | st.integers(1, 20_000),
    name=st.none() | names,
)


@st.composite
def expenses(draw: st.DrawFn) -> Expense:
    """An expense of any split type, with one payer or several; payers and shares sum to the amount."""
    amount = draw(amounts)
    split_type = draw(st.sampled_from(SplitType))
    itemized = split_type is SplitType.ITEMIZED
    return Expense(
        id=draw(ids),
        seq=draw(seqs),
        description=draw(names),
        amount=amount,
        payers=draw(people.flatmap(lambda users: postings_of(amount, users))),
        split_type=split_type,
        participants=draw(people),
        splits=draw(split_values(split_type)),
        items=tuple(draw(st.lists(items, min_size=1, max_size=3))) if itemized else (),
        include_payer=draw(st.booleans()),
        date=draw(dates),
        category=draw(st.none() | texts),
        notes=draw(st.none() | texts),
        shares=draw(people.flatmap(lambda users: postings_of(amount, users))),
        created_by=draw(user_ids),
        created_at=draw(instants),
        updated_at=draw(instants),
        deleted_at=draw(st.none() | instants),
        attachments=tuple(draw(st.lists(attachments, max_size=2))),
        kind=draw(st.sampled_from(ExpenseKind)),
        original=draw(st.none() | originals(split_type)),
        recurrence_id=draw(st.none() | ids),
    )


settlements = st.builds(
    Settlement,
    id=ids,
    seq=seqs,
    from_id=user_ids,
    to_id=user_ids,
    amount=amounts,
    note=st.none() | texts,
    utr=st.none() | st.from_regex(r"[0-9]{12}", fullmatch=True),
    status=st.sampled_from(SettlementStatus),
    created_by=user_ids,
    created_at=instants,
    updated_at=instants,
    loan_id=st.none() | ids,
    repayment=st.none() | st.builds(Repayment, interest=amounts, principal=amounts),
)

loans = st.builds(
    Loan,
    id=ids,
    seq=seqs,
    lender_id=user_ids,
    borrower_id=user_ids,
    principal=amounts,
    date=dates,
    due_date=st.none() | dates,
    rate=st.none() | st.sampled_from(["6.5", "100", "0.0001"]),
    description=st.none() | names,
    outstanding=st.just(0) | amounts,
    interest_owed=st.just(0) | amounts,
    interest_parts=st.integers(-PARTS // 2, PARTS // 2 - 1),
    interest_paid=st.just(0) | amounts,
    accrued_through=dates,
    created_by=user_ids,
    created_at=instants,
    updated_at=instants,
    deleted_at=st.none() | instants,
)

comments = st.builds(
    Comment,
    id=ids,
    expense_id=ids,
    seq=seqs,
    text=names,
    created_by=user_ids,
    created_at=instants,
    deleted_at=st.none() | instants,
)

reminders = st.builds(
    Reminder, seq=seqs, from_id=user_ids, to_id=user_ids, amount=amounts, created_at=instants
)

members = st.builds(
    Member,
    user_id=user_ids,
    name=names,
    role=st.sampled_from(Role),
    placeholder=st.booleans(),
    joined_at=instants,
    left_at=st.none() | instants,
    claimed=st.none() | user_ids,
    unit=st.none() | names,
    blocked=st.booleans(),
    weight=st.just(VALUE_SCALE) | st.integers(1, SHARES_VALUE_MAX),
)

settings = st.builds(
    GroupSettings,
    name=names,
    description=st.none() | texts,
    currency=st.sampled_from(["INR", "EUR", "JPY", "KWD"]),
    simplify=st.booleans(),
    has_password=st.booleans(),
    archived_at=st.none() | instants,
    seq=seqs,
    time_zone=st.sampled_from(["UTC", "Asia/Kolkata"]),
    kind=st.sampled_from(GroupKind),
)

preset_splits = st.sampled_from(sorted(PRESET_SPLITS))
presets = preset_splits.flatmap(
    lambda split_type: st.builds(
        Preset,
        id=ids,
        seq=seqs,
        name=names,
        split_type=st.just(split_type),
        participants=st.none() | people,
        splits=split_values(split_type),
        is_default=st.booleans(),
        created_by=user_ids,
        created_at=instants,
        updated_at=instants,
    )
)

templates = st.builds(
    ExpenseDraft,
    description=names,
    amount=amounts,
    split_type=st.just(SplitType.EQUAL),
    participants=st.none() | people,
    include_payer=st.booleans(),
    category=st.none() | texts,
    notes=st.none() | texts,
    kind=st.sampled_from(ExpenseKind),
    currency=st.sampled_from([None, "EUR"]),
    preset_id=st.none() | ids,
)
recurrences = st.builds(
    Recurrence,
    id=ids,
    seq=seqs,
    since=seqs,
    schedule=st.builds(
        Schedule,
        frequency=st.sampled_from(Frequency),
        start=dates,
        interval=st.integers(1, 9),
        end=st.none() | dates,
        count=st.none() | st.integers(1, 99),
    ),
    draft=templates,
    made_through=st.none() | dates,
    paused=st.booleans(),
    problem=st.none() | texts,
    created_by=user_ids,
    created_at=instants,
    updated_at=instants,
)

events: st.SearchStrategy[Event] = st.one_of(
    st.builds(GroupCreated, settings=settings, member=members),
    st.builds(GroupUpdated, before=settings, after=settings),
    st.builds(MemberJoined, member=members),
    st.builds(MemberUpdated, before=members, after=members),
    st.builds(MemberLeft, member=members),
    st.builds(MemberUnblocked, member=members),
    st.builds(ExpenseCreated, expense=expenses()),
    st.builds(ExpenseUpdated, before=expenses(), after=expenses()),
    st.builds(ExpenseDeleted, expense=expenses()),
    st.builds(ExpenseRestored, expense=expenses()),
    st.builds(AttachmentAdded, expense=expenses(), attachment=attachments),
    st.builds(AttachmentRemoved, expense=expenses(), attachment=attachments),
    st.builds(SettlementCreated, settlement=settlements),
    st.builds(SettlementCompleted, settlement=settlements, loan=st.none() | loans),
    st.builds(SettlementDeclined, settlement=settlements),
    st.builds(SettlementCancelled, settlement=settlements),
    st.builds(LoanCreated, loan=loans),
    st.builds(LoanUpdated, before=loans, after=loans),
    st.builds(LoanDeleted, loan=loans),
    st.builds(LoanRestored, loan=loans),
    st.builds(CommentAdded, comment=comments),
    st.builds(CommentDeleted, comment=comments),
    st.builds(ReminderSent, reminder=reminders),
    st.builds(PresetSaved, preset=presets),
    st.builds(PresetDeleted, preset=presets),
    st.builds(RecurrenceSaved, recurrence=recurrences),
    st.builds(RecurrenceStopped, recurrence=recurrences),
)

recorded_events = st.builds(
    RecordedEvent,
    group_id=ids,
    seq=seqs,
    at=instants,
    by=user_ids,
    command_id=ids,
    content_hash=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    event=events,
)

"""From an expense as asked for to an expense as recorded: defaults filled in, checked, shares worked out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from persplit.ledger.conversion import as_typed, canonical_rate, in_currency
from persplit.ledger.errors import FieldError, Invalid, RateUnknown
from persplit.ledger.expense import (
    VALUE_SCALE,
    Expense,
    ExpenseDraft,
    Item,
    Posting,
    RateSource,
    SplitType,
    SplitValue,
)
from persplit.ledger.split import shares_of
from persplit.ledger.state import GroupState

_BY_PARTICIPANTS = frozenset({SplitType.EQUAL, SplitType.ADJUSTMENT})
"""The split types that divide among `participants`; the others among those whom splits or items name."""


def resolved(
    state: GroupState,
    draft: ExpenseDraft,
    people: Collection[str],
    *,
    expense_id: str,
    actor_id: str,
    now: str,
    before: Expense | None = None,
) -> Expense:
    """The expense that `draft` asks for, as of `state`, to be recorded next.

    Args:
        state: the group.
        draft: as asked for; ids of claimed placeholders stand for who claimed them.
        people: who may pay and take part.
        expense_id: breaks ties between equal remainders.
        actor_id: pays unless told.
        now: RFC 3339 UTC; its day is the expense's date unless told.
        before: the version that this one replaces: an edit keeps who paid, the day and the author unless told,
            and the shares where it asks for the same division.

    Raises:
        Invalid: with every bad field that one look finds.
        RateUnknown: it is in another currency than the group's, with no rate.

    """
    draft = _with_preset(state, draft)
    rate = _rate(state, draft, before)
    typed = _typed(
        state,
        draft,
        people,
        expense_id=expense_id,
        actor_id=actor_id,
        now=now,
        before=before if rate is None or before is None else as_typed(before),
    )
    if draft.currency is None or rate is None:
        return _with_what_was_typed(state, draft, typed, before)
    return in_currency(typed, draft.currency, *rate, state.settings.currency)


def _with_what_was_typed(
    state: GroupState, draft: ExpenseDraft, after: Expense, before: Expense | None
) -> Expense:
    """An edit by who knows nothing of currencies, and leaves the money alone, keeps what was typed in another."""
    if before is None or draft.currency is not None:
        return after
    was = _canonical(state, before)
    is_same = all(getattr(was, part) == getattr(after, part) for part in _MONEY)
    return replace(after, original=was.original) if is_same else after


_MONEY = (
    "amount",
    "payers",
    "split_type",
    "participants",
    "splits",
    "items",
    "include_payer",
    "shares",
    "kind",
)
"""The parts of an expense from which balances follow, or which say how they do."""


def _typed(
    state: GroupState,
    draft: ExpenseDraft,
    people: Collection[str],
    *,
    expense_id: str,
    actor_id: str,
    now: str,
    before: Expense | None,
) -> Expense:
    """The expense in the currency in which it was typed, and so was the version before."""
    payers = _payers(state, draft, actor_id, before)
    splits = _splits(state, draft.splits) or _default_splits(state, draft)
    items = _items(state, draft.items)
    participants = _participants(state, draft, splits, items)
    _check(_shape_errors(draft, participants, splits, items))
    _check(_people_errors(draft, people, payers, participants, splits, items))
    _check(_payer_errors(draft, payers))
    sharers = _sharers(draft, payers, participants, splits)
    if draft.shares is None:
        shares = _shares_kept(state, before, draft, payers, participants, splits, items)
    else:
        worked_out = shares_of(expense_id, draft.amount, draft.split_type, sharers, splits, items)
        shares = _given_shares(_postings(state, draft.shares), worked_out)
    return Expense(
        id=expense_id,
        seq=state.seq + 1,
        description=draft.description,
        amount=draft.amount,
        payers=payers,
        split_type=draft.split_type,
        participants=participants,
        splits=splits,
        items=items,
        include_payer=draft.include_payer,
        date=draft.date or (before.date if before else now[:10]),
        category=draft.category,
        notes=draft.notes,
        shares=shares or shares_of(expense_id, draft.amount, draft.split_type, sharers, splits, items),
        created_by=before.created_by if before else actor_id,
        created_at=before.created_at if before else now,
        updated_at=now,
        attachments=before.attachments if before else (),
        kind=draft.kind,
        recurrence_id=before.recurrence_id if before else None,
    )


def _with_preset(state: GroupState, draft: ExpenseDraft) -> ExpenseDraft:
    """The draft with what its preset says put in its place, so that it is frozen into the expense."""
    if draft.preset_id is None:
        return draft
    preset = state.presets.get(draft.preset_id)
    if preset is None:
        raise Invalid(FieldError("presetId", "there is no such preset in this group"))
    if draft.splits or draft.items or draft.participants is not None:
        raise Invalid(FieldError("presetId", "says itself how to divide, and among whom"))
    return replace(
        draft,
        split_type=preset.split_type,
        participants=preset.participants,
        splits=preset.splits,
        preset_id=None,
    )


def _rate(state: GroupState, draft: ExpenseDraft, before: Expense | None) -> tuple[str, RateSource] | None:
    """The rate for the draft's currency, and where it is from; None where that is the group's own.

    Raises:
        Invalid: it isn't a rate.
        RateUnknown: nobody says.

    """
    if draft.currency in (None, state.settings.currency):
        if draft.rate is not None:
            raise Invalid(FieldError("rate", "goes with another currency than the group's"))
        return None
    if draft.rate is not None:
        try:
            return canonical_rate(draft.rate), draft.rate_source
        except ValueError as error:
            raise Invalid(FieldError("rate", str(error))) from None
    if before is not None and before.original is not None and before.original.currency == draft.currency:
        return before.original.rate, before.original.rate_source
    if draft.table_rate is None:
        raise RateUnknown(f"no rate is known from {draft.currency} to {state.settings.currency}: say it")
    return draft.table_rate, RateSource.TABLE


def _given_shares(given: tuple[Posting, ...], worked_out: tuple[Posting, ...]) -> tuple[Posting, ...]:
    """The shares as they stood in another ledger, where ids were others: the odd unit may have gone to somebody else.

    Raises:
        Invalid: they are not what this division could have come to.

    """
    ours = {share.user_id: share.amount for share in worked_out}
    theirs = {share.user_id: share.amount for share in given}
    if (
        theirs.keys() != ours.keys()
        or len(given) != len(ours)
        or sum(theirs.values()) != sum(ours.values())
        or any(amount < 0 or abs(amount - ours[user]) > 1 for user, amount in theirs.items())
    ):
        raise Invalid(FieldError("shares", "not what the division comes to"))
    return given


def _canonical(state: GroupState, expense: Expense) -> Expense:
    """The expense with the ids of claimed placeholders replaced by those of who claimed them."""
    typed = expense.original
    return replace(
        expense,
        payers=_postings(state, expense.payers),
        participants=tuple(state.canonical(user_id) for user_id in expense.participants),
        splits=_splits(state, expense.splits),
        items=_items(state, expense.items),
        shares=_postings(state, expense.shares),
        original=typed
        and replace(
            typed,
            payers=_postings(state, typed.payers),
            splits=_splits(state, typed.splits),
            items=_items(state, typed.items),
            shares=_postings(state, typed.shares),
        ),
    )


def _postings(state: GroupState, postings: Iterable[Posting]) -> tuple[Posting, ...]:
    return tuple(Posting(state.canonical(p.user_id), p.amount) for p in postings)


def _splits(state: GroupState, splits: Iterable[SplitValue]) -> tuple[SplitValue, ...]:
    return tuple(SplitValue(state.canonical(s.user_id), s.value) for s in splits)


def _default_splits(state: GroupState, draft: ExpenseDraft) -> tuple[SplitValue, ...]:
    """What is divided by SHARES with none told: by everybody's weight as it is now."""
    if draft.split_type is not SplitType.SHARES:
        return ()
    sharing = draft.participants
    if sharing is None:
        return tuple(SplitValue(member.user_id, member.weight) for member in state.active())
    known = (state.canonical(user_id) for user_id in sharing)
    return tuple(SplitValue(u, state.members[u].weight if u in state.members else VALUE_SCALE) for u in known)


def _items(state: GroupState, items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(
        Item(item.name, item.amount, tuple(state.canonical(user_id) for user_id in item.participants))
        for item in items
    )


def _shares_kept(
    state: GroupState,
    before: Expense | None,
    draft: ExpenseDraft,
    payers: Sequence[Posting],
    participants: Sequence[str],
    splits: Sequence[SplitValue],
    items: Sequence[Item],
) -> tuple[Posting, ...] | None:
    """The shares that stood, where the edit asks for the same division; None where it has to be worked out.

    Ties go by user id, so dividing again after a placeholder was claimed could move the odd paisa, and with it
    the balance of somebody who only had their description corrected, or who has left.
    """
    if before is None:
        return None
    was = _canonical(state, before)
    stood = _division(was, was.payers, was.participants, was.splits, was.items)
    return was.shares if stood == _division(draft, payers, participants, splits, items) else None


def _division(
    asked: Expense | ExpenseDraft,
    payers: Sequence[Posting],
    participants: Sequence[str],
    splits: Sequence[SplitValue],
    items: Sequence[Item],
) -> tuple[object, ...]:
    """All that the shares follow from, in no order of people."""
    return (
        asked.amount,
        asked.split_type,
        None if asked.include_payer else frozenset(posting.user_id for posting in payers),
        frozenset(participants),
        frozenset(splits),
        tuple((item.amount, frozenset(item.participants)) for item in items),
    )


def _check(errors: Iterable[FieldError]) -> None:
    found = tuple(errors)
    if found:
        raise Invalid(*found)


def _payers(
    state: GroupState, draft: ExpenseDraft, actor_id: str, before: Expense | None
) -> tuple[Posting, ...]:
    if draft.payers is not None:
        return _postings(state, draft.payers)
    if before is None:
        return (Posting(actor_id, draft.amount),)
    if len(before.payers) == 1:
        return (Posting(state.canonical(before.payers[0].user_id), draft.amount),)
    return _postings(state, before.payers)


def _participants(
    state: GroupState, draft: ExpenseDraft, splits: Sequence[SplitValue], items: Sequence[Item]
) -> tuple[str, ...]:
    if draft.participants is not None:
        return tuple(state.canonical(user_id) for user_id in draft.participants)
    if draft.split_type in _BY_PARTICIPANTS:
        return tuple(member.user_id for member in state.active())
    if draft.split_type is SplitType.ITEMIZED:
        return tuple(dict.fromkeys(user_id for item in items for user_id in item.participants))
    return tuple(split.user_id for split in splits)


def _sharers(
    draft: ExpenseDraft,
    payers: Sequence[Posting],
    participants: Sequence[str],
    splits: Sequence[SplitValue],
) -> list[str]:
    """Who takes part once the payer is left out where that was asked for; nobody else has a split."""
    paying = frozenset() if draft.include_payer else {posting.user_id for posting in payers}
    sharers = [user_id for user_id in participants if user_id not in paying]
    if not sharers:
        raise Invalid(FieldError("participants", "leaving the payer out leaves nobody to share this"))
    _check(
        FieldError(
            f"splits.{index}.userId",
            "the payer is left out" if split.user_id in paying else "takes no part in the expense",
        )
        for index, split in enumerate(splits)
        if split.user_id not in sharers
    )
    return sharers


def _shape_errors(
    draft: ExpenseDraft, participants: Sequence[str], splits: Sequence[SplitValue], items: Sequence[Item]
) -> Iterable[FieldError]:
    """What is given for a split type that doesn't take it, or missing where it does."""
    kind = draft.split_type
    if splits and kind in (SplitType.EQUAL, SplitType.ITEMIZED):
        yield FieldError("splits", f"{kind} takes no splits")
    if not splits and kind not in (SplitType.EQUAL, SplitType.SHARES, SplitType.ITEMIZED):
        yield FieldError("splits", f"{kind} needs at least one split")
    if items and kind is not SplitType.ITEMIZED:
        yield FieldError("items", f"{kind} takes no items")
    if not items and kind is SplitType.ITEMIZED:
        yield FieldError("items", "ITEMIZED needs at least one item")
    if not draft.include_payer and kind not in _BY_PARTICIPANTS:
        yield FieldError("includePayer", f"{kind} says itself who takes part")
    if not participants and kind in (*_BY_PARTICIPANTS, SplitType.SHARES):
        yield FieldError("participants", "at least one person takes part")
    if kind not in _BY_PARTICIPANTS:
        named = {s.user_id for s in splits} | {user_id for item in items for user_id in item.participants}
        if named and set(participants) != named:
            yield FieldError("participants", f"not the people whom the {kind} division names")


def _people_errors(
    draft: ExpenseDraft,
    people: Collection[str],
    payers: Sequence[Posting],
    participants: Sequence[str],
    splits: Sequence[SplitValue],
    items: Sequence[Item],
) -> Iterable[FieldError]:
    """Strangers and duplicates, each with its path on the wire."""
    single = draft.payers is not None and len(draft.payers) == 1
    paid_by = "paidBy" if single else "paidBy.{}.userId"
    yield from _listed(paid_by, [posting.user_id for posting in payers], people)
    if draft.participants is not None:
        yield from _listed("participants.{}", participants, people)
    if draft.splits or draft.participants is None:
        yield from _listed("splits.{}.userId", [split.user_id for split in splits], people)
    for number, item in enumerate(items):
        yield from _listed(f"items.{number}.participants.{{}}", item.participants, people)


def _listed(path: str, user_ids: Sequence[str], people: Collection[str]) -> Iterable[FieldError]:
    """What is wrong with a list of people; `path` has a place for each one's number."""
    seen: set[str] = set()
    for index, user_id in enumerate(user_ids):
        if user_id not in people:
            yield FieldError(path.format(index), "not a member of the group")
        elif user_id in seen:
            yield FieldError(path.format(index), "named twice")
        seen.add(user_id)


def _payer_errors(draft: ExpenseDraft, payers: Sequence[Posting]) -> Iterable[FieldError]:
    total = sum(posting.amount for posting in payers)
    if total != draft.amount:
        yield FieldError("paidBy", f"the payers paid {total}, not the amount {draft.amount}")
    if draft.split_type is SplitType.SHARES and draft.splits and not any(s.value for s in draft.splits):
        yield FieldError("splits", "the weights are all zero")

"""The rules for what a group arranges beforehand: presets, default weights and recurring expenses. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from persplit.ledger import draft
from persplit.ledger.commands import (
    ChangeWeight,
    DeletePreset,
    MakeInstance,
    PauseRecurrence,
    SavePreset,
    SaveRecurrence,
    StopRecurrence,
)
from persplit.ledger.errors import Conflict, FieldError, Forbidden, Invalid, LimitReached, NotFound
from persplit.ledger.events import (
    Event,
    ExpenseCreated,
    MemberUpdated,
    PresetDeleted,
    PresetSaved,
    RecurrenceSaved,
    RecurrenceStopped,
)
from persplit.ledger.expense import ExpenseDraft
from persplit.ledger.preset import PRESET_SPLITS, PRESETS_MAX, Preset
from persplit.ledger.recurrence import (
    AHEAD_DAYS_MAX,
    PAST_DAYS_MAX,
    RECURRENCES_MAX,
    Recurrence,
    Schedule,
    day_before,
    day_in,
    next_day,
)
from persplit.ledger.state import GroupState

_TRIED_AMOUNT = 1_000_000
"""Minor units of the expense on which a preset is tried before it is kept."""


def save_preset(state: GroupState, command: SavePreset, actor_id: str, now: str) -> Event:
    """Keep a preset, in place of the version before."""
    wanted, before = command.draft, state.presets.get(command.preset_id)
    _check_seen(command.expected_seq, before)
    if before is not None and command.is_new:
        raise Conflict("a preset with this id exists")
    if before is None and len(state.presets) >= PRESETS_MAX:
        raise LimitReached(f"a group has at most {PRESETS_MAX} presets")
    if wanted.split_type not in PRESET_SPLITS:
        raise Invalid(FieldError("splitType", f"a preset is one of {', '.join(sorted(PRESET_SPLITS))}"))
    tried = ExpenseDraft(
        wanted.name, _TRIED_AMOUNT, wanted.split_type, participants=wanted.participants, splits=wanted.splits
    )
    _try(state, tried, actor_id, now)
    return PresetSaved(
        Preset(
            id=command.preset_id,
            seq=state.seq + 1,
            name=wanted.name,
            split_type=wanted.split_type,
            participants=wanted.participants,
            splits=wanted.splits,
            is_default=wanted.is_default,
            created_by=before.created_by if before else actor_id,
            created_at=before.created_at if before else now,
            updated_at=now,
        )
    )


def delete_preset(state: GroupState, command: DeletePreset, _: str, now: str) -> Event:
    """Forget a preset; expenses that were made with it stay as they are."""
    before = state.presets.get(command.preset_id)
    if before is None:
        raise NotFound("there is no such preset in this group")
    _check_seen(command.expected_seq, before)
    return PresetDeleted(replace(before, seq=state.seq + 1, updated_at=now))


def change_weight(state: GroupState, command: ChangeWeight, actor_id: str, _: str) -> Event:
    """Change what somebody bears unless told in what is divided by SHARES from now on."""
    if not state.is_member(command.user_id):
        raise NotFound("there is no such member in this group")
    if command.user_id != actor_id and not state.is_admin(actor_id):
        raise Forbidden("only an admin of the group can change somebody else's weight")
    before = state.members[command.user_id]
    return MemberUpdated(before, replace(before, weight=command.weight))


def save_recurrence(
    state: GroupState, command: SaveRecurrence, actor_id: str, now: str, *, was_there: bool
) -> Event:
    """Keep a template, in place of the version before. `was_there`: one had this id at some time.

    Whose maker has left, or has no account any more that works, goes over to who changes it.
    """
    before = state.recurrences.get(command.recurrence_id)
    _check_seen(command.expected_seq, before)
    _check_not_remade(state, command, before, was_there=was_there)
    maker = actor_id if before is None else _maker(state, before, actor_id, takes_over=command.takes_over)
    today = day_in(state.settings.time_zone, now)
    errors = tuple(_schedule_errors(command.schedule, before, today))
    if errors:
        raise Invalid(*errors)
    template = replace(command.draft, date=None)
    _try(state, template, maker, now)
    return RecurrenceSaved(
        Recurrence(
            id=command.recurrence_id,
            seq=state.seq + 1,
            since=before.since if before else state.seq + 1,
            schedule=command.schedule,
            draft=replace(template, table_rate=None),
            made_through=before.made_through if before else None,
            paused=before.paused if before else False,
            problem=None if before is None or not before.paused else before.problem,
            created_by=maker,
            created_at=before.created_at if before else now,
            updated_at=now,
        )
    )


def _check_not_remade(
    state: GroupState, command: SaveRecurrence, before: Recurrence | None, *, was_there: bool
) -> None:
    if before is not None and command.is_new:
        raise Conflict("a recurring expense with this id exists")
    if before is None and was_there:
        # Remade, it would make all of its expenses a second time.
        raise Conflict("this recurring expense was stopped: set up a new one, with an id of its own")
    if before is None and len(state.recurrences) >= RECURRENCES_MAX:
        raise LimitReached(f"a group has at most {RECURRENCES_MAX} recurring expenses")


def pause_recurrence(state: GroupState, command: PauseRecurrence, actor_id: str, now: str) -> Event:
    """Make no more for now; or go on, without what would have been made meanwhile."""
    before = _recurrence(state, command.recurrence_id)
    _check_seen(command.expected_seq, before)
    if before.paused == command.paused:
        raise Conflict("it is paused already" if before.paused else "it is not paused")
    made_through = before.made_through
    if not command.paused:
        yesterday = day_before(day_in(state.settings.time_zone, now))
        made_through = max(yesterday, made_through or yesterday)
    return RecurrenceSaved(
        replace(
            before,
            seq=state.seq + 1,
            paused=command.paused,
            problem=command.problem,
            made_through=made_through,
            created_by=_maker(state, before, actor_id, takes_over=command.takes_over),
            updated_at=now,
        )
    )


def _maker(state: GroupState, before: Recurrence, actor_id: str, *, takes_over: bool) -> str:
    """In whose name a template that is changed goes on."""
    return before.created_by if state.is_person(before.created_by) and not takes_over else actor_id


def stop_recurrence(state: GroupState, command: StopRecurrence, _: str, now: str) -> Event:
    """Make no more for good; what was made stays."""
    before = _recurrence(state, command.recurrence_id)
    _check_seen(command.expected_seq, before)
    return RecurrenceStopped(replace(before, seq=state.seq + 1, updated_at=now))


def make_instance(state: GroupState, command: MakeInstance, now: str) -> Event:
    """The expense of the day that is due next."""
    template = _recurrence(state, command.recurrence_id)
    if template.paused or next_day(template.schedule, template.made_through) != command.day:
        raise Conflict("this is not what is due next")
    wanted = replace(template.draft, date=command.day, table_rate=command.table_rate)
    people = frozenset(member.user_id for member in state.active())
    expense = draft.resolved(
        state, wanted, people, expense_id=command.expense_id, actor_id=template.created_by, now=now
    )
    return ExpenseCreated(replace(expense, recurrence_id=template.id))


def _try(state: GroupState, wanted: ExpenseDraft, actor_id: str, now: str) -> None:
    """Return if an expense could be made of it now. Raises `Invalid` or `RateUnknown`."""
    people = frozenset(member.user_id for member in state.active())
    draft.resolved(state, wanted, people, expense_id="", actor_id=actor_id, now=now)


def _schedule_errors(schedule: Schedule, before: Recurrence | None, today: str) -> Iterable[FieldError]:
    first, now = date.fromisoformat(schedule.start), date.fromisoformat(today)
    is_known = before is not None and before.schedule.start == schedule.start
    if not is_known and first < now - timedelta(days=PAST_DAYS_MAX):
        yield FieldError("schedule.start", f"at most {PAST_DAYS_MAX} days ago")
    if first > now + timedelta(days=AHEAD_DAYS_MAX):
        yield FieldError("schedule.start", f"at most {AHEAD_DAYS_MAX} days ahead")
    if schedule.end is not None and schedule.end < schedule.start:
        yield FieldError("schedule.end", "before the start")
    if schedule.end is not None and schedule.count is not None:
        yield FieldError("schedule.count", "give either an end or a count")


def _recurrence(state: GroupState, recurrence_id: str) -> Recurrence:
    found = state.recurrences.get(recurrence_id)
    if found is None:
        raise NotFound("there is no such recurring expense in this group")
    return found


def _check_seen(expected_seq: int | None, present: Preset | Recurrence | None) -> None:
    if expected_seq is None:
        return
    if present is None:
        # Made anew, a template would make all of its expenses a second time.
        raise NotFound("it has been taken away since it was seen")
    if present.seq > expected_seq:
        raise Conflict(f"it has changed since seq {expected_seq}; it is at seq {present.seq} now")

"""`decide`: given the state and a command, exactly one event, or a refusal. Pure.

One function a command; each checks who may, then what is asked, then builds the event.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeVar

from persplit.ledger import arranging, discussing, draft, lending
from persplit.ledger import debts as debt
from persplit.ledger.attachment import ATTACHMENTS_MAX
from persplit.ledger.commands import (
    AddAttachment,
    AddComment,
    AddMember,
    BecomePlaceholder,
    CancelSettlement,
    ChangeRole,
    ChangeUnit,
    ChangeWeight,
    Command,
    ConfirmSettlement,
    CreateExpense,
    CreateGroup,
    CreateLoan,
    CreateSettlement,
    DeclineSettlement,
    DeleteComment,
    DeleteExpense,
    DeleteLoan,
    DeletePreset,
    JoinGroup,
    LeaveGroup,
    MakeInstance,
    PauseRecurrence,
    RemoveAttachment,
    RemoveMember,
    RestoreExpense,
    RestoreLoan,
    SavePreset,
    SaveRecurrence,
    SendReminder,
    StopRecurrence,
    UnblockMember,
    UpdateExpense,
    UpdateGroup,
    UpdateLoan,
)
from persplit.ledger.comment import Thread
from persplit.ledger.conversion import as_typed
from persplit.ledger.direct import check_direct
from persplit.ledger.errors import (
    AlreadyMember,
    AlreadySettled,
    BalanceNotZero,
    Blocked,
    Conflict,
    FieldError,
    Forbidden,
    GroupArchived,
    Invalid,
    LimitReached,
    NotFound,
    SettlementPending,
)
from persplit.ledger.events import (
    AttachmentAdded,
    AttachmentRemoved,
    Event,
    ExpenseCreated,
    ExpenseDeleted,
    ExpenseRestored,
    ExpenseUpdated,
    GroupCreated,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberUnblocked,
    MemberUpdated,
    SettlementCancelled,
    SettlementCreated,
    SettlementDeclined,
)
from persplit.ledger.expense import VALUE_SCALE, Expense
from persplit.ledger.group import MEMBERS_MAX, GroupKind, GroupSettings, Member, Role
from persplit.ledger.loan import Loan
from persplit.ledger.recurrence import Recurrence
from persplit.ledger.reminder import LastReminder
from persplit.ledger.settlement import PENDING_MAX, Settlement, SettlementStatus
from persplit.ledger.state import GroupState


@dataclass(frozen=True, slots=True)
class Asked:
    """What a decision may look at besides the state and the command.

    Args:
        actor_id: who asks.
        now: the time to record, RFC 3339 UTC with milliseconds.
        subject: the present version of the expense, settlement or loan that the command names, if there is one; for a
            comment its expense's thread, for a reminder the last one, for a recurring expense its template, stopped or not.

    """

    actor_id: str
    now: str
    subject: "Subject | None" = None


Subject: TypeAlias = Expense | Settlement | Loan | Thread | LastReminder | Recurrence


def decide(state: GroupState | None, command: Command, asked: Asked) -> Event:
    """The one event that the command makes.

    Args:
        state: None where the group does not exist yet.
        command: what is wanted.
        asked: by whom, when, and about what.

    Raises:
        LedgerError: refused; nothing happens.

    """
    if isinstance(command, CreateGroup):
        return _create_group(state, command, asked)
    if state is None or not (isinstance(command, JoinGroup) or state.is_member(asked.actor_id)):
        raise NotFound("there is no such group")
    if state.settings.archived_at and not isinstance(command, _IN_ARCHIVED):
        raise GroupArchived("the group is archived; an admin can bring it back")
    if state.settings.kind is GroupKind.DIRECT:
        check_direct(state, command, asked.actor_id)
    rule: Callable[[GroupState, Command, Asked], Event] = _RULES[type(command)]
    return rule(state, command, asked)


_IN_ARCHIVED: Final = (UpdateGroup, LeaveGroup, BecomePlaceholder, ChangeRole)
"""Who manages an archived group can change: somebody has to be able to bring it back."""


# --- the group


def _create_group(state: GroupState | None, command: CreateGroup, asked: Asked) -> Event:
    if state is not None:
        raise Conflict("a group with this id exists")
    settings = GroupSettings(
        name=command.name,
        description=command.description,
        currency=command.currency,
        simplify=command.simplify,
        has_password=command.has_password,
        archived_at=None,
        seq=1,
        time_zone=command.time_zone,
        kind=command.kind,
    )
    member = Member(
        user_id=asked.actor_id,
        name=command.actor_name,
        role=Role.ADMIN,
        placeholder=False,
        joined_at=asked.now,
    )
    return GroupCreated(settings, member)


def _update_group(state: GroupState, command: UpdateGroup, asked: Asked) -> Event:
    _check_admin(state, asked)
    before = state.settings
    _check_seen(command.expected_seq, before.seq, before)
    if before.archived_at and command.archived is not False:
        raise GroupArchived("the group is archived; bring it back first")
    if command.currency not in (None, before.currency) and _has_amounts(state):
        raise Invalid(FieldError("currency", "the group has expenses in its currency"))
    after = GroupSettings(
        name=_changed(command.name, before.name),
        description=before.description if command.description is None else command.description or None,
        currency=_changed(command.currency, before.currency),
        simplify=_changed(command.simplify, before.simplify),
        has_password=_changed(command.has_password, before.has_password),
        archived_at=_archived_at(before, command, asked),
        seq=state.seq + 1,
        time_zone=_changed(command.time_zone, before.time_zone),
        kind=before.kind,
    )
    return GroupUpdated(before, after)


def _has_amounts(state: GroupState) -> bool:
    """Whether something would mean another amount in another currency; a template's would with its next expense."""
    return bool(state.expense_count or state.settlement_count or state.recurrences or state.loans)


_T = TypeVar("_T")
_C = TypeVar("_C")


def _changed(wanted: _T | None, present: _T) -> _T:
    return present if wanted is None else wanted


def _archived_at(before: GroupSettings, command: UpdateGroup, asked: Asked) -> str | None:
    if command.archived is None:
        return before.archived_at
    return (before.archived_at or asked.now) if command.archived else None


# --- members


def _add_member(state: GroupState, command: AddMember, asked: Asked) -> Event:
    _check_admin(state, asked)
    return _joined(state, command.user_id, command.name, asked, placeholder=command.placeholder, claimed=None)


def _join_group(state: GroupState, command: JoinGroup, asked: Asked) -> Event:
    if command.claim is not None and not state.is_member(asked.actor_id):
        _check_claim(state, command.claim, asked)
    return _joined(state, asked.actor_id, command.actor_name, asked, placeholder=False, claimed=command.claim)


def _check_claim(state: GroupState, claim: str, asked: Asked) -> None:
    wanted = state.members.get(claim)
    if wanted is None or not (wanted.placeholder and wanted.is_active):
        raise Invalid(FieldError("claim", "not a placeholder of this group that can be claimed"))
    if asked.actor_id in state.members:
        raise Invalid(FieldError("claim", "you have a history of your own in this group"))


def _joined(
    state: GroupState, user_id: str, name: str, asked: Asked, *, placeholder: bool, claimed: str | None
) -> Event:
    if state.is_member(user_id):
        raise AlreadyMember("already a member of the group")
    if placeholder and user_id in state.members:
        raise Conflict("this id was used before")
    if user_id in state.claims:
        raise Conflict("somebody else has taken their place over")
    if claimed is None and len(state.active()) >= MEMBERS_MAX:
        raise LimitReached(f"a group has at most {MEMBERS_MAX} members")
    known = state.members.get(user_id)
    if known is not None and known.blocked:
        raise Blocked("blocked from the group: an admin can unblock them")
    taken_over = state.members[claimed] if claimed is not None else None
    return MemberJoined(
        Member(
            user_id=user_id,
            name=name,
            role=_role_of_newcomer(state, taken_over, placeholder=placeholder),
            placeholder=placeholder,
            joined_at=asked.now,
            claimed=known.claimed if known is not None else claimed,
            unit=taken_over.unit if taken_over is not None else None,
            weight=taken_over.weight if taken_over is not None else VALUE_SCALE,
        )
    )


def _role_of_newcomer(state: GroupState, taken_over: Member | None, *, placeholder: bool) -> Role:
    """Who comes back first into a group that everybody has left can manage it: nobody else could.

    Of two people who have a ledger neither is above the other.
    """
    if state.settings.kind is GroupKind.DIRECT:
        return Role.ADMIN
    if not placeholder and not any(other.role is Role.ADMIN for other in state.active()):
        return Role.ADMIN
    return taken_over.role if taken_over is not None else Role.MEMBER


def _change_role(state: GroupState, command: ChangeRole, asked: Asked) -> Event:
    _check_admin(state, asked)
    before = _member(state, command.user_id)
    if before.placeholder and command.role is Role.ADMIN:
        raise Invalid(FieldError("role", "a placeholder has no account to administer with"))
    if before.role is Role.ADMIN and command.role is Role.MEMBER:
        _check_other_admin(state, before)
    return MemberUpdated(before, replace(before, role=command.role))


def _change_unit(state: GroupState, command: ChangeUnit, asked: Asked) -> Event:
    if command.user_id != asked.actor_id or command.unit is not None:
        _check_admin(state, asked)
    before = _member(state, command.user_id)
    return MemberUpdated(before, replace(before, unit=command.unit))


def _become_placeholder(state: GroupState, command: BecomePlaceholder, asked: Asked) -> Event:
    before = _member(state, asked.actor_id)
    if before.placeholder:
        raise Conflict("a placeholder already")
    if any(other.user_id != before.user_id and not other.placeholder for other in state.active()):
        _check_other_admin(state, before)
    return MemberUpdated(before, replace(before, name=command.name, placeholder=True, role=Role.MEMBER))


def _remove_member(state: GroupState, command: RemoveMember, asked: Asked) -> Event:
    if command.user_id != asked.actor_id or command.block:
        _check_admin(state, asked)
    if command.block:
        _check_may_be_blocked(state, command.user_id, asked)
        former = state.members.get(command.user_id)
        if former is not None and not former.is_active:
            return MemberLeft(replace(former, blocked=True))
    left = _left(state, _member(state, command.user_id), asked)
    return MemberLeft(replace(left.member, blocked=command.block))


def _check_may_be_blocked(state: GroupState, user_id: str, asked: Asked) -> None:
    member = state.members.get(user_id)
    if user_id == asked.actor_id:
        raise Invalid(FieldError("block", "nobody blocks themself"))
    if member is not None and member.placeholder:
        raise Invalid(FieldError("block", "a placeholder can't come in again anyway"))
    if member is not None and member.blocked:
        raise Conflict("blocked already")


def _unblock_member(state: GroupState, command: UnblockMember, asked: Asked) -> Event:
    _check_admin(state, asked)
    member = state.members.get(command.user_id)
    if member is None or not member.blocked:
        raise NotFound("nobody is blocked by this id")
    return MemberUnblocked(replace(member, blocked=False))


def _leave_group(state: GroupState, command: LeaveGroup, asked: Asked) -> Event:  # noqa: ARG001 - one shape for all rules
    return _left(state, state.members[asked.actor_id], asked)


def _left(state: GroupState, member: Member, asked: Asked) -> MemberLeft:
    if state.balances.get(member.user_id, 0) != 0:
        raise BalanceNotZero("leaving takes a zero balance: settle up first")
    if not state.settings.simplify and _has_debts(state, member.user_id):
        raise BalanceNotZero(
            "this group keeps debts between two people as they are: settle each of them first"
        )
    if any(member.user_id in (s.from_id, s.to_id) for s in state.pending.values()):
        raise SettlementPending("a payment awaits an answer: confirm, decline or cancel it first")
    if lending.has_open_loan(state, member.user_id):
        raise BalanceNotZero("a loan isn't repaid: repay it, or delete it, first")
    others = [other for other in state.active() if other.user_id != member.user_id and not other.placeholder]
    if others:
        _check_other_admin(state, member)
    return MemberLeft(replace(member, left_at=asked.now, unit=None))


def _has_debts(state: GroupState, user_id: str) -> bool:
    return any(user_id in (debtor, creditor) for debtor, creditor, _ in debt.rows(state.debts))


def _check_other_admin(state: GroupState, member: Member) -> None:
    """A group of people always has somebody who can manage it."""
    if member.role is Role.ADMIN and not any(
        other.role is Role.ADMIN and other.user_id != member.user_id for other in state.active()
    ):
        raise Conflict("the group's only admin: make somebody else an admin first")


# --- expenses


def _create_expense(state: GroupState, command: CreateExpense, asked: Asked) -> Event:
    if asked.subject is not None:
        raise Conflict("an expense with this id exists", _thing(asked))
    people = frozenset(member.user_id for member in state.active())
    return ExpenseCreated(
        draft.resolved(
            state,
            command.draft,
            people,
            expense_id=command.expense_id,
            actor_id=asked.actor_id,
            now=asked.now,
        )
    )


def _update_expense(state: GroupState, command: UpdateExpense, asked: Asked) -> Event:
    before = _expense(asked)
    _check_seen(command.expected_seq, before.seq, before)
    if before.deleted_at is not None:
        raise Conflict("the expense is deleted: restore it first", before)
    # Who took part and has left may stay in, as long as it changes nothing for them; also who did by less than one unit.
    people = {member.user_id for member in state.active()}
    people.update(state.canonical(user_id) for user_id in debt.net_of(as_typed(before)))
    after = draft.resolved(
        state,
        command.draft,
        people,
        expense_id=before.id,
        actor_id=asked.actor_id,
        now=asked.now,
        before=before,
    )
    _check_former_members(state, before, after)
    return ExpenseUpdated(before, after)


def _delete_expense(state: GroupState, command: DeleteExpense, asked: Asked) -> Event:
    before = _expense(asked)
    _check_seen(command.expected_seq, before.seq, before)
    if before.deleted_at is not None:
        raise Conflict("the expense is deleted already", before)
    _check_former_members(state, before, None)
    return ExpenseDeleted(replace(before, seq=state.seq + 1, updated_at=asked.now, deleted_at=asked.now))


def _restore_expense(state: GroupState, command: RestoreExpense, asked: Asked) -> Event:
    before = _expense(asked)
    _check_seen(command.expected_seq, before.seq, before)
    if before.deleted_at is None:
        raise Conflict("the expense is not deleted", before)
    _check_former_members(state, None, before)
    return ExpenseRestored(replace(before, seq=state.seq + 1, updated_at=asked.now, deleted_at=None))


def _make_instance(state: GroupState, command: MakeInstance, asked: Asked) -> Event:
    # Anybody can work out the id: it must not stand for two expenses, of which only one would be seen.
    if asked.subject is not None:
        raise Conflict("an expense with this id exists", _thing(asked))
    return arranging.make_instance(state, command, asked.now)


def _check_former_members(state: GroupState, before: Expense | None, after: Expense | None) -> None:
    """Who has left stays at zero: a change that would leave them owing or owed is refused."""
    old, new = (_net(state, expense) if expense else {} for expense in (before, after))
    for user_id in old.keys() | new.keys():
        if not state.is_member(user_id) and old.get(user_id, 0) != new.get(user_id, 0):
            raise BalanceNotZero(
                "this would change the balance of somebody who has left the group: add them again first"
            )


def _net(state: GroupState, expense: Expense) -> Mapping[str, int]:
    net: dict[str, int] = {}
    for user_id, amount in debt.net_of(expense).items():
        user = state.canonical(user_id)
        net[user] = net.get(user, 0) + amount
    return net


# --- attachments


def _add_attachment(state: GroupState, command: AddAttachment, asked: Asked) -> Event:
    expense = _counting(asked)
    attachment = command.attachment
    if attachment is None:
        raise Invalid(
            FieldError("attachmentId", "not uploaded to this group, or too long ago: upload it first")
        )
    if any(known.id == attachment.id for known in expense.attachments):
        raise Conflict("it is attached to the expense already", expense)
    if len(expense.attachments) >= ATTACHMENTS_MAX:
        raise LimitReached(f"an expense has at most {ATTACHMENTS_MAX} attachments: take one off first")
    attached = (*expense.attachments, attachment)
    return AttachmentAdded(
        replace(expense, seq=state.seq + 1, updated_at=asked.now, attachments=attached), attachment
    )


def _remove_attachment(state: GroupState, command: RemoveAttachment, asked: Asked) -> Event:
    expense = _counting(asked)
    found = next((known for known in expense.attachments if known.id == command.attachment_id), None)
    if found is None:
        raise NotFound("nothing like that is attached to the expense")
    left = tuple(known for known in expense.attachments if known is not found)
    return AttachmentRemoved(
        replace(expense, seq=state.seq + 1, updated_at=asked.now, attachments=left), found
    )


def _counting(asked: Asked) -> Expense:
    """The expense, if it isn't deleted."""
    expense = _expense(asked)
    if expense.deleted_at is not None:
        raise Conflict("the expense is deleted: restore it first", expense)
    return expense


# --- settlements


def _create_settlement(state: GroupState, command: CreateSettlement, asked: Asked) -> Event:
    if asked.subject is not None:
        raise Conflict("a settlement with this id exists", _thing(asked))
    if len(state.pending) >= PENDING_MAX:
        raise LimitReached(f"{PENDING_MAX} payments await an answer in this group: see to some of them first")
    from_id = state.canonical(command.from_id or asked.actor_id)
    to_id = state.canonical(command.to_id)
    for path, user_id in (("fromUserId", from_id), ("toUserId", to_id)):
        if not state.is_member(user_id):
            raise Invalid(FieldError(path, "not a member of the group"))
    if from_id == to_id:
        raise Invalid(FieldError("toUserId", "nobody pays themself"))
    if asked.actor_id not in (from_id, to_id) and not state.is_admin(asked.actor_id):
        raise Forbidden("only the two people concerned, or an admin, can record a payment")
    paid_on = lending.repaid_on(state, command, from_id, to_id, asked.now)
    return SettlementCreated(
        Settlement(
            id=command.settlement_id,
            seq=state.seq + 1,
            from_id=from_id,
            to_id=to_id,
            amount=command.amount,
            note=command.note,
            utr=command.utr,
            status=SettlementStatus.PENDING,
            created_by=asked.actor_id,
            created_at=asked.now,
            updated_at=asked.now,
            loan_id=command.loan_id,
            paid_on=paid_on,
        )
    )


def _confirm_settlement(state: GroupState, command: ConfirmSettlement, asked: Asked) -> Event:
    settlement = _pending(command, asked)
    _check_party(state, settlement.to_id, asked, "only who receives the payment can confirm it")
    return lending.completed(state, _answered(state, settlement, SettlementStatus.COMPLETED, asked))


def _decline_settlement(state: GroupState, command: DeclineSettlement, asked: Asked) -> Event:
    settlement = _pending(command, asked)
    _check_party(state, settlement.to_id, asked, "only who receives the payment can decline it")
    return SettlementDeclined(_answered(state, settlement, SettlementStatus.DECLINED, asked))


def _cancel_settlement(state: GroupState, command: CancelSettlement, asked: Asked) -> Event:
    settlement = _pending(command, asked)
    if asked.actor_id != settlement.created_by:
        _check_party(state, settlement.from_id, asked, "only the payer, or who recorded it, can cancel it")
    return SettlementCancelled(_answered(state, settlement, SettlementStatus.CANCELLED, asked))


_Answer: TypeAlias = ConfirmSettlement | DeclineSettlement | CancelSettlement


def _pending(command: _Answer, asked: Asked) -> Settlement:
    settlement = asked.subject
    if not isinstance(settlement, Settlement):
        raise NotFound("there is no such settlement in this group")
    _check_seen(command.expected_seq, settlement.seq, settlement)
    if settlement.status is not SettlementStatus.PENDING:
        raise AlreadySettled(f"the settlement is {settlement.status.lower()} already")
    return settlement


def _check_party(state: GroupState, user_id: str, asked: Asked, detail: str) -> None:
    """The person themself; for a placeholder, who has no account, an admin."""
    party = state.canonical(user_id)
    if asked.actor_id == party:
        return
    if not (state.members[party].placeholder and state.is_admin(asked.actor_id)):
        raise Forbidden(detail)


def _answered(
    state: GroupState, settlement: Settlement, status: SettlementStatus, asked: Asked
) -> Settlement:
    return replace(
        settlement,
        seq=state.seq + 1,
        status=status,
        updated_at=asked.now,
        from_id=state.canonical(settlement.from_id),
        to_id=state.canonical(settlement.to_id),
    )


# --- loans


def _create_loan(state: GroupState, command: CreateLoan, asked: Asked) -> Event:
    if isinstance(asked.subject, Loan):
        raise Conflict("a loan with this id exists", state.loans.get(command.loan_id, asked.subject))
    return lending.create_loan(state, command, asked.actor_id, asked.now)


# --- what is said


def _add_comment(state: GroupState, command: AddComment, asked: Asked) -> Event:
    return discussing.comment_added(state, command, _thread(asked), asked.actor_id, asked.now)


def _save_recurrence(state: GroupState, command: SaveRecurrence, asked: Asked) -> Event:
    was_there = isinstance(asked.subject, Recurrence)
    return arranging.save_recurrence(state, command, asked.actor_id, asked.now, was_there=was_there)


def _delete_comment(state: GroupState, command: DeleteComment, asked: Asked) -> Event:
    return discussing.comment_deleted(state, command, _thread(asked), asked.actor_id, asked.now)


def _send_reminder(state: GroupState, command: SendReminder, asked: Asked) -> Event:
    last = asked.subject if isinstance(asked.subject, LastReminder) else LastReminder(None)
    return discussing.reminder_sent(state, command, last, asked.actor_id, asked.now)


def _thread(asked: Asked) -> Thread:
    return asked.subject if isinstance(asked.subject, Thread) else Thread(None)


# --- what several rules check


def _check_admin(state: GroupState, asked: Asked) -> None:
    if not state.is_admin(asked.actor_id):
        raise Forbidden("only an admin of the group can do this")


def _member(state: GroupState, user_id: str) -> Member:
    if not state.is_member(user_id):
        raise NotFound("there is no such member in this group")
    return state.members[user_id]


def _thing(asked: Asked) -> Expense | Settlement | None:
    return asked.subject if isinstance(asked.subject, Expense | Settlement) else None


def _expense(asked: Asked) -> Expense:
    if not isinstance(asked.subject, Expense):
        raise NotFound("there is no such expense in this group")
    return asked.subject


def _check_seen(expected_seq: int | None, seq: int, current: Expense | Settlement | GroupSettings) -> None:
    """`seq` is that of the thing's last change; the caller may have seen it at any seq from there on."""
    if expected_seq is not None and seq > expected_seq:
        raise Conflict(f"it has changed since seq {expected_seq}; it is at seq {seq} now", current)


def _arranged(
    rule: Callable[[GroupState, _C, str, str], Event],
) -> Callable[[GroupState, _C, Asked], Event]:
    """A rule that asks only who and when."""
    return lambda state, command, asked: rule(state, command, asked.actor_id, asked.now)


_RULES: Final[Mapping[type[Command], Callable[..., Event]]] = {
    UpdateGroup: _update_group,
    AddMember: _add_member,
    JoinGroup: _join_group,
    ChangeRole: _change_role,
    ChangeUnit: _change_unit,
    BecomePlaceholder: _become_placeholder,
    UnblockMember: _unblock_member,
    RemoveMember: _remove_member,
    LeaveGroup: _leave_group,
    CreateExpense: _create_expense,
    UpdateExpense: _update_expense,
    DeleteExpense: _delete_expense,
    RestoreExpense: _restore_expense,
    AddAttachment: _add_attachment,
    RemoveAttachment: _remove_attachment,
    CreateSettlement: _create_settlement,
    ConfirmSettlement: _confirm_settlement,
    DeclineSettlement: _decline_settlement,
    CancelSettlement: _cancel_settlement,
    CreateLoan: _create_loan,
    UpdateLoan: _arranged(lending.update_loan),
    DeleteLoan: _arranged(lending.delete_loan),
    RestoreLoan: _arranged(lending.restore_loan),
    AddComment: _add_comment,
    DeleteComment: _delete_comment,
    SendReminder: _send_reminder,
    ChangeWeight: _arranged(arranging.change_weight),
    SavePreset: _arranged(arranging.save_preset),
    DeletePreset: _arranged(arranging.delete_preset),
    SaveRecurrence: _save_recurrence,
    PauseRecurrence: _arranged(arranging.pause_recurrence),
    StopRecurrence: _arranged(arranging.stop_recurrence),
    MakeInstance: _make_instance,
}

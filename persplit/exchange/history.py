"""A ledger of ours, happening again in another group: every expense, settlement and loan with all its versions.

Comments come along with their expenses.

Reminders are left out: asking is of the moment.

Who was in the group when, roles, blocking and settings are the new group's own affair; who settles together is taken
over, for the plan depends on it. Its presets come along; its recurring expenses don't, or both groups would go on
making them. What was written by somebody without an account here keeps its author; a file can't put words into the
mouth of somebody who has one.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, TypeAlias

from persplit.exchange.book import Book, Kind, OwnEvent
from persplit.exchange.cells import BadCell, plain
from persplit.exchange.entries import content_of
from persplit.exchange.identity import Known, derived_id, import_prefix
from persplit.exchange.own_things import (
    comment_of,
    draft_of,
    expense_of,
    instant_of,
    loan_draft_of,
    loan_of,
    preset_of,
    settlement_of,
)
from persplit.exchange.replaying import Replay
from persplit.exchange.rows import Row, Status
from persplit.ledger.codec import Json
from persplit.ledger.commands import (
    AddComment,
    CancelSettlement,
    ChangeUnit,
    Command,
    ConfirmSettlement,
    CreateExpense,
    CreateLoan,
    CreateSettlement,
    DeclineSettlement,
    DeleteComment,
    DeleteExpense,
    DeleteLoan,
    RemoveMember,
    RestoreExpense,
    RestoreLoan,
    SavePreset,
    UpdateExpense,
    UpdateLoan,
)
from persplit.ledger.comment import TEXT_LENGTH_MAX, Comment
from persplit.ledger.errors import LedgerError
from persplit.ledger.expense import Expense
from persplit.ledger.group import NAME_LENGTH_MAX
from persplit.ledger.loan import Loan
from persplit.ledger.settlement import Settlement

_LEFT: Final = "member:left"
_NO_FILES: Final = "attachments are not in an export: attach the file again"
_GONE: Final = ("member:left", "member:unblocked")
_MEMBER_CHANGED: Final = ("member:left", "member:updated")
_NOUNS: Final = ("expense", "settlement", "loan")
_PRESET_SAVED: Final = "preset:saved"


_Thing: TypeAlias = Expense | Settlement | Loan
_READ: Final[Mapping[str, Callable[[Json], _Thing]]] = {
    "expense": expense_of,
    "settlement": settlement_of,
    "loan": loan_of,
}


def thing_key(event: OwnEvent) -> str | None:
    """The id that the event's expense, settlement or loan has in the file; None for an event about something else."""
    noun = event.body["type"].partition(":")[0]
    thing = event.body.get(noun)
    if noun not in _NOUNS or not isinstance(thing, dict):
        return None
    key = thing.get("id")
    return key if isinstance(key, str) else None


class Histories:
    """Carries the events of a file out, one by one."""

    def __init__(
        self,
        replay: Replay,
        import_id: str,
        users: Mapping[str, str],
        made: Collection[str],
        known: Mapping[str, Known],
        currency: str | None,
    ) -> None:
        """`users`: id in the file → user id in the group. `made`: placeholders that this import adds."""
        self._replay = replay
        self._import_id = import_id
        self._users = users
        self._made = made
        self._known = known
        self._currency = currency
        self._own_units = {member.user_id for member in replay.state.active() if member.unit is not None}

    def take_all(self, book: Book, skip: Collection[int]) -> list[Row]:
        """What becomes of each event about an expense, a settlement or a loan, or something attached to one."""
        leaving = self._last_leaves(book.history)
        rows = []
        for event in book.history:
            if event.body["type"] in _MEMBER_CHANGED:
                self._settle_as_there(event)
            if event.row in leaving:
                self._leave(leaving[event.row])
            elif event.body["type"].partition(":")[0] in _NOUNS:
                rows.append(self._row(event, skip))
            elif event.body["type"].startswith("attachment:"):
                rows.append(Row(event.row, Status.IGNORED, _NO_FILES))
            elif event.body["type"].startswith("comment:") and event.row not in skip:
                rows += self._commented(event)
        self._keep_presets(book.history)
        return rows

    def _commented(self, event: OwnEvent) -> Iterator[Row]:
        """Say it again about the expense that this import made. A row only where that can't be done."""
        try:
            comment = comment_of(event.body)
            known = self._known.get(comment.expense_id)
            if known is None or known.last is not None or not self._replay.has_expense(known.id):
                return  # it goes with its expense, whatever became of that
            command = self._of_comment(event, comment, known.id)
            by = self._author(comment.created_by) if isinstance(command, AddComment) else None
            content = content_of(event.body)
            at = instant_of(comment.deleted_at or comment.created_at)
            self._replay.do(command, import_prefix(self._import_id, content), by=by, at=at)
        except (BadCell, LedgerError) as error:
            reason = error.detail if isinstance(error, LedgerError) else str(error)
            yield Row(event.row, Status.REFUSED, reason, None, None, None, None, None)

    def _of_comment(self, event: OwnEvent, comment: Comment, expense_id: str) -> Command:
        id_ = derived_id(self._replay.state.group_id, "comment", f"{expense_id} {comment.id}", 0)
        match event.body["type"]:
            case "comment:added":
                return AddComment(id_, expense_id, self._quoted(comment))
            case "comment:deleted":
                return DeleteComment(id_, expense_id)
        raise BadCell("its type is not known here")

    def _quoted(self, comment: Comment) -> str:
        """The text; with its author's name where it is to stand under the importer's."""
        author = self._user(comment.created_by)
        if author == self._replay.actor_id or self._author(comment.created_by) is not None:
            return comment.text
        return f"{self._replay.state.members[author].name}: {comment.text}"[:TEXT_LENGTH_MAX]

    def _keep_presets(self, history: Sequence[OwnEvent]) -> None:
        """Those that there were at the end, as far as they make sense here."""
        last: dict[str, OwnEvent] = {}
        for event in history:
            preset = event.body.get("preset")
            if event.body["type"].startswith("preset:") and isinstance(preset, dict):
                last[str(preset.get("id"))] = event
        for key, event in last.items():
            id_ = derived_id(self._replay.state.group_id, "preset", key, 0)
            if event.body["type"] != _PRESET_SAVED or id_ in self._replay.state.presets:
                continue
            with suppress(BadCell, LedgerError):
                command = SavePreset(id_, preset_of(event.body, self._user))
                self._replay.do(command, import_prefix(self._import_id, content_of(event.body)))

    def _row(self, event: OwnEvent, skip: Collection[int]) -> Row:
        status, reason, thing = Status.NEW, None, None
        try:
            thing = self._thing(event)
            known = self._known[thing.id]
            if event.row in skip:
                status = Status.SKIPPED
            elif known.last is not None:
                status = Status.PRESENT
            else:
                self._do(event, thing, known.id)
        except (BadCell, LedgerError) as error:
            status = Status.SKIPPED if event.row in skip else Status.REFUSED
            reason = error.detail if isinstance(error, LedgerError) else str(error)
        return self._told(event, status, reason, thing)

    def _told(self, event: OwnEvent, status: Status, reason: str | None, thing: _Thing | None) -> Row:
        if event.body["type"].startswith("loan:"):
            lent = thing.principal if isinstance(thing, Loan) and isinstance(thing.principal, int) else None
            return Row(event.row, status, reason, None, "loan", None, lent, self._currency)
        if isinstance(thing, Expense):
            described = thing.description if isinstance(thing.description, str) else None
            amount = thing.amount if isinstance(thing.amount, int) else None
            return Row(event.row, status, reason, Kind.EXPENSE, described, None, amount, self._currency)
        kind = Kind.EXPENSE if event.body["type"].startswith("expense:") else Kind.PAYMENT
        paid = thing.amount if isinstance(thing, Settlement) else None
        return Row(event.row, status, reason, kind, None, None, paid, self._currency)

    def _thing(self, event: OwnEvent) -> _Thing:
        if thing_key(event) is None:
            raise BadCell("it names no expense, settlement or loan")
        return _READ[event.body["type"].partition(":")[0]](event.body)

    def _do(self, event: OwnEvent, thing: _Thing, id_: str) -> None:
        command: Command
        match thing:
            case Settlement():
                command = self._of_settlement(event, thing, id_)
                by = self._party(command, thing)
            case Loan():
                command = self._of_loan(event, thing, id_)
                is_new = isinstance(command, CreateLoan)
                by = self._one_of(thing.created_by, thing.lender_id, thing.borrower_id) if is_new else None
            case _:
                command = self._of_expense(event, thing, id_)
                by = self._author(thing.created_by) if isinstance(command, CreateExpense) else None
        at = instant_of(thing.updated_at)
        content = content_of(event.body)
        self._replay.do(command, import_prefix(self._import_id, content), by=by, at=at)

    def _of_expense(self, event: OwnEvent, expense: Expense, id_: str) -> Command:
        match event.body["type"]:
            case "expense:created":
                return CreateExpense(id_, draft_of(expense, self._user))
            case "expense:updated":
                return UpdateExpense(id_, draft_of(expense, self._user))
            case "expense:deleted":
                return DeleteExpense(id_)
            case "expense:restored":
                return RestoreExpense(id_)
        raise BadCell("its type is not known here")

    def _of_settlement(self, event: OwnEvent, settlement: Settlement, id_: str) -> Command:
        match event.body["type"]:
            case "settlement:created":
                return CreateSettlement(
                    id_,
                    to_id=self._user(settlement.to_id),
                    amount=settlement.amount,
                    from_id=self._user(settlement.from_id),
                    note=settlement.note,
                    utr=settlement.utr,
                    loan_id=self._loan(settlement.loan_id),
                    paid_on=None if settlement.loan_id is None else settlement.paid_on,
                )
            case "settlement:completed":
                return ConfirmSettlement(id_)
            case "settlement:declined":
                return DeclineSettlement(id_)
            case "settlement:cancelled":
                return CancelSettlement(id_)
        raise BadCell("its type is not known here")

    def _loan(self, file_id: str | None) -> str | None:
        """The id here of the loan that a payment repays."""
        if file_id is None:
            return None
        if file_id not in self._known:
            raise BadCell("it repays a loan that is not in the file")
        return self._known[file_id].id

    def _of_loan(self, event: OwnEvent, loan: Loan, id_: str) -> Command:
        match event.body["type"]:
            case "loan:created":
                lender_id, borrower_id = self._user(loan.lender_id), self._user(loan.borrower_id)
                return CreateLoan(id_, lender_id, borrower_id, loan_draft_of(loan))
            case "loan:updated":
                return UpdateLoan(id_, loan_draft_of(loan))
            case "loan:deleted":
                return DeleteLoan(id_)
            case "loan:restored":
                return RestoreLoan(id_)
        raise BadCell("its type is not known here")

    def _party(self, command: Command, settlement: Settlement) -> str | None:
        """Whose word the event is: the receiver's that it came or didn't, the payer's that they take it back."""
        match command:
            case ConfirmSettlement() | DeclineSettlement():
                return self._user(settlement.to_id)
            case CancelSettlement():
                return self._user(settlement.from_id)
            case _:
                return self._one_of(settlement.created_by, settlement.from_id, settlement.to_id)

    def _one_of(self, author: str, *two: str) -> str | None:
        """The author, if they are one of the two. Somebody else was an admin there, and has no such say here."""
        return self._author(author) if author in two else None

    def _author(self, file_id: str) -> str | None:
        """Who is named as the author; None: the importer."""
        user_id = self._users.get(file_id)
        if user_id is None or not self._replay.state.is_member(user_id):
            return None
        return user_id if self._replay.state.members[user_id].placeholder else None

    def _user(self, file_id: str) -> str:
        if not isinstance(file_id, str) or file_id not in self._users:
            raise BadCell("it names somebody who is not among the members of the file")
        return self._users[file_id]

    def _last_leaves(self, history: Sequence[OwnEvent]) -> dict[int, str]:
        """Row → who leaves there and doesn't come back, of those whom this import adds."""
        last: dict[str, OwnEvent] = {}
        for event in history:
            member = event.body.get("member")
            if event.body["type"].startswith("member:") and isinstance(member, dict):
                user_id = self._users.get(str(member.get("userId")))
                if user_id is not None and user_id in self._made:
                    last[user_id] = event
        return {event.row: user_id for user_id, event in last.items() if event.body["type"] in _GONE}

    def _settle_as_there(self, event: OwnEvent) -> None:
        """Put a member into the unit in which they were then, unless the group has put them into one of its own."""
        there = event.body.get("member")
        if not isinstance(there, dict):
            return
        member = self._replay.state.members.get(self._users.get(str(there.get("userId")), ""))
        if member is None or not member.is_active or member.user_id in self._own_units:
            return
        told = there.get("unit")
        unit = plain(told)[:NAME_LENGTH_MAX].strip() or None if isinstance(told, str) else None
        if unit != member.unit:
            self._replay.do(ChangeUnit(member.user_id, unit), import_prefix(self._import_id, "unit"))

    def _leave(self, user_id: str) -> None:
        """Let them go as they did. Who still owes here, because rows were left out, stays."""
        try:
            self._replay.do(RemoveMember(user_id), import_prefix(self._import_id, "left"))
        except LedgerError:
            return

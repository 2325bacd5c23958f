"""Commands that wait for the server, in the form in which they are sent, and as the ledger reads them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from persplit.client.errors import Json, Refused
from persplit.ledger.arrangement_codec import schedule_from_json
from persplit.ledger.commands import (
    AddComment,
    AddMember,
    CancelSettlement,
    ChangeUnit,
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
    LeaveGroup,
    PauseRecurrence,
    RemoveAttachment,
    RemoveMember,
    RestoreExpense,
    RestoreLoan,
    SavePreset,
    SaveRecurrence,
    StopRecurrence,
    UnblockMember,
    UpdateExpense,
    UpdateGroup,
    UpdateLoan,
)
from persplit.ledger.draft_codec import draft_from_json, splits_from_json
from persplit.ledger.errors import FieldError
from persplit.ledger.expense import SplitType
from persplit.ledger.loan_codec import loan_draft_from_json
from persplit.ledger.preset import PresetDraft
from persplit.ledger.recurrence import UTC_ZONE

OUTBOX_MAX: Final = 10_000
"""Commands that wait or were refused: years of offline use, and a bound."""
COMMAND_BYTES_MAX: Final = 128 * 1024
"""One command as JSON: the server takes a body of twice this."""
PUSH_COMMANDS_MAX: Final = 100
"""Commands of one push: the server takes 200; half of it loses less to a connection that breaks."""
PUSH_BYTES_MAX: Final = 192 * 1024
"""Commands of one push as JSON, below the server's bound for a body."""


class Status(StrEnum):
    """Where a command in the outbox stands."""

    PENDING = "pending"
    """Not judged by the server yet, as far as this device knows."""
    ACKED = "acked"
    """The server has it; its event is on its way here."""
    REFUSED = "refused"
    """The server's final no: for the user to mend or to drop."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A command in the outbox.

    `fields` are those of the wire beyond `type`, `commandId` and `groupId`. `at` is this device's clock when it
    was written, for show. `was_sent`: it may have reached the server. `doubt` is what this device's own rules say
    against a pending command, as things stand now; the server judges.
    """

    position: int
    command_id: str
    group_id: str
    type: str
    fields: Json
    at: str
    status: Status = Status.PENDING
    was_sent: bool = False
    acked_seq: int | None = None
    error: Refused | None = None
    doubt: str | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether the server will likely refuse it."""
        return self.doubt is not None

    def to_wire(self) -> Json:
        """The command as `sync:push` takes it."""
        return {"type": self.type, "commandId": self.command_id, "groupId": self.group_id, **self.fields}

    def command(self, actor_name: str) -> Command:
        """The command as the ledger takes it."""
        return _COMMANDS[self.type](self.fields, actor_name)

    @property
    def thing_id(self) -> str:
        """The expense, settlement, loan, comment, preset, recurring expense, placeholder or group that it is about."""
        names = (
            "id",
            "commentId",
            "expenseId",
            "settlementId",
            "loanId",
            "presetId",
            "recurrenceId",
            "userId",
        )
        for name in names:
            if name in self.fields:
                return str(self.fields[name])
        return self.group_id


def error_to_json(error: Refused) -> Json:
    """A refusal, to be kept with its command."""
    return {
        "code": error.code,
        "detail": error.detail,
        "errors": [{"path": e.path, "message": e.message} for e in error.errors],
        "current": error.current,
    }


def error_from_json(stored: Json) -> Refused:
    """What `error_to_json` made."""
    errors = tuple(FieldError(e["path"], e["message"]) for e in stored["errors"])
    return Refused(stored["code"], stored["detail"], errors, stored["current"])


def _create_group(fields: Json, actor_name: str) -> Command:
    return CreateGroup(
        actor_name=actor_name,
        name=fields["name"],
        description=fields.get("description"),
        currency=fields["currency"],
        simplify=fields["simplify"],
        has_password="joinPassword" in fields,
        time_zone=fields.get("timeZone", UTC_ZONE),
    )


def _update_group(fields: Json, _: str) -> Command:
    return UpdateGroup(
        name=fields.get("name"),
        description=fields.get("description"),
        currency=fields.get("currency"),
        simplify=fields.get("simplify"),
        has_password=True if "joinPassword" in fields else None,
        archived=fields.get("archived"),
        time_zone=fields.get("timeZone"),
        expected_seq=fields.get("expectedSeq"),
    )


def _create_settlement(fields: Json, _: str) -> Command:
    return CreateSettlement(
        settlement_id=fields["id"],
        to_id=fields["toUserId"],
        amount=fields["amount"],
        from_id=fields.get("fromUserId"),
        note=fields.get("note"),
        utr=fields.get("utr"),
        loan_id=fields.get("loanId"),
        paid_on=fields.get("paidOn"),
    )


def _create_loan(fields: Json, _: str) -> Command:
    return CreateLoan(fields["id"], fields["lenderId"], fields["borrowerId"], loan_draft_from_json(fields))


def _save_preset(fields: Json, _: str) -> Command:
    split_type = SplitType(fields["splitType"])
    draft = PresetDraft(
        name=fields["name"],
        split_type=split_type,
        participants=tuple(fields["participants"]) if "participants" in fields else None,
        splits=splits_from_json(fields.get("splits", []), split_type),
        is_default=fields.get("isDefault", False),
    )
    return SavePreset(fields["presetId"], draft, fields.get("expectedSeq"))


def _save_recurrence(fields: Json, _: str) -> Command:
    schedule = schedule_from_json(fields["schedule"])
    template = draft_from_json(fields["expense"])
    return SaveRecurrence(fields["recurrenceId"], schedule, template, fields.get("expectedSeq"))


def _pause_recurrence(fields: Json, _: str) -> Command:
    return PauseRecurrence(fields["recurrenceId"], fields["paused"], expected_seq=fields.get("expectedSeq"))


_COMMANDS: Final[Mapping[str, Callable[[Json, str], Command]]] = {
    "group:create": _create_group,
    "group:update": _update_group,
    "group:leave": lambda *_: LeaveGroup(),
    "member:add": lambda f, _: AddMember(f["id"], f["name"], placeholder=True),
    "member:remove": lambda f, _: RemoveMember(f["userId"], f.get("block", False)),
    "member:unblock": lambda f, _: UnblockMember(f["userId"]),
    "member:unit": lambda f, _: ChangeUnit(f["userId"], f["unit"]),
    "expense:create": lambda f, _: CreateExpense(f["id"], draft_from_json(f)),
    "expense:update": lambda f, _: UpdateExpense(f["expenseId"], draft_from_json(f), f.get("expectedSeq")),
    "expense:delete": lambda f, _: DeleteExpense(f["expenseId"], f.get("expectedSeq")),
    "expense:restore": lambda f, _: RestoreExpense(f["expenseId"], f.get("expectedSeq")),
    "attachment:remove": lambda f, _: RemoveAttachment(f["expenseId"], f["attachmentId"]),
    "settlement:create": _create_settlement,
    "settlement:confirm": lambda f, _: ConfirmSettlement(f["settlementId"], f.get("expectedSeq")),
    "settlement:decline": lambda f, _: DeclineSettlement(f["settlementId"], f.get("expectedSeq")),
    "settlement:cancel": lambda f, _: CancelSettlement(f["settlementId"], f.get("expectedSeq")),
    "loan:create": _create_loan,
    "loan:update": lambda f, _: UpdateLoan(f["loanId"], loan_draft_from_json(f), f.get("expectedSeq")),
    "loan:delete": lambda f, _: DeleteLoan(f["loanId"], f.get("expectedSeq")),
    "loan:restore": lambda f, _: RestoreLoan(f["loanId"], f.get("expectedSeq")),
    "comment:add": lambda f, _: AddComment(f["id"], f["expenseId"], f["text"]),
    "comment:delete": lambda f, _: DeleteComment(f["commentId"], f["expenseId"]),
    "preset:save": _save_preset,
    "preset:delete": lambda f, _: DeletePreset(f["presetId"], f.get("expectedSeq")),
    "recurrence:save": _save_recurrence,
    "recurrence:pause": _pause_recurrence,
    "recurrence:stop": lambda f, _: StopRecurrence(f["recurrenceId"], f.get("expectedSeq")),
}
"""What can be written with no network: what this device's own rules can judge."""

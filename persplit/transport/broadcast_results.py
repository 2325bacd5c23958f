"""What the server tells sockets without being asked, as models."""

from typing import Literal

from pydantic import Field

from persplit.transport.arrangement_results import Preset, Recurrence
from persplit.transport.loan_results import Loan
from persplit.transport.result import Posting, Result, Time
from persplit.transport.results import (
    Attachment,
    Comment,
    DueRow,
    Expense,
    Group,
    Member,
    PlanRow,
    Problem,
    Pulled,
    Reminder,
    Settlement,
    User,
)


class Broadcast(Result):
    """What every connected member of the group hears, in order of `seq`."""

    group_id: str
    seq: int
    at: Time
    by: str
    command_id: str
    updated_balances: list[Posting] = Field(description="everybody's net position after `seq`; sums to zero")
    settle_up: list[PlanRow]


class ExpenseBroadcast(Broadcast):
    """An expense was created, updated, deleted or restored."""

    expense: Expense


class AttachmentBroadcast(Broadcast):
    """Something was attached to an expense, or taken off; no balance moved."""

    expense: Expense
    attachment: Attachment


class SettlementBroadcast(Broadcast):
    """A settlement was created, declined or cancelled."""

    settlement: Settlement


class CompletedBroadcast(SettlementBroadcast):
    """A settlement was completed."""

    loan: Loan | None = Field(
        None, description="the loan that it repaid, as it stands after that; else left out"
    )


class LoanBroadcast(Broadcast):
    """A loan was created, updated, deleted or restored; no balance moved."""

    loan: Loan


class GroupBroadcast(Broadcast):
    """The group was created or updated, roles included."""

    group: Group


class MemberBroadcast(Broadcast):
    """Somebody joined or left."""

    member: Member


class CommentBroadcast(Broadcast):
    """A comment was added or deleted."""

    comment: Comment


class ReminderBroadcast(Broadcast):
    """Somebody was asked to pay."""

    reminder: Reminder


class PresetBroadcast(Broadcast):
    """A preset was saved or deleted."""

    preset: Preset


class RecurrenceBroadcast(Broadcast):
    """A recurring expense was saved or stopped."""

    recurrence: Recurrence


class SettlementDue(Result):
    """To each connected member who has to pay: their own rows of the plan."""

    group_id: str
    seq: int
    settle_up: list[DueRow]


class ReadyGroup(Result):
    """A group that the socket hears."""

    id: str
    name: str
    seq: int
    epoch: str
    sync: Pulled | None = Field(None, description="what the client lacks, where its `since` named the group")


class SessionReady(Result):
    """The socket is signed in and hears its groups from the given seqs on."""

    user: User
    groups: list[ReadyGroup]
    server_time: Time


class ActivityRead(Result):
    """The person has read the group up to `seq`, on whichever device."""

    group_id: str
    seq: int


class AuthExpiring(Result):
    """The access token runs out in a minute: send `auth:renew`."""

    expires_at: Time


class SessionClosing(Result):
    """Why the server is about to disconnect, and when to come back."""

    code: Literal["token_expired", "signed_out", "account_disabled", "too_slow", "server_restarting"]
    retry_after_ms: int


class ConnectError(Result):
    """The data of `connect_error`: why the connection was refused."""

    message: str
    data: Problem

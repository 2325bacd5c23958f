"""Clients of a PerSplit server. They see the pure ledger and the wire, nothing of the server.

`Client` is the library: one person on one device, who reads and writes with or without a network. What it works
with are the ledger's own values, above all `ExpenseDraft`; what goes wrong is a `ClientError`, or a `LedgerError`
where the group's rules refuse.
"""

from persplit.client.book import Account
from persplit.client.changes import (
    Change,
    CommandDoubted,
    CommandDropped,
    CommandRefused,
    Confirmed,
    ConnectionChanged,
    GroupGone,
    GroupRead,
    GroupReplaced,
    Happened,
    Missed,
    Pending,
    Subscription,
)
from persplit.client.client import Client
from persplit.client.drafts import draft_of
from persplit.client.errors import (
    Busy,
    ClientError,
    MaybeSent,
    NewerServer,
    Offline,
    OtherAccount,
    OutboxFull,
    Refused,
    ReplicaError,
    SignedOut,
    UnknownCommand,
    UnsentCommands,
)
from persplit.client.files import EXPORTS, ImportReport, PastImport
from persplit.client.notifications import Notifications, PushDevice, Webhook
from persplit.client.outbox import Queued, Status
from persplit.client.people import Invite, InviteInfo, TokenInfo
from persplit.client.reading import (
    ActivityEntry,
    Balances,
    CommentEntry,
    ExpenseEntry,
    Explanation,
    Friend,
    Group,
    History,
    HistoryEntry,
    LoanEntry,
    MyBalances,
    MyGroupBalance,
    Plan,
    PlanRow,
    SettlementEntry,
    UnreadGroup,
)
from persplit.client.receipts import ScannedReceipt
from persplit.client.syncing import SyncReport
from persplit.client.written import Written
from persplit.ledger.expense import ExpenseDraft, ExpenseKind, Item, Posting, SplitType, SplitValue
from persplit.ledger.finding import ExpenseFilter
from persplit.ledger.loan import Loan, LoanDraft, LoanStatus
from persplit.ledger.preset import Preset, PresetDraft
from persplit.ledger.recurrence import Frequency, Recurrence, Schedule
from persplit.ledger.statistics import Statistics

__all__ = [
    "EXPORTS",
    "Account",
    "ActivityEntry",
    "Balances",
    "Busy",
    "Change",
    "Client",
    "ClientError",
    "CommandDoubted",
    "CommandDropped",
    "CommandRefused",
    "CommentEntry",
    "Confirmed",
    "ConnectionChanged",
    "ExpenseDraft",
    "ExpenseEntry",
    "ExpenseFilter",
    "ExpenseKind",
    "Explanation",
    "Frequency",
    "Friend",
    "Group",
    "GroupGone",
    "GroupRead",
    "GroupReplaced",
    "Happened",
    "History",
    "HistoryEntry",
    "ImportReport",
    "Invite",
    "InviteInfo",
    "Item",
    "Loan",
    "LoanDraft",
    "LoanEntry",
    "LoanStatus",
    "MaybeSent",
    "Missed",
    "MyBalances",
    "MyGroupBalance",
    "NewerServer",
    "Notifications",
    "Offline",
    "OtherAccount",
    "OutboxFull",
    "PastImport",
    "Pending",
    "Plan",
    "PlanRow",
    "Posting",
    "Preset",
    "PresetDraft",
    "PushDevice",
    "Queued",
    "Recurrence",
    "Refused",
    "ReplicaError",
    "ScannedReceipt",
    "Schedule",
    "SettlementEntry",
    "SignedOut",
    "SplitType",
    "SplitValue",
    "Statistics",
    "Status",
    "Subscription",
    "SyncReport",
    "TokenInfo",
    "UnknownCommand",
    "UnreadGroup",
    "UnsentCommands",
    "Webhook",
    "Written",
    "draft_of",
]

"""What the server says on a socket without being asked, as one table."""

from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from persplit.transport import broadcast_results


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name, the model of its one argument, and when it comes."""

    name: str
    payload: type[BaseModel]
    summary: str


BROADCASTS: Final = (
    ServerEvent("expense:created", broadcast_results.ExpenseBroadcast, "An expense was added."),
    ServerEvent("expense:updated", broadcast_results.ExpenseBroadcast, "An expense has another version."),
    ServerEvent("expense:deleted", broadcast_results.ExpenseBroadcast, "An expense no longer counts."),
    ServerEvent("expense:restored", broadcast_results.ExpenseBroadcast, "A deleted expense counts again."),
    ServerEvent(
        "attachment:added", broadcast_results.AttachmentBroadcast, "Something was attached to an expense."
    ),
    ServerEvent(
        "attachment:removed", broadcast_results.AttachmentBroadcast, "Something was taken off an expense."
    ),
    ServerEvent(
        "settlement:created",
        broadcast_results.SettlementBroadcast,
        "Somebody says that a payment was made. Balances stay as they are until it is confirmed.",
    ),
    ServerEvent(
        "settlement:completed",
        broadcast_results.CompletedBroadcast,
        "The receiver confirmed the payment: balances moved. If it repaid a `loan`, by what was left of it.",
    ),
    ServerEvent(
        "settlement:declined",
        broadcast_results.SettlementBroadcast,
        "The receiver says that it did not arrive.",
    ),
    ServerEvent(
        "settlement:cancelled", broadcast_results.SettlementBroadcast, "The payer took the payment back."
    ),
    ServerEvent(
        "loan:created",
        broadcast_results.LoanBroadcast,
        "Somebody lent somebody something. Balances and plan stay as they are: a loan stands beside them.",
    ),
    ServerEvent("loan:updated", broadcast_results.LoanBroadcast, "A loan has other terms."),
    ServerEvent("loan:deleted", broadcast_results.LoanBroadcast, "A loan no longer counts."),
    ServerEvent("loan:restored", broadcast_results.LoanBroadcast, "A deleted loan counts again."),
    ServerEvent(
        "group:created",
        broadcast_results.GroupBroadcast,
        "A group was made; all devices of its maker hear it from now on.",
    ),
    ServerEvent(
        "group:updated",
        broadcast_results.GroupBroadcast,
        "Settings changed, archiving and bringing back included, or members did: a role, a unit, an account "
        "given up (its owner is a placeholder now), somebody unblocked.",
    ),
    ServerEvent(
        "member:joined",
        broadcast_results.MemberBroadcast,
        "Somebody joined, was added, came back, or took over a placeholder (`member.claimed`). "
        "A placeholder that was taken over is gone since `joinedAt`. Their devices hear the group from this event "
        "on.",
    ),
    ServerEvent(
        "member:left",
        broadcast_results.MemberBroadcast,
        "Somebody left or was put out, or who had left was blocked (`member.blocked`). Their own devices no longer hear "
        "the group, this event included.",
    ),
    ServerEvent(
        "comment:added", broadcast_results.CommentBroadcast, "Somebody said something about an expense."
    ),
    ServerEvent("comment:deleted", broadcast_results.CommentBroadcast, "A comment no longer shows."),
    ServerEvent(
        "reminder:sent",
        broadcast_results.ReminderBroadcast,
        "Somebody was asked to pay. Show it to `reminder.toUserId`, whose devices get a `settlement:due` as well.",
    ),
    ServerEvent(
        "preset:saved",
        broadcast_results.PresetBroadcast,
        "A way to divide was named, or has another version.",
    ),
    ServerEvent("preset:deleted", broadcast_results.PresetBroadcast, "A named way to divide is gone."),
    ServerEvent(
        "recurrence:saved",
        broadcast_results.RecurrenceBroadcast,
        "A recurring expense was set up, changed, paused, or goes on. What it makes comes as `expense:created`.",
    ),
    ServerEvent(
        "recurrence:stopped", broadcast_results.RecurrenceBroadcast, "A recurring expense makes no more."
    ),
)
"""To every connected member of the group, the devices of whoever caused it included, in order of `seq`."""

PERSONAL: Final = (
    ServerEvent(
        "session:ready",
        broadcast_results.SessionReady,
        "Once after connecting: who you are, and the groups that this socket hears from the given seqs on. A group "
        "that the `since` of the connection's `auth` named has `sync`, what you lack of it, as from `sync:pull`; of "
        "the others pull what you lack. A group's `epoch` changes when its ledger was replaced by a backup.",
    ),
    ServerEvent(
        "settlement:due",
        broadcast_results.SettlementDue,
        "To each connected member who has to pay after an event: their own rows of the plan, with QRs. "
        "Follows the broadcast, and may skip a seq when events come fast; it replaces the one before.",
    ),
    ServerEvent(
        "activity:read",
        broadcast_results.ActivityRead,
        "To all devices of a person who has read a group further, on one of them: lower the count of what is unread.",
    ),
    ServerEvent(
        "auth:expiring",
        broadcast_results.AuthExpiring,
        "The access token runs out in a minute: refresh it and send `auth:renew`.",
    ),
    ServerEvent(
        "session:closing",
        broadcast_results.SessionClosing,
        "The server is about to disconnect this socket, and why. Reconnect yourself after `retryAfterMs`.",
    ),
)
"""To one socket, or to all devices of one person."""

SERVER_EVENTS: Final = (*BROADCASTS, *PERSONAL)
CONNECT_ERROR: Final = ServerEvent(
    "connect_error",
    broadcast_results.ConnectError,
    "The connection was refused; `data.code` says why. Socket.IO clients do not try again by themselves then.",
)
"""Made by the protocol rather than by `emit`: the answer to a connection that is refused."""

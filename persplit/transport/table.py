"""The contract as one table, from which the routes, the socket's commands and the documents are made."""

from typing import Final

from persplit.transport import (
    account_operations,
    activity_operations,
    admin_operations,
    analytics_operations,
    arrangement_operations,
    attachment_operations,
    comment_operations,
    exchange_operations,
    expense_operations,
    group_operations,
    loan_operations,
    notification_operations,
    own_data_operations,
    rate_operations,
    reading_operations,
    receipt_operations,
    statistics_operations,
    sync_operations,
    token_operations,
)
from persplit.transport.operations import Operation

_WRITES: Final[dict[str, Operation]] = {
    operation.event: operation
    for operation in (
        *group_operations.OPERATIONS,
        *expense_operations.OPERATIONS,
        *loan_operations.OPERATIONS,
        *attachment_operations.OPERATIONS,
        *comment_operations.OPERATIONS,
        *arrangement_operations.OPERATIONS,
    )
    if operation.event is not None and operation.carries_key
}
"""What an outbox may hold."""

TAGGED: Final = {
    "Accounts": (
        *account_operations.OPERATIONS,
        *token_operations.OPERATIONS,
        *own_data_operations.OPERATIONS,
    ),
    "Groups": group_operations.OPERATIONS,
    "Expenses and settlements": expense_operations.OPERATIONS,
    "Loans": loan_operations.OPERATIONS,
    "Attachments and receipts": (*attachment_operations.OPERATIONS, *receipt_operations.OPERATIONS),
    "Comments and reminders": comment_operations.OPERATIONS,
    "Presets and recurring expenses": arrangement_operations.OPERATIONS,
    "Rates of exchange": rate_operations.OPERATIONS,
    "Balances and history": reading_operations.OPERATIONS,
    "Activity": activity_operations.OPERATIONS,
    "Notifications": notification_operations.OPERATIONS,
    "Statistics": statistics_operations.OPERATIONS,
    "Files in and out": exchange_operations.OPERATIONS,
    "Catching up": (*sync_operations.OPERATIONS, sync_operations.push_operation(_WRITES)),
    "Looking after the platform": (*admin_operations.OPERATIONS, *analytics_operations.OPERATIONS),
}

OPERATIONS: Final = tuple(operation for operations in TAGGED.values() for operation in operations)
COMMANDS: Final = {operation.event: operation for operation in OPERATIONS if operation.event is not None}
"""What a client may send on a socket, by event name."""

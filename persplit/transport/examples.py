"""Short examples for the documents, made from schemas: the same few people and amounts everywhere."""

from collections.abc import Mapping
from typing import Any, Final

from persplit.transport.problems import STORE_RETRY_SECONDS, Problem
from persplit.transport.schemas import Schema, Schemas, name_of

_GROUP: Final = "019a7c1e-3f00-7a10-8c55-2f6d1b9e0a01"
_ASHA: Final = "019a7c1e-1d00-7b20-9a41-6e0f7c2d4b02"
_RAVI: Final = "019a7c1e-2e00-7c30-a5d7-91b84f3e6c03"
_EXPENSE: Final = "019a7c22-8800-7d40-b0e3-4c7a5d1f8e04"
_SETTLEMENT: Final = "019a7c2f-9900-7e50-8f19-d3a26b7c0f05"
_ATTACHMENT: Final = "5f3c9d0e7a8b41c26d9f0e1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e"
_COMMENT: Final = "019a7c23-5500-7b80-9e14-7d2c0a6b9f07"
_HOOK: Final = "https://example.org/persplit"
_AT: Final = "2026-03-01T12:00:00.000Z"
_ITEM: Final = {"name": "Masala Dosa", "amount": 120_000, "participants": [_ASHA, _RAVI]}
_PRESET: Final = "019a7c31-7700-7f60-9c28-e4a37b8d0f06"
_RECURRENCE: Final = "019a7c33-6600-7a70-8d37-f5b48c9e1f07"
_LOAN: Final = "019a7c34-5500-7a80-9e47-06c59da02f08"
_TOKEN: Final = "eyJhbGciOiJIUzI1NiIs…"  # noqa: S105 - cut off, of no use
_LINK: Final = "upi://pay?pa=asha@okhdfcbank&pn=Asha&am=600.00&cu=INR&tn=Goa%20trip"
_NET: Final = [{"userId": _ASHA, "amount": 60_000}, {"userId": _RAVI, "amount": -60_000}]

_BY_NAME: Final[Mapping[str, object]] = {
    "accessToken": _TOKEN,
    "after": 41,
    "amount": 120_000,
    "attachmentId": _ATTACHMENT,
    "attachments": [],
    "balances": _NET,
    "block": False,
    "blocked": False,
    "borrowerId": _RAVI,
    "by": _ASHA,
    "bytes": 184_321,
    "category": "Food",
    "claimed": None,
    "code": "q3Zk8mB1tXo5Yw2LrD7vNA",
    "commentId": _COMMENT,
    "commandId": "019a7c22-8a00-7f60-9b2c-5e8d0a4f7106",
    "createdBy": _ASHA,
    "confidence": 0.97,
    "currency": "INR",
    "difference": 0,
    "current": True,
    "cursor": "NDI",
    "date": "2026-03-01",
    "deletedAt": None,
    "archivedAt": None,
    "leftAt": None,
    "description": "Dinner",
    "device": "Pixel 9",
    "dueDate": "2026-09-01",
    "email": "asha@example.org",
    "errors": [],
    "expectedSeq": 41,
    "expenseId": _EXPENSE,
    "expiresIn": 600,
    "from": _RAVI,
    "fromUserId": _RAVI,
    "groupId": _GROUP,
    "guestOf": None,
    "hasPassword": False,
    "height": 2_340,
    "hours": 168,
    "includePayer": True,
    "lagSeconds": 2.5,
    "interestOwed": 0,
    "interestPaid": 0,
    "interestParts": 0,
    "interestRate": "6.5",
    "inviteId": "9f2c6b1d7a3e4f50c8b7d6a5e4f3021b9f2c6b1d7a3e4f50c8b7d6a5e4f3021b",
    "key": "7d2f4c1e-9b3a-4e58-8f60-1c2d3e4f5a6b",
    "lenderId": _ASHA,
    "loanId": _LOAN,
    "locale": "en-IN",
    "maxUses": 5,
    "name": "Asha",
    "nextCursor": None,
    "note": "by UPI",
    "notes": None,
    "on": "2026-03-01",
    "optimal": True,
    "outstanding": 500_000,
    "overall": [{"currency": "INR", "amount": 60_000}],
    "paidBy": _ASHA,
    "participants": [_ASHA, _RAVI],
    "password": "a long passphrase",
    "phone": None,
    "placeholder": False,
    "principal": 500_000,
    "qr": "data:image/png;base64,iVBORw0KGgo…",
    "qrUrl": "/api/v1/qr/dAEZp8wePwB6….png",
    "refreshToken": "hT5v0Yk2…",
    "replayed": False,
    "retryAfterMs": 2_000,
    "scope": "read",
    "seq": 42,
    "sessionId": "019a7c1e-4000-7170-8d3a-0b9c6e5f2807",
    "settlementId": _SETTLEMENT,
    "presetId": _PRESET,
    "recurrenceId": _RECURRENCE,
    "start": "2026-03-31",
    "timeZone": "Asia/Kolkata",
    "toRepay": 500_000,
    "into": "INR",
    "rate": "97.25",
    "shares": [{"userId": _ASHA, "amount": 60_000}, {"userId": _RAVI, "amount": 60_000}],
    "simplify": True,
    "splits": [],
    "items": [],
    "splitType": "EQUAL",
    "to": _ASHA,
    "toUserId": _ASHA,
    "tokenId": "019a7c1e-4100-7170-8d3a-0b9c6e5f2808",
    "token": _TOKEN,
    "unit": None,
    "updatedBalances": _NET,
    "upiLink": _LINK,
    "url": "https://split.example.org/i/q3Zk8mB1tXo5Yw2LrD7vNA",
    "userId": _RAVI,
    "utr": None,
    "v": 1,
    "vpa": "asha@okhdfcbank",
    "width": 1_080,
}
_TO_RAVI: Final = {"borrowerId": _RAVI, "description": "Deposit"}
_LENT: Final = {"id": _LOAN, "description": "Deposit", "interestDue": 0}
_MARCH: Final = {"from": "2026-03-01", "to": "2026-03-31"}
_BY_OWNER: Final[Mapping[str, Mapping[str, object]]] = {
    "AddAttachment": {"name": "bill.jpg"},
    "Attachment": {"id": _ATTACHMENT, "type": "image/jpeg", "name": "bill.jpg"},
    **dict.fromkeys(("AnalyticsSummary", "TopSpenders", "GroupActivity", "UnsettledDebts"), _MARCH),
    "Category": {"key": "food", "name": "Food and drink", "icon": "🍽️"},
    "CategoryTotal": {"category": "food", "icon": "🍽️"},
    "Cause": {"id": _EXPENSE, "amount": 60_000},
    "Comment": {"id": _COMMENT, "text": "Was the wine in it?"},
    "CommentIn": {"text": "Was the wine in it?"},
    "ConnectError": {"message": "the token has expired"},
    "ChangeRole": {"role": "ADMIN"},
    "CreateGroup": {"name": "Goa trip"},
    **dict.fromkeys(("CreateLoan", "CreateGroupLoan"), _TO_RAVI),
    "CreatePreset": {"name": "The flat"},
    "CreateSettlement": {"amount": 60_000},
    "CurrencyBalance": {"amount": 60_000},
    "Debt": {"amount": 60_000},
    "DeviceIn": {"platform": "fcm", "token": "dJ8xQ2:APA91bH"},
    "DueRow": {"amount": 60_000},
    "EmailWanted": {"email": True},
    "Expense": {"id": _EXPENSE},
    "ExplainedDebt": {"amount": 60_000},
    "Explanation": {"amount": 60_000},
    "Friend": {"name": "Ravi", "balances": [{"currency": "INR", "amount": 60_000}], "loans": []},
    "FeedEntry": {"groupName": "Goa trip"},
    "Group": {"id": _GROUP, "name": "Goa trip", "description": None},
    "GroupSettings": {"name": "Goa trip", "description": None},
    "GroupUnread": {"name": "Goa trip"},
    "GroupWebhookIn": {"url": _HOOK},
    **dict.fromkeys(("Loan", "LoanOn"), _LENT),
    "MonthTotal": {"month": "2026-03"},
    "MyGroupBalance": {"name": "Goa trip", "amount": 60_000},
    "Notifications": {"email": True},
    "PlanRow": {"amount": 60_000},
    "Preset": {"id": _PRESET, "name": "The flat"},
    "Problem": {
        "status": 401,
        "code": "token_expired",
        "title": "The token has expired",
        "detail": "refresh it, then connect again",
    },
    "Pulled": {"events": [], "more": False},
    "ProposedExpense": {"splitType": "ITEMIZED", "items": [_ITEM]},
    "ReadAmount": {"value": 120_000},
    "ReadCharge": {"kind": "tax", "label": "CGST @ 2.5%", "amount": 2_857},
    "ReadItem": {"name": "Masala Dosa", "amount": 120_000, "quantity": 2.0, "rate": 60_000},
    "ReadText": {"value": "Annapoorna"},
    "ReadyGroup": {"id": _GROUP, "name": "Goa trip"},
    "ScanReceipt": {"attachmentId": _ATTACHMENT},
    "Reminder": {"amount": 60_000},
    "Repayment": {"interest": 2_500, "principal": 57_500},
    "Rate": {"currency": "EUR"},
    "TemplateIn": {"description": "Rent"},
    "ListedRecurrence": {"id": _RECURRENCE},
    "Recurrence": {"id": _RECURRENCE},
    "SavePreset": {"name": "The flat"},
    "ScheduleIn": {"frequency": "MONTHLY"},
    "Schedule": {"frequency": "MONTHLY", "end": None, "count": None},
    "Session": {"id": "019a7c1e-4000-7170-8d3a-0b9c6e5f2807"},
    "SessionClosing": {"code": "server_restarting"},
    "Settlement": {"id": _SETTLEMENT, "amount": 60_000},
    "CreateToken": {"name": "budget script"},
    "NewToken": {"name": "budget script", "token": "pst_019a7c1e-4100-7170-8d3a-0b9c6e5f2808_hT5v0Yk2…"},
    "TokenInfo": {"name": "budget script"},
    "SettlementQr": {"amount": 60_000},
    "Uploaded": {"id": _ATTACHMENT, "type": "image/jpeg"},
    "JoinAsGuest": {"name": "Ravi"},
    "User": {"id": _ASHA},
    "Webhook": {"url": _HOOK},
    "WebhookIn": {"url": _HOOK},
    "WebhookMade": {"url": _HOOK, "secret": "h7YxQ2…"},
}
RETRY_AFTER: Final = frozenset({429, 503})
"""Statuses of the refusals that say when to come back."""
_SHOWN: Final = frozenset(
    {
        "commandId",
        "date",
        "email",
        "expectedSeq",
        "note",
        "participants",
        "refreshToken",
        "splitType",
        "vpa",
    }
)
"""Optional fields worth showing: an example has these and all that are required."""
_DEPTH_MAX: Final = 8


def example_of(name: str, schemas: Schemas) -> Any:
    """An example of the component. The same schemas always give the same one."""
    return _value(schemas[name], name, schemas, _DEPTH_MAX)


def problem_example(code: str, entry: Problem) -> dict[str, Any]:
    """An example of a refusal with this code, as REST answers it."""
    wrong = [{"path": "amount", "message": "Input should be a valid integer"}]
    found: dict[str, Any] = {
        "type": f"/docs#{code}",
        "status": entry.status,
        "code": code,
        "title": entry.title,
        "detail": entry.title[0].lower() + entry.title[1:],
        "errors": wrong if code == "validation_failed" else [],
    }
    if entry.status in RETRY_AFTER:
        found["retryAfterMs"] = STORE_RETRY_SECONDS * 1000
    return found


def _value(schema: Schema, owner: str, schemas: Schemas, depth: int) -> Any:
    if (name := name_of(schema)) is not None:
        return _value(schemas[name], name, schemas, depth - 1)
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return _value(schema[choice][0], owner, schemas, depth)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return _object(schema, owner, schemas, depth)
        case "array":
            return [_value(schema["items"], owner, schemas, depth - 1)] if depth > 0 else []
        case _:
            return _scalar(schema)


def _object(schema: Schema, owner: str, schemas: Schemas, depth: int) -> dict[str, Any]:
    own = _BY_OWNER.get(owner.removesuffix("Body").removesuffix("Ack"), {})
    required = schema.get("required", ())
    found = {}
    for field, part in schema.get("properties", {}).items():
        if field not in required and field not in own and field not in _SHOWN:
            continue
        if field in own:
            found[field] = own[field]
        elif field in _BY_NAME and not _is_object(part, schemas) and "const" not in part:
            found[field] = _BY_NAME[field]
        else:
            found[field] = _value(part, owner, schemas, depth)
    return found


def _is_object(schema: Schema, schemas: Schemas) -> bool:
    name = name_of(schema)
    return name is not None and schemas[name].get("type") == "object"


def _scalar(schema: Schema) -> Any:
    match schema.get("type"):
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case ["string", "null"] if schema.get("format") != "date-time":
            return None
        case _:
            return _AT if schema.get("format") == "date-time" else "…"

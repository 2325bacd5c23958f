"""Receipts: a picture in, a proposal out."""

from typing import TYPE_CHECKING, Final

from persplit.receipts.labels import Label
from persplit.service.ports import FILE_BYTES_MAX, PICTURE_TYPES
from persplit.service.receipts import Scan
from persplit.transport import attachment_requests as r
from persplit.transport.attachment_operations import UPLOAD_SECONDS_MAX
from persplit.transport.limits import Budget
from persplit.transport.operations import Answers, Call, Operation, Services
from persplit.transport.views import Json

if TYPE_CHECKING:
    from persplit.receipts.receipt import Money, Receipt, Text  # a start does without

results: Final = Answers("receipt_results")

SCAN_SECONDS_MAX: Final = 90.0
"""The last one in the queue waits for those before it."""


async def _scan(services: Services, call: Call, request: r.ScanReceipt) -> Json:
    if request.attachment_id is not None:
        return _told(
            await services.receipts.scan_attachment(request.group_id, call.user_id, request.attachment_id)
        )
    return _told(await services.receipts.scan(request.group_id, call.user_id, request.file or b""))


def _told(scan: Scan) -> Json:
    receipt = scan.receipt
    return {
        "currency": scan.currency,
        "merchant": _text(receipt.merchant),
        "date": _text(receipt.date),
        "items": _items(receipt),
        "charges": _charges(receipt),
        "tax": _amount(receipt.sum_of(Label.TAX)),
        "tip": _amount(receipt.sum_of(Label.TIP)),
        "total": _amount(receipt.total),
        "difference": receipt.difference,
        "addsUp": receipt.difference == 0,
        "proposal": _proposal(scan),
    }


def _text(read: "Text | None") -> Json:
    return (
        {"value": None, "confidence": 0.0}
        if read is None
        else {"value": read.value, "confidence": read.confidence}
    )


def _amount(read: "Money | None") -> Json:
    return (
        {"value": None, "confidence": 0.0}
        if read is None
        else {"value": read.value, "confidence": read.confidence}
    )


def _items(receipt: "Receipt") -> list[Json]:
    return [
        {
            "name": item.name,
            "amount": item.amount,
            "quantity": None if item.quantity is None else float(item.quantity),
            "rate": item.rate,
            "confidence": item.confidence,
        }
        for item in receipt.items
    ]


def _charges(receipt: "Receipt") -> list[Json]:
    return [
        {
            "kind": charge.kind.value,
            "label": charge.label,
            "amount": charge.amount,
            "included": charge.included,
            "confidence": charge.confidence,
        }
        for charge in receipt.charges
    ]


def _proposal(scan: Scan) -> Json:
    draft = scan.proposal
    told: Json = {
        "description": draft.description,
        "amount": draft.amount,
        "splitType": draft.split_type.value,
        "items": [
            {"name": item.name, "amount": item.amount, "participants": list(item.participants)}
            for item in draft.items
        ],
    }
    return told if draft.date is None else {**told, "date": draft.date}


OPERATIONS: Final = (
    Operation(
        "scanReceipt",
        "Read a picture of a receipt; nothing is kept or booked, the answer is a proposal",
        r.ScanReceipt,
        results.ScannedReceipt,
        _scan,
        "POST /groups/{groupId}/receipts",
        budget=Budget.SCANS,
        body_bytes_max=FILE_BYTES_MAX,
        body_seconds_max=UPLOAD_SECONDS_MAX,
        file_types=PICTURE_TYPES,
        seconds_max=SCAN_SECONDS_MAX,
    ),
)

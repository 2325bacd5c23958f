"""Pictures and documents of expenses: uploaded to a group, attached, fetched, taken off."""

from typing import Final

from persplit.ledger.attachment import Attachment
from persplit.ledger.codec import attachment_to_json
from persplit.ledger.commands import AddAttachment, Command, RemoveAttachment
from persplit.ledger.events import AttachmentAdded, AttachmentRemoved
from persplit.service.ports import FILE_BYTES_MAX, FILE_TYPES
from persplit.transport import attachment_requests as r
from persplit.transport import views
from persplit.transport.limits import Budget
from persplit.transport.operations import Answers, Call, Operation, Services, command
from persplit.transport.requests import GroupWrite
from persplit.transport.views import Json

results: Final = Answers("results")

UPLOAD_SECONDS_MAX: Final = 120.0
"""Ten megabytes at one megabit a second take 80."""
LOOK_SECONDS_MAX: Final = 30.0
"""For others' pictures to be looked at first: each takes a second at most."""
_SUFFIXES: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "application/pdf": "pdf"}


async def _upload(services: Services, call: Call, request: r.UploadAttachment) -> Json:
    kept = await services.attachments.upload(request.group_id, call.user_id, request.file)
    told = attachment_to_json(kept)
    del told["name"]  # it gets one where it is attached
    return told


async def _get(services: Services, call: Call, request: r.GetAttachment) -> Json:
    group_id, id_ = request.group_id, request.attachment_id
    if request.thumbnail:
        body = await services.attachments.thumbnail(group_id, call.user_id, id_)
        return {"file": body, "name": f"{id_[:12]}-small.jpg", "type": "image/jpeg", "etag": f'"{id_}-small"'}
    found = await services.attachments.fetch(group_id, call.user_id, id_)
    type_ = found.attachment.type
    return {"file": found.body, "name": f"{id_[:12]}.{_SUFFIXES[type_]}", "type": type_, "etag": f'"{id_}"'}


async def _add(services: Services, call: Call, request: r.AddAttachment) -> Json:
    kept = await services.attachments.claim(
        request.group_id, call.user_id, request.attachment_id, request.expense_id
    )
    if kept is not None:
        kept = Attachment(kept.id, kept.type, kept.size, kept.width, kept.height, request.name)
    return await _written(services, call, request, AddAttachment(request.expense_id, kept))


async def _remove(services: Services, call: Call, request: r.RemoveAttachment) -> Json:
    return await _written(
        services, call, request, RemoveAttachment(request.expense_id, request.attachment_id)
    )


async def _written(services: Services, call: Call, request: GroupWrite, wanted: Command) -> Json:
    outcome = await command(services, call, request, wanted, group_id=request.group_id)
    event = outcome.recorded.event
    assert isinstance(event, AttachmentAdded | AttachmentRemoved)  # noqa: S101 - the only ones of these commands
    return {
        "seq": outcome.recorded.seq,
        "replayed": outcome.replayed,
        "expense": views.thing(event.expense, request.group_id),
        "attachment": attachment_to_json(event.attachment),
    }


_ATTACHMENTS: Final = "/groups/{groupId}/attachments"
_OF_EXPENSE: Final = "/groups/{groupId}/expenses/{expenseId}/attachments"

OPERATIONS: Final = (
    Operation(
        "uploadAttachment",
        "Upload a picture (JPEG, PNG, WebP) or a PDF, to be attached to an expense",
        r.UploadAttachment,
        results.Uploaded,
        _upload,
        f"POST {_ATTACHMENTS}",
        status=201,
        budget=Budget.UPLOADS,
        body_bytes_max=FILE_BYTES_MAX,
        body_seconds_max=UPLOAD_SECONDS_MAX,
        file_types=FILE_TYPES,
        seconds_max=LOOK_SECONDS_MAX,
    ),
    Operation(
        "getAttachment",
        "A file of the group, or a thumbnail of a picture",
        r.GetAttachment,
        None,
        _get,
        f"GET {_ATTACHMENTS}/{{attachmentId}}",
        budget=Budget.DOWNLOADS,
        media_type="*/*",
        seconds_max=LOOK_SECONDS_MAX,
    ),
    Operation(
        "addAttachment",
        "Attach a file to an expense",
        r.AddAttachment,
        results.AttachmentWritten,
        _add,
        f"POST {_OF_EXPENSE}",
        "attachment:add",
        status=201,
    ),
    Operation(
        "removeAttachment",
        "Take a file off an expense",
        r.RemoveAttachment,
        results.AttachmentWritten,
        _remove,
        f"DELETE {_OF_EXPENSE}/{{attachmentId}}",
        "attachment:remove",
    ),
)

"""What clients may send about attachments and receipts."""

from typing import Self

from pydantic import Field, StrictBool, model_validator

from persplit.transport import fields as f
from persplit.transport.requests import GroupWrite, OneGroup


class UploadAttachment(OneGroup):
    """A picture or a PDF, as the body itself: nothing is around it, and its type is found out by what is in it."""

    file: f.FileBody


class GetAttachment(OneGroup):
    """Which attachment."""

    attachment_id: f.AttachmentId
    thumbnail: StrictBool = Field(default=False, description="a small JPEG of a picture")


class AddAttachment(GroupWrite):
    """What to attach to an expense: something that was uploaded to the group."""

    expense_id: f.Id
    attachment_id: f.AttachmentId
    name: f.AttachmentName | None = Field(None, description="what people call the file")


class RemoveAttachment(GroupWrite):
    """What to take off an expense."""

    expense_id: f.Id
    attachment_id: f.AttachmentId


class ScanReceipt(OneGroup):
    """A picture of a receipt as the body itself; or JSON with the id of an attachment of the group."""

    file: f.FileBody | None = None
    attachment_id: f.AttachmentId | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.file is None) == (self.attachment_id is None):
            raise ValueError("send either a picture as the body, or the id of an attachment")
        return self

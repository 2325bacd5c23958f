"""A picture or a document that belongs to an expense: what the ledger knows of it. Its bytes are kept elsewhere."""

from dataclasses import dataclass
from typing import Final

ATTACHMENTS_MAX: Final = 10
"""Of one expense: a long bill in several photos, and its invoice. They are part of every event about the expense."""
ATTACHMENT_NAME_LENGTH_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is attached. `id` is the SHA-256 (hex) of what is kept, `size` its bytes, `type` its media type.

    `width` and `height` are in pixels; None for a document. `name` is for people, and may be missing.
    """

    id: str
    type: str
    size: int
    width: int | None = None
    height: int | None = None
    name: str | None = None

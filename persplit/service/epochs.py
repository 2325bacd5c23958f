"""Epochs: how a client finds out that a ledger it knows was replaced, as by a restored backup.

Every store has one random value, every group an epoch made of it. Restoring a backup gives the store a new value, as
does `persplit new-epoch` after old files were put back; clients with another epoch drop what they hold and begin anew.
"""

import hashlib
import secrets
from contextlib import suppress
from typing import Final

from persplit.service.ports import Document, Documents, DuplicateKey, VersionChanged

_DOCUMENT: Final = "epoch"
_LENGTH: Final = 16
"""Hex digits: 64 bits, so that two epochs of a group are never the same by chance."""


class Epochs:
    """The epochs of one store, as they were when this node started."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._value = ""

    async def open(self) -> None:
        """Read the store's value; the first node to come makes it."""
        with suppress(DuplicateKey):
            await self._documents.insert(Document(_DOCUMENT, {"value": secrets.token_hex()}))
        self._value = str((await self._documents.get([_DOCUMENT]))[_DOCUMENT].body["value"])

    async def renew(self) -> None:
        """Give every group another epoch. Nodes that are running go on with the old one until they start again."""
        found = (await self._documents.get([_DOCUMENT]))[_DOCUMENT]
        renewed = Document(_DOCUMENT, {"value": secrets.token_hex()}, {}, found.version)
        try:
            self._value = str((await self._documents.replace(renewed)).body["value"])
        except VersionChanged:
            await self.open()

    def of(self, group_id: str) -> str:
        """The group's epoch."""
        return hashlib.sha256(f"{self._value}:{group_id}".encode()).hexdigest()[:_LENGTH]

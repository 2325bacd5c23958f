"""Reading receipts for members of a group. Nothing is kept, and nothing is booked: the answer is a proposal."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from persplit.ledger.expense import ExpenseDraft
from persplit.ledger.group import Member
from persplit.ledger.money import minor_digits
from persplit.receipts.page import Word, rows_of
from persplit.service.attachments import Attachments
from persplit.service.errors import ReceiptUnreadable, UnsupportedMedia
from persplit.service.groups import Groups
from persplit.service.ports import PICTURE_TYPES, Pictures, WordReader

if TYPE_CHECKING:
    from persplit.receipts.receipt import (
        Receipt,
    )  # loaded by the thread that reads the first one: a start doesn't


@dataclass(frozen=True, slots=True)
class Scan:
    """What was read, in the group's currency, and the expense that it would make."""

    receipt: "Receipt"
    proposal: ExpenseDraft
    currency: str


class Receipts:
    """See the module."""

    def __init__(
        self, groups: Groups, attachments: Attachments, pictures: Pictures, reader: WordReader
    ) -> None:
        self._groups = groups
        self._attachments = attachments
        self._pictures = pictures
        self._reader = reader

    async def scan(self, group_id: str, user_id: str, picture: bytes) -> Scan:
        """Read a picture for a member of the group.

        Raises:
            NotFound: no such group, or not the caller's.
            ReceiptsUnavailable: this server reads none.
            UnsupportedMedia, TooLarge: the picture isn't taken.
            ReceiptUnreadable: no amount was found in it.
            RateLimited: too many receipts are being read.

        """
        state = await self._groups.state_for(group_id, user_id)
        self._reader.require()
        cleaned = await self._pictures.cleaned(picture)
        return await self._read(cleaned.body, cleaned.type, state.settings.currency, _people(state.active()))

    async def scan_attachment(self, group_id: str, user_id: str, attachment_id: str) -> Scan:
        """Read a picture that the group has. Raises like `scan`."""
        state = await self._groups.state_for(group_id, user_id)
        self._reader.require()
        found = await self._attachments.fetch(group_id, user_id, attachment_id)
        people = _people(state.active())
        return await self._read(found.body, found.attachment.type, state.settings.currency, people)

    async def _read(self, picture: bytes, type_: str, currency: str, people: Sequence[str]) -> Scan:
        if type_ not in PICTURE_TYPES:
            raise UnsupportedMedia("only pictures are read: photograph the receipt, or save it as one")
        words = await self._reader.words(picture)
        receipt, proposal = await asyncio.to_thread(_understood, words, minor_digits(currency), people)
        if proposal is None:
            raise ReceiptUnreadable(
                "no amount was found in the picture: hold it straight, close and in good light"
            )
        return Scan(receipt, proposal, currency)


def _understood(
    words: Sequence[Word], digits: int, people: Sequence[str]
) -> tuple["Receipt", ExpenseDraft | None]:
    from persplit.receipts.proposal import proposal_of  # noqa: PLC0415 - see above
    from persplit.receipts.reading import read  # noqa: PLC0415 - see above

    receipt = read(rows_of(words), digits)
    return receipt, proposal_of(receipt, people)


def _people(members: Sequence[Member]) -> list[str]:
    return [member.user_id for member in members]

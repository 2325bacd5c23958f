"""What `Client` does about loans, and the ledgers of two people."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import ParamSpec, TypeVar

from persplit.client import drafts
from persplit.client.book import Book
from persplit.client.errors import Json
from persplit.client.reading import LoanEntry, Reader
from persplit.client.written import Written
from persplit.ledger.direct import direct_ledger_id
from persplit.ledger.errors import NotFound
from persplit.ledger.loan import LoanDraft

P = ParamSpec("P")
T = TypeVar("T")

CURRENCY_DEFAULT = "INR"


class LoanMethods(ABC):
    """A part of `Client`."""

    _book: Book
    _reader: Reader

    @abstractmethod
    async def _do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Let the thread of the replica do it."""
        ...

    @abstractmethod
    async def _write(self, type_: str, group_id: str, fields: Json) -> Written:
        """Put a command into the outbox."""
        ...

    @abstractmethod
    async def _ask_and_pull(self, method: str, path: str, body: Json) -> str:
        """A write that only the server can judge; returns the group's id."""
        ...

    async def direct_ledger(self, user_id: str, *, currency: str = CURRENCY_DEFAULT) -> str:
        """The id of the user's ledger with somebody, which is a group of these two; made if there is none (online).

        Once it is here, it needs no network.

        Raises:
            Refused: `not_found` where they share no group, or the other one has no account.

        """
        group_id = direct_ledger_id(await self._do(self._me), user_id, drafts.checked_currency(currency))
        with suppress(NotFound):
            if (await self._do(self._reader.group, group_id)).other_id is not None:
                return group_id
        # There is none, or its making broke off.
        return await self._ask_and_pull("POST", f"/people/{user_id}/ledger", {"currency": currency})

    async def loans(self, group_id: str, *, on: date | None = None) -> list[LoanEntry]:
        """The group's loans, open ones first, newest first, with what repays each on the day: today unless told."""
        return await self._do(self._reader.loans, group_id, on.isoformat() if on else None)

    async def loan(self, group_id: str, loan_id: str, *, on: date | None = None) -> LoanEntry:
        """One loan. Raises `NotFound`."""
        return await self._do(self._reader.loan, group_id, loan_id, on.isoformat() if on else None)

    async def lend(
        self, group_id: str, draft: LoanDraft, *, lender_id: str | None = None, borrower_id: str | None = None
    ) -> Written:
        """Note a loan between two members; who of them isn't told is the user. Its day is the server's unless told."""
        me = await self._do(self._me)
        fields = {
            "id": str(uuid.uuid4()),
            "lenderId": lender_id or me,
            "borrowerId": borrower_id or me,
            **drafts.loan_to_wire(draft),
        }
        return await self._write("loan:create", group_id, fields)

    async def update_loan(
        self, group_id: str, loan_id: str, draft: LoanDraft, *, expected_seq: int | None = None
    ) -> Written:
        """Put other terms in a loan's place; once some of it was repaid, its due date and description alone."""
        fields = {"loanId": loan_id, **drafts.loan_to_wire(draft), "expectedSeq": expected_seq}
        return await self._write("loan:update", group_id, fields)

    async def delete_loan(self, group_id: str, loan_id: str, *, expected_seq: int | None = None) -> Written:
        """Take a loan away: what is left of it isn't owed any more."""
        return await self._write("loan:delete", group_id, {"loanId": loan_id, "expectedSeq": expected_seq})

    async def restore_loan(self, group_id: str, loan_id: str, *, expected_seq: int | None = None) -> Written:
        """Make a deleted loan count again."""
        return await self._write("loan:restore", group_id, {"loanId": loan_id, "expectedSeq": expected_seq})

    async def repay(
        self,
        group_id: str,
        loan_id: str,
        amount: int | None = None,
        *,
        paid_on: date | None = None,
        note: str | None = None,
        utr: str | None = None,
    ) -> Written:
        """Say that the borrower paid so much of it, all that repays it unless told; the lender confirms.

        Interest up to the day, today unless told, is paid first. What is more than the loan moves balances.
        """
        entry = await self.loan(group_id, loan_id, on=paid_on)
        # On the loan's day, where that has begun here and not yet in the group's calendar.
        day = max(entry.on, entry.loan.date) if paid_on is None else entry.on
        fields = {
            "id": str(uuid.uuid4()),
            "fromUserId": entry.loan.borrower_id,
            "toUserId": entry.loan.lender_id,
            "amount": drafts.checked_amount(entry.to_repay if amount is None else amount),
            "note": drafts.checked_note(note),
            "utr": drafts.checked_utr(utr),
            "loanId": loan_id,
            "paidOn": day,
        }
        return await self._write("settlement:create", group_id, fields)

    def _me(self) -> str:
        with self._book.reading():
            return self._book.me().user_id

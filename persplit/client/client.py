"""The client: everything that an app, a script or the command line does with PerSplit, with or without a network."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import TracebackType
from typing import Final, ParamSpec, TypeVar

from persplit.client import drafts, receipts
from persplit.client.book import Account, Book
from persplit.client.changes import Change, Hub, Subscription
from persplit.client.clock import Clock, local_clock, rfc3339
from persplit.client.connection import Connection
from persplit.client.errors import Json, Offline, Refused
from persplit.client.files import Files, ImportReport, PastImport, Pictures
from persplit.client.loans import LoanMethods
from persplit.client.notifications import NotificationSettings
from persplit.client.one_thread import OneThread
from persplit.client.outbox import Queued
from persplit.client.people import PeopleMethods
from persplit.client.platform import Platform
from persplit.client.reading import (
    ActivityEntry,
    Balances,
    CommentEntry,
    ExpenseEntry,
    Explanation,
    Friend,
    Group,
    History,
    MyBalances,
    Plan,
    Reader,
    SettlementEntry,
    UnreadGroup,
)
from persplit.client.receipts import ScannedReceipt
from persplit.client.rest import Rest
from persplit.client.signing_in import SigningIn
from persplit.client.syncing import Syncing, SyncReport
from persplit.client.written import Written
from persplit.ledger.comment import TEXT_LENGTH_MAX
from persplit.ledger.errors import NotFound
from persplit.ledger.expense import VALUE_SCALE, ExpenseDraft
from persplit.ledger.finding import ExpenseFilter
from persplit.ledger.group import DESCRIPTION_LENGTH_MAX, NAME_LENGTH_MAX, Member, Role
from persplit.ledger.preset import Preset, PresetDraft
from persplit.ledger.recurrence import Recurrence, Schedule
from persplit.ledger.statistics import Statistics

CANCEL_AGAIN_SECONDS: Final = 0.5
"""Between two attempts to end the connection."""

CANCELS_MAX: Final = 10
"""One that goes on all the same is left to the event loop's end."""

P = ParamSpec("P")
T = TypeVar("T")


class Client(PeopleMethods, LoanMethods):
    """One person on one device, at one server.

        async with Client.open(path, "https://split.example.org") as client:
            await client.login(email, password)
            await client.sync()
            dinner = ExpenseDraft("Dinner", 90_000, SplitType.EQUAL)
            await client.create_expense(group_id, dinner)
            print(await client.balances(group_id))

    Amounts are whole minor units. Reading, and writing all but what is marked as online, needs no network: a write
    counts at once, on the disk, and waits for the server. What the group's rules refuse raises a `LedgerError`,
    and an unknown group `NotFound`; nothing is stored then. Every method may raise `ReplicaError`. The others
    raise `Offline` where there is no answer: repeat them.
    """

    def __init__(self, book: Book, thread: OneThread, url: str) -> None:
        """Use `open` instead."""
        self._book = book
        self._thread = thread
        self._rest = Rest(url)
        self._hub = Hub()
        self._reader = Reader(book)
        self._signing_in = SigningIn(self._rest, book, thread)
        self._files = Files(self._signing_in)
        self._pictures = Pictures(self._signing_in)
        self.platform = Platform(self._signing_in)
        """For admins of the server."""
        self.notifications = NotificationSettings(self._signing_in)
        """Webhooks, e-mail and devices."""
        self._syncing = Syncing(self._signing_in, book, thread, self._hub)
        self._connection = Connection(
            self._rest.url, self._signing_in, self._syncing, book, thread, self._hub
        )
        self._running: asyncio.Task[None] | None = None
        self._is_closed = False

    @classmethod
    def open(cls, path: Path | str, server_url: str, *, clock: Clock = local_clock) -> "_Opening":
        """Open the replica at the path, or make it: use the result with `async with`.

        Args:
            path: the file; `-wal` and `-shm` files stand beside it while it is open.
            server_url: `https://…`, without a path.
            clock: this device's time; only ever shown, never used for order.

        Raises:
            ReplicaError: the file can't be opened, or isn't one of ours.

        """
        return _Opening(Path(path), server_url, clock)

    async def close(self) -> None:
        """Disconnect, end every iteration over changes, and let go of the file. Once is enough."""
        if self._is_closed:
            return
        self._is_closed = True
        await self.disconnect()
        self._hub.close()
        await self._rest.close()
        await self._thread.run(self._book.close)
        await self._thread.stop()

    # --- the account

    async def account(self) -> Account | None:
        """Who is signed in, or was until their session ended."""
        return await self._signing_in.account()

    async def register(self, name: str, email: str, password: str, **profile: str) -> Account:
        """Make an account and sign in (online). `profile`: phone, vpa (UPI id), locale.

        Raises:
            Refused: `email_taken`, or `validation_failed` with `errors`.
            OtherAccount: the file holds somebody else's data.

        """
        return await self._signing_in.register(
            {"name": name, "email": email, "password": password, **profile}
        )

    async def login(self, email: str, password: str) -> Account:
        """Sign in (online). Raises `Refused` with `credentials_invalid`, `OtherAccount`; `SignedOut` where it is disabled."""
        return await self._signing_in.login(email, password)

    async def logout(self, *, discard_unsent: bool = False) -> None:
        """Sign out, and forget all that this device holds.

        Raises:
            UnsentCommands: commands would be lost; sync first, or say `discard_unsent`.

        """
        await self.disconnect()
        await self._signing_in.logout(discard_unsent=discard_unsent)

    async def update_profile(self, **fields: str | None) -> Account:
        """Change name, email, phone, vpa or locale (online); None removes one. Raises `Refused`."""
        user = await self._signing_in.ask("PATCH", "/auth/me", fields)
        account = await self._signing_in.account()
        assert account is not None  # noqa: S101 - asking took one
        changed = replace(account, user=user)
        await self._do(self._book.set_account, changed)
        return changed

    # --- reading

    async def groups(self) -> list[Group]:
        """The groups that the user is in, by name."""
        return await self._do(self._reader.groups)

    async def group(self, group_id: str) -> Group:
        """One group."""
        return await self._do(self._reader.group, group_id)

    async def members(self, group_id: str) -> list[Member]:
        """Who is in the group now, by their present names, in the order in which they came."""
        group = await self.group(group_id)
        return [replace(m, name=group.names[m.user_id]) for m in group.members if m.is_active]

    async def expenses(
        self, group_id: str, *, include_deleted: bool = False, where: ExpenseFilter | None = None
    ) -> list[ExpenseEntry]:
        """The group's expenses, newest first; with `where`, those that are looked for."""
        return await self._do(self._reader.expenses, group_id, include_deleted=include_deleted, where=where)

    async def statistics(
        self, group_id: str, *, date_from: date | None = None, date_to: date | None = None
    ) -> Statistics:
        """What was spent, by category, member and month, on these days (both included) with what waits."""
        return await self._do(
            self._reader.statistics,
            group_id,
            date_from=date_from.isoformat() if date_from else None,
            date_to=date_to.isoformat() if date_to else None,
        )

    async def expense(self, group_id: str, expense_id: str) -> ExpenseEntry:
        """One expense, deleted or not. Raises `NotFound`."""
        return await self._do(self._reader.expense, group_id, expense_id)

    async def comments(self, group_id: str, expense_id: str) -> list[CommentEntry]:
        """What was said about an expense, oldest first; offline, what is here. Raises `NotFound`."""
        with contextlib.suppress(Offline, Refused):
            await self._complete(group_id)
        return await self._do(self._reader.comments, group_id, expense_id)

    async def settlements(self, group_id: str) -> list[SettlementEntry]:
        """The group's settlements, newest first."""
        return await self._do(self._reader.settlements, group_id)

    async def balances(self, group_id: str) -> Balances:
        """Where the group stands, with what waits."""
        return await self._do(self._reader.balances, group_id)

    async def debts(self, group_id: str) -> tuple[tuple[str, str, int], ...]:
        """Who owes whom, netted: (debtor, creditor, amount)."""
        return (await self.balances(group_id)).debts

    async def plan(self, group_id: str) -> Plan:
        """The fewest payments that settle the group, with UPI links as far as the payees' UPI ids are known."""
        return await self._do(self._reader.plan, group_id)

    async def balances_as_of(self, group_id: str, moment: date | datetime | int) -> Balances:
        """Where the group stood at the end of a day (UTC), at an instant (with its zone), or after a seq.

        Events from before this device knew the group are fetched.

        Raises:
            NotFound: the ledger has nothing there.
            Offline: events are missing here.

        """
        seq, at = _moment(moment)
        await self._complete(group_id)
        return await self._do(self._reader.balances_as_of, group_id, seq=seq, at=at)

    async def history(self, group_id: str) -> History:
        """Everything that happened in the group, oldest first; offline, what is here."""
        with contextlib.suppress(Offline, Refused):
            await self._complete(group_id)
        return await self._do(self._reader.history, group_id)

    async def explain(self, group_id: str, from_id: str, to_id: str) -> Explanation:
        """Why the plan lets one pay the other: their debts, and what made them. Raises like `balances_as_of`."""
        await self._complete(group_id)
        return await self._do(self._reader.explain, group_id, from_id, to_id)

    async def activity(self, *, limit: int = 50) -> list[ActivityEntry]:
        """What happened in all of the user's groups, newest first, of what is here."""
        return await self._do(self._reader.activity, limit)

    async def unread(self) -> list[UnreadGroup]:
        """What the user hasn't read, by group (online)."""
        told = await self._signing_in.ask("GET", "/activity/unread")
        return [
            UnreadGroup(it["groupId"], it["name"], it["seq"], it["readSeq"], it["unread"], it["more"])
            for it in told["groups"]
        ]

    async def mark_read(self, group_id: str) -> int:
        """Say that all of the group that is here was read (online); returns the mark."""
        seq = (await self.group(group_id)).seq
        told = await self._signing_in.ask("POST", f"/groups/{group_id}/read", {"seq": seq})
        return int(told["seq"])

    async def my_balances(self) -> MyBalances:
        """What the user is owed, or owes: overall by currency, and by group."""
        return await self._do(self._reader.my_balances)

    async def friends(self) -> list[Friend]:
        """Everybody with whom something is open, netted per person over all groups, by currency."""
        return await self._do(self._reader.friends)

    async def _complete(self, group_id: str) -> None:
        await self.group(group_id)  # an unknown group is NotFound, whatever the network
        try:
            await self._syncing.complete(group_id)
        except Refused as error:
            raise NotFound(error.detail) from error

    # --- groups

    async def create_group(
        self,
        name: str,
        *,
        description: str | None = None,
        currency: str = "INR",
        simplify: bool = True,
        time_zone: str | None = None,
        join_password: str | None = None,
    ) -> Written:
        """Found a group. A `join_password` is kept in the replica until the server has it."""
        fields: Json = {
            "name": drafts.checked_name("name", name, NAME_LENGTH_MAX),
            "currency": drafts.checked_currency(currency),
            "simplify": simplify,
            **_description(description),
        }
        if join_password is not None:
            fields["joinPassword"] = join_password
        if time_zone is not None:
            fields["timeZone"] = drafts.checked_time_zone(time_zone)
        return await self._write("group:create", str(uuid.uuid4()), fields)

    async def update_group(
        self,
        group_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        currency: str | None = None,
        simplify: bool | None = None,
        join_password: str | None = None,
        archived: bool | None = None,
        time_zone: str | None = None,
    ) -> Written:
        """Change settings (admin). None leaves one as it is; an empty description removes it."""
        fields: Json = {"simplify": simplify, "joinPassword": join_password, "archived": archived}
        if name is not None:
            fields["name"] = drafts.checked_name("name", name, NAME_LENGTH_MAX)
        if currency is not None:
            fields["currency"] = drafts.checked_currency(currency)
        if time_zone is not None:
            fields["timeZone"] = drafts.checked_time_zone(time_zone)
        fields |= _description(description)
        return await self._write("group:update", group_id, fields)

    async def leave(self, group_id: str) -> Written:
        """Leave, at zero balance."""
        return await self._write("group:leave", group_id, {})

    async def add_placeholder(self, group_id: str, name: str) -> Written:
        """Add somebody without an account, who can claim the place on joining (admin)."""
        checked = drafts.checked_name("name", name, NAME_LENGTH_MAX)
        return await self._write("member:add", group_id, {"id": str(uuid.uuid4()), "name": checked})

    async def remove_member(self, group_id: str, user_id: str, *, block: bool = False) -> Written:
        """Put somebody out, at zero balance (admin). `block`: for good, also who has left already."""
        fields = {"userId": user_id, **({"block": True} if block else {})}
        return await self._write("member:remove", group_id, fields)

    async def unblock_member(self, group_id: str, user_id: str) -> Written:
        """Let somebody who was blocked come in again (admin)."""
        return await self._write("member:unblock", group_id, {"userId": user_id})

    async def change_unit(self, group_id: str, user_id: str, unit: str | None) -> Written:
        """Let a member settle together with all of the unit of this name (admin); None: by themself."""
        told = None if unit is None else drafts.checked_name("unit", unit, NAME_LENGTH_MAX)
        queued, changes = await self._do(
            self._book.write, "member:unit", group_id, {"userId": user_id, "unit": told}
        )
        return self._shown(queued, changes)

    async def add_member(self, group_id: str, email: str) -> None:
        """Add a registered person (admin, online). Raises `Refused`."""
        await self._ask_and_pull("POST", f"/groups/{group_id}/members", {"email": email})

    async def change_role(self, group_id: str, user_id: str, role: Role) -> None:
        """Make somebody an admin, or no longer (admin, online). Raises `Refused`."""
        await self._ask_and_pull("PATCH", f"/groups/{group_id}/members/{user_id}", {"role": role.value})

    async def change_weight(self, group_id: str, user_id: str, weight: int) -> None:
        """Change what somebody bears unless told of SHARES, in ten-thousandths (they or an admin, online).

        What was divided before stays. Raises `Refused`.
        """
        told = weight / VALUE_SCALE
        await self._ask_and_pull("PATCH", f"/groups/{group_id}/members/{user_id}", {"weight": told})

    # --- expenses and settlements

    async def create_expense(self, group_id: str, draft: ExpenseDraft) -> Written:
        """Add an expense; its day is this device's unless told.

        One in another currency than the group's that names no rate gets the server's, which takes a network.

        Raises:
            RateUnknown: the server has none, or there is no network: say it.

        """
        today = self._book.clock().date().isoformat()
        dated = draft if draft.date is not None else replace(draft, date=today)
        dated = await self._with_rate(group_id, dated)
        return await self._write(
            "expense:create", group_id, {"id": str(uuid.uuid4()), **drafts.draft_to_wire(dated)}
        )

    async def update_expense(
        self, group_id: str, expense_id: str, draft: ExpenseDraft, *, expected_seq: int | None = None
    ) -> Written:
        """Put another version in an expense's place; `drafts.draft_of` gives the present one to change.

        `expected_seq`: the seq of the version that the user saw, if that isn't a pending one. If it has changed
        since, the command is refused with `conflict`; without it the last writer wins. In the currency that it was in,
        it keeps its rate unless told.
        """
        before = (await self.expense(group_id, expense_id)).expense.original
        if before is None or before.currency != draft.currency:
            draft = await self._with_rate(group_id, draft)
        fields = {"expenseId": expense_id, **drafts.draft_to_wire(draft), "expectedSeq": expected_seq}
        return await self._write("expense:update", group_id, fields)

    async def rates(self, into: str, day: str | None = None) -> Mapping[str, str]:
        """The server's newest rates on or before the day (online): currency → units of `into` for one of it."""
        found = await self._signing_in.ask("GET", "/rates", into=into, date=day)
        return {rate["currency"]: rate["rate"] for rate in found["rates"]}

    async def _with_rate(self, group_id: str, draft: ExpenseDraft) -> ExpenseDraft:
        """The draft with the server's rate, where it needs one and the server has it."""
        into = (await self.group(group_id)).currency
        if draft.currency in (None, into) or draft.rate is not None:
            return draft
        with contextlib.suppress(Offline):
            return replace(draft, rate=(await self.rates(into, draft.date)).get(draft.currency or ""))
        return draft

    async def delete_expense(
        self, group_id: str, expense_id: str, *, expected_seq: int | None = None
    ) -> Written:
        """Make an expense no longer count."""
        return await self._on_expense("delete", group_id, expense_id, expected_seq)

    async def restore_expense(
        self, group_id: str, expense_id: str, *, expected_seq: int | None = None
    ) -> Written:
        """Make a deleted expense count again."""
        return await self._on_expense("restore", group_id, expense_id, expected_seq)

    async def _on_expense(
        self, verb: str, group_id: str, expense_id: str, expected_seq: int | None
    ) -> Written:
        fields = {"expenseId": expense_id, "expectedSeq": expected_seq}
        return await self._write(f"expense:{verb}", group_id, fields)

    async def add_comment(self, group_id: str, expense_id: str, text: str) -> Written:
        """Say something about an expense."""
        fields = {
            "id": str(uuid.uuid4()),
            "expenseId": expense_id,
            "text": drafts.checked_name("text", text, TEXT_LENGTH_MAX),
        }
        return await self._write("comment:add", group_id, fields)

    async def delete_comment(self, group_id: str, expense_id: str, comment_id: str) -> Written:
        """Take a comment away (who wrote it, or an admin)."""
        fields = {"expenseId": expense_id, "commentId": comment_id}
        return await self._write("comment:delete", group_id, fields)

    async def remind(self, group_id: str, to_id: str) -> int:
        """Ask somebody to pay (online); returns what the plan says that they owe, minor units.

        Raises:
            Refused: `nothing_owed`, or `reminded_recently` within a day of the last time.

        """
        await self._syncing.push()
        body = {"commandId": str(uuid.uuid4()), "toUserId": to_id}
        written = await self._signing_in.ask("POST", f"/groups/{group_id}/reminders", body)
        await self._syncing.pull(group_id)
        return int(written["reminder"]["amount"])

    async def settle(
        self,
        group_id: str,
        to_id: str,
        amount: int,
        *,
        from_id: str | None = None,
        note: str | None = None,
        utr: str | None = None,
    ) -> Written:
        """Say that a payment was made, by the user unless told; balances move once the receiver confirms.

        `utr` is the bank's twelve-digit reference of a UPI payment.
        """
        fields = {
            "id": str(uuid.uuid4()),
            "toUserId": to_id,
            "amount": drafts.checked_amount(amount),
            "fromUserId": from_id,
            "note": drafts.checked_note(note),
            "utr": drafts.checked_utr(utr),
        }
        return await self._write("settlement:create", group_id, fields)

    async def confirm(self, group_id: str, settlement_id: str) -> Written:
        """Say that a payment arrived (its receiver)."""
        return await self._write("settlement:confirm", group_id, {"settlementId": settlement_id})

    async def decline(self, group_id: str, settlement_id: str) -> Written:
        """Say that a payment did not arrive (its receiver)."""
        return await self._write("settlement:decline", group_id, {"settlementId": settlement_id})

    async def cancel(self, group_id: str, settlement_id: str) -> Written:
        """Take back a payment that was recorded (its payer)."""
        return await self._write("settlement:cancel", group_id, {"settlementId": settlement_id})

    async def _write(self, type_: str, group_id: str, fields: Json) -> Written:
        told = {name: value for name, value in fields.items() if value is not None}
        queued, changes = await self._do(self._book.write, type_, group_id, told)
        return self._shown(queued, changes)

    def _shown(self, queued: Queued, changes: Iterable[Change]) -> Written:
        self._hub.publish(changes)
        self._connection.wake()
        return Written(queued.command_id, queued.group_id, queued.thing_id)

    # --- attachments

    async def attach(self, group_id: str, expense_id: str, body: bytes, *, name: str | None = None) -> str:
        """Attach a picture (JPEG, PNG, WebP) or a PDF to an expense (online); returns the attachment's id.

        The server keeps nothing of a picture but its pixels, upright: where it was taken, say, is gone.

        Raises:
            Refused: `unsupported_media`, `too_large`, `limit_reached`, `storage_full`; or `conflict`: it has it.

        """
        await self._syncing.push()
        attachment_id = await self._pictures.upload(group_id, body)
        await self._pictures.attach(group_id, expense_id, attachment_id, name)
        await self._syncing.pull(group_id)
        return attachment_id

    async def detach(self, group_id: str, expense_id: str, attachment_id: str) -> Written:
        """Take a file off an expense. The server forgets it a day later, unless it is on another one."""
        fields = {"expenseId": expense_id, "attachmentId": attachment_id}
        return await self._write("attachment:remove", group_id, fields)

    async def fetch_attachment(self, group_id: str, attachment_id: str, *, thumbnail: bool = False) -> bytes:
        """A file of the group, or a small JPEG of a picture (online). Raises `Refused` with `not_found`."""
        return await self._pictures.fetch(group_id, attachment_id, thumbnail=thumbnail)

    async def scan_receipt(self, group_id: str, picture: bytes) -> ScannedReceipt:
        """Have a photo of a receipt read (online). Nothing is booked: look at `draft`, then `create_expense`.

        Raises:
            Refused: `receipts_unavailable` where the server reads none, `receipt_unreadable`, `unsupported_media`.

        """
        return await receipts.scan(self._signing_in, group_id, picture)

    # --- what is arranged beforehand

    async def presets(self, group_id: str) -> list[Preset]:
        """The group's named ways to divide, its default first; a draft names one as its `preset_id`."""
        return await self._do(self._reader.presets, group_id)

    async def save_preset(
        self, group_id: str, draft: PresetDraft, *, preset_id: str | None = None
    ) -> Written:
        """Name a way to divide, or put another version of the preset; expenses made with it stay."""
        fields = drafts.preset_to_wire(preset_id or str(uuid.uuid4()), draft)
        return await self._write("preset:save", group_id, fields)

    async def delete_preset(self, group_id: str, preset_id: str) -> Written:
        """Delete a preset; expenses made with it stay."""
        return await self._write("preset:delete", group_id, {"presetId": preset_id})

    async def recurrences(self, group_id: str) -> list[Recurrence]:
        """The group's recurring expenses, oldest first."""
        return await self._do(self._reader.recurrences, group_id)

    async def save_recurrence(
        self,
        group_id: str,
        schedule: Schedule,
        template: ExpenseDraft,
        *,
        recurrence_id: str | None = None,
    ) -> Written:
        """Set up a recurring expense, or put another version in place of the one with this id; what it has made stays.

        The server makes the expenses, each on its day, from when it has heard of it. Where somebody has changed it
        since this device heard of it, another version is refused with `conflict`; with `not_found` where they stopped
        it. Raises `NotFound`: here there is none with this id.
        """
        fields = drafts.recurrence_to_wire(recurrence_id or str(uuid.uuid4()), schedule, template)
        if recurrence_id is not None:
            fields["expectedSeq"] = await self._do(self._reader.seen_recurrence, group_id, recurrence_id)
        return await self._write("recurrence:save", group_id, fields)

    async def pause_recurrence(self, group_id: str, recurrence_id: str, *, paused: bool = True) -> Written:
        """Make no more for now; or go on, without what would have been made meanwhile."""
        fields: Json = {"recurrenceId": recurrence_id, "paused": paused}
        return await self._write("recurrence:pause", group_id, fields)

    async def stop_recurrence(self, group_id: str, recurrence_id: str) -> Written:
        """Make no more; what was made stays."""
        return await self._write("recurrence:stop", group_id, {"recurrenceId": recurrence_id})

    # --- files

    async def import_file(
        self,
        group_id: str,
        text: str,
        *,
        format: str = "auto",  # noqa: A002 - what the server calls it
        members: Mapping[str, str | None] | None = None,
        skip: Sequence[int] = (),
        dry_run: bool = False,
    ) -> ImportReport:
        """Import another product's file, or an export of ours, into a group (admin, online): all of it, or nothing.

        The same file again changes nothing.

        Args:
            group_id: into which group.
            text: the file.
            format: whose it is; found out unless told.
            members: key or name in the file → user id, or None for a new placeholder; others are found by name.
            skip: rows to leave out.
            dry_run: only look at what would happen.

        Raises:
            Refused: `import_refused`, with `errors` that name the rows (`rows.13`) and people (`members.Asha`).

        """
        await self._syncing.push()
        report = await self._files.send(
            group_id, text, format_=format, members=members or {}, skip=skip, dry_run=dry_run
        )
        if not dry_run:
            await self._syncing.pull(group_id)
        return report

    async def imports(self, group_id: str) -> list[PastImport]:
        """What was imported into the group, newest first (online)."""
        return await self._files.imports(group_id)

    async def undo_import(self, group_id: str, import_id: str) -> bool:
        """Take an import back as a whole (admin, online); whether there was anything left of it. Raises `Refused`."""
        await self._syncing.push()
        is_undone = await self._files.undo(group_id, import_id)
        await self._syncing.pull(group_id)
        return is_undone

    async def export(self, group_id: str, kind: str, *, bom: bool = False) -> bytes:
        """The group as a file (online): `kind` is one of `EXPORTS`. `bom`: for spreadsheets that need it in a CSV."""
        return await self._files.fetch(group_id, kind, bom=bom)

    # --- the outbox

    async def pending(self) -> list[Queued]:
        """Commands that wait for the server, oldest first; a doubtful one says why."""
        return await self._do(self._book.waiting)

    async def refused(self) -> list[Queued]:
        """Commands that the server refused, each with its error, until they are mended or dropped."""
        return await self._do(self._book.refused)

    async def drop(self, command_id: str) -> None:
        """Take a command out that was refused, or never sent.

        Raises:
            UnknownCommand: it isn't there.
            MaybeSent: the server may have it: sync first.

        """
        self._hub.publish(await self._do(self._book.drop, command_id))

    async def resend(
        self, command_id: str, *, draft: ExpenseDraft | None = None, amount: int | None = None
    ) -> Written:
        """Send a refused command again under a new id, mended: an expense's `draft`, a settlement's `amount`.

        It goes to the end of the outbox, keeps the id of what it makes, and no longer insists on a version.

        Raises:
            LedgerError: the group's rules refuse it here already; it stays refused.
            UnknownCommand: no refused command has this id.

        """
        old = await self._do(self._book.refused_command, command_id)
        fields = {name: value for name, value in old.fields.items() if name != "expectedSeq"}
        if draft is not None:
            kept = {name: value for name, value in fields.items() if name in ("id", "expenseId")}
            fields = {**kept, **drafts.draft_to_wire(draft)}
        if amount is not None:
            fields["amount"] = drafts.checked_amount(amount)
        return self._shown(*await self._do(self._book.resend, command_id, fields))

    # --- the server

    async def sync(self) -> SyncReport:
        """One round trip: push what waits, pull every group. Works without a lasting connection.

        Raises:
            Offline: it broke off; what was done counts, the rest is done by the next one.
            SignedOut: log in again.

        """
        return await self._syncing.sync()

    async def run(self) -> None:
        """Stay connected, and keep everything equal with the server, until cancelled.

        Raises:
            SignedOut, ReplicaError, NewerServer: going on is no use.

        """
        await self._connection.run()

    async def connect(self, *, wait_seconds: float = 0.0) -> bool:
        """Run in the background; returns whether news come by themselves after at most `wait_seconds`.

        Raises:
            SignedOut: found out within that time.

        """
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._connection.run())
            self._running.add_done_callback(_looked_at)
        live = asyncio.create_task(self._connection.live.wait())
        await asyncio.wait({live, self._running}, timeout=wait_seconds, return_when=asyncio.FIRST_COMPLETED)
        live.cancel()
        if self._running.done():
            self._running.result()
        return self.is_live

    async def disconnect(self) -> None:
        """End what `connect` began."""
        running, self._running = self._running, None
        # Once isn't always enough: what the socket library waits with, Python 3.11's `wait_for`, may swallow it.
        for _ in range(CANCELS_MAX):
            if running is None or running.done():
                return
            running.cancel()
            await asyncio.wait({running}, timeout=CANCEL_AGAIN_SECONDS)

    @property
    def is_live(self) -> bool:
        """Whether the connection stands, and news come by themselves."""
        return self._connection.live.is_set()

    def changes(self) -> Subscription:
        """What changes from now on, by anybody, as an async iterator: `async for change in client.changes()`."""
        return self._hub.subscribe()

    async def _do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._thread.run(function, *args, **kwargs)


class _Opening:
    """A client that opens with `async with`, and closes at its end."""

    def __init__(self, path: Path, server_url: str, clock: Clock) -> None:
        self._path = path
        self._url = server_url
        self._clock = clock
        self._client: Client | None = None

    async def __aenter__(self) -> Client:
        thread = OneThread("persplit-replica")
        try:
            book = await thread.run(Book, self._path, self._clock)
        except BaseException:
            await thread.stop()
            raise
        self._client = Client(book, thread, self._url)
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()


def _looked_at(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()


def _description(description: str | None) -> Json:
    if description is None:
        return {}
    return {"description": drafts.checked_text("description", description, DESCRIPTION_LENGTH_MAX)}


def _moment(moment: date | datetime | int) -> tuple[int | None, str | None]:
    """The moment as a seq, or as an instant in UTC."""
    if isinstance(moment, int):
        return moment, None
    if isinstance(moment, datetime):
        return None, rfc3339(moment)
    return None, rfc3339(datetime.combine(moment, time.max, UTC))

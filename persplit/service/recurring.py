"""Makes the expenses of recurring ones when they are due: each once, on whatever nodes, after downtime too.

Which groups to look at is kept beside the ledgers, one document a group. It is written before a template is, so a
template is never forgotten; one too many is found out by looking. Whether an expense is made is for the ledger to say:
its command id follows from template and day, so of nodes that wake at once one makes it, and the others find it made.
"""

import asyncio
import hashlib
import random
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from persplit.ledger.commands import Command, MakeInstance, PauseRecurrence
from persplit.ledger.errors import LedgerError
from persplit.ledger.recurrence import Recurrence, day_after, day_in, due_day, next_day
from persplit.ledger.state import GroupState
from persplit.service.absentees import Absentees
from persplit.service.command_request import CommandRequest
from persplit.service.errors import ServiceError
from persplit.service.groups import Groups
from persplit.service.handler import Handler, rfc3339
from persplit.service.ports import Clock, Document, Documents, DuplicateKey, VersionChanged
from persplit.service.rates import Rates
from persplit.service.walking import scanned

WAKE_SECONDS: Final = 60.0
"""How long after midnight an expense is made at the latest, where not many are due."""
MADE_PER_GROUP_MAX: Final = 100
"""Expenses that one wake makes in one group; after long downtime the next one goes on."""
ATTENTIVE: Final = timedelta(minutes=10)
"""How long a group is looked at every time after it was to be watched: a command that was sent then is carried out, or
refused, long before."""
EARLIEST_ZONE: Final = timedelta(hours=14)
"""Where a day begins first, it begins so long before it does in UTC."""
ATTEMPTS_MAX: Final = 8
"""Times that a document is changed anew when somebody else was first."""
_NEVER: Final = "9999-12-31"

_log = structlog.get_logger(__name__)


class Recurring:
    """Watches the groups that have templates."""

    def __init__(
        self,
        documents: Documents,
        groups: Groups,
        handler: Handler,
        rates: Rates,
        absentees: Absentees,
        clock: Clock,
    ) -> None:
        self._documents = documents
        self._groups = groups
        self._handler = handler
        self._rates = rates
        self._absentees = absentees
        self._clock = clock

    async def watch(self, group_id: str) -> None:
        """Look at the group from now on. Call it before a template of it is made or changed."""
        body = {"watchedAt": rfc3339(self._clock()), "next": ""}
        for _ in range(ATTEMPTS_MAX):
            with suppress(DuplicateKey):
                await self._documents.insert(Document(group_id, body))
                return
            found = (await self._documents.get([group_id])).get(group_id)
            if found is not None:
                with suppress(VersionChanged):
                    await self._documents.replace(replace(found, body=body))
                    return

    async def is_orphaned(self, group_id: str, recurrence_id: str) -> bool:
        """Whether who made the template has no account any more that works: who changes it takes it over."""
        state = await self._groups.peek(group_id)
        template = state.recurrences.get(recurrence_id) if state is not None else None
        return template is not None and bool(await self._absentees.among([template.created_by]))

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            # Jitter keeps many nodes from waking at the same instant; they may.
            await asyncio.sleep(WAKE_SECONDS * random.uniform(0.8, 1.0))  # noqa: S311 - no secret
            try:
                await self.wake()
            except ServiceError:
                _log.warning("recurring_failed")
            except Exception:  # noqa: BLE001 - nobody else would make them
                _log.exception("recurring_failed")

    async def wake(self) -> None:
        """Make all that is due. Raises `ServiceError` where some of it couldn't be; what was made then stays."""
        now = self._clock()
        failed: ServiceError | None = None
        async for document in scanned(self._documents):
            # A group that can't be read, today or ever, holds nobody else up.
            try:
                await self._make_of(document, now)
            except ServiceError as error:
                failed = error
            except Exception:  # noqa: BLE001 - the other groups' are to be made
                _log.exception("recurring_failed", group_id=document.id)
        if failed is not None:
            raise failed

    async def _make_of(self, document: Document, now: datetime) -> None:
        """Make what is due in the group that the document is about."""
        latest_day = (now + EARLIEST_ZONE).date().isoformat()
        is_new = now - datetime.fromisoformat(document.body["watchedAt"]) < ATTENTIVE
        if not is_new and document.body["next"] > latest_day:
            return
        state = await self._groups.peek(document.id)
        if state is not None:
            state = await self._make(state, rfc3339(now))
        if not is_new:
            await self._look_again(document, _next_of(state, day_after(latest_day)))

    async def _look_again(self, document: Document, day: str) -> None:
        """Pass the group over until then."""
        if document.body["next"] != day:
            with suppress(VersionChanged):  # somebody watches it anew
                await self._documents.replace(replace(document, body={**document.body, "next": day}))

    async def _make(self, state: GroupState, now: str) -> GroupState:
        """Make what is due in the group, so many at most; returns it as it is then."""
        today = day_in(state.settings.time_zone, now)
        for _ in range(MADE_PER_GROUP_MAX):
            due = _due_in(state, today)
            if due is None:
                break
            made = await self._carry_out(state, *due)
            if made is None or made.seq == state.seq:
                break
            state = made
        return state

    async def _carry_out(self, state: GroupState, template: Recurrence, day: str) -> GroupState | None:
        """Make the expense; what can't be made pauses its template, and says why. None where nothing can be done.

        Who made it may be its payer: neither do they go on paying with no account, nor anybody else without saying so.
        """
        key = f"recurrence {template.id} {template.since} {day}"
        absent = await self._absentees.among([template.created_by])
        if absent:
            why = f"{absent[template.created_by]}: who changes it takes it over"
            return await self._pause(state, template, key, f"{day}: {why}")
        wanted = MakeInstance(
            template.id, day, _expense_id(state.group_id, key), await self._rate(state, template, day)
        )
        try:
            return await self._ask(state, template, key, wanted)
        except LedgerError as error:
            _log.info(
                "recurring_refused", group_id=state.group_id, recurrence_id=template.id, code=error.code
            )
            return await self._pause(state, template, key, f"{day}: {error.detail}")

    async def _pause(
        self, state: GroupState, template: Recurrence, key: str, problem: str
    ) -> GroupState | None:
        wanted = PauseRecurrence(template.id, paused=True, problem=problem)
        with suppress(LedgerError):
            return await self._ask(state, template, f"{key} {template.seq} refused", wanted)
        return None

    async def _ask(self, state: GroupState, template: Recurrence, key: str, wanted: Command) -> GroupState:
        """Carry the command out as who made the template. The same for every node, so that they ask for one thing."""
        request = CommandRequest(template.created_by, state.group_id, key, key, wanted)
        return (await self._handler.handle(request)).state

    async def _rate(self, state: GroupState, template: Recurrence, day: str) -> str | None:
        currency = template.draft.currency
        if currency is None or template.draft.rate is not None:
            return None
        return await self._rates.on(currency, state.settings.currency, day)


def check_schedule(document: Document) -> None:
    """Return if the document is what it has to be. Raises `LookupError`, `TypeError` or `ValueError`."""
    datetime.fromisoformat(document.body["watchedAt"])
    if not isinstance(document.body["next"], str):
        raise TypeError("the next day is no text")


def _rests(state: GroupState, template: Recurrence) -> bool:
    """Whether it makes nothing, though not paused: who has left, or given their account up, has theirs taken over."""
    return state.settings.archived_at is not None or not state.is_person(template.created_by)


def _due_in(state: GroupState, today: str) -> tuple[Recurrence, str] | None:
    """The template whose turn it is, and for which day: the earliest."""
    live = [template for template in state.recurrences.values() if not _rests(state, template)]
    due = [(day, template) for template in live if (day := due_day(template, today)) is not None]
    if not due:
        return None
    day, template = min(due, key=lambda one: (one[0], one[1].since))
    return template, day


def _next_of(state: GroupState | None, tomorrow: str) -> str:
    """The day on which the group has to be looked at again, if it isn't watched anew before.

    What rests is looked at once a day: its maker may come back, or an admin bring the group back.
    """
    if state is None:
        return _NEVER
    days: list[str] = []
    for template in state.recurrences.values():
        day = None if template.paused else next_day(template.schedule, template.made_through)
        if day is not None:
            days.append(max(day, tomorrow) if _rests(state, template) else day)
    return min(days, default=_NEVER)


def _expense_id(group_id: str, key: str) -> str:
    """The same on every node."""
    digest = hashlib.sha256(f"{group_id}\0{key}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))

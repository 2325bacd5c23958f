"""What admins see of all groups together: sizes and sums, from the tallies alone. Never what is in a group.

Amounts are per currency. What is paid under a placeholder's id is nobody's who has an account, and so is left out of
the top spenders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from persplit.service.people import People
from persplit.service.ports import Clock
from persplit.service.projecting import Projector
from persplit.service.tallies import FIRST_DAY, LAST_DAY, Asked, By, CellKind, GroupTally, Sums, Tallies
from persplit.service.users import Users

CURRENCIES_MAX: Final = 500
"""Of ISO 4217 there are fewer than two hundred."""
SPENDERS_PAGE: Final = 200
SPENDERS_PAGES_MAX: Final = 5
"""Of a currency's spenders so many are looked at for those with an account."""
NOTHING: Final = Sums(0)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `since` to `until`, both included."""

    since: str = FIRST_DAY
    until: str = LAST_DAY


@dataclass(frozen=True, slots=True)
class AsOf:
    """Up to when an answer is: all that was recorded before `at` is in it. None where that isn't known yet."""

    at: str | None
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class CurrencySummary:
    """Of a currency: expenses and confirmed payments of the period; what is outstanding now, in how many groups."""

    currency: str
    expenses: Sums
    settled: Sums
    outstanding: Sums


@dataclass(frozen=True, slots=True)
class Summary:
    """`users` and `groups` are as of now, `active_groups` and `events` of the period."""

    users: int
    groups: int
    active_groups: int
    events: int
    currencies: Sequence[CurrencySummary]


@dataclass(frozen=True, slots=True)
class Spender:
    """What somebody with an account paid for expenses in a currency."""

    currency: str
    user_id: str
    name: str
    paid: Sums


@dataclass(frozen=True, slots=True)
class GroupActivity:
    """A group as it is now, with its events and expenses of the period."""

    tally: GroupTally
    events: int
    expenses: Sums


class Analytics:
    """Every method raises `StoreUnavailable` when the store doesn't answer. Who may is asked before."""

    def __init__(
        self, tallies: Tallies, projector: Projector, users: Users, people: People, clock: Clock
    ) -> None:
        self._tallies = tallies
        self._projector = projector
        self._users = users
        self._people = people
        self._clock = clock

    async def as_of(self) -> tuple[str, AsOf]:
        """The generation to ask, and up to when it is. Ask for it first: what is read afterwards isn't older."""
        generation, at = await self._projector.as_of()
        if not at:
            return generation, AsOf(None, None)
        lag = (self._clock() - datetime.fromisoformat(at)).total_seconds()
        return generation, AsOf(at, max(0.0, lag))

    async def summary(self, generation: str, period: Period) -> Summary:
        """All of it, in a few figures."""
        expenses = await self._by_currency(generation, CellKind.EXPENSES, period)
        settled = await self._by_currency(generation, CellKind.SETTLED, period)
        outstanding = await self._tallies.outstanding(generation)
        events = await self._by_currency(generation, CellKind.EVENTS, period)
        return Summary(
            users=await self._users.count(),
            groups=await self._tallies.count(generation),
            active_groups=await self._tallies.active(generation, period.since, period.until),
            events=events.get("", NOTHING).count,
            currencies=[
                CurrencySummary(
                    currency,
                    expenses.get(currency, NOTHING),
                    settled.get(currency, NOTHING),
                    outstanding.get(currency, NOTHING),
                )
                for currency in sorted({*expenses, *settled, *outstanding})
            ],
        )

    async def top_spenders(self, generation: str, period: Period, limit: int) -> Sequence[Spender]:
        """Of each currency, in order, the `limit` people with accounts who paid most, and the largest first."""
        currencies = await self._by_currency(generation, CellKind.PAID, period)
        found: list[Spender] = []
        for currency in sorted(currencies):
            found += await self._spenders(generation, period, currency, limit)
        return found

    async def _spenders(self, generation: str, period: Period, currency: str, limit: int) -> list[Spender]:
        found: list[Spender] = []
        for page in range(SPENDERS_PAGES_MAX):
            asked = Asked(
                CellKind.PAID,
                By.USER,
                period.since,
                period.until,
                currency=currency,
                skipped=page * SPENDERS_PAGE,
                limit=SPENDERS_PAGE,
            )
            sums = await self._tallies.sums(generation, asked)
            people = await self._people.get([user_id for user_id, _ in sums], for_sure=True)
            for user_id, paid in sums:
                person = people.get(user_id)
                if person is not None:
                    found.append(Spender(currency, user_id, person.name, paid))
            if len(found) >= limit or len(sums) < SPENDERS_PAGE:
                break
        return found[:limit]

    async def group_activity(self, generation: str, period: Period, limit: int) -> Sequence[GroupActivity]:
        """The groups with the most events in the period, the most active first."""
        asked = Asked(CellKind.EVENTS, By.GROUP, period.since, period.until, is_by_count=True, limit=limit)
        events = await self._tallies.sums(generation, asked)
        group_ids = [group_id for group_id, _ in events]
        spent = Asked(
            CellKind.EXPENSES, By.GROUP, period.since, period.until, group_ids=group_ids, limit=limit
        )
        expenses = dict(await self._tallies.sums(generation, spent))
        tallies = await self._tallies.groups(generation, group_ids)
        return [
            GroupActivity(tallies[group_id], sums.count, expenses.get(group_id, NOTHING))
            for group_id, sums in events
            if group_id in tallies
        ]

    async def unsettled_debts(self, generation: str, period: Period, limit: int) -> Sequence[GroupTally]:
        """Of each currency, in order, the `limit` groups with the most outstanding whose last event is in the period."""
        found: list[GroupTally] = []
        for currency in sorted(await self._tallies.outstanding(generation)):
            found += await self._tallies.unsettled(generation, currency, period.since, period.until, limit)
        return found

    async def _by_currency(self, generation: str, kind: CellKind, period: Period) -> Mapping[str, Sums]:
        asked = Asked(kind, By.CURRENCY, period.since, period.until, limit=CURRENCIES_MAX)
        return dict(await self._tallies.sums(generation, asked))

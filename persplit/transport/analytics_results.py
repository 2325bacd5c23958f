"""What is answered about all groups together: sizes and sums, and never what is in a group."""

from typing import Annotated

from pydantic import Field

from persplit.transport.result import Result, Time

Minor = Annotated[int, Field(description="minor units of the currency")]


class Projected(Result):
    """An answer from the projection. All that was recorded before `asOf` is in it; some of what came later may be."""

    as_of: Time | None = Field(description="null: not known yet, the server has just started")
    lag_seconds: float | None = Field(description="how long before the answer that was")
    from_: str = Field(alias="from", json_schema_extra={"format": "date"})
    to: str = Field(json_schema_extra={"format": "date"})


class CurrencySummary(Result):
    """Of one currency: what was spent and settled in the period, and what is outstanding now."""

    currency: str
    expenses: int = Field(description="how many that aren't deleted, by their own days")
    spent: Minor
    settlements: int = Field(description="confirmed payments, by the day of confirming, UTC")
    settled: Minor
    unsettled_groups: int
    outstanding: Minor


class AnalyticsSummary(Projected):
    """All groups in a few figures. `activeGroups` had an event in the period, and `events` is how many there were."""

    users: int = Field(description="accounts, more or less")
    groups: int
    active_groups: int
    events: int
    currencies: list[CurrencySummary]


class Spender(Result):
    """What a person with an account paid for expenses of the period."""

    currency: str
    user_id: str
    name: str
    expenses: int
    amount: Minor


class TopSpenders(Projected):
    """Currency by currency, at most `limit` people each, who paid most first."""

    spenders: list[Spender]


class ActiveGroup(Result):
    """A group: events and expenses of the period; the rest as it is now."""

    group_id: str
    currency: str
    members: int
    events: int
    expenses: int
    spent: Minor
    last_event_at: Time
    archived: bool


class GroupActivity(Projected):
    """The groups with the most events in the period, the most active first."""

    groups: list[ActiveGroup]


class UnsettledGroup(Result):
    """A group in which somebody owes something. `pendingSettlements` await an answer."""

    group_id: str
    currency: str
    members: int
    debtors: int
    outstanding: Minor
    pending_settlements: int
    last_event_at: Time
    archived: bool


class UnsettledDebts(Projected):
    """Currency by currency, at most `limit` groups each whose last event is of the period, most outstanding first."""

    groups: list[UnsettledGroup]

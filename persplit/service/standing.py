"""Where a group stands: balances, debts and the settle-up plan with its payment links. Derived, never stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from persplit.ledger import debts as debt
from persplit.ledger.debts import Debt
from persplit.ledger.money import AMOUNT_MAX
from persplit.ledger.plan import Plan, Transfer
from persplit.ledger.state import GroupState
from persplit.ledger.upi import payment_link
from persplit.service.people import People
from persplit.service.qr_tokens import QrTokens


class Payee(Protocol):
    """What a payment link needs to know of who receives it."""

    @property
    def name(self) -> str:
        """The name to show."""
        ...

    @property
    def vpa(self) -> str | None:
        """Their UPI id."""
        ...


@dataclass(frozen=True, slots=True)
class Payment:
    """A row of the plan with its way to pay; both are None where UPI can't carry it."""

    transfer: Transfer
    upi_link: str | None
    qr_token: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A group at `state.seq`: `plan` is the whole settle-up plan, `optimal` whether fewer payments can't do."""

    state: GroupState
    plan: tuple[Payment, ...]
    optimal: bool

    def balances(self) -> Iterator[tuple[str, int]]:
        """Every active member's net position in minor units, in order of joining; sums to zero."""
        return iter(self.state.balances.items())

    def debts(self) -> Iterator[Debt]:
        """Who owes whom, netted pairwise."""
        return debt.rows(self.state.debts)


class Standings:
    """Works out standings, with links from the payees' profiles."""

    def __init__(self, people: People, qr_tokens: QrTokens) -> None:
        self._people = people
        self._qr_tokens = qr_tokens

    async def of(self, state: GroupState, plan: Plan) -> Standing:
        """The standing of the state, whose plan this is."""
        payees = await self._people.get({row.to_id for row in plan.transfers})
        return Standing(
            state, tuple(self._payment(state, row, payees) for row in plan.transfers), plan.optimal
        )

    async def link_to(self, state: GroupState, to_id: str, amount: int) -> str | None:
        """The link to pay `amount` minor units to the member; None where UPI can't carry it.

        That is: without a UPI id, outside INR, or beyond the largest amount of one payment.
        """
        payees = await self._people.get({to_id}, for_sure=True)
        return _link(state, payees.get(to_id), amount)

    def _payment(self, state: GroupState, row: Transfer, payees: Mapping[str, Payee | None]) -> Payment:
        link = _link(state, payees.get(row.to_id), row.amount)
        if link is None:
            return Payment(row, None, None)
        token = self._qr_tokens.issue_transfer(state.group_id, row.to_id, row.amount, link)
        return Payment(row, link, token)


def _link(state: GroupState, payee: Payee | None, amount: int) -> str | None:
    if payee is None or payee.vpa is None or state.settings.currency != "INR":
        return None
    if not 1 <= amount <= AMOUNT_MAX:  # an expense is within it; what several add up to needn't be
        return None
    return payment_link(payee.vpa, payee.name, amount, state.settings.name)

"""Units: couples and families that settle together.

Balances stay each person's own. The settle-up plan is worked out between units: what the people of one owe and are
owed is added up, and one of them, who speaks for it, pays and receives. That is whoever came first of those with an
account, so it doesn't change with the balances, and a plan stays steady under payments. What people of one unit owe
each other is in no plan.
"""

from collections.abc import Iterable, Mapping, Sequence

from persplit.ledger import debts as debt
from persplit.ledger.debts import Debt, Debts
from persplit.ledger.group import Member


def speakers(members: Iterable[Member]) -> Mapping[str, str]:
    """For everybody in a unit of several who speaks for it; others aren't there. In the order of `members`."""
    by_unit: dict[str, list[Member]] = {}
    for member in members:
        if member.unit is not None and member.is_active:
            by_unit.setdefault(member.unit, []).append(member)
    found: dict[str, str] = {}
    for unit in by_unit.values():
        if len(unit) > 1:
            speaker = next((member for member in unit if not member.placeholder), unit[0])
            found.update((member.user_id, speaker.user_id) for member in unit)
    return found


def balances_by_unit(balances: Mapping[str, int], settles_as: Mapping[str, str]) -> Mapping[str, int]:
    """Minor units by who speaks, the same sum; the balances themselves where there are no units."""
    if not settles_as:
        return balances
    added: dict[str, int] = {}
    for user_id, amount in balances.items():
        speaker = settles_as.get(user_id, user_id)
        added[speaker] = added.get(speaker, 0) + amount
    return added


def debts_by_unit(debts: Debts, settles_as: Mapping[str, str]) -> Sequence[Debt]:
    """Who owes whom between units, netted, in order of debtor and creditor; none within one."""
    rows = debt.rows(debts)
    if not settles_as:
        return list(rows)
    moved = ((settles_as.get(a, a), settles_as.get(b, b), amount) for a, b, amount in rows)
    return list(debt.rows(debt.with_debts({}, moved)))

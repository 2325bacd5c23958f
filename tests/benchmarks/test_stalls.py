"""The part of the benchmark that looks for stalls: its load does what it says, and what it measures is there."""

from collections import Counter
from random import Random

import pytest

from persplit.ledger.plan import settle_up
from scripts.benchmarks import plan, stalls
from scripts.benchmarks.bench import Bench

PEOPLE = [f"u{place:02}" for place in range(plan.PEOPLE)]


def test_each_expense_of_a_hard_group_leads_to_balances_that_are_hard_to_plan() -> None:
    group = stalls.HardGroup("goa", "a token", PEOPLE, Random("hard"))  # noqa: S311 - no secret
    balances: Counter[str] = Counter()
    for _ in stalls.HARD:
        expense = group.next()
        for row in expense["paidBy"]:
            balances[row["userId"]] += row["amount"]
        for row in expense["splits"]:
            balances[row["userId"]] -= row["value"]
        assert sum(row["value"] for row in expense["splits"]) == expense["amount"]
        assert sum(map(bool, balances.values())) == plan.PEOPLE
        assert settle_up(balances).optimal


def test_a_short_run_measures_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalls, "GROUPS", 2)
    monkeypatch.setattr(stalls, "HARD_GROUPS", 1)
    figures = stalls.run(Bench(1, 0.1, 0.2, is_quick=True), events=20)
    assert figures.keys() == {f"{what} {share}" for what in ("late", "busy") for share in (50, 99, 99.9, 100)}
    assert figures["busy 100"] >= figures["busy 50"] >= 0
    assert figures["late 100"] >= figures["late 99"] >= 0

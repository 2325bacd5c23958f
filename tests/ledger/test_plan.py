"""The settle-up plan: it settles, with the fewest transfers, always the same ones, and payments keep it steady.

The oracle for "fewest" shares nothing with the code under test: a dynamic program over all subsets of people.
"""

from collections.abc import Mapping
from itertools import pairwise
from random import Random

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from persplit.ledger import plan as planning
from persplit.ledger.parts import EXACT_PEOPLE_MAX
from persplit.ledger.plan import (
    PLAN_BUDGET_STEPS,
    Plan,
    Transfer,
    pairwise_plan,
    rest_of,
    rows_after,
    settle_up,
    settle_up_in_slices,
)
from persplit.ledger.slices import SLICE_STEPS, Budget
from scripts.benchmarks.plan import CLASSES

Balances = dict[str, int]


def fewest_transfers(balances: Mapping[str, int]) -> int:
    """People with a non-zero balance less the most zero-sum parts, by trying all subsets."""
    amounts = [amount for amount in balances.values() if amount]
    sums, parts = [0], [0]
    for subset in range(1, 1 << len(amounts)):
        lowest = subset & -subset
        sums.append(sums[subset ^ lowest] + amounts[lowest.bit_length() - 1])
        fewer = (subset ^ 1 << place for place in range(len(amounts)) if subset >> place & 1)
        parts.append(max(parts[one_less] for one_less in fewer) + (sums[subset] == 0))
    return len(amounts) - parts[-1]


def largest_first(balances: Mapping[str, int]) -> int:
    """How many transfers the obvious plan needs."""
    left, transfers = dict(balances), 0
    while any(left.values()):
        debtor, creditor = min(left, key=lambda user: left[user]), max(left, key=lambda user: left[user])
        amount = min(-left[debtor], left[creditor])
        left[debtor] += amount
        left[creditor] -= amount
        transfers += 1
    return transfers


def carried_out(balances: Mapping[str, int], plan: Plan) -> Balances:
    left = dict(balances)
    for row in plan.transfers:
        left[row.from_id] += row.amount
        left[row.to_id] -= row.amount
    return left


def named(amounts: list[int]) -> Balances:
    return {f"u{place:03}": amount for place, amount in enumerate(amounts)}


def closed(amounts: list[int]) -> list[int]:
    return [*amounts, -sum(amounts)]


def drawn(seed: str, people: int, reach: int) -> Balances:
    """Non-zero whole numbers that sum to zero, none much beyond `reach`."""
    random = Random(seed)  # noqa: S311 - reproducible examples, not secrets
    amounts = [random.choice((-1, 1)) * random.randint(1, reach) for _ in range(people)]
    while sum(amounts) or 0 in amounts:
        amounts[random.randrange(people)] = random.choice((-1, 1)) * random.randint(1, reach)
        off, last = sum(amounts), amounts[-1]
        if last != off and abs(last - off) <= 2 * reach:
            amounts[-1] -= off
    return named(amounts)


def groups(people_max: int) -> st.SearchStrategy[Balances]:
    """Small whole numbers, round prices, and paise: the first two have many zero-sum subsets, the third few."""
    amount = st.sampled_from(
        [
            st.integers(-6, 6),
            st.integers(-20, 20).map(lambda units: units * 5000),
            st.integers(-40, 40),
            st.sampled_from([30_000, -10_000, -20_000, 70_000]),
            st.sampled_from([7, 5, 3, -1, -2, -4, -10]),
            st.integers(-500_000, 500_000),
        ]
    )
    lists = amount.flatmap(lambda one: st.lists(one, max_size=people_max - 1))
    return lists.map(closed).map(named)


# It settles


@given(groups(30))
def test_carrying_out_the_plan_brings_every_balance_to_zero(balances: Balances) -> None:
    assert not any(carried_out(balances, settle_up(balances)).values())


@given(groups(30), st.sampled_from([0, 10, 1000, PLAN_BUDGET_STEPS]))
def test_who_owes_only_pays_and_who_is_owed_only_receives(balances: Balances, budget: int) -> None:
    for row in settle_up(balances, budget).transfers:
        assert row.amount > 0
        assert balances[row.from_id] < 0 < balances[row.to_id]


@given(groups(30))
def test_a_pair_has_one_row_at_most_and_rows_are_in_order(balances: Balances) -> None:
    pairs = [(row.from_id, row.to_id) for row in settle_up(balances).transfers]
    assert pairs == sorted(set(pairs))


@given(groups(14), st.randoms(use_true_random=False), st.sampled_from([0, 200, PLAN_BUDGET_STEPS]))
def test_the_plan_does_not_depend_on_the_order_of_the_members(
    balances: Balances, random: Random, budget: int
) -> None:
    members = list(balances.items())
    random.shuffle(members)
    assert settle_up(dict(members), budget) == settle_up(balances, budget)


def test_nobody_owing_anything_is_an_optimal_empty_plan() -> None:
    assert settle_up({}) == settle_up({"asha": 0, "ben": 0}) == Plan((), optimal=True)


def test_balances_that_do_not_sum_to_zero_have_no_plan() -> None:
    with pytest.raises(ValueError, match="sum to zero"):
        settle_up({"asha": 1, "ben": 0})


def test_ties_go_by_id() -> None:
    balances = {"dev": -100, "cara": -100, "ben": 100, "asha": 100}
    assert settle_up(balances).transfers == (Transfer("cara", "asha", 100), Transfer("dev", "ben", 100))


# Fewest

SAME_PART_TWICE = named([7, -1, -4, -10, 3, 5, -2, 7, -4, 5, -4, -1, -1])


def test_two_parts_may_have_the_same_balances() -> None:
    """Four parts: 5 −1 −4 twice, 3 −1 −2 and 7 7 −10 −4."""
    assert len(settle_up(SAME_PART_TWICE).transfers) == fewest_transfers(SAME_PART_TWICE) == 9


@settings(max_examples=80, deadline=None)
@given(groups(10))
@example(named([6, 5, -3, -3, -2, -2, -1]))
@example(named([4, 4, 4, -3, -3, -3, -3]))
def test_no_plan_has_fewer_transfers(balances: Balances) -> None:
    plan = settle_up(balances)
    assert plan.optimal
    assert len(plan.transfers) == fewest_transfers(balances)


@st.composite
def of_large_parts(draw: st.DrawFn) -> list[list[int]]:
    """Two or three parts of five to seven people, who have few different balances; hardly any other sets sum to zero."""
    amounts = draw(st.lists(st.integers(-(10**7), 10**7), min_size=3, max_size=9, unique=True))
    part = st.lists(st.sampled_from(amounts), min_size=4, max_size=6).map(closed)
    return draw(st.lists(part, min_size=2, max_size=3))


@settings(deadline=None)
@given(of_large_parts())
def test_parts_that_are_few_and_large_are_found(parts: list[list[int]]) -> None:
    plan = settle_up(named([amount for part in parts for amount in part]))
    assert plan.optimal
    assert len(plan.transfers) <= sum(sum(map(bool, part)) - any(part) for part in parts)


@settings(max_examples=80, deadline=None)
@given(groups(10), st.integers(0, 400))
def test_a_plan_cut_short_claims_optimal_only_if_it_is(balances: Balances, budget: int) -> None:
    plan = settle_up(balances, budget)
    assert not any(carried_out(balances, plan).values())
    assert len(plan.transfers) <= largest_first(balances)
    if plan.optimal:
        assert len(plan.transfers) == fewest_transfers(balances)


@pytest.mark.parametrize("reach", [8, 30, 100, 1000])
def test_twelve_people_cut_at_any_step_claim_optimal_only_if_it_is(reach: int) -> None:
    balances = drawn(f"twelve {reach}", 12, reach)
    fewest = fewest_transfers(balances)
    for budget in range(0, 4000, 23):
        plan = settle_up(balances, budget)
        assert len(plan.transfers) >= fewest
        assert not plan.optimal or len(plan.transfers) == fewest


def test_the_obvious_plan_is_beaten() -> None:
    """Largest first lets the debtor of 6 pay the creditor of 7, which tears both threes apart."""
    balances = named([7, 5, 1, -6, -4, -3])
    assert largest_first(balances) == 5
    assert len(settle_up(balances).transfers) == 4


def test_an_exhausted_budget_says_that_nothing_is_proven() -> None:
    balances = named([7, 5, 1, -6, -4, -3])
    assert settle_up(balances, 0) == Plan(settle_up(balances, 0).transfers, optimal=False)


def test_no_budget_is_needed_where_a_bound_is_the_proof() -> None:
    assert settle_up(named([10, -2, -3, -5]), 0).optimal
    assert settle_up(named([700, -700, 40, -40]), 0).optimal


# Twenty-four people


def shuffled(seed: int, amounts: list[int]) -> Balances:
    assert len(amounts) == 24
    Random(seed).shuffle(amounts)  # noqa: S311
    return named(amounts)


HIDDEN_THREES = [part for k in range(8) for part in (3**k * 10**4 + 1, 5**k + 7, -(3**k * 10**4 + 5**k + 8))]
HIDDEN_TWELVES = [*closed([7**k for k in range(11)]), *closed([-(6**k) - 1 for k in range(11)])]


@pytest.mark.parametrize(
    ("balances", "transfers"),
    [
        pytest.param(shuffled(1, HIDDEN_THREES), 16, id="eight threes and nothing else"),
        pytest.param(shuffled(2, HIDDEN_TWELVES), 22, id="one way to halve it"),
        pytest.param(shuffled(3, closed([2**k for k in range(23)])), 23, id="powers of two"),
        pytest.param(
            shuffled(4, [300] * 4 + [-100] * 12 + [700] * 2 + [-200] * 4 + [-300] * 2), 18, id="lumps"
        ),
    ],
)
def test_the_fewest_are_known_by_construction(balances: Balances, transfers: int) -> None:
    plan = settle_up(balances)
    assert plan.optimal
    assert len(plan.transfers) == transfers
    assert not any(carried_out(balances, plan).values())


@pytest.mark.parametrize("reach", [5, 20, 60, 100, 200, 300, 1000, 10_000, 500_000])
@pytest.mark.parametrize("seed", range(3))
def test_twenty_four_people_are_exact(reach: int, seed: int) -> None:
    balances = drawn(f"{seed}", 24, reach)
    plan = settle_up(balances)
    assert plan.optimal
    assert len(plan.transfers) <= largest_first(balances)


@pytest.mark.parametrize("off", [1, 3])
def test_debtors_just_off_a_multiple_are_exact(off: int) -> None:
    """Few sizes of part fit: what bounds the parts is who has the odd remainder, not how small parts are."""
    random = Random(off)  # noqa: S311
    amounts = [7 * random.randint(1, 9) for _ in range(12)]
    amounts += [-7 * random.randint(1, 9) + random.choice((-off, off)) for _ in range(11)]
    plan = settle_up(shuffled(off, closed(amounts)))
    assert plan.optimal


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps that were spent, in the order in which they were; nothing is known from before."""
    monkeypatch.setattr(planning, "_KNOWN", {})
    steps: list[int] = []

    class CountedBudget(Budget):
        def spend(self, amount: int) -> None:
            super().spend(amount)
            steps.append(amount)

    monkeypatch.setattr(planning, "Budget", CountedBudget)
    return steps


HARD_TRIPS = [("trip, ₹10 per head", seed) for seed in (37, 44, 123, 129)] + [
    ("trip, ₹50 per head", seed) for seed in (0, 7, 40, 43)
]
"""The hardest of 800 trips."""


@pytest.mark.parametrize(("name", "seed"), HARD_TRIPS)
def test_the_hardest_trips_are_exact_in_few_steps(spent: list[int], name: str, seed: int) -> None:
    plan = settle_up(named(CLASSES[name](Random(f"{name} {seed}"))))  # noqa: S311
    assert plan.optimal
    assert sum(spent) < 50_000


@pytest.mark.parametrize("off", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_most_divisions_are_refuted_before_larger_sets_are_known(
    spent: list[int], off: int, seed: int
) -> None:
    """Debtors a little off a multiple: parts of five and more are many, and prove nothing that fewer don't."""
    name = f"multiples, {off} off"
    assert settle_up(named(CLASSES[name](Random(f"{name} {seed}")))).optimal  # noqa: S311
    assert sum(spent) < 60_000


@pytest.mark.parametrize("reach", [12, 20, 45, 100, 200])
@pytest.mark.parametrize("seed", range(4))
def test_no_plan_of_thirteen_people_has_fewer_transfers(reach: int, seed: int) -> None:
    balances = drawn(f"thirteen {seed}", 13, reach)
    plan = settle_up(balances)
    assert plan.optimal
    assert len(plan.transfers) == fewest_transfers(balances)


# Large groups


@pytest.mark.parametrize("reach", [50, 5000, 500_000])
@pytest.mark.parametrize("people", [EXACT_PEOPLE_MAX + 1, 200, 1000])
def test_large_groups_stay_within_the_budget(spent: list[int], people: int, reach: int) -> None:
    balances = drawn("large", people, reach)
    plan = settle_up(balances)
    assert sum(spent) <= PLAN_BUDGET_STEPS
    assert not any(carried_out(balances, plan).values())
    assert len(plan.transfers) <= largest_first(balances)


def test_two_hundred_people_need_far_fewer_transfers_than_the_obvious_plan() -> None:
    balances = drawn("two hundred", 200, 5000)
    assert len(settle_up(balances).transfers) < 0.9 * largest_first(balances)


def test_a_large_group_without_any_budget_gets_the_obvious_plan() -> None:
    balances = drawn("two hundred", 200, 5000)
    plan = settle_up(balances, 0)
    assert not plan.optimal
    assert not any(carried_out(balances, plan).values())
    assert len(plan.transfers) <= largest_first(balances)


def test_a_large_group_may_be_optimal_by_a_bound() -> None:
    """A hundred threes: no part has fewer than three people, so no plan has fewer than two transfers a three."""
    plan = settle_up(named([200, -150, -50] * 100))
    assert plan.optimal
    assert len(plan.transfers) == 200


# In slices

HARD = named(
    [
        *(-84, -68, -54, -54, -51, -45, -41, -36, -34, -31, -27, -20, -18, -10),
        *(3, 9, 33, 39, 43, 56, 63, 70, 100, 157),
    ]
)
"""Shares of a trip with round prices per head: many zero-sum sets, and no six parts, but that is hard to see."""

POWERS_OF_THREE = named(closed([(-3) ** k for k in range(31)]))
"""No zero-sum set at all."""


@pytest.mark.parametrize("balances", [HARD, drawn("32", 32, 300), drawn("200", 200, 300), POWERS_OF_THREE])
def test_others_have_a_turn_after_every_slice(spent: list[int], balances: Balances) -> None:
    """Some pieces of work are longer than a slice: the sums of half of 32 people."""
    ends = [len(spent) for _ in settle_up_in_slices(balances)]
    slices = [sum(spent[start:end]) for start, end in pairwise([0, *ends, len(spent)])]
    assert len(slices) > 2
    assert max(slices) < 8 * SLICE_STEPS


def test_a_plan_that_took_long_is_remembered_by_its_balances(spent: list[int]) -> None:
    balances = drawn("remembered", 24, 1000)
    plan = settle_up(balances)
    took = len(spent)
    assert took
    assert settle_up(dict(reversed(balances.items()))) is plan
    assert len(spent) == took
    assert settle_up(balances, 10) is not plan


def test_a_bounded_number_of_plans_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_KNOWN", {})
    monkeypatch.setattr(planning, "PLANS_KNOWN_MAX", 4)
    first, *others = (drawn(f"forgotten {number}", 24, 1000) for number in range(6))
    plan = settle_up(first)
    for balances in others:
        settle_up(balances)
    assert len(planning._KNOWN) <= 4
    again = settle_up(first)
    assert again == plan
    assert again is not plan


# Steady


def after_payment(plan: Plan, paid: Transfer) -> Plan | None:
    """None if it does not follow the plan."""
    rows = rows_after(plan.transfers, paid)
    return None if rows is None else rest_of(plan, rows)


@given(groups(12), st.randoms(use_true_random=False))
def test_paying_rows_in_any_order_leaves_the_others_as_they_are(balances: Balances, random: Random) -> None:
    plan = settle_up(balances)
    unpaid = list(plan.transfers)
    random.shuffle(unpaid)
    while unpaid:
        after = after_payment(plan, unpaid.pop())
        assert after is not None
        assert set(after.transfers) == set(unpaid)
        assert after.optimal
        plan = after
    assert plan == Plan((), optimal=True)


@settings(deadline=None)
@given(groups(9), st.data())
def test_paying_part_of_a_row_shrinks_only_that_row(balances: Balances, data: st.DataObject) -> None:
    plan = settle_up(balances)
    long_rows = [row for row in plan.transfers if row.amount > 1]
    assume(long_rows)
    row = data.draw(st.sampled_from(long_rows))
    paid = Transfer(row.from_id, row.to_id, data.draw(st.integers(1, row.amount - 1)))
    after = after_payment(plan, paid)
    assert after is not None
    for before, now in zip(plan.transfers, after.transfers, strict=True):
        left = before.amount - paid.amount if before == row else before.amount
        assert now == Transfer(before.from_id, before.to_id, left)
    left_over = carried_out(balances, Plan((paid,), optimal=False))
    assert after.optimal == (len(after.transfers) == fewest_transfers(left_over))


@given(groups(12), st.data())
def test_a_payment_beside_the_plan_asks_for_a_new_one(balances: Balances, data: st.DataObject) -> None:
    plan = settle_up(balances)
    assume(plan.transfers)
    row = data.draw(st.sampled_from(plan.transfers))
    assert after_payment(plan, Transfer(row.from_id, row.to_id, row.amount + 1)) is None
    assert after_payment(plan, Transfer(row.to_id, row.from_id, row.amount)) is None
    assert after_payment(plan, Transfer(row.from_id, "somebody else", row.amount)) is None
    assert after_payment(plan, Transfer(row.from_id, row.to_id, 0)) is None


def test_a_part_payment_that_makes_a_shorter_plan_possible_is_said() -> None:
    """Dev's 40 and Asha's 40 are opposites now, and so are Cara's 30 and Ben's 30: two transfers would do."""
    plan = settle_up({"asha": 60, "ben": 30, "cara": -50, "dev": -40})
    assert plan.optimal
    after = after_payment(plan, Transfer("cara", "asha", 20))
    assert after is not None
    assert len(after.transfers) == 3
    assert not after.optimal


def test_a_plan_that_was_not_proven_becomes_so_when_little_is_left() -> None:
    balances = named([50, 21, -33, -38, 70, 9, -62, -17])
    plan = settle_up(balances, 0)
    claims = []
    for row in plan.transfers:
        part = after_payment(plan, Transfer(row.from_id, row.to_id, 1)) if row.amount > 1 else plan
        assert part is not None
        whole = after_payment(plan, row)
        assert whole is not None
        claims.append((part.optimal, whole.optimal))
        plan = whole
    assert claims[0] == (False, False)
    assert claims[-1][1]


# Not simplified


@given(groups(9), groups(9))
def test_every_debt_is_a_row(balances: Balances, others: Balances) -> None:
    rows = settle_up(balances).transfers + tuple(
        Transfer(f"x{row.from_id}", row.to_id, row.amount) for row in settle_up(others).transfers
    )
    assert pairwise_plan((row.from_id, row.to_id, row.amount) for row in rows).transfers == rows


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([(a, b) for a in "abcdef" for b in "abcdef" if a < b]),
        st.integers(-5, 5).filter(bool),
        max_size=8,
    )
)
def test_a_pairwise_plan_says_whether_it_is_the_fewest(owed: dict[tuple[str, str], int]) -> None:
    debts = [(a, b, amount) if amount > 0 else (b, a, -amount) for (a, b), amount in owed.items()]
    plan = pairwise_plan(debts)
    balances: Balances = {}
    for debtor, creditor, amount in debts:
        balances[debtor] = balances.get(debtor, 0) - amount
        balances[creditor] = balances.get(creditor, 0) + amount
    assert plan.optimal == (len(debts) == fewest_transfers(balances))


def test_a_chain_of_debts_stays_a_chain() -> None:
    plan = pairwise_plan([("asha", "ben", 100), ("ben", "cara", 100)])
    assert plan == Plan((Transfer("asha", "ben", 100), Transfer("ben", "cara", 100)), optimal=False)


def test_a_debt_in_a_circle_could_be_dropped() -> None:
    assert not pairwise_plan([("asha", "ben", 5), ("ben", "cara", 5), ("cara", "asha", 5)]).optimal
    assert pairwise_plan([]).optimal

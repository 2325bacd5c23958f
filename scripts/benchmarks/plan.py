"""How good and how fast settle-up plans are: `python -m scripts.benchmarks.plan [instances per class]`.

Per class of balances (24 people with a non-zero one, unless it says otherwise): the share proven optimal, times,
and how the plain greedy plan (largest debtor pays largest creditor) compares.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from random import Random
from statistics import median, quantiles
from time import perf_counter
from typing import Final, TypeAlias

from persplit.ledger.plan import Plan, Transfer, settle_up
from persplit.server import tune_interpreter
from scripts.benchmarks.bench import Bench, say
from scripts.benchmarks.rows import OURS, Goal, Row
from scripts.benchmarks.stats import percentile

PEOPLE: Final = 24
INSTANCES_DEFAULT: Final = 200
INSTANCES_QUICK: Final = 10
REALISTIC: Final = frozenset({"trip, paise", "trip, ₹10 prices", "trip, ₹50 per head", "trip, ₹10 per head"})
_TRIES: Final = 5
"""The quickest of so many runs counts, with all other instances in between: the machine is shared, and slow for seconds."""

Balances: TypeAlias = dict[str, int]
Make: TypeAlias = Callable[[Random], list[int]]


def named(amounts: list[int]) -> Balances:
    """Balances of made-up people."""
    return {f"u{place:03}": amount for place, amount in enumerate(amounts)}


def drawn(draw: Callable[[Random], int], people: int = PEOPLE) -> Make:
    """So many non-zero balances from a distribution; the last one is what makes them sum to zero."""

    def make(random: Random) -> list[int]:
        while True:
            amounts = [draw(random) for _ in range(people - 1)]
            amounts.append(-sum(amounts))
            if all(amounts):
                return amounts

    return make


def centred(draw: Callable[[Random], int], people: int = PEOPLE) -> Make:
    """The same with no person standing out: what the sum is off is spread over everybody in units of the draw."""

    def make(random: Random) -> list[int]:
        while True:
            amounts = [draw(random) for _ in range(people)]
            for _ in range(2000):
                off = sum(amounts)
                if off == 0:
                    break
                place = random.randrange(people)
                other = draw(random)
                if abs(off - amounts[place] + other) <= abs(off):
                    amounts[place] = other
            if all(amounts) and not sum(amounts):
                return amounts

    return make


def trip(rounding: int, expenses: int = 40, people: int = PEOPLE) -> Make:
    """A trip: people pay for random subsets in amounts that are multiples of `rounding` paise, split equally."""

    def make(random: Random) -> list[int]:
        while True:
            amounts = [0] * people
            for _ in range(expenses):
                payer = random.randrange(people)
                sharers = random.sample(range(people), random.randint(2, people))
                amount = random.randint(5_000 // rounding, 1_000_000 // rounding) * rounding
                each, odd = divmod(amount, len(sharers))
                amounts[payer] += amount
                for place, sharer in enumerate(sharers):
                    amounts[sharer] -= each + (place < odd)
            if all(amounts):
                return amounts

    return make


def per_head(unit: int, heads_max: int) -> Make:
    """A trip where every price is a round sum per head."""

    def make(random: Random) -> list[int]:
        while True:
            amounts = [0] * PEOPLE
            for _ in range(30):
                payer = random.randrange(PEOPLE)
                sharers = random.sample(range(PEOPLE), random.randint(2, heads_max))
                price = random.randint(1, 10) * unit
                amounts[payer] += price * len(sharers)
                for sharer in sharers:
                    amounts[sharer] -= price
            if all(amounts):
                return amounts

    return make


def planted(sizes: list[int], reach: int) -> Make:
    """Parts of these sizes and, most likely, no others."""

    def make(random: Random) -> list[int]:
        amounts: list[int] = []
        for size in sizes:
            amounts += drawn(lambda r: r.choice((-1, 1)) * r.randint(1, reach), size)(random)
        random.shuffle(amounts)
        return amounts

    return make


def near(owed: int, owing: int, creditors: int, spread: int) -> Make:
    """Everybody close to +owed or −owing: all parts have the sizes that the two's ratio asks for."""

    def make(random: Random) -> list[int]:
        while True:
            amounts = [owed + random.randint(-spread, spread) for _ in range(creditors)]
            amounts += [-owing + random.randint(-spread, spread) for _ in range(PEOPLE - creditors)]
            for _ in range(20 * PEOPLE):
                off = sum(amounts)
                place = random.randrange(PEOPLE)
                base = owed if place < creditors else -owing
                moved = max(base - spread, min(base + spread, amounts[place] - off))
                amounts[place] = moved
            if not sum(amounts):
                return amounts

    return make


def two_scales(high: int, low: int) -> Make:
    """Rupees and paise have to cancel separately."""
    return centred(lambda r: 1000 * r.randint(-high, high) + r.randint(-low, low))


def lumps(random: Random) -> list[int]:
    """A few values, many times."""
    while True:
        values = [random.choice((100, 300, 500, 700, 1100)) for _ in range(4)]
        amounts = [random.choice(values) * random.choice((1, -1, -1)) for _ in range(PEOPLE - 1)]
        amounts.append(-sum(amounts))
        if amounts[-1]:
            return amounts


def powers(random: Random) -> list[int]:
    """Powers of two, each from one up to what is still missing."""
    amounts = [2**place * random.choice((1, 1, -1)) for place in range(PEOPLE - 1)]
    return [*amounts, -sum(amounts)]


def small_powers(random: Random) -> list[int]:
    """Small powers of two, many times."""
    return centred(lambda r: 2 ** r.randint(0, 8) * r.choice((1, -1)))(random)


def multiples(base: int, off: int) -> Make:
    """All creditors multiples of `base`, debtors a little off, so that few sizes fit."""
    return centred(
        lambda r: r.choice((base * r.randint(1, 9), -base * r.randint(1, 9) + r.choice((-off, off))))
    )


def one_sign(reach: int) -> Make:
    """Each creditor is owed by many: one distribution for debtors, three creditors who share the sum."""

    def make(random: Random) -> list[int]:
        debts = [-random.randint(1, reach) for _ in range(PEOPLE - 5)]
        total = -sum(debts)
        cuts = sorted(random.sample(range(1, total), 4))
        return debts + [b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True)]

    return make


def whole(reach: int) -> Callable[[Random], int]:
    """Whole numbers up to ±reach."""
    return lambda r: r.choice((-1, 1)) * r.randint(1, reach)


CLASSES: Final[Mapping[str, Make]] = {
    "trip, paise": trip(1),
    "trip, ₹10 prices": trip(1000),
    "trip, ₹50 per head": per_head(5000, 12),
    "trip, ₹10 per head": per_head(1000, PEOPLE),
    "trip of 12, paise": trip(1, people=12),
    "paise ±₹5000": drawn(whole(500_000)),
    "paise ±₹100": centred(whole(10_000)),
    "rupees ±1000": centred(whole(1000)),
    "rupees ±500": centred(whole(500)),
    "rupees ±300": centred(whole(300)),
    "rupees ±200": centred(whole(200)),
    "rupees ±100": centred(whole(100)),
    "rupees ±60": centred(whole(60)),
    "rupees ±40": centred(whole(40)),
    "50s, ±20 units": drawn(lambda r: 50 * whole(20)(r)),
    "50s, ±20 units, centred": centred(lambda r: 50 * whole(20)(r)),
    "small ±5": drawn(whole(5)),
    "lumps": lumps,
    "powers of two": powers,
    "small powers of two": small_powers,
    "hidden 12+12": planted([12, 12], 10**8),
    "hidden 8×3": planted([3] * 8, 10**8),
    "hidden 8×3, close": planted([3] * 8, 150),
    "hidden 6×4": planted([4] * 6, 10**8),
    "hidden 4×6, close": planted([6] * 4, 3000),
    "hidden 3×8, close": planted([8] * 3, 20_000),
    "hidden 2×12, close": planted([12, 12], 60_000),
    "near 1:2": near(200, 100, 8, 12),
    "near 2:3": near(300, 200, 10, 12),
    "near 3:4": near(400, 300, 10, 12),
    "near 3:4, closer": near(4000, 3000, 10, 120),
    "near 5:6": near(600, 500, 11, 20),
    "near 5:7": near(700, 500, 10, 12),
    "near 2:9": near(900, 200, 4, 24),
    "two scales 5, 5": two_scales(5, 5),
    "two scales 9, 9": two_scales(9, 9),
    "two scales 3, 30": two_scales(3, 30),
    "multiples, 1 off": multiples(10, 1),
    "multiples, 3 off": multiples(7, 3),
    "five creditors ±100": one_sign(100),
    "five creditors ±1000": one_sign(1000),
    "28 people, rupees ±300": centred(whole(300), 28),
    "32 people, rupees ±1000": centred(whole(1000), 32),
    "40 people, rupees ±100": centred(whole(100), 40),
    "60 people, paise ±₹100": centred(whole(10_000), 60),
    "200 people, paise ±₹5000": drawn(whole(500_000), 200),
    "200 people, rupees ±5000": drawn(whole(5000), 200),
}


def greedy(balances: Balances) -> list[Transfer]:
    """The plan of every open product: the largest debtor pays the largest creditor."""
    left, rows = dict(balances), list[Transfer]()
    while any(left.values()):
        debtor, creditor = min(left, key=lambda u: (left[u], u)), max(left, key=lambda u: (left[u], u))
        amount = min(-left[debtor], left[creditor])
        left[debtor] += amount
        left[creditor] -= amount
        rows.append(Transfer(debtor, creditor, amount))
    return rows


def timed(instances: Sequence[Balances]) -> list[tuple[Plan, float]]:
    """The plan of each, and its quickest time in milliseconds."""
    best, plans = [float("inf")] * len(instances), [Plan((), optimal=True)] * len(instances)
    for attempt in range(_TRIES):
        for number, balances in enumerate(instances):
            others = {
                f"{attempt} {user}": amount for user, amount in balances.items()
            }  # plans are remembered
            start = perf_counter()
            plans[number] = settle_up(others)
            best[number] = min(best[number], (perf_counter() - start) * 1000)
    return list(zip(plans, best, strict=True))


def instances_of(name: str, count: int) -> list[Balances]:
    """The first so many of a class."""
    make = CLASSES[name]
    return [named(make(Random(f"{name} {seed}"))) for seed in range(count)]  # noqa: S311 - to measure, no secrets


def row(name: str, instances: int) -> str:
    """One class, measured."""
    optimal, worse, rows, greedy_rows = 0, 0, 0, 0
    times: list[float] = []
    balances_of_all = instances_of(name, instances)
    for balances, (plan, took) in zip(balances_of_all, timed(balances_of_all), strict=True):
        obvious = len(greedy(balances))
        times.append(took)
        optimal += plan.optimal
        worse += obvious > len(plan.transfers)
        rows += len(plan.transfers)
        greedy_rows += obvious
    p99 = quantiles(times, n=100, method="inclusive")[98]
    return (
        f"{name:26} {optimal / instances:7.1%} {median(times):7.2f} {p99:7.2f} {max(times):7.2f} "
        f"{greedy_rows / rows:7.3f} {worse / instances:6.0%}"
    )


def report(instances: int) -> Iterator[str]:
    """The table, line by line."""
    yield f"{instances} instances a class; ms; ratio = greedy's transfers / ours; worse = greedy needs more"
    yield f"{'class':26} {'optimal':>7} {'median':>7} {'p99':>7} {'worst':>7} {'ratio':>7} {'worse':>6}"
    for name in CLASSES:
        yield row(name, instances)


def _times(names: Iterable[str], instances: int) -> list[float]:
    """Milliseconds of every instance of these classes."""
    return [
        took for _, took in timed([one for name in sorted(names) for one in instances_of(name, instances)])
    ]


def measure(bench: Bench) -> Sequence[Row]:
    """The part of the benchmark: how long plans of 24 people take, realistic and of every class."""
    if not bench.wants(OURS):
        return []
    say("plan")
    tune_interpreter()  # as a server does: the collector would look for circles among the sums
    instances = INSTANCES_QUICK if bench.is_quick else INSTANCES_DEFAULT

    def once() -> dict[str, float]:
        realistic = _times(REALISTIC, instances)
        others = _times(CLASSES.keys() - REALISTIC, instances)
        return {"realistic": percentile(realistic, 0.99), "worst": max(*realistic, *others)}

    found = bench.once({OURS: once})
    what = f"settle-up plan, {PEOPLE} people"
    return [
        Row(
            "plan",
            f"{what}: 99th percentile of trips",
            "ms",
            found["realistic"],
            (Goal(None, 5, at_least=False),),
        ),
        Row(
            "plan",
            f"the longest of all {len(CLASSES)} classes, up to 200 people",
            "ms",
            found["worst"],
            (Goal(None, 50, at_least=False),),
        ),
    ]


if __name__ == "__main__":
    for line in report(int(sys.argv[1]) if len(sys.argv) > 1 else INSTANCES_DEFAULT):
        print(line, flush=True)  # noqa: T201 - it is what the script is for

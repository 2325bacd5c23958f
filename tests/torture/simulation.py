"""`scripts/torture simulation`: worlds of nodes and phones on a virtual clock, one a seed, and what they came to.

The server's own code from its sockets to its store runs on a loop whose time and order belong to the seed, on a
store, a bus and connections that fail, stall, lose, double, delay and overtake; nodes and phones are killed at any
moment. What the design promises is checked at every step (`simulation_oracle`).
"""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final

from tests.torture.options import parser, seed_of
from tests.torture.simulation_mutants import MUTANTS
from tests.torture.simulation_world import Outcome, Scale, simulate

HASH_SEED: Final = "0"
"""Sets of strings are walked through in an order that depends on it: a seed is a world only together with it."""
SEEDS: Final = 100
MUTANT_SEEDS_MAX: Final = 24
"""Worlds in which each mutant has to show."""
SHOWN_BY: Final = {
    "follow_one_behind": 6,
    "decide_again_on_the_old_state": 2,
    "read_before_listening": 2,
    "answer_unknown_as_refused": 2,
}
"""The seed that showed a mutant the last time, where that isn't 1: it is tried first, then all from 1 on."""
LINES: Final = 60
MUTANT_SCALE: Final = Scale(nodes=3, phones=5, seconds=30.0)


def main(arguments: list[str]) -> int:
    """Run the worlds; 1 if a promise was broken, or a mutant wasn't found."""
    options = _options(arguments)
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        environment = {**os.environ, "PYTHONHASHSEED": HASH_SEED}
        return subprocess.call(  # noqa: S603 - ourselves
            [sys.executable, "-m", "tests.torture", "simulation", *arguments], env=environment
        )
    if options.mutants:
        return _find_mutants()
    if options.seed is not None:
        return _report([simulate(options.seed, _scale(options))], options)
    first = seed_of(None) if options.first is None else options.first
    return _report(_outcomes(range(first, first + options.seeds), options), options)


def _options(arguments: list[str]) -> argparse.Namespace:
    made = parser("simulation", "Worlds of nodes and phones on a virtual clock, one a seed.")
    made.add_argument("--seeds", type=int, default=SEEDS, help=f"how many worlds (default: {SEEDS})")
    made.add_argument("--first", type=int, help="the first of their seeds (default: a new one)")
    made.add_argument("--jobs", type=int, default=1, help="how many at the same time")
    made.add_argument("--nodes", type=int, help="nodes of each world (default: 2 to 4)")
    made.add_argument("--phones", type=int, help="people with a phone or two (default: 3 to 8)")
    made.add_argument(
        "--seconds", type=float, help="how long things go wrong, in virtual time (default: 20 to 80)"
    )
    made.add_argument("--lines", type=int, default=LINES, help="lines of a broken world's trace to print")
    made.add_argument("--traces", action="store_true", help="print each world's hash, to compare runs")
    made.add_argument("--mutants", action="store_true", help="find servers that are broken on purpose")
    return made.parse_args(arguments)


def _scale(options: argparse.Namespace) -> Scale:
    return Scale(options.nodes, options.phones, options.seconds)


def _outcomes(seeds: Iterable[int], options: argparse.Namespace) -> Iterator[Outcome]:
    run = partial(simulate, scale=_scale(options))
    if options.jobs == 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(options.jobs) as pool:
        yield from pool.map(run, seeds)


def _report(outcomes: Iterable[Outcome], options: argparse.Namespace) -> int:
    """Say what came of them; each broken world at once."""
    counts: Counter[str] = Counter()
    begun = time.perf_counter()
    worlds = broken = 0
    virtual_seconds = 0.0
    for outcome in outcomes:
        worlds += 1
        virtual_seconds += outcome.seconds
        counts += outcome.counts
        if options.traces:
            _say(f"seed {outcome.seed}: {outcome.lines} lines, {outcome.digest}")
        if outcome.violations:
            broken += 1
            _show(outcome, options)
    for what, count in sorted(counts.items()):
        _say(f"  {count:9} {what}")
    _say(
        f"{worlds} worlds, {broken} broken; {virtual_seconds / 3600:.1f} virtual hours, "
        f"{counts['commands wished']} commands, {counts['events']} events, "
        f"{time.perf_counter() - begun:.0f} s"
    )
    return 1 if broken else 0


def _show(outcome: Outcome, options: argparse.Namespace) -> None:
    for line in deque(outcome.tail, options.lines):
        _say(f"  | {line}")
    for violation in outcome.violations:
        _say(f"  {violation}")
    chosen = {"nodes": options.nodes, "phones": options.phones, "seconds": options.seconds}
    told = "".join(f" --{name} {value}" for name, value in chosen.items() if value is not None)
    _say(f"seed {outcome.seed} is broken; again: scripts/torture simulation --seed {outcome.seed}{told}")


def _find_mutants() -> int:
    """Each mutant has to break a promise in one of the first worlds."""
    missed = [name for name in MUTANTS if not _is_found(name)]
    _say(f"{len(MUTANTS)} mutants, {len(missed)} not found")
    return 1 if missed else 0


def _is_found(name: str) -> bool:
    for seed in dict.fromkeys((SHOWN_BY.get(name, 1), *range(1, MUTANT_SEEDS_MAX + 1))):
        outcome = simulate(seed, MUTANT_SCALE, MUTANTS[name])
        if outcome.violations:
            _say(f"{name}: found by seed {seed}: {outcome.violations[0]}")
            return True
    _say(f"{name}: NOT FOUND in {MUTANT_SEEDS_MAX} worlds")
    return False


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command line

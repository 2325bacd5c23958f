"""What so many users take, for the page at `/docs/capacity`: `python -m scripts.benchmarks.capacity [options]`.

Reads the measured costs from `costs.json` and the simulation's figures from `hints_simulation.json`, both beside it, and
writes the file that the page is made from. `--bench` takes those of sockets, commands and deliveries from a
`results.json` of `scripts/bench` first, and `cost=value` any by hand.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final, TypeAlias

from scripts.benchmarks.capacity_model import (
    AS_BUILT,
    ASSUMED,
    ASSUMPTIONS,
    CHANGED,
    Costs,
    Row,
    camel,
    ceilings,
    row,
)
from scripts.benchmarks.costs import COSTS_FILE, machine
from scripts.benchmarks.hints_simulation import SIMULATION_FILE
from scripts.benchmarks.rows import OURS

Json: TypeAlias = dict[str, Any]
Figures: TypeAlias = dict[str, float]

CAPACITY_FILE: Final = Path(__file__).parents[2] / "persplit" / "transport" / "capacity.json"
WANTED: Final = (
    (1_000, AS_BUILT),
    (1_000_000, AS_BUILT),
    (1_000_000, CHANGED),
    (50_000_000, AS_BUILT),
    (50_000_000, CHANGED),
)
DIGITS: Final = 3
"""That are worth saying of a figure."""
MEANINGS: Final[Mapping[str, str]] = {
    "base_bytes": "memory of a server before anybody comes",
    "socket_bytes": "memory of an idle signed-in connection",
    "held_group_bytes": "memory of a group that is held, with its plan",
    "accept_seconds": "a connection opened, signed in and greeted",
    "command_seconds": "a command: checked, durable on SQLite, planned, answered",
    "delivery_seconds": "a broadcast, for each device that gets it",
    "broadcast_bytes": "size of a broadcast in a group of eight",
    "hint_published_seconds": "a hint, on the node that publishes it",
    "hint_heard_seconds": "a hint, on each node that hears it and doesn't have the group",
    "hint_in_bytes": "a hint, into Redis",
    "hint_out_bytes": "a hint, from Redis to each node",
    "redis_publish_seconds": "a hint, in Redis",
    "redis_delivery_seconds": "a hint, in Redis, for each node that hears it",
    "sweep_sqlite_seconds": "a sweep, for each group, on SQLite",
    "sweep_mongodb_seconds": "a sweep, for each group that is heard, on MongoDB: on the node",
    "sweep_mongodb_requests": "a sweep, for each group that is heard: requests to MongoDB",
    "newcomer_seconds": "a sweep, for each person whose new groups it looks for: on the node",
    "newcomer_requests": "a sweep, for each such person: requests to MongoDB",
    "read_mongodb_seconds": "reading on after a hint, on MongoDB: on the node",
    "event_sqlite_bytes": "a stored event with its indexes, SQLite",
    "event_mongodb_bytes": "a stored event with its indexes, as SecantusDB keeps it in WiredTiger",
}


def benchmarked(results: Json) -> Figures:
    """The costs that results of `scripts/bench` have."""

    def figure(part: str, ending: str, unit: str) -> float | None:
        """Of the last row that fits, which has the most devices."""
        fitting = [
            row_["figures"][OURS]["middle"]
            for row_ in results["rows"]
            if (row_["part"], row_["unit"]) == (part, unit)
            and row_["what"].endswith(ending)
            and OURS in row_["figures"]
        ]
        return fitting[-1] if fitting else None

    commands = figure("small-groups", "SQLite", "a second")
    share = figure("small-groups", "of its core the server took", "share")
    deliveries = figure("group", "deliveries", "a second of its processor time")
    accept_ms = figure("idle", "processor time to let one in", "ms")
    socket_kb = figure("idle", "memory of each", "kB")
    found = {
        "commandSeconds": share / commands if commands and share else None,
        "deliverySeconds": 1 / deliveries if deliveries else None,
        "acceptSeconds": accept_ms / 1_000 if accept_ms else None,
        "socketBytes": socket_kb * 1_000 if socket_kb else None,
        "broadcastBytes": figure("bytes", "mean", "bytes"),
    }
    return {name: _rounded(value) for name, value in found.items() if value is not None}


def document(costs: Mapping[str, Any], simulation: list[Json]) -> Json:
    """What the page is made from."""
    measured = Costs.of(costs)
    return {
        "machine": costs["machine"],
        "rows": [_shown(row(users, measured, design=design)) for users, design in WANTED],
        "ceilings": {name: _rounded(value) for name, value in ceilings(measured)},
        "costs": [
            {"what": what, **_figure(name, getattr(measured, name))} for name, what in MEANINGS.items()
        ],
        "assumptions": [{"what": it.what, "value": it.value, "reason": it.reason} for it in ASSUMPTIONS],
        "simulation": simulation,
    }


def _figure(name: str, value: float) -> Json:
    *_, unit = name.split("_")
    return {"value": _rounded(value), "unit": unit}


def _shown(its: Row) -> Json:
    return {
        "users": its.users,
        "design": its.design,
        "store": its.store,
        "traffic": {camel(name): _rounded(value) for name, value in asdict(its.traffic).items()},
        "nodes": its.nodes,
        "heardGroups": _rounded(its.load.heard),
        "memoryBytes": _rounded(its.load.memory),
        "cpu": {cause: _rounded(value / its.load.cpu_total) for cause, value in its.load.cpu.items()},
        "shards": its.shards,
        "replicas": its.shards * int(ASSUMED.replicas),
        "reads": _rounded(its.reads),
        "writes": _rounded(its.writes),
        "diskYearBytes": _rounded(its.disk_year),
        "redisCount": its.redis_count,
        "redisCpu": _rounded(its.redis_cpu),
        "redisOutBytes": _rounded(its.redis_out_bytes),
        "first": its.first,
        "firstShare": _rounded(its.first_share),
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def written(it: Json) -> str:
    """The document as it stands in the file."""
    return json.dumps(it, indent=1) + "\n"


def read() -> tuple[Json, list[Json]]:
    """The measured costs, and the simulation's figures."""
    return json.loads(COSTS_FILE.read_text()), json.loads(SIMULATION_FILE.read_text())


def _given(words: Sequence[str]) -> Iterator[tuple[str, float]]:
    known = {camel(field.name) for field in fields(Costs)}
    for word in words:
        name, _, value = word.partition("=")
        if name not in known:
            raise SystemExit(f"{name} is no cost: {', '.join(sorted(known))}")
        yield name, float(value)


def main() -> None:
    """Put new costs in their place, and write the page's file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bench", type=Path, help="results.json of scripts/bench")
    parser.add_argument("costs", nargs="*", metavar="cost=value")
    options = parser.parse_args()
    costs, simulation = read()
    new = benchmarked(json.loads(options.bench.read_text())) if options.bench else {}
    new |= dict(_given(options.costs))
    if new:
        costs |= {**new, "machine": machine()}
        COSTS_FILE.write_text(json.dumps(costs, indent=2, sort_keys=True) + "\n")
    CAPACITY_FILE.write_text(written(document(costs, simulation)))


if __name__ == "__main__":
    main()

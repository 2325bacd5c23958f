"""The page that says what it takes to serve so many users, at /docs/capacity.

Its figures are in `capacity.json`, which `python -m scripts.benchmarks.capacity` computes from measured costs.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson

from persplit.transport.html import Html, joined, prose, tag
from persplit.transport.pages import page

Json: TypeAlias = dict[str, Any]

FIGURES: Final = Path(__file__).with_name("capacity.json")
_SCALES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_INTRODUCTION: Final = (
    "Computed by a script from costs that were measured on one machine, and from assumptions about use, each of which is "
    "stated below with its reason. All rates are a second's at the busiest time of a day. A node is one process, which "
    "uses one core: several fit on a machine. There is one more than the load needs, so that one may be lost."
)


def capacity() -> bytes:
    """The page."""
    figures: Json = orjson.loads(FIGURES.read_bytes())
    body = (
        tag("h1", "How much it takes"),
        tag("p", prose("Back to the "), tag("a", "reference", href="/docs"), "."),
        tag("p", _INTRODUCTION),
        tag("h2", "So many users", id="users"),
        *map(_users, figures["rows"]),
        tag("h2", "What gives out first, and what would be changed then", id="first"),
        *(tag("p", prose(text)) for text in _first(figures)),
        tag("h2", "What was measured", id="costs"),
        tag("p", f"On {figures['machine']}; seconds are of processor time."),
        _table(("What", "How much"), ((it["what"], cost(it)) for it in figures["costs"])),
        tag("h2", "What is assumed", id="assumptions"),
        _table(
            ("What", "How much", "Why"),
            ((it["what"], number(it["value"]), it["reason"]) for it in figures["assumptions"]),
        ),
        tag("h2", "Hints and sweeps among many nodes", id="simulation"),
        *_simulated(figures["simulation"]),
    )
    return page("PerSplit: how much it takes", tag("main", *body))


def number(value: float) -> str:
    """A figure for people: 1,250; 1.25 M; 0.05."""
    for scale, letter in _SCALES[:3]:
        if value >= scale:
            return f"{value / scale:.3g} {letter}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def size(value: float) -> str:
    """Bytes for people."""
    for scale, letter in _SCALES:
        if value >= scale:
            return f"{value / scale:.3g} {letter}B"
    return f"{value:.0f} B"


def duration(seconds: float) -> str:
    """A short time for people."""
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def cost(it: Json) -> str:
    """A measured cost with its unit."""
    shown: Callable[[float], str] = {"seconds": duration, "bytes": size}.get(it["unit"], number)
    return shown(it["value"])


def _users(row: Json) -> Html:
    is_changed = row["design"] == "changed"
    title = f"{row['users']:,} users" + (", with the changes below" if is_changed else "")
    return joined(tag("h3", title), _table(("What", "How much"), tuple(_lines(row))))


def _lines(row: Json) -> Iterator[tuple[str, str]]:
    traffic = row["traffic"]
    yield "Devices connected", number(traffic["connected"])
    yield "Commands a second", number(traffic["commands"])
    yield "Deliveries a second", number(traffic["deliveries"])
    yield "Store", row["store"]
    nodes = row["nodes"]
    yield "Nodes", "no number is enough" if nodes is None else number(nodes)
    yield "Memory of a node", size(row["memoryBytes"])
    yield "Groups that a node hears", number(row["heardGroups"])
    yield (
        "What a node's processor does",
        ", ".join(
            f"{cause} {share:.0%}" for cause, share in sorted(row["cpu"].items(), key=lambda it: -it[1])
        ),
    )
    if row["store"] == "MongoDB":
        yield "MongoDB", f"{row['shards']} shards of three machines, {row['replicas']} machines"
        yield "Reads and writes of MongoDB a second", f"{number(row['reads'])}, {number(row['writes'])}"
    yield "Disk a year, on each replica", size(row["diskYearBytes"])
    if row["store"] == "MongoDB":
        yield (
            "Redis",
            f"{row['redisCount']}, {row['redisCpu']:.3g} cores, {size(row['redisOutBytes'])} a second out",
        )
    yield "Nearest to its bound", f"{row['first']}, at {row['firstShare']:.0%}"


def _first(figures: Json) -> Iterator[str]:
    ends = figures["ceilings"]
    yield (
        "Sweeps. Every five seconds a node asks MongoDB for the newest event of each group that somebody connected to it "
        f"hears, one small request for each. At {number(ends['groupsAtSweeps'])} groups that alone is all that a node may "
        "take of its core. It is what makes events arrive though every hint is lost, so it can't simply go. What would be "
        "changed: it is done once a minute while the subscription to hints stands, and at once after a gap. What would help "
        "further, and is not counted above: one request that asks about a hundred groups."
    )
    yield (
        "Hints. Each goes to every node, also to those that have nobody of its group: however many nodes there are, each "
        f"hears all of them, which is all that a node may do at {number(ends['usersAtHints'])} users. One Redis tells them "
        f"all, which ends at {number(ends['messagesAtRedis'])} messages a second: commands times nodes. What would be "
        "changed: a channel for each group, to which a node subscribes while somebody connected to it hears the group, and "
        "one for each person, who may be added to a group; such channels can be spread over several Redis servers."
    )
    yield (
        "MongoDB. What it has to read is nearly all sweeps; with these changed, disk decides on the number of shards. The "
        "collection is sharded by group, so that a group's events and their indexes stay together; events that nobody asks "
        "for any more can move to cheaper shards by zones."
    )


def _simulated(worlds: Sequence[Json]) -> Iterator[Html]:
    first = worlds[0]
    gone, back = first["outage"]
    yield tag(
        "p",
        f"This machine can't run {first['nodes']} nodes, so the follower of each runs on a virtual clock, around it what "
        f"only counts: {first['groups']:,} groups, {first['events']:g} events a second, {first['seconds']:g} seconds, and "
        f"no Redis from second {gone:g} to {back:g}.",
    )
    names = {
        "as it is": "Every hint to every node, sweeps every five seconds",
        "changed": "The changes above",
    }
    yield _table(
        ("", *(names[it["design"]] for it in worlds)),
        (
            ("Hints that a node hears a second", *(number(it["hintsHeard"]) for it in worlds)),
            ("Messages that Redis sends a second", *(number(it["redisMessages"]) for it in worlds)),
            ("Groups that a node asks about a second", *(number(it["sweepReads"]) for it in worlds)),
            ("Reads of the store a second, all nodes", *(number(it["storeReads"]) for it in worlds)),
            (
                "Events late with Redis: median, 99th percentile, longest",
                *(_late(it["lateUp"]) for it in worlds),
            ),
            ("Events late without Redis", *(_late(it["lateDown"]) for it in worlds)),
        ),
    )


def _late(it: Json) -> str:
    return ", ".join(duration(it[name]) for name in ("median", "p99", "max"))


def _table(titles: Sequence[str], rows: Iterator[tuple[str, ...]] | Sequence[tuple[str, ...]]) -> Html:
    head = tag("tr", *(tag("th", title) for title in titles))
    return tag(
        "table",
        tag("thead", head),
        tag("tbody", *(tag("tr", *(tag("td", prose(cell)) for cell in row)) for row in rows)),
    )

"""How much it takes to serve so many users: arithmetic over measured costs and stated assumptions, and nothing else.

All rates are a second's, at the busiest time of a day. Times are seconds of processor time, sizes are bytes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from math import ceil, exp
from typing import Final, Self

DAY_SECONDS: Final = 86_400
NODES_MAX: Final = 1_000_000
"""Beyond that more nodes are no answer."""
NEWCOMER_LOOKS_MAX: Final = 500
"""People whose new groups one sweep looks for: `PEOPLE_PER_SWEEP_MAX` of the follower."""
SWEEP_SECONDS: Final = 4.5
"""Between two sweeps on average: `SWEEP_SECONDS` of the follower, with its jitter."""

REQUESTS_PER_COMMAND: Final = 2
"""To MongoDB: the present version of what is changed, and the event."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured, in the order of the page. On one core of the machine that is named there."""

    base_bytes: float
    socket_bytes: float
    held_group_bytes: float
    accept_seconds: float
    command_seconds: float
    delivery_seconds: float
    broadcast_bytes: float
    hint_published_seconds: float
    hint_heard_seconds: float
    hint_in_bytes: float
    hint_out_bytes: float
    redis_publish_seconds: float
    redis_delivery_seconds: float
    sweep_sqlite_seconds: float
    sweep_mongodb_seconds: float
    sweep_mongodb_requests: float
    newcomer_seconds: float
    newcomer_requests: float
    read_mongodb_seconds: float
    event_sqlite_bytes: float
    event_mongodb_bytes: float

    @classmethod
    def of(cls, measured: Mapping[str, float]) -> Self:
        """From the file of measured costs. Raises `KeyError` for one that is missing."""
        return cls(**{field.name: measured[camel(field.name)] for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number that can't be measured here, and why it is this one."""

    key: str
    what: str
    value: float
    reason: str


ASSUMPTIONS: Final = (
    Assumption(
        "connected_share",
        "of all users are connected at the busiest time",
        0.05,
        "an app for expenses is opened for minutes a day; messengers, which stay open, see about a tenth",
    ),
    Assumption("devices", "devices of a connected user", 1.3, "a phone, and for some a laptop beside it"),
    Assumption(
        "groups_per_user", "groups of a user that are alive", 4, "a household, a trip, two circles of friends"
    ),
    Assumption("group_size", "members of a group", 6, "most are two to ten people"),
    Assumption(
        "commands_per_day",
        "commands of a user a day",
        0.5,
        "fifteen expenses or payments a month: many write none",
    ),
    Assumption(
        "opens_per_day", "times a day that a user's app connects", 2, "to write, and after a notification"
    ),
    Assumption(
        "peak_factor",
        "times the day's average at the busiest time",
        8,
        "an evening has three times the average, a holiday evening more than twice that",
    ),
    Assumption(
        "members_connected",
        "of a group's members are connected when one of them writes",
        0.25,
        "more than of all users: they are at the same table",
    ),
    Assumption(
        "node_cpu",
        "of one core may be used by a node",
        0.5,
        "room for bursts, and for a lost neighbour's load",
    ),
    Assumption(
        "node_bytes", "bytes of memory may be used by a node", 2e9, "four or eight nodes to a common machine"
    ),
    Assumption(
        "redis_cpu", "of one core may be used by a Redis", 0.5, "it has one thread; half of it for bursts"
    ),
    Assumption(
        "shard_reads",
        "reads of one document by an index, a second and shard",
        20_000,
        "a replica set of eight cores with its indexes in memory; not measured here: no such machines",
    ),
    Assumption(
        "shard_writes",
        "journalled majority writes a second and shard",
        3_000,
        "as before; six index entries to each event",
    ),
    Assumption(
        "shard_bytes",
        "bytes to a shard",
        2e12,
        "more takes too long to copy when a machine has to be replaced",
    ),
    Assumption("replicas", "machines to a shard", 3, "the least that keeps a majority when one is lost"),
)


@dataclass(frozen=True, slots=True)
class Use:
    """The assumptions, by name; for their meaning see `ASSUMPTIONS`."""

    connected_share: float
    devices: float
    groups_per_user: float
    group_size: float
    commands_per_day: float
    opens_per_day: float
    peak_factor: float
    members_connected: float
    node_cpu: float
    node_bytes: float
    redis_cpu: float
    shard_reads: float
    shard_writes: float
    shard_bytes: float
    replicas: float


ASSUMED: Final = Use(**{it.key: it.value for it in ASSUMPTIONS})


@dataclass(frozen=True, slots=True)
class Design:
    """How nodes hear of each other's events. `to_all`: every hint goes to every node, else to those that hear its group."""

    name: str
    to_all: bool
    sweep_seconds: float


AS_BUILT: Final = Design("as it is", to_all=True, sweep_seconds=SWEEP_SECONDS)
CHANGED: Final = Design("changed", to_all=False, sweep_seconds=60.0)
"""A channel for each group, and a sweep each minute while the subscription stands; after a gap at once."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What users do at the busiest time. `groups` is all there are."""

    connected: float
    groups: float
    commands: float
    opens: float
    deliveries: float
    per_group: float
    """Devices connected to an ordinary group."""
    per_written: float
    """Devices connected to a group that is being written to."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one of so many nodes does: processor time a second by cause, memory, and the groups that it hears."""

    cpu: Mapping[str, float]
    memory: float
    heard: float
    readers: float
    """Other nodes that read each event."""

    @property
    def cpu_total(self) -> float:
        """Of one core."""
        return sum(self.cpu.values())


@dataclass(frozen=True, slots=True)
class Row:
    """What so many users take. `nodes` is None where no number of them would do."""

    users: int
    design: str
    store: str
    traffic: Traffic
    nodes: int | None
    load: Load
    shards: int
    reads: float
    writes: float
    disk_year: float
    redis_count: int
    redis_cpu: float
    redis_out_bytes: float
    first: str
    first_share: float
    """Of its bound that it takes: above 1 it is too much."""


def camel(name: str) -> str:
    """The name as it stands in files."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def traffic(users: int, use: Use = ASSUMED) -> Traffic:
    """What so many users do."""
    a_second = users * use.peak_factor / DAY_SECONDS
    commands = use.commands_per_day * a_second
    per_written = max(1.0, use.group_size * use.members_connected * use.devices)
    return Traffic(
        connected=users * use.connected_share * use.devices,
        groups=users * use.groups_per_user / use.group_size,
        commands=commands,
        opens=use.opens_per_day * a_second,
        deliveries=commands * per_written,
        per_group=use.group_size * use.connected_share * use.devices,
        per_written=per_written,
    )


def distinct(devices: float, nodes: int) -> float:
    """On how many of the nodes at least one of a group's devices is, if a balancer spreads them evenly (Poisson)."""
    return nodes * (1 - exp(-devices / nodes))


def load(its: Traffic, nodes: int, costs: Costs, use: Use, design: Design, *, is_alone: bool = False) -> Load:
    """What each of the nodes does. `is_alone`: one on SQLite, with nobody to hear from."""
    heard = its.groups * distinct(its.per_group, nodes) / nodes
    readers = 0.0 if is_alone else distinct(its.per_written, nodes) * (1 - 1 / nodes)
    cpu = {
        "commands": its.commands * costs.command_seconds / nodes,
        "deliveries": its.deliveries * costs.delivery_seconds / nodes,
        "connecting": its.opens * costs.accept_seconds / nodes,
    }
    if is_alone:
        cpu["sweeps"] = heard * costs.sweep_sqlite_seconds / design.sweep_seconds
    else:
        people = min(NEWCOMER_LOOKS_MAX, its.connected / use.devices / nodes)
        sweep = heard * costs.sweep_mongodb_seconds + people * costs.newcomer_seconds
        hints = its.commands * (1.0 if design.to_all else (1 + readers) / nodes)
        # What goes through the driver beside: each look-up or insert costs as much as reading on does.
        cpu["commands"] += its.commands * REQUESTS_PER_COMMAND * costs.read_mongodb_seconds / nodes
        cpu["connecting"] += its.opens * _requests_per_open(use) * costs.read_mongodb_seconds / nodes
        cpu["reading others' events"] = its.commands * readers * costs.read_mongodb_seconds / nodes
        cpu["sweeps"] = sweep / design.sweep_seconds
        cpu["hints"] = hints * costs.hint_heard_seconds + its.commands * costs.hint_published_seconds / nodes
    memory = costs.base_bytes + its.connected * costs.socket_bytes / nodes + heard * costs.held_group_bytes
    return Load(cpu, memory, heard, readers)


def nodes_for(its: Traffic, costs: Costs, use: Use, design: Design) -> int | None:
    """The fewest nodes that carry it; None where no number does, because each does something for all users."""

    def carried(nodes: int) -> bool:
        each = load(its, nodes, costs, use, design)
        return each.cpu_total <= use.node_cpu and each.memory <= use.node_bytes

    return _fewest(carried)


def _fewest(carried: Callable[[int], bool]) -> int | None:
    high = 1
    while not carried(high):
        if high >= NODES_MAX:
            return None
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if carried(middle) else (middle, high)
    return high


def row(users: int, costs: Costs, use: Use = ASSUMED, design: Design = AS_BUILT) -> Row:
    """What so many users take: one node on SQLite where that is enough, else nodes, MongoDB and Redis."""
    its = traffic(users, use)
    alone = load(its, 1, costs, use, design, is_alone=True)
    if alone.cpu_total <= use.node_cpu and alone.memory <= use.node_bytes:
        disk = users * use.commands_per_day * 365 * costs.event_sqlite_bytes
        first = _nearest(alone, use)
        return Row(
            users, design.name, "SQLite", its, 1, alone, 0, 0.0, its.commands, disk, 0, 0.0, 0.0, *first
        )
    carrying = nodes_for(its, costs, use, design)
    nodes = carrying or NODES_MAX
    each = load(its, nodes, costs, use, design)
    reads, writes = _reads(its, nodes, each, costs, use, design), its.commands + its.opens
    disk = users * use.commands_per_day * 365 * costs.event_mongodb_bytes
    shards = max(ceil(reads / use.shard_reads), ceil(writes / use.shard_writes), ceil(disk / use.shard_bytes))
    told = its.commands * (nodes if design.to_all else 1 + each.readers)
    redis_cpu = its.commands * costs.redis_publish_seconds + told * costs.redis_delivery_seconds
    # All hints go through one channel, and so through one Redis; channels of groups can be spread.
    redis_count = 1 if design.to_all else max(1, ceil(redis_cpu / use.redis_cpu))
    return Row(
        users,
        design.name,
        "MongoDB",
        its,
        # One more than carry it, so that one may be lost or replaced.
        None if carrying is None else carrying + 1,
        each,
        shards,
        reads,
        writes,
        disk,
        redis_count,
        redis_cpu,
        told * costs.hint_out_bytes,
        *_nearest(each, use, redis_cpu / redis_count),
    )


def _reads(its: Traffic, nodes: int, each: Load, costs: Costs, use: Use, design: Design) -> float:
    people = min(NEWCOMER_LOOKS_MAX, its.connected / use.devices / nodes)
    sweeps = (
        each.heard * costs.sweep_mongodb_requests + people * costs.newcomer_requests
    ) / design.sweep_seconds
    connecting = its.opens * (
        2 + use.groups_per_user
    )  # the session, the list of groups, each group's newest events
    commands = its.commands * (1 + each.readers)  # the present version of what is changed, and who reads on
    return nodes * sweeps + connecting + commands


def _requests_per_open(use: Use) -> float:
    """To MongoDB, when a device connects: the session, the list of groups, each group's newest events."""
    return 2 + use.groups_per_user


def _nearest(each: Load, use: Use, redis_cpu: float = 0.0) -> tuple[str, float]:
    """What is nearest to its bound, or furthest beyond it: a cause of a node's processor time, its memory, or Redis."""
    parts = {cause: seconds / use.node_cpu for cause, seconds in each.cpu.items()}
    parts |= {"memory": each.memory / use.node_bytes, "Redis": redis_cpu / use.redis_cpu}
    first = max(parts, key=lambda cause: parts[cause])
    return first, parts[first]


def ceilings(costs: Costs, use: Use = ASSUMED) -> Iterator[tuple[str, float]]:
    """Where the design as it is ends, whatever the number of nodes: users, or heard groups for a node."""
    commands_per_user = use.commands_per_day * use.peak_factor / DAY_SECONDS
    yield "usersAtHints", use.node_cpu / costs.hint_heard_seconds / commands_per_user
    yield "messagesAtRedis", use.redis_cpu / costs.redis_delivery_seconds
    yield "groupsAtSweeps", use.node_cpu * SWEEP_SECONDS / costs.sweep_mongodb_seconds

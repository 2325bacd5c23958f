"""The capacity page says what the model computes, and the model's arithmetic holds."""

from dataclasses import fields, replace
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persplit.service import follower
from persplit.transport.capacity import capacity, cost, duration, number, size
from scripts.benchmarks.capacity import CAPACITY_FILE, MEANINGS, WANTED, benchmarked, document, read, written
from scripts.benchmarks.capacity_model import (
    AS_BUILT,
    ASSUMED,
    CHANGED,
    NEWCOMER_LOOKS_MAX,
    SWEEP_SECONDS,
    Costs,
    Design,
    distinct,
    load,
    nodes_for,
    row,
    traffic,
)
from scripts.benchmarks.hints_simulation import World, simulated
from scripts.benchmarks.report import as_json
from scripts.benchmarks.rows import NODE, OURS, Row
from scripts.benchmarks.stats import Figure

COSTS = Costs.of(read()[0])
USERS = st.integers(1, 100_000_000)
DESIGNS = st.sampled_from([AS_BUILT, CHANGED])


# --- the page


def test_the_file_has_what_the_model_computes_from_the_measured_costs() -> None:
    assert CAPACITY_FILE.read_text() == written(document(*read())), (
        "run: python -m scripts.benchmarks.capacity"
    )


def test_the_page_shows_each_row_cost_and_assumption() -> None:
    figures = document(*read())
    shown = capacity().decode()
    for its in figures["rows"]:
        assert f"{its['users']:,} users" in shown
        assert "no number is enough" in shown if its["nodes"] is None else number(its["nodes"]) in shown
        assert size(its["diskYearBytes"]) in shown
        assert f"{its['first']}, at {its['firstShare']:.0%}" in shown
    for it in figures["costs"]:
        assert it["what"] in shown.replace("&#x27;", "'")
        assert cost(it) in shown
    for it in figures["assumptions"]:
        assert it["reason"] in shown.replace("&#x27;", "'")


def test_every_cost_has_its_line() -> None:
    assert list(MEANINGS) == [field.name for field in fields(Costs)]


def test_the_scales_that_were_promised_are_there() -> None:
    assert {users for users, _ in WANTED} == {1_000, 1_000_000, 50_000_000}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(0.05), "0.05"),
        (number(1.3), "1.3"),
        (number(1_250), "1,250"),
        (number(3_250_000), "3.25 M"),
        (size(512), "512 B"),
        (size(36_900), "36.9 kB"),
        (size(34.4e12), "34.4 TB"),
        (duration(0.0029), "2.9 ms"),
        (duration(4.41e-6), "4.41 µs"),
        (duration(1.66e-7), "166 ns"),
        (duration(2), "2 s"),
        (cost({"value": 1.0, "unit": "requests"}), "1"),
    ],
)
def test_figures_are_for_people(shown: str, expected: str) -> None:
    assert shown == expected


def test_costs_come_from_the_benchmark_s_results() -> None:
    def measured(part: str, what: str, unit: str, middle: float) -> Row:
        return Row(part, what, unit, {OURS: Figure(middle, middle, middle), NODE: Figure(1, 1, 1)})

    rows = [
        measured(
            "group", "one group of 8, 100 devices: deliveries", "a second of its processor time", 50_000
        ),
        measured("group", "one group of 8, 500 devices: deliveries", "a second", 70_000),
        measured(
            "group", "one group of 8, 500 devices: deliveries", "a second of its processor time", 100_000
        ),
        measured("idle", "5,000 idle signed-in connections: memory of each", "kB", 18.5),
        measured("idle", "5,000 idle signed-in connections: processor time to let one in", "ms", 0.5),
        measured("small-groups", "durable commands over 200 groups, SQLite", "a second", 3_000),
        measured(
            "small-groups",
            "durable commands over 200 groups, SQLite: of its core the server took",
            "share",
            0.9,
        ),
        measured("bytes", "a broadcast: mean", "bytes", 900),
        measured("bytes", "a broadcast: largest", "bytes", 1_000),
    ]
    assert benchmarked(as_json([], {})) == {}
    assert benchmarked(as_json(rows, {})) == {
        "commandSeconds": 0.0003,
        "deliverySeconds": 1e-5,
        "socketBytes": 18_500,
        "acceptSeconds": 0.0005,
        "broadcastBytes": 900,
    }


# --- the model


def test_the_model_knows_the_follower_s_bounds() -> None:
    assert NEWCOMER_LOOKS_MAX == follower.PEOPLE_PER_SWEEP_MAX
    assert pytest.approx(follower.SWEEP_SECONDS * 0.9) == SWEEP_SECONDS


def test_a_thousand_users_are_one_node_on_sqlite() -> None:
    its = row(1_000, COSTS)
    assert (its.store, its.nodes, its.shards, its.redis_count) == ("SQLite", 1, 0, 0)


@given(USERS, DESIGNS)
def test_there_is_always_a_node_and_what_it_is_asked_for_it_can_carry(users: int, design: Design) -> None:
    its = row(users, COSTS, design=design)
    if its.nodes is None:
        return
    assert its.nodes >= 1
    assert its.load.cpu_total <= ASSUMED.node_cpu
    assert its.load.memory <= ASSUMED.node_bytes
    assert all(seconds >= 0 for seconds in its.load.cpu.values())
    if its.store == "MongoDB":
        assert its.nodes >= 2
        assert its.shards >= max(
            1, ceil(its.reads / ASSUMED.shard_reads), ceil(its.writes / ASSUMED.shard_writes)
        )
        assert its.redis_count >= 1


@given(USERS, USERS, DESIGNS)
def test_more_users_never_take_less(some: int, others: int, design: Design) -> None:
    fewer, more = (row(users, COSTS, design=design) for users in sorted((some, others)))
    if more.nodes is not None:
        assert fewer.nodes is not None
        assert fewer.nodes <= more.nodes
    assert fewer.shards <= more.shards
    if fewer.store == more.store:
        assert fewer.disk_year <= more.disk_year


@given(USERS, DESIGNS, st.integers(1, 10_000))
def test_more_nodes_never_make_a_node_work_harder(users: int, design: Design, nodes: int) -> None:
    its = traffic(users)
    fewer, more = (load(its, count, COSTS, ASSUMED, design) for count in (nodes + 1, nodes + 2))
    assert more.heard <= fewer.heard * 1.000_001
    assert more.memory <= fewer.memory * 1.000_001
    assert more.cpu["commands"] <= fewer.cpu["commands"]


@given(USERS, DESIGNS)
def test_one_node_less_would_not_do(users: int, design: Design) -> None:
    nodes = nodes_for(traffic(users), COSTS, ASSUMED, design)
    if nodes is not None and nodes > 1:
        each = load(traffic(users), nodes - 1, COSTS, ASSUMED, design)
        assert each.cpu_total > ASSUMED.node_cpu or each.memory > ASSUMED.node_bytes


@given(st.floats(0, 1_000), st.integers(1, 10_000))
def test_devices_are_on_no_more_nodes_than_there_are_of_either(devices: float, nodes: int) -> None:
    assert 0 <= distinct(devices, nodes) <= min(devices, nodes) * 1.000_001


def test_where_every_node_hears_every_hint_no_number_of_nodes_is_enough_at_last() -> None:
    costly = replace(COSTS, hint_heard_seconds=0.01)
    assert row(50_000_000, costly).nodes is None
    assert row(50_000_000, costly, design=CHANGED).nodes is not None


def test_one_redis_that_tells_every_node_all_hints_is_too_little_at_last() -> None:
    its = row(50_000_000, replace(COSTS, redis_delivery_seconds=1e-6))
    assert its.redis_count == 1
    assert (its.first, its.first_share > 1) == ("Redis", True)


# --- the simulation

SMALL = World(nodes=8, groups=200, people_per_node=5, events=5.0, seconds=60.0, outage=(20.0, 40.0))


def test_a_seed_makes_one_world() -> None:
    assert simulated(SMALL, AS_BUILT) == simulated(SMALL, AS_BUILT)


def test_without_redis_events_are_as_late_as_a_sweep_and_never_lost() -> None:
    figures = simulated(SMALL, AS_BUILT)
    assert figures["lateUp"]["median"] < 0.1
    assert 0.1 < figures["lateDown"]["median"] < figures["lateDown"]["max"] < follower.SWEEP_SECONDS + 1


def test_the_simulation_counts_what_the_model_computes() -> None:
    figures = simulated(SMALL, AS_BUILT)
    share_with_redis = 1 - (SMALL.outage[1] - SMALL.outage[0]) / SMALL.seconds
    assert figures["hintsHeard"] == pytest.approx(SMALL.events * share_with_redis, rel=0.3)
    heard = SMALL.groups * distinct(SMALL.devices, SMALL.nodes) / SMALL.nodes
    assert figures["sweepReads"] == pytest.approx(heard / SWEEP_SECONDS, rel=0.3)


def test_channels_of_groups_tell_few_and_seldom_sweeps_ask_little() -> None:
    as_built, changed = (simulated(SMALL, design) for design in (AS_BUILT, CHANGED))
    assert changed["hintsHeard"] < as_built["hintsHeard"] / 2
    assert changed["sweepReads"] < as_built["sweepReads"]
    assert changed["lateUp"]["median"] < 0.1

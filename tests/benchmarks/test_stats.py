"""Medians, spreads, percentiles, goals, and how they are shown."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.benchmarks import chart, report
from scripts.benchmarks.rows import FLOOR, NODE, OURS, Goal, Row
from scripts.benchmarks.stats import Figure, percentile

numbers = st.lists(st.floats(0, 1e12), min_size=1)


@given(numbers)
def test_a_figure_is_the_middle_and_the_ends(values: list[float]) -> None:
    figure = Figure.of(values)
    assert (figure.low, figure.high) == (min(values), max(values))
    assert figure.low <= figure.middle <= figure.high
    assert sum(value < figure.middle for value in values) <= len(values) / 2
    assert sum(value > figure.middle for value in values) <= len(values) / 2


@given(numbers, st.floats(0.001, 1))
def test_a_percentile_was_seen_and_so_many_are_not_above_it(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


def test_of_a_hundred_values_the_99th_percentile_is_the_last_but_one() -> None:
    assert percentile(range(1, 101), 0.99) == 99
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


ROW = Row(
    part="group",
    what="deliveries <of> a group",
    unit="a second",
    figures={
        OURS: Figure(150_000, 140_000, 160_400),
        NODE: Figure(90_000, 90_000, 90_000),
        FLOOR: Figure(300_000, 1, 2),
    },
    goals=(
        Goal(NODE, 1.5),
        Goal(FLOOR, 0.6),
        Goal("somebody absent", 2),
        Goal(None, 150_000, at_least=False),
    ),
    note="on a machine of its own",
)


def test_a_goal_says_how_many_times_as_much_it_is_and_whether_that_is_enough() -> None:
    verdicts = [goal.verdict(ROW.figures) for goal in ROW.goals]
    assert verdicts == [(150_000 / 90_000, True), (0.5, False), None, (150_000, True)]


def test_the_table_has_a_column_for_each_server_and_says_which_goals_are_met() -> None:
    header, _, line = report.table([ROW]).splitlines()
    assert header == f"| what | unit | {OURS} | {NODE} | {FLOOR} | against |"
    assert "| 150,000 (140,000–160,000) | 90,000 |" in line
    assert f"1.67 × {NODE} (met: ≥ 1.5 × {NODE})" in line
    assert f"0.50 × {FLOOR} (MISSED: ≥ 0.6 × {FLOOR})" in line


def test_rows_with_other_servers_get_a_table_of_their_own() -> None:
    other = Row("history", "median", "ms", {"100 expenses": Figure(1, 1, 1)})
    assert [text.partition("\n")[0] for text in report.table([ROW, other]).split("\n\n")] == [
        f"| what | unit | {OURS} | {NODE} | {FLOOR} | against |",
        "| what | unit | 100 expenses | against |",
    ]


def test_what_is_for_the_readme_names_the_machine_and_the_notes() -> None:
    text = report.readme([ROW], {"cores": "2"})
    assert text.startswith("Measured on cores: 2.")
    assert text.endswith("on a machine of its own.\n")


def test_what_is_a_detail_is_not_for_the_readme() -> None:
    assert ROW.what not in report.readme([replace(ROW, is_detail=True)], {"cores": "2"})


def test_results_can_be_read_again() -> None:
    results = json.loads(json.dumps(report.as_json([ROW], {"cores": "2"})))
    assert report.from_json(results) == ([ROW], {"cores": "2"})
    assert [verdict["met"] for verdict in results["verdicts"]] == [True, False, True]


def test_the_chart_has_a_bar_for_each_figure_in_proportion() -> None:
    root = ET.fromstring(chart.svg([ROW]))  # noqa: S314 - our own
    _background, *rectangles = root.iter("{http://www.w3.org/2000/svg}rect")
    bars = [float(each.get("width", "")) for each in rectangles]
    assert len(bars) == 3
    assert bars[0] / bars[1] == pytest.approx(150_000 / 90_000, rel=0.01)

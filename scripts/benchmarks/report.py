"""Rows as a table to read, one for the README, JSON to keep."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final

from scripts.benchmarks.rows import FLOOR, NODE, NODE_QR, OURS, STOCK, Goal, Row
from scripts.benchmarks.stats import Figure

_ORDER: Final = (OURS, NODE, NODE_QR, STOCK, FLOOR)


def shown(value: float) -> str:
    """A number with as many digits as mean something."""
    if abs(value) >= 1_000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def spread(figure: Figure) -> str:
    """A median and what it was between."""
    if figure.low == figure.high:
        return shown(figure.middle)
    return f"{shown(figure.middle)} ({shown(figure.low)}–{shown(figure.high)})"


def servers(rows: Sequence[Row]) -> list[str]:
    """The columns: the servers that any row has a figure of."""
    named = {name: None for row in rows for name in row.figures}
    return [name for name in _ORDER if name in named] + [name for name in named if name not in _ORDER]


def table(rows: Sequence[Row]) -> str:
    """All tables in Markdown, one for rows that have the same servers one after the other."""
    return "\n\n".join(
        _table(list(some)) for _, some in groupby(rows, lambda row: (row.part, *servers([row])))
    )


def _table(rows: Sequence[Row]) -> str:
    """Medians, smallest and largest in parentheses, and what became of the goals."""
    columns = servers(rows)
    lines = [["what", "unit", *columns, "against"], ["---"] * (len(columns) + 3)]
    for row in rows:
        figures = [spread(row.figures[name]) if name in row.figures else "" for name in columns]
        lines.append([row.what, row.unit, *figures, "; ".join(_verdicts(row))])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _verdicts(row: Row) -> Iterator[str]:
    for goal in row.goals:
        verdict = goal.verdict(row.figures)
        if verdict is not None:
            yield f"{_against(goal, verdict[0])} ({'met' if verdict[1] else 'MISSED'}: {goal.text()})"


def _against(goal: Goal, value: float) -> str:
    return f"{value:.2f} × {goal.than}" if goal.than else shown(value)


def notes(rows: Sequence[Row]) -> str:
    """What a reader must know of single rows."""
    return "\n".join(f"- {row.what}: {row.note}." for row in rows if row.note)


def readme(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    """The tables with the machine that they were measured on, ready to paste."""
    rows = [row for row in rows if not row.is_detail]
    said = "; ".join(f"{name}: {value}" for name, value in machine.items())
    return "\n\n".join(text for text in (f"Measured on {said}.", table(rows), notes(rows)) if text) + "\n"


def as_json(rows: Sequence[Row], machine: Mapping[str, str]) -> dict[str, Any]:
    """All of it as plain data, with what became of the goals."""
    verdicts = [
        {"part": row.part, "what": row.what, "goal": goal.text(), "is": verdict[0], "met": verdict[1]}
        for row in rows
        for goal in row.goals
        if (verdict := goal.verdict(row.figures)) is not None
    ]
    return {"machine": dict(machine), "rows": [asdict(row) for row in rows], "verdicts": verdicts}


def from_json(results: Mapping[str, Any]) -> tuple[list[Row], Mapping[str, str]]:
    """The rows and the machine of `as_json`."""
    rows = []
    for row in results["rows"]:
        figures = {name: Figure(**figure) for name, figure in row["figures"].items()}
        goals = tuple(Goal(**goal) for goal in row["goals"])
        rows.append(Row(**{**row, "figures": figures, "goals": goals}))
    return rows, results["machine"]

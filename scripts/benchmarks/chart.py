"""Rows as one SVG: a group of bars for each, as long as the figure is beside the longest of its row."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from scripts.benchmarks import report
from scripts.benchmarks.rows import FLOOR, NODE, NODE_QR, OURS, STOCK, Row
from scripts.benchmarks.stats import Figure

WIDTH: Final = 900
BAR: Final = 16
_NAME_WIDTH: Final = 150
_VALUE_WIDTH: Final = 200
_BAR_WIDTH: Final = WIDTH - _NAME_WIDTH - _VALUE_WIDTH
_COLOURS: Final = {OURS: "#0b7a4b", NODE: "#7a7a7a", NODE_QR: "#b0b0b0", STOCK: "#4b78b8", FLOOR: "#d0a040"}


def svg(rows: Sequence[Row]) -> str:
    """The chart. A thin line over a bar goes from the smallest to the largest of its repetitions."""
    lines, y = list[str](), 10
    for row in rows:
        y += BAR + 8
        lines.append(f'<text x="10" y="{y}" font-weight="bold">{escape(f"{row.what} ({row.unit})")}</text>')
        longest = max((figure.high for figure in row.figures.values()), default=0) or 1
        for name in report.servers([row]):
            y += BAR + 4
            lines += _bar(name, row.figures[name], longest, y)
        y += 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 20}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>{"".join(lines)}</svg>\n'
    )


def _bar(name: str, figure: Figure, longest: float, y: int) -> Iterator[str]:
    scale = _BAR_WIDTH / longest
    colour = _COLOURS.get(name, "#999999")
    middle = y - BAR / 3
    yield f'<text x="{_NAME_WIDTH - 8}" y="{y}" text-anchor="end">{escape(name)}</text>'
    yield (
        f'<rect x="{_NAME_WIDTH}" y="{y - BAR + 4}" width="{figure.middle * scale:.1f}" height="{BAR - 2}" '
        f'fill="{colour}"/>'
    )
    yield (
        f'<line x1="{_NAME_WIDTH + figure.low * scale:.1f}" x2="{_NAME_WIDTH + figure.high * scale:.1f}" '
        f'y1="{middle:.1f}" y2="{middle:.1f}" stroke="black"/>'
    )
    value = escape(report.spread(figure))
    yield f'<text x="{_NAME_WIDTH + figure.high * scale + 6:.1f}" y="{y}">{value}</text>'

"""The command line: `python -m scripts.benchmarks [PART…] --out DIR`."""

import argparse
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from scripts.benchmarks import (
    chart,
    fan_out_small,
    group,
    history,
    idle,
    latency,
    machine,
    open_group,
    report,
    sizes,
    small_groups,
    stalls,
    workers,
)
from scripts.benchmarks.bench import Bench, Measure, say, with_peers
from scripts.benchmarks.rows import Row
from scripts.benchmarks.servers import CLIENT_CORE, Failed, pin

PARTS: Final[Mapping[str, Measure]] = {
    "group": group.measure,
    "latency": latency.measure,
    "history": history.measure,
    "small-groups": small_groups.measure,
    "idle": idle.measure,
    "fan-out-small": fan_out_small.measure,
    "bytes": sizes.measure,
    "workers": workers.measure,
    "open-group": open_group.measure,
    "stalls": stalls.measure,
}
"""Each part is one function from the bench to its rows. A new one is a module and a line here."""


def main() -> None:
    """Measure, print, write."""
    asked = _arguments()
    bench = with_peers(is_quick=asked.quick, only=frozenset(asked.only))
    bench = replace(
        bench, repetitions=asked.repetitions or bench.repetitions, seconds=asked.seconds or bench.seconds
    )
    on = machine.described(bench)
    pin(0, CLIENT_CORE)
    rows, failed = measured(bench, asked.parts or PARTS)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "results.json").write_text(
        json.dumps(report.as_json(rows, on), indent=2, ensure_ascii=False)
    )
    (asked.out / "chart.svg").write_text(chart.svg(rows))
    text = report.readme(rows, on)
    (asked.out / "table.md").write_text(text)
    print(text)  # noqa: T201 - a command line
    say(f"results.json, chart.svg and table.md (for the README) are in {asked.out}")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def measured(bench: Bench, parts: Iterable[str]) -> tuple[list[Row], list[str]]:
    """The rows of the parts, and which parts failed: the others are measured all the same."""
    rows, failed = list[Row](), list[str]()
    for part in parts:
        try:
            rows += PARTS[part](bench)
        except (Failed, OSError) as error:
            say(f"FAILED: {part}: {error}")
            failed.append(part)
    return rows, failed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all unless named: {', '.join(PARTS)}")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where results go")
    parser.add_argument("--quick", action="store_true", help="two short repetitions: a first impression")
    parser.add_argument("--repetitions", type=int, help="this many")
    parser.add_argument("--seconds", type=float, help="of each repetition, after the warm-up")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="SERVER", help="these servers, not the others"
    )
    asked = parser.parse_args()
    unknown = set(asked.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return asked


if __name__ == "__main__":
    main()

"""The command line: `python -m scripts.benchmarks [PART…] --out DIR`."""

import argparse
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from persplit.ledger.errors import PerSplitError
from scripts.benchmarks import chart, machine, report
from scripts.benchmarks.bench import Bench, say, with_peers
from scripts.benchmarks.parts import PARTS
from scripts.benchmarks.rows import Row
from scripts.benchmarks.servers import Failed

RESULTS: Final = "results.json"


def main() -> None:
    """Measure, print, write; or print what was measured before."""
    asked = _arguments()
    if asked.table is not None:
        print(_again(asked.table))  # noqa: T201 - a command line
        return
    bench = with_peers(is_quick=asked.quick, only=frozenset(asked.only))
    bench = replace(
        bench, repetitions=asked.repetitions or bench.repetitions, seconds=asked.seconds or bench.seconds
    )
    on = machine.described(bench)
    rows, failed = list[Row](), list[str]()
    for part in asked.parts or PARTS:
        measured = _measured(bench, part)
        rows += measured or ()
        failed += [part] if measured is None else []
        _write(asked.out, rows, on)  # each time: what was measured is kept however this ends
    print(report.table(rows))  # noqa: T201 - a command line
    say(
        f"\n{RESULTS} and chart.svg are in {asked.out}; scripts/bench --table {asked.out} prints what the README shows"
    )
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def _write(out: Path, rows: Sequence[Row], on: Mapping[str, str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / RESULTS).write_text(json.dumps(report.as_json(rows, on), indent=2, ensure_ascii=False))
    (out / "chart.svg").write_text(chart.svg(rows))


def _again(out: Path) -> str:
    """What the README shows of an earlier run."""
    return report.readme(*report.from_json(json.loads((out / RESULTS).read_text())))


def _measured(bench: Bench, part: str) -> Sequence[Row] | None:
    """The rows of the part; None if it failed, which keeps no other from being measured."""
    try:
        return PARTS[part](bench)
    except (Failed, OSError, RuntimeError, PerSplitError, subprocess.SubprocessError) as error:
        say(f"FAILED: {part}: {error}")
        return None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure the server beside its peers.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all unless named: {', '.join(PARTS)}")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", type=Path, metavar="DIR", help="measure; where results go")
    where.add_argument(
        "--table", type=Path, metavar="DIR", help="only print the README's table of results there"
    )
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

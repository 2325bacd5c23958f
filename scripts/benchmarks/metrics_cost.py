"""The part that says what metrics cost: `metrics`, in processes of its own, because the library decides at its import."""

import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from typing import Final

from scripts.benchmarks.bench import Bench, say
from scripts.benchmarks.rows import OURS, Row

_COMMAND: Final = (sys.executable, "-m", "scripts.benchmarks.metrics")


def measure(bench: Bench) -> Sequence[Row]:
    """The part: processor time that the metrics of one write take."""
    if not bench.wants(OURS):
        return []
    say("metrics")
    found = bench.interleaved({OURS: partial(_run), "several workers": partial(_run, "--workers")})
    return [Row("metrics", "what the metrics of one write cost", "µs", found["µs"])]


def _run(*arguments: str) -> dict[str, float]:
    done = subprocess.run([*_COMMAND, *arguments], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    return {"µs": float(done.stdout.split()[0])}

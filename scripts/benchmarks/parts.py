"""The parts of the benchmark."""

from collections.abc import Mapping
from typing import Final

from scripts.benchmarks import (
    fan_out_small,
    group,
    history,
    idle,
    latency,
    metrics_cost,
    open_group,
    plan,
    sizes,
    small_groups,
    stalls,
    start,
    steps,
    workers,
)
from scripts.benchmarks.bench import Measure

PARTS: Final[Mapping[str, Measure]] = {
    "group": group.measure,
    "latency": latency.measure,
    "history": history.measure,
    "small-groups": small_groups.measure,
    "idle": idle.measure,
    "fan-out-small": fan_out_small.measure,
    "bytes": sizes.measure,
    "workers": workers.measure,
    "plan": plan.measure,
    "stalls": stalls.measure,
    "start": start.measure,
    "open-group": open_group.measure,
    "steps": steps.measure,
    "metrics": metrics_cost.measure,
}
"""Each part is one function from the bench to its rows. A new one is a module and a line here."""

"""What the metrics of one write cost: `python -m scripts.benchmarks.metrics [--workers]`.

Runs what the handler, the store and the fan-out count and time for one event, and nothing else. With `--workers` the
values are kept in files, as several workers keep them.
"""

import os
import sys
import tempfile
import time
from typing import Final

WRITES: Final = 20_000


def _one_write() -> None:
    with metrics.timed(metrics.FANOUT_SECONDS):
        pass
    metrics.APPEND_SECONDS.labels("ok").observe(0.001)
    metrics.STORE_BATCH_WRITES.observe(1)
    metrics.STORE_COMMIT_SECONDS.observe(0.001)
    metrics.STORE_WRITES_WAITING.set(0)
    metrics.EVENTS_ANNOUNCED.labels("expense:created").inc()
    metrics.FANOUT_RECIPIENTS.inc(8)
    with metrics.timed(metrics.PLAN_SECONDS):
        pass
    metrics.PLANS.labels("true").inc()
    metrics.LEDGER_COMMANDS.labels("CreateExpense", "ok").inc()
    metrics.COMMAND_SECONDS.labels("expense:create").observe(0.001)
    metrics.COMMANDS_ANSWERED.labels("expense:create", "ok").inc()


def main() -> None:
    """Measure and print."""
    best = min(_seconds() for _ in range(5))
    print(f"{best / WRITES * 1e6:.1f} µs a write")  # noqa: T201 - a command line


def _seconds() -> float:
    started = time.process_time()
    for _ in range(WRITES):
        _one_write()
    return time.process_time() - started


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        if "--workers" in sys.argv:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
        # The library decides when it is imported.
        from persplit.service import metrics

        main()

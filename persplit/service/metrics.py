"""What Prometheus can ask about; every part of the server counts here.

Labels are kinds, codes and routes, each from a short fixed list: never a person, a group, an address or anything
else that a client chooses. Names carry their units. `OPERATIONS.md` has the table and what to do about each alert.

With several workers each keeps its values in files of a directory that all of them read, so that whichever is asked
answers for all (see `worker_metrics`).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from platform import python_version
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client import disable_created_metrics as _leave_out_creation_times
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector

from persplit.ledger.errors import PerSplitError

DIRECTORY_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The library's: set by whoever starts several workers, for them."""
SLOT_VARIABLE: Final = "PERSPLIT_WORKER_SLOT"
"""Set likewise: the name of a worker's files. One that replaces another goes on counting in its files."""

REGISTRY: Final = CollectorRegistry()

_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)

# A creation time for each series doubles their number, and no dashboard asks for one.
_leave_out_creation_times()
if DIRECTORY_VARIABLE in os.environ:
    values.ValueClass = values.MultiProcessValue(lambda: os.environ.get(SLOT_VARIABLE, "0"))

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SHORT_SECONDS: Final = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    5,
)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(name, meaning, labels, registry=REGISTRY)


def _seconds(name: str, meaning: str, *labels: str, buckets: tuple[float, ...] = _SECONDS) -> Histogram:
    return Histogram(name, meaning, labels, registry=REGISTRY, buckets=buckets)


def _sum(name: str, meaning: str, *labels: str) -> Gauge:
    """A gauge whose workers' values add up."""
    return Gauge(name, meaning, labels, registry=REGISTRY, multiprocess_mode="livesum")


def _largest(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(name, meaning, labels, registry=REGISTRY, multiprocess_mode="livemax")


def _smallest(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(name, meaning, labels, registry=REGISTRY, multiprocess_mode="livemin")


# --- what is asked and how it is answered

REQUESTS: Final = _counter(
    "persplit_requests", "REST requests answered; code is `ok` or the problem's", "method", "route", "code"
)
REQUEST_SECONDS: Final = _seconds("persplit_request_seconds", "Time to answer a REST request", "route")
COMMANDS_ANSWERED: Final = _counter(
    "persplit_commands", "Socket commands answered; code is `ok` or the error's", "event", "code"
)
COMMAND_SECONDS: Final = _seconds("persplit_command_seconds", "Time to answer a socket command", "event")
LEDGER_COMMANDS: Final = _counter(
    "persplit_ledger_commands",
    "Writes to ledgers over REST and sockets, those of an outbox each by itself; code is `ok`, `replayed` or the error's",
    "type",
    "code",
)
SIGN_INS: Final = _counter(
    "persplit_sign_ins",
    "Registrations, sign-ins and refreshed tokens; code is `ok` or the error's",
    "kind",
    "code",
)
RATE_LIMITED: Final = _counter("persplit_rate_limited", "Times that somebody was told to wait", "budget")

# --- from the store to the sockets

APPEND_SECONDS: Final = _seconds(
    "persplit_append_seconds",
    "Time until the store has made an event durable, or said why not: `ok`, `replayed`, `seq_taken`, `failed`",
    "outcome",
)
FANOUT_SECONDS: Final = _seconds(
    "persplit_fanout_seconds",
    "From an event being durable (or read, if another node wrote it) to its being queued for every socket",
    buckets=_SHORT_SECONDS,
)
EVENTS_ANNOUNCED: Final = _counter("persplit_events_announced", "Events sent to connected members", "event")
FANOUT_RECIPIENTS: Final = _counter("persplit_fanout_recipients", "Sockets that events were queued for")
ANNOUNCING_FAILED: Final = _counter(
    "persplit_announcing_failures",
    "Events that could not be announced: a fault of ours; clients find the hole and pull",
)
SENT_PACKETS: Final = _counter(
    "persplit_sent_packets", "Messages queued for clients: broadcasts, acks and all else"
)
SENT_BYTES: Final = _counter("persplit_sent_bytes", "Their size, before framing")

NOTICES: Final = _counter(
    "persplit_notices",
    "Notices to `webhook` and `email` channels, by what came of the attempt: `sent`, `failed` (tried again), `given_up`",
    "kind",
    "outcome",
)

# --- sockets

SOCKETS: Final = _sum("persplit_sockets", "Signed-in sockets")
CONNECTIONS: Final = _sum("persplit_connections", "Socket.IO connections, those not yet signed in included")
USERS_CONNECTED: Final = _sum(
    "persplit_users_connected", "People with a socket; on several nodes each counts them"
)
GROUPS_HEARD: Final = _sum("persplit_groups_heard", "Groups (rooms) that a socket hears")
GROUPS_HELD: Final = _sum("persplit_groups_held", "Groups in memory, heard or not")
BUFFERED_PACKETS: Final = _sum(
    "persplit_buffered_packets", "Messages that wait for clients to read, over all sockets"
)
BUFFERED_BYTES: Final = _sum("persplit_buffered_bytes", "Their size")
BUFFERED_BYTES_LARGEST: Final = _largest(
    "persplit_buffered_bytes_largest", "What waits for the slowest client"
)
CONNECTIONS_REFUSED: Final = _counter(
    "persplit_connections_refused", "Sockets not let in, by the error's code", "code"
)
SOCKETS_CLOSED: Final = _counter(
    "persplit_sockets_closed", "Sockets closed with a `session:closing`, by its code", "code"
)
CUT_OFFS: Final = _counter(
    "persplit_cut_offs",
    "Connections ended by us for what they do: `too_slow`, `flood` or `not_a_frame`",
    "reason",
)

# --- the store

STORE_UP: Final = _smallest("persplit_store_up", "1 if the store answered when last asked, else 0")
STORE_CHECK_SECONDS: Final = _seconds(
    "persplit_store_check_seconds", "Time until the store answered a readiness check"
)
STORE_ERRORS: Final = _counter(
    "persplit_store_errors",
    "Times that the store failed, by kind: `timeout`, `queue_full`, `full`, `io`, `corrupt`, `readonly`, `busy`, `cannot_open`, "
    "`gone`, `no_primary`, `connection`, `other`",
    "kind",
)
STORE_WRITES_WAITING: Final = _sum("persplit_store_writes_waiting", "SQLite: writes that wait for the writer")
STORE_BATCH_WRITES: Final = Histogram(
    "persplit_store_batch_writes",
    "SQLite: writes that one commit made durable",
    registry=REGISTRY,
    buckets=_SIZES,
)
STORE_COMMIT_SECONDS: Final = _seconds(
    "persplit_store_commit_seconds",
    "SQLite: time of a batch from its begin to its commit",
    buckets=_SHORT_SECONDS,
)

# --- other nodes

HINTS_CONNECTED: Final = _smallest(
    "persplit_hints_connected", "1 while subscribed to hints, else 0; there only with Redis", "through"
)
HINTS_SUBSCRIPTIONS: Final = _counter(
    "persplit_hints_subscriptions",
    "Times that the subscription came to stand, the first and each after an interruption",
)
HINTS_PUBLISHED: Final = _counter("persplit_hints_published", "Hints that Redis took")
HINTS_LOST: Final = _counter(
    "persplit_hints_lost",
    "Hints that it didn't take: `refused`, `queue_full` for too many waiting, `too_old` for waiting too long",
    "reason",
)
HINTS_HEARD: Final = _counter("persplit_hints_heard", "Hints heard, our own included")
HINTS_HEARD_AT: Final = _largest(
    "persplit_hints_last_heard_timestamp_seconds", "When a hint was last heard, in seconds since 1970"
)
SWEEP_SECONDS: Final = _seconds(
    "persplit_sweep_seconds", "Time of a sweep over the heads of the groups heard here"
)
SWEEP_FAILURES: Final = _counter(
    "persplit_sweep_failures", "Sweeps and reads of a group that failed; tried again soon"
)
GROUPS_BEHIND: Final = _counter(
    "persplit_groups_behind", "Groups that a sweep found behind the store: a hint was lost or is on its way"
)
EVENT_LAG_SECONDS: Final = _seconds(
    "persplit_event_lag_seconds",
    "Age of events of other nodes when they are announced here; clocks that differ show in it",
)

# --- analytics

TALLIES_AS_OF: Final = _largest(
    "persplit_tallies_as_of_timestamp_seconds",
    "Up to when the analytics have followed all ledgers, in seconds since 1970; 0 until that is known",
)
TALLIES_FAILURES: Final = _counter(
    "persplit_tallies_failures",
    "Times that following the ledgers failed: `group` is one group's, the others go on; `all` is tried again soon",
    "kind",
)
TALLIES_FAILING: Final = _largest(
    "persplit_tallies_failing", "Groups that can't be followed now; tried again every ten minutes at last"
)

# --- work of ours

PLAN_SECONDS: Final = _seconds(
    "persplit_plan_seconds", "Time to work out a settle-up plan", buckets=_SHORT_SECONDS
)
PLANS: Final = _counter(
    "persplit_plans", "Plans worked out; optimal is `false` where the step budget ran out", "optimal"
)
SNAPSHOTS: Final = _counter("persplit_snapshots", "Snapshots: `saved`, or `failed` to be", "outcome")
SNAPSHOTS_PASSED_OVER: Final = _counter(
    "persplit_snapshots_passed_over",
    "Snapshots not used: `damaged`, or `ahead` of their ledger, which has then lost events",
    "reason",
)
QR_SECONDS: Final = _seconds("persplit_qr_seconds", "Time to make a QR image, waiting included")
QR_IMAGES: Final = _counter(
    "persplit_qr_images",
    "QR images answered: `made`, `cached`, or `shared` with somebody who asked just before",
    "source",
)
PASSWORD_SECONDS: Final = _seconds(
    "persplit_password_seconds", "Time to hash or verify a password, waiting included"
)
PASSWORDS_WAITING: Final = _sum("persplit_passwords_waiting", "Passwords being hashed or waiting for it")
LOOP_LAG_SECONDS: Final = _seconds(
    "persplit_loop_lag_seconds", "How late the event loop was for its heartbeat", buckets=_SHORT_SECONDS
)

# --- the process

BUILD_INFO: Final = _largest("persplit_build_info", "1; what runs", "version", "python", "store", "schema")
DRAINING: Final = _sum("persplit_draining", "Processes that are stopping")
PROCESSES: Final = _sum("persplit_processes", "Processes that serve on this node")
MEMORY_BYTES: Final = _sum("persplit_resident_memory_bytes", "Memory of all workers")
OPEN_FILES: Final = _sum("persplit_open_fds", "Open files and sockets of all workers")
OPEN_FILES_MAX: Final = _smallest("persplit_max_fds", "How many one worker may have open")
CPU_SECONDS: Final = _counter("persplit_cpu_seconds", "Processor time of all workers, from start to now")
STARTED_AT: Final = _smallest(
    "persplit_start_timestamp_seconds", "When the oldest of the workers was started, in seconds since 1970"
)

# Of what ought never to happen: a counter that isn't there before its first increment hides it from `increase`.
for _known, _values in (
    (
        STORE_ERRORS,
        "timeout queue_full full io corrupt readonly busy cannot_open gone no_primary connection other",
    ),
    (SNAPSHOTS_PASSED_OVER, "damaged ahead"),
    (SNAPSHOTS, "saved failed"),
    (CUT_OFFS, "too_slow flood not_a_frame"),
    (TALLIES_FAILURES, "group all"),
    (HINTS_LOST, "refused queue_full too_old"),
    (APPEND_SECONDS, "ok replayed seq_taken failed"),
    (PLANS, "true false"),
    (
        RATE_LIMITED,
        (
            "requests group-writes sync-pages joins sign-ins refreshes look-ups connections open-sockets "
            "messages account passwords qr"
        ),
    ),
):
    for _value in _values.split():
        _known.labels(_value)

_process: Final = ProcessCollector(registry=None)
_cpu_seconds_counted: Final = [0.0]


def note_process() -> None:
    """Take down what the kernel says about this process: memory, files, processor time."""
    found = {sample.name: sample.value for family in _process.collect() for sample in family.samples}
    MEMORY_BYTES.set(found.get("process_resident_memory_bytes", 0))
    OPEN_FILES.set(found.get("process_open_fds", 0))
    OPEN_FILES_MAX.set(found.get("process_max_fds", 0))
    STARTED_AT.set(found.get("process_start_time_seconds", 0))
    PROCESSES.set(1)
    count_up_to(CPU_SECONDS, _cpu_seconds_counted, found.get("process_cpu_seconds_total", 0))


def count_up_to(counter: Counter, counted: list[float], total: float) -> None:
    """Bring a counter up to a total that is kept elsewhere; `counted` holds how much of it has been counted."""
    if total > counted[0]:
        counter.inc(total - counted[0])
        counted[0] = total


def note_build(store: str, schema: int) -> None:
    """Say what runs: `store` is the kind of store, `schema` the version of its schema, 0 where it has none."""
    BUILD_INFO.labels(version("persplit"), python_version(), store, str(schema)).set(1)


@cache
def child(metric: _Metric, *labels: str) -> _Metric:
    """The metric's series with these labels. Remembered: the library looks at each label every time."""
    series: _Metric = metric.labels(*labels)
    return series


@contextmanager
def outcome_of(counter: Counter, *labels: str) -> Iterator[None]:
    """Count how the block ends: `ok`, or the code of the error that it raises."""
    try:
        yield
    except PerSplitError as error:
        counter.labels(*labels, error.code).inc()
        raise
    except Exception:
        counter.labels(*labels, "internal_error").inc()
        raise
    counter.labels(*labels, "ok").inc()


class timed:  # noqa: N801 - used like a function
    """Observe how long the block takes, however it ends. A class, because a generator costs more than the look."""

    __slots__ = ("_histogram", "_started")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._histogram.observe(time.perf_counter() - self._started)


def exposition() -> bytes:
    """All metrics in Prometheus' text format: this process's, or with several workers those of all."""
    if DIRECTORY_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)
    return generate_latest(together)

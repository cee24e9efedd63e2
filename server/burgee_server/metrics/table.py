"""Every metric: its name, its kind, its labels and what it says. A name that was released keeps its meaning."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """Prometheus's kinds of metrics."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, as Prometheus is told of it. Names of counters end in _total, units are seconds and bytes."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


_COUNTER, _GAUGE, _HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM
_METHOD = ("service", "method")
_ENVIRONMENT = ("project", "environment")

BUILD = Metric("burgee_build_info", _GAUGE, "1; the version is a label.", ("version",))
LOOP_WAIT = Metric("burgee_loop_wait_seconds", _GAUGE, "How long this scrape waited for its turn on the event loop.")
SCRAPE_FAILURES = Metric(
    "burgee_scrape_failures_total", _COUNTER, "Parts of scrapes left out: they failed or took too long.", ("source",)
)

RPC_CALLS = Metric("burgee_rpc_calls_total", _COUNTER, "Calls that have ended, by canonical code.", (*_METHOD, "code"))
RPC_RUNNING = Metric("burgee_rpc_running", _GAUGE, "Calls that are being answered, open streams among them.", _METHOD)
RPC_LATE = Metric(
    "burgee_rpc_late_total", _COUNTER, "Calls of any method that did not begin: their deadline had passed (grpcio)."
)
CONNECTIONS_SENT_ON = Metric(
    "burgee_connections_sent_on_total",
    _COUNTER,
    "Connections whose clients were told to open another: half of what they may have are streams and questions.",
)
CONNECTIONS_FULL = Metric(
    "burgee_connections_full",
    _GAUGE,
    "Connections on which the next call waits: full of streams and questions, and clients that could not be told.",
)
RPC_SECONDS = Metric("burgee_rpc_seconds", _HISTOGRAM, "From reading a request to its answer; streams aside.", _METHOD)
EVALUATIONS = Metric("burgee_evaluations_total", _COUNTER, "Flag checks that this server has answered.", ("reason",))

CAPTURE_EVENTS = Metric(
    "burgee_capture_events_total", _COUNTER, "Events sent to Capture: accepted, duplicate or rejected.", ("outcome",)
)
CAPTURE_CALLS = Metric("burgee_capture_calls", _GAUGE, "Calls of Capture that are being taken in; see capture_calls.")
CAPTURE_BYTES = Metric("burgee_capture_bytes", _GAUGE, "Bytes of batches that are being taken in; see capture_mb.")
COMPANION_UP = Metric(
    "burgee_companion_up", _GAUGE, "1 while a process beside this one checks large batches; see capture_companion."
)
COMPANION_BATCHES = Metric(
    "burgee_companion_batches_total",
    _COUNTER,
    "Large batches, by who checked them: companion or server.",
    ("by",),
)
COMPANION_LOST = Metric(
    "burgee_companion_lost_total", _COUNTER, "Companions that ended, did not begin or did not answer."
)
COMPANION_RESIDENT = Metric("burgee_companion_resident_bytes", _GAUGE, "The companion's memory; 0 while there is none.")

JOURNAL_BATCHES = Metric("burgee_journal_batches", _GAUGE, "Acknowledged batches that wait for the warehouse.")
JOURNAL_EVENTS = Metric("burgee_journal_events", _GAUGE, "Acknowledged events that wait for the warehouse.")
JOURNAL_BYTES = Metric("burgee_journal_bytes", _GAUGE, "Bytes of events that wait for the warehouse.")
JOURNAL_AGE = Metric("burgee_journal_age_seconds", _GAUGE, "For how long the oldest batch has waited; 0 if none waits.")
JOURNAL_KEPT = Metric(
    "burgee_journal_kept_bytes", _GAUGE, "Bytes of events outside the warehouse: waiting, set aside, in quarantine."
)
JOURNAL_LIMIT = Metric("burgee_journal_limit_bytes", _GAUGE, "Beyond this, Capture refuses; see journal_max_mb.")
JOURNAL_AWAY = Metric(
    "burgee_journal_away", _GAUGE, "1 while Redis cannot be reached and this node keeps events; see journal_away."
)
HELD_EVENTS = Metric("burgee_held_events", _GAUGE, "Acknowledged events on this node that wait for Redis.")
HELD_BYTES = Metric("burgee_held_bytes", _GAUGE, "Bytes of those events; see journal_max_mb.")
HELD_AGE = Metric("burgee_held_age_seconds", _GAUGE, "For how long the oldest of them has waited; 0 if none waits.")
HANDED_OVER = Metric("burgee_handed_over_events_total", _COUNTER, "Events that this node held and has handed over.")
ASIDE_EVENTS = Metric("burgee_aside_events", _GAUGE, "Events set aside because the warehouse refused their batch.")
QUARANTINED_EVENTS = Metric("burgee_quarantined_events", _GAUGE, "Events in quarantine.")

LOADER_EVENTS = Metric("burgee_loader_events_total", _COUNTER, "Events carried from the journal to the warehouse.")
LOADER_BYTES = Metric("burgee_loader_bytes_total", _COUNTER, "Bytes of those events, as the journal has them.")
LOADER_SECONDS = Metric("burgee_loader_seconds", _HISTOGRAM, "How long one insert of the loader took.")
LOADER_FAILURES = Metric(
    "burgee_loader_failures_total",
    _COUNTER,
    "Inserts that failed. Refused is set aside, the rest tried again.",
    ("error",),
)

FLAGS = Metric("burgee_flags", _GAUGE, "Flags in memory, archived ones too.", _ENVIRONMENT)
SNAPSHOT_VERSION = Metric(
    "burgee_snapshot_version",
    _GAUGE,
    "Changes ever made to the flags in memory: the sum of their versions, the same on every node that is up to date.",
    _ENVIRONMENT,
)
WATCHERS = Metric("burgee_watchers", _GAUGE, "Open Watch streams.", _ENVIRONMENT)
CHANGES = Metric("burgee_changes_total", _COUNTER, "Changes that this server has heard of, its own too.", ("kind",))
CACHE_SIZE = Metric("burgee_cache_size", _GAUGE, "How many a cache has in memory.", ("cache",))
CACHE_LIMIT = Metric("burgee_cache_limit", _GAUGE, "How many a cache keeps at most.", ("cache",))

WAREHOUSE_SECONDS = Metric(
    "burgee_warehouse_seconds", _HISTOGRAM, "How long statements took, with the wait for their turn.", ("work",)
)
WAREHOUSE_RUNNING = Metric("burgee_warehouse_running", _GAUGE, "Statements that run or wait for their turn.", ("work",))
WAREHOUSE_ROWS = Metric("burgee_warehouse_rows_total", _COUNTER, "Rows that statements have read.", ("work",))
WAREHOUSE_FAILURES = Metric(
    "burgee_warehouse_failures_total", _COUNTER, "Statements that failed or were given up.", ("work", "error")
)

METRICS: tuple[Metric, ...] = tuple(each for each in globals().values() if isinstance(each, Metric))

"""What one application counts while it works, for Prometheus: a registry of its own, label sets that cannot grow.

No label holds an id, an address or anything a caller wrote: methods, interactions, FHIR types, status classes and
words of ours only. The names are documented in `docs/watching.md` and checked against the dashboard and the alerts.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_STATEMENT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30)
_DELAY_SECONDS = (0.005, 0.015, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)

disable_created_metrics()  # type: ignore[no-untyped-call]  # nobody asks when a counter began

# Of the process, not of one application: every registry of the process shows the same.
LOOP_LAG = Histogram(
    "slipring_event_loop_lag_seconds",
    "How much later than asked the event loop of this process came back to a sleeper.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
    registry=None,
)


class Meters:
    """The counters of one service or of the front."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.requests = Counter(
            "slipring_requests",
            "Requests answered.",
            ("method", "interaction", "type", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "slipring_request_seconds",
            "From the request's headers to the end of its answer.",
            ("interaction",),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self.under_way = Gauge("slipring_requests_under_way", "Requests being answered now.", registry=registry)
        self.statements = Histogram(
            "slipring_database_statement_seconds",
            "From sending a statement to the end of its result.",
            buckets=_STATEMENT_SECONDS,
            registry=registry,
        )
        self.pool_waits = Histogram(
            "slipring_database_pool_wait_seconds",
            "How long a request waited for a connection when none was idle.",
            buckets=_DELAY_SECONDS,
            registry=registry,
        )
        self.sent = Counter(
            "slipring_deliveries_sent",
            "Notifications by outcome: delivered, parked, refused (an HTTP status that is no success), unreachable.",
            ("outcome",),
            registry=registry,
        )
        self.fanout_lag = Histogram(
            "slipring_fanout_lag_seconds",
            "From the commit of the oldest event of a round to its numbers.",
            buckets=_DELAY_SECONDS,
            registry=registry,
        )
        self.timer_lateness = Histogram(
            "slipring_timer_lateness_seconds",
            "How long after its moment a timer or errand was taken up.",
            buckets=_DELAY_SECONDS,
            registry=registry,
        )
        self.clock_jumps = Counter(
            "slipring_clock_jumps",
            "Jumps of more than two seconds, by clock: the machine's (wall) or the database's.",
            ("clock",),
            registry=registry,
        )
        self.token_refusals = Counter(
            "slipring_token_refusals", "Tokens and client assertions refused.", ("reason",), registry=registry
        )
        self.limited = Counter(
            "slipring_requests_limited",
            "Requests not let in: rate (429), busy (503, too many under way).",
            ("why",),
            registry=registry,
        )
        self.lockouts = Counter("slipring_lockouts", "Accounts locked after failed sign-ins.", registry=registry)
        self.turned: dict[str, float] = {}  # worker loop -> when it last came through (monotonic)
        self.jumped: dict[str, tuple[float, float]] = {}  # clock -> seconds of its last jump, and when (monotonic)
        self.mended: dict[
            str, tuple[int, float]
        ] = {}  # deadline -> how many the watchdog armed last, and when (monotonic)
        registry.register(LOOP_LAG)
        ProcessCollector(registry=registry)
        self._children: dict[tuple[str, str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}

    def answered(self, method: str, interaction: str, resource_type: str, status: int, seconds: float) -> None:
        """One request was answered; the words must come from closed lists."""
        key = (method, interaction, resource_type, status // 100)
        child = self._children.get(key)
        if child is None:
            counter = self.requests.labels(method, interaction, resource_type, f"{status // 100}xx")
            child = self._children[key] = (counter.inc, self.seconds.labels(interaction).observe)
        child[0]()
        child[1](seconds)

    def notified(self, status: int, *, parked: bool) -> None:
        """A notification was sent; `status` is what the subscriber answered, 0 when nobody did."""
        outcome = "parked" if parked else "delivered" if 200 <= status < 300 else "refused" if status else "unreachable"
        self.sent.labels(outcome).inc()

    def jump(self, clock: str, seconds: float) -> None:
        """A clock went ahead (positive) or back by so much."""
        self.clock_jumps.labels(clock).inc()
        self.jumped[clock] = (seconds, time.monotonic())

    def repaired(self, deadline: str, number: int) -> None:
        """So many were without this deadline and have got it."""
        self.mended[deadline] = (number, time.monotonic())

    def turn(self, loop: str) -> None:
        """A worker loop came through once more."""
        self.turned[loop] = time.monotonic()

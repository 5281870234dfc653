"""`/metrics`: what an application counted, and what its tables say now, in Prometheus' text format."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from slipring.runtime.meters import Meters
from slipring.watch.figures import Figures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Pool(Protocol):
    """A pool of connections, as far as it is looked at."""

    def get_size(self) -> int:
        """Connections open now."""

    def get_idle_size(self) -> int:
        """Those that nobody uses."""

    def get_max_size(self) -> int:
        """How many there may be."""


def networks(text: str) -> list[Network]:
    """The networks of a setting: addresses or CIDR blocks with commas; ValueError for what is none.

    >>> networks("127.0.0.0/8, ::1")
    [IPv4Network('127.0.0.0/8'), IPv6Network('::1/128')]
    """
    return [ipaddress.ip_network(one.strip(), strict=False) for one in text.split(",") if one.strip()]


def may_look(request: Request, allowed: Sequence[Network]) -> bool:
    """Whether a request comes from an address that may see figures and details."""
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in allowed)


class Exposition:
    """Answers a scrape; the figures of the tables are left out, and said to be, when the database is away."""

    def __init__(
        self,
        meters: Meters,
        pools: Mapping[str, Pool],
        figures: Callable[[], Awaitable[Figures | None]] | None,
        allowed: Sequence[Network],
    ) -> None:
        self._meters, self._pools, self._figures, self._allowed = meters, pools, figures, allowed

    async def __call__(self, request: Request) -> Response:
        """One scrape."""
        if not may_look(request, self._allowed):
            return PlainTextResponse("Not from this address: see SLIPRING_WATCHERS.\n", 403)
        found = await self._figures() if self._figures else None
        now = CollectorRegistry(auto_describe=False)
        now.register(_Now(self._of_process()))
        if self._figures is not None:
            now.register(_Now(_of_tables(found)))
        return Response(generate_latest(self._meters.registry) + generate_latest(now), media_type=CONTENT_TYPE)

    def _of_process(self) -> Iterator[Metric]:
        size = GaugeMetricFamily("slipring_database_pool_connections", "Connections.", labels=("pool", "state"))
        most = GaugeMetricFamily("slipring_database_pool_most", "Connections there may be.", labels=("pool",))
        for name, pool in self._pools.items():
            size.add_metric((name, "idle"), pool.get_idle_size())
            size.add_metric((name, "busy"), pool.get_size() - pool.get_idle_size())
            most.add_metric((name,), pool.get_max_size())
        turns = GaugeMetricFamily(
            "slipring_worker_loop_age_seconds", "Since a loop of the worker last came through.", labels=("loop",)
        )
        for loop, at in self._meters.turned.items():
            turns.add_metric((loop,), time.monotonic() - at)
        yield from (size, most, turns)


class _Now:
    """A collector of families that were made for this one scrape."""

    def __init__(self, families: Iterator[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> list[Metric]:
        """The families."""
        return self._families


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=value)


def _of_tables(found: Figures | None) -> Iterator[Metric]:
    yield _gauge("slipring_database_up", "1 when the tables answered this scrape.", float(found is not None))
    if found is None:
        return
    yield _gauge("slipring_outbox_waiting", "Events not yet fanned out.", found.outbox_waiting)
    yield _gauge("slipring_outbox_oldest_seconds", "Age of the oldest of them.", found.outbox_oldest_seconds)
    yield _gauge("slipring_timers_armed", "Timers and errands.", found.timers_armed)
    yield _gauge("slipring_timers_due", "Those whose moment has come.", found.timers_due)
    yield _gauge("slipring_timer_oldest_seconds", "Lateness of the oldest due one.", found.timer_oldest_seconds)
    yield _gauge("slipring_audit_unsealed", "Audit rows that no seal holds yet.", found.unsealed)
    yield _gauge("slipring_audit_unsealed_oldest_seconds", "Age of the oldest of them.", found.unsealed_oldest_seconds)
    yield from _of_lanes(found)
    ages = GaugeMetricFamily("slipring_follow_age_seconds", "Age of the copies.", labels=("source",))
    filling = GaugeMetricFamily("slipring_follow_filling", "1 while copies are filled.", labels=("source",))
    for source, age in found.follows.items():
        filling.add_metric((source,), float(age is None))
        if age is not None:
            ages.add_metric((source,), age)
    alarms = GaugeMetricFamily("slipring_alarms", "Resources that should not be in this state.", labels=("alarm",))
    for name, number in found.alarms.items():
        alarms.add_metric((name,), number)
    forgotten = GaugeMetricFamily(
        "slipring_without_deadline", "Open resources without an armed timer; must be 0.", labels=("kind",)
    )
    for name, number in found.without_deadline.items():
        forgotten.add_metric((name,), number)
    yield from (ages, filling, alarms, forgotten)


def _of_lanes(found: Figures) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("slipring_deliveries_waiting", "Events not yet sent.", labels=("subscription",))
    oldest = GaugeMetricFamily("slipring_delivery_oldest_seconds", "Age of the oldest.", labels=("subscription",))
    parked = GaugeMetricFamily("slipring_deliveries_parked", "Put aside for their content.", labels=("subscription",))
    failing = GaugeMetricFamily("slipring_subscription_in_error", "1 while it fails.", labels=("subscription",))
    for lane in found.lanes:
        waiting.add_metric((lane.id,), lane.waiting)
        oldest.add_metric((lane.id,), lane.oldest_seconds)
        parked.add_metric((lane.id,), lane.parked)
        failing.add_metric((lane.id,), float(lane.status == "error"))
    yield from (waiting, oldest, parked, failing)

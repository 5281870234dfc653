"""How often somebody may ask: a token bucket per client, and one per address for whoever has not said who they are.

In this process only: with N replicas behind a balancer a client gets up to N times as much, which bounds what one
process must bear. Nothing that calls for help or answers is counted: findings flagged and read back, health and metrics.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slipring.fhir.outcome import FhirError, refusal
from slipring.identity.clients import SERVICES
from slipring.runtime.meters import Meters

NEVER_LIMITED = (
    "/$flag-critical", "/$acknowledge", "/$open-case", "/$is-link", "/$open-link", "/$end-link", "/$told", "/$act",
    "/$conversation", "/$reply",
)  # fmt: skip
# What is behind the link of a message: a phone that answers is let in as `$acknowledge` is.
ANSWERING = "/a/"
_MOST_KEYS = 10_000
_OURS = frozenset(f"slipring-{service}" for service in SERVICES)


@dataclass(slots=True)
class Buckets:
    """A bucket for each key: `burst` at once, `per_second` afterwards; no limit when `per_second` is 0."""

    per_second: float
    burst: float
    clock: Callable[[], float] = time.monotonic
    _held: dict[str, tuple[float, float]] = field(default_factory=dict)  # key -> what is left, as of when

    def take(self, key: str) -> float:
        """Take one; 0 when there was one, else the seconds until there is."""
        if self.per_second <= 0:
            return 0.0
        now = self.clock()
        left, at = self._held.pop(key, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.per_second)
        waits = 0.0 if left >= 1 else (1 - left) / self.per_second
        while len(self._held) >= _MOST_KEYS:  # who has not asked for longest is forgotten
            del self._held[next(iter(self._held))]
        self._held[key] = (left if waits else left - 1, now)
        return waits


@dataclass(frozen=True, slots=True)
class Rates:
    """The limits of one application."""

    clients: Buckets
    addresses: Buckets
    meters: Meters

    def admit(self, client: str, path: str) -> None:
        """429 when this client asks too often; the house's own services deliver as fast as they can."""
        if client not in _OURS and not path.endswith(NEVER_LIMITED):
            self._take(self.clients, client, "client")

    def admit_stranger(self, address: str) -> None:
        """429 when too much comes from an address without a token that is valid."""
        if address:
            self._take(self.addresses, address, "address")

    def _take(self, buckets: Buckets, key: str, policy: str) -> None:
        waits = buckets.take(key)
        if waits:
            self.meters.limited.labels("rate").inc()
            raise too_often(waits, policy, buckets)


def too_often(waits: float, policy: str, buckets: Buckets) -> FhirError:
    """429 with the seconds to wait (RFC 6585, 4) and the policy (draft-ietf-httpapi-ratelimit-headers)."""
    seconds = max(1, math.ceil(waits))
    return refusal(
        429,
        "throttled",
        f"Too many requests; come again in {seconds} s.",
        f"请求过于频繁，请在 {seconds} 秒后重试。",
        headers={
            "Retry-After": str(seconds),
            "RateLimit-Policy": f'"{policy}";q={buckets.burst:g};w={max(1, math.ceil(buckets.burst / buckets.per_second))}',
            "RateLimit": f'"{policy}";r=0;t={seconds}',
        },
        detail="kernel.too-many-requests",
    )


INSIDE = "slipring.inside"  # in the scope of a request that never came over the network


def address_of(scope: Mapping[str, Any]) -> str:
    """The address a request came from; '' for one of this process to itself, which is never limited."""
    client = scope.get("client")
    return "" if INSIDE in scope or not client else str(client[0])

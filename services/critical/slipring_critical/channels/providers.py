"""What one process knows of the providers behind its channels: which are down, and how much is under way at each.

A circuit breaker for each: closed, open after some failures in a row, half open for one probe when it has rested. Each
process learns for itself: what it has learnt is a matter of seconds, and a record of it would outlive its truth.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from slipring_critical.channels.channel import DeliveryFailed

_FILE = Path(__file__).parents[1] / "data" / "providers.toml"
# Not the provider's fault, or no sign that it is down.
_NOT_ITS_FAULT = frozenset({"provider-busy", "provider-down", "taken-over", "http-429"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers of data/providers.toml."""

    failures_until_open: int
    rest_seconds: float
    at_once: int
    kept_for_level_1: int
    first_seconds: float
    longest_seconds: float

    def wait_seconds(self, tries: int, asked: float | None) -> float:
        """How long after so many failed tries the next one comes; longer when the provider asks for it."""
        usual = min(self.longest_seconds, self.first_seconds * 2.0 ** min(tries - 1, 10))
        return max(usual, asked or 0.0)


@cache
def bounds() -> Bounds:
    """As shipped."""
    written: dict[str, Any] = tomllib.loads(_FILE.read_text("utf-8"))
    again = written["again"]
    return Bounds(
        written["failures-until-open"],
        written["rest-seconds"],
        written["at-once"],
        written["kept-for-level-1"],
        again["first-seconds"],
        again["longest-seconds"],
    )


@dataclass(slots=True)
class Provider:
    """One of them."""

    failures: int = 0  # in a row
    open_until: float | None = None  # None: closed
    probing: bool = False
    under_way: int = 0


class Providers:
    """All that were used since the process began."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, limits: Bounds | None = None) -> None:
        self._clock, self._bounds = clock, limits or bounds()
        self._known: dict[str, Provider] = {}

    @contextmanager
    def using(self, name: str, *, urgent: bool, first: bool) -> Iterator[None]:
        """Send by a provider within this block; DeliveryFailed at once when it is down or has enough to do.

        The first try of what is urgent goes out also to one that is down: it may have come back a moment ago.
        """
        one = self._known.setdefault(name, Provider())
        room = self._bounds.at_once - (0 if urgent else self._bounds.kept_for_level_1)
        if one.under_way >= room:
            raise DeliveryFailed("provider-busy", permanent=False, after_seconds=self._bounds.longest_seconds / 6)
        probe = self._probes(one)
        if one.open_until is not None and not probe and not (urgent and first):
            rests = max(0.0, one.open_until - self._clock())
            raise DeliveryFailed("provider-down", permanent=False, after_seconds=rests)
        one.under_way += 1
        one.probing = one.probing or probe
        try:
            yield
        except DeliveryFailed as failure:
            self._learn(one, failure)
            raise
        else:
            one.failures, one.open_until = 0, None
        finally:
            one.under_way -= 1
            one.probing = one.probing and not probe

    def down(self) -> Mapping[str, int]:
        """Those that are down, with how often they failed in a row."""
        return {name: one.failures for name, one in self._known.items() if one.open_until is not None}

    def _probes(self, one: Provider) -> bool:
        return one.open_until is not None and self._clock() >= one.open_until and not one.probing

    def _learn(self, one: Provider, failure: DeliveryFailed) -> None:
        if failure.permanent:
            if failure.reason.startswith("http-"):  # it answered
                one.failures, one.open_until = 0, None
        elif failure.reason not in _NOT_ITS_FAULT:
            one.failures += 1
            if one.failures >= self._bounds.failures_until_open:
                one.open_until = self._clock() + self._bounds.rest_seconds

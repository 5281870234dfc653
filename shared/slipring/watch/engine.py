"""`/health/engine` of one service: whether what it does without being asked is done, and how late.

The answer is `application/health+json`: the same few numbers for everybody, and each check for those who may watch.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from slipring.fhir.beside import Beside
from slipring.fhir.kernel import Kernel
from slipring.watch.exposition import Network, may_look
from slipring.watch.figures import Figures, Look
from slipring.watch.verdict import Check, Status, checks, clock_checks, mended_checks, worst

HEALTH_JSON = "application/health+json"


class Engine:
    """Judges one service's engine when asked."""

    def __init__(self, kernel: Kernel, look: Look, watchers: Sequence[Network], beside: Sequence[Beside] = ()) -> None:
        self._kernel, self._look, self._watchers, self._beside = kernel, look, watchers, beside

    async def __call__(self, request: Request) -> Response:
        """200 while the engine works, 503 when it does not or when the database is away."""
        return told(await self.health(), detailed=may_look(request, self._watchers))

    async def health(self) -> dict[str, Any]:
        """The whole judgement as the tree that is answered."""
        name, figures = self._kernel.service.name, await self._look.figures()
        if figures is None:
            return {"status": Status.FAIL.value, "serviceId": name, "output": "no database"}
        now = time.monotonic()
        meters = self._kernel.meters
        found = list(checks(figures, {loop: now - at for loop, at in meters.turned.items()}))
        found += clock_checks({clock: (jumped, now - at) for clock, (jumped, at) in meters.jumped.items()})
        found += mended_checks({name: (number, now - at) for name, (number, at) in meters.mended.items()})
        signs = [sign for one in self._beside for sign in one.signs()]
        found += [Check(sign.name, Status(sign.status), sign.value, sign.unit, sign.about) for sign in signs]
        status = worst(check.status for check in found)
        return {"status": status.value, "serviceId": name, **_numbers(figures), "checks": _by_name(found)}


def told(health: Mapping[str, Any], *, detailed: bool) -> Response:
    """A judgement as the answer; the checks only for those who may watch."""
    shown = health if detailed else {name: value for name, value in health.items() if name != "checks"}
    status = 503 if health["status"] == Status.FAIL else 200
    return Response(msgspec.json.encode(shown), status, {"Cache-Control": "no-store"}, HEALTH_JSON)


def _numbers(figures: Figures) -> dict[str, Any]:
    """Ages in seconds, counts; no id and nothing about a patient."""
    ages = [age for age in figures.follows.values() if age is not None]
    return {
        "oldest_due_timer_seconds": figures.timer_oldest_seconds,
        "oldest_undelivered_event_seconds": max(figures.oldest_undelivered_seconds, figures.outbox_oldest_seconds),
        "oldest_unsealed_audit_seconds": figures.unsealed_oldest_seconds,
        "parked_deliveries": figures.parked,
        "lanes_in_error": figures.in_error,
        "arrivals_owed": figures.arrivals_owed,
        "copies_behind_seconds": max(ages, default=0.0),
        **figures.alarms,
        **{f"{name}-without-deadline": number for name, number in figures.without_deadline.items()},
    }


def _by_name(found: Sequence[Check]) -> dict[str, list[dict[str, Any]]]:
    tree: dict[str, list[dict[str, Any]]] = {}
    for check in found:
        tree.setdefault(check.name, []).append(check.as_tree())
    return tree

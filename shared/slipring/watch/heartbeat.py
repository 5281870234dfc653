"""The dead man's switch: an outside address is called now and then, only while every engine of this process works.

When the calls stop, whoever keeps that address (healthchecks.io, a monitor of the hospital) raises the alarm: also
when this machine is gone and can say nothing any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import httpx
import structlog

from slipring.fhir.store.engine import UNAVAILABLE
from slipring.watch.verdict import Status

_LOG = structlog.get_logger("slipring.heartbeat")
_PATIENCE_SECONDS = 10.0
Judged = Callable[[], Awaitable[dict[str, Any]]]


class Heartbeat:
    """Calls `url` every `seconds` while nothing that `judged` names fails."""

    def __init__(self, url: str, seconds: float, judged: Sequence[Judged]) -> None:
        self._url, self._seconds, self._judged = url, seconds, judged

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(self._seconds)

    async def beat(self) -> bool:
        """One call, unless something fails; whether it arrived."""
        try:
            found = await asyncio.gather(*(judge() for judge in self._judged))
            failing = [health.get("serviceId", "front") for health in found if health["status"] == Status.FAIL]
            if failing:
                _LOG.warning("no heartbeat", failing=failing)
                return False
            # The operator named this address: the policy for subscribers' endpoints is not for it.
            async with httpx.AsyncClient(timeout=_PATIENCE_SECONDS, trust_env=False) as http:
                answer = await http.get(self._url)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # its address is a secret of its owner
            _LOG.warning("heartbeat not taken", kind=type(error).__name__)
            return False
        if not answer.is_success:
            _LOG.warning("heartbeat not taken", status=answer.status_code)
        return answer.is_success


def answering(pool: asyncpg.Pool) -> Judged:
    """The judgement of the front, which has no engine: its database answers."""

    async def judged() -> dict[str, Any]:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await pool.fetchval("SELECT 1")
        except UNAVAILABLE:  # a timeout is an OSError
            return {"status": Status.FAIL.value, "serviceId": "front"}
        return {"status": Status.PASS.value, "serviceId": "front"}

    return judged

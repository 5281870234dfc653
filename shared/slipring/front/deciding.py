"""One decision per condition at a time, over every process of the front and every keeper of a type.

A keeper decides its own conditions under its own lock. When a type has several keepers somebody must see to it that
two of them do not both find nothing and both create: whoever decides a condition here first writes it down in the
front's schema, with an end. The end comes later than the longest time a service may still be working on what it was
sent, so a process that died between asking and answering cannot let another one in too early.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from slipring.fhir.outcome import FhirError, busy
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.front.peers import Unanswered

HELD_SECONDS = 60.0  # longer than a service is given to answer
PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.02

_TAKE = (
    "INSERT INTO deciding (condition, holder, until) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second')"
    " ON CONFLICT (condition) DO UPDATE SET holder = excluded.holder, until = excluded.until"
    " WHERE deciding.until < clock_timestamp() RETURNING true"
)
_LEAVE = "DELETE FROM deciding WHERE condition = ANY($1) AND holder = $2"


class Deciding(Protocol):
    """Who lets one decide a condition alone."""

    def alone(self, conditions: Sequence[str]) -> AbstractAsyncContextManager[None]:
        """While this is held nobody else decides any of these conditions; 503 when others take too long."""


@dataclass(frozen=True, slots=True)
class DecidingTable:
    """The table `deciding` of the front's schema, by the database's clock."""

    pool: Any
    held_seconds: float = HELD_SECONDS
    patience_seconds: float = PATIENCE_SECONDS

    @asynccontextmanager
    async def alone(self, conditions: Sequence[str]) -> AsyncIterator[None]:
        """Held one after the other in one order for all, so that no two wait for each other."""
        holder = uuid.uuid4().hex
        taken: list[str] = []
        certain = True
        try:
            for digest in sorted({hashlib.sha256(text.encode()).hexdigest() for text in conditions}):
                await self._take(digest, holder)
                taken.append(digest)
            yield
        except (Unanswered, asyncio.CancelledError):
            # A service may still be at it: the conditions stay decided-on until they run out.
            certain = False
            raise
        finally:
            if certain and taken:
                with suppress(*UNAVAILABLE):  # the answer stands; the row ends by itself
                    await self.pool.execute(_LEAVE, taken, holder)

    async def _take(self, digest: str, holder: str) -> None:
        try:
            async with asyncio.timeout(self.patience_seconds):
                while not await self.pool.fetchval(_TAKE, digest, holder, self.held_seconds):  # noqa: ASYNC110 - rows, no event
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError:
            raise _still_deciding() from None


def _still_deciding() -> FhirError:
    """503: another request with the same condition has not been answered yet."""
    return busy(
        "Another request with the same condition is being decided; nothing was stored. Try again shortly.",
        "相同条件的另一请求正在处理，未保存任何内容，请稍后重试。",
        retry_after_seconds=2,
        detail="front.condition-in-use",
    )

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
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Protocol
from weakref import WeakValueDictionary

from slipring.fhir.outcome import FhirError, busy
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.front.peers import Unanswered

HELD_SECONDS = 90.0  # longer than waiting for other conditions and for a service's answer together
PATIENCE_SECONDS = 30.0
_SHORTEST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.2

_TAKE = (
    "INSERT INTO deciding (condition, holder, until) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second')"
    " ON CONFLICT (condition) DO UPDATE SET holder = excluded.holder, until = excluded.until"
    " WHERE deciding.until < clock_timestamp() RETURNING true"
)
_LEAVE = "DELETE FROM deciding WHERE holder = $1"


class Deciding(Protocol):
    """Who lets one decide a condition alone."""

    def alone(self, conditions: Sequence[str]) -> AbstractAsyncContextManager[None]:
        """While this is held nobody else decides any of these conditions; 503 when others take too long."""


class DecidingTable:
    """The table `deciding` of the front's schema, by the database's clock.

    Requests of one process queue up inside it, so that only one of them asks the table again and again.
    """

    def __init__(
        self, pool: Any, held_seconds: float = HELD_SECONDS, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._pool = pool
        self._held_seconds = held_seconds
        self._patience_seconds = patience_seconds
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def alone(self, conditions: Sequence[str]) -> AsyncIterator[None]:
        """Held one after the other in one order for all, so that no two wait for each other."""
        holder = uuid.uuid4().hex
        certain = True
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._patience_seconds):
                    for digest in sorted({hashlib.sha256(text.encode()).hexdigest() for text in conditions}):
                        await stack.enter_async_context(self._queues.setdefault(digest, asyncio.Lock()))
                        await self._take(digest, holder)
            except TimeoutError:
                await self._leave(holder)
                raise _still_deciding() from None
            try:
                yield
            except (Unanswered, asyncio.CancelledError):
                # A service may still be at it: the conditions stay decided-on until they run out.
                certain = False
                raise
            finally:
                if certain:
                    await self._leave(holder)

    async def _take(self, digest: str, holder: str) -> None:
        pause = _SHORTEST_PAUSE_SECONDS
        while not await self._pool.fetchval(_TAKE, digest, holder, self._held_seconds):
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _leave(self, holder: str) -> None:
        with suppress(*UNAVAILABLE):  # the answer stands; the rows end by themselves
            await self._pool.execute(_LEAVE, holder)


def _still_deciding() -> FhirError:
    """503: another request with the same condition has not been answered yet."""
    return busy(
        "Another request with the same condition is being decided; nothing was stored. Try again shortly.",
        "相同条件的另一请求正在处理，未保存任何内容，请稍后重试。",
        retry_after_seconds=2,
        detail="front.condition-in-use",
    )

"""Old events go: what was fanned out and delivered is kept for some weeks, what still waits or was parked stays.

One replica at a time tidies, a little at a time from the oldest end, so that no commit ever waits for it.
"""

from __future__ import annotations

from datetime import timedelta

from slipring.fhir.kernel import Kernel
from slipring.fhir.store.engine import lock_number

_MOST = 5000  # rows looked at in one statement

_OUTBOX = """DELETE FROM outbox WHERE id IN (SELECT id FROM (SELECT id, fanned_out, created_at FROM outbox ORDER BY id LIMIT $2) o
  WHERE fanned_out AND created_at < clock_timestamp() - $1::interval)"""
_DELIVERY = """DELETE FROM delivery d USING subscription s CROSS JOIN LATERAL (
    SELECT number, state, delivered_at FROM delivery WHERE subscription = s.id ORDER BY number LIMIT $2) o
  WHERE d.subscription = s.id AND d.number = o.number AND o.state = 'delivered'
    AND o.delivered_at < clock_timestamp() - $1::interval"""


class Tidying:
    """Keeps one schema's outbox and deliveries from growing for ever."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def step(self) -> bool:
        """One round; True when there may be more to do at once."""
        kept = timedelta(days=self._kernel.event_days)
        lock = lock_number("tidying", self._kernel.store.schema)
        async with self._kernel.store.pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock):
                return False
            gone = [await connection.execute(sql, kept, _MOST) for sql in (_OUTBOX, _DELIVERY)]
        return any(int(told.rpartition(" ")[2]) for told in gone)

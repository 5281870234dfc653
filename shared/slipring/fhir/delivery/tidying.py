"""Old events go: a month that is over and done is dropped whole, what still waits or was parked stays. Sums are folded.

One replica at a time tidies, a little at a time, so that no commit ever waits for it.
"""

from __future__ import annotations

from datetime import timedelta

from slipring.fhir.kernel import Kernel
from slipring.fhir.store.partitions import EVENTS, drop_done, make_ahead, sweep
from slipring.fhir.store.summed import fold

# What was given up because its subscription has been off for as long as events are kept.
_GIVEN_UP = """UPDATE subscription SET delivered_number = last_number WHERE status = 'off' AND delivered_number < last_number
  AND NOT EXISTS (SELECT FROM delivery d WHERE d.subscription = subscription.id AND d.state = 'waiting')"""


class Tidying:
    """Keeps one schema's outbox, deliveries and sums of what is counted from growing for ever."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def step(self) -> bool:
        """One round; True when there may be more to do at once."""
        kept = timedelta(days=self._kernel.event_days)
        pool, schema = self._kernel.store.pool, self._kernel.store.schema
        await make_ahead(pool, schema)
        swept = 0
        for table in EVENTS:
            await drop_done(pool, schema, table, kept)
            swept += await sweep(pool, schema, table, kept)
        await pool.execute(_GIVEN_UP)
        return await fold(pool) or swept > 0

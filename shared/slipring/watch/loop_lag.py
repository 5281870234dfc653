"""How late the event loop wakes a sleeper: the first sign that something holds the process up."""

from __future__ import annotations

import asyncio

from slipring.runtime.meters import LOOP_LAG

_SLEEP_SECONDS = 0.25


async def watch_the_loop() -> None:
    """Measure until cancelled, four times a second."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _SLEEP_SECONDS
        await asyncio.sleep(_SLEEP_SECONDS)
        LOOP_LAG.observe(max(0.0, loop.time() - due))

"""Work on very many things that leaves the process able to do others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")
_AT_A_STRETCH = 100  # some milliseconds


async def in_turns(found: Iterable[T]) -> AsyncIterator[T]:
    """One after the other, with a turn for whatever else waits now and then: a hundred thousand take seconds."""
    for number, one in enumerate(found):
        if number % _AT_A_STRETCH == 0:
            await asyncio.sleep(0)
        yield one

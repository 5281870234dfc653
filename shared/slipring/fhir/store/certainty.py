"""What became of a commit whose connection was lost: found out, not guessed.

A batch carries its own ids, versions and texts, so sending it again stores it at most once: if the first attempt went
through, the second finds its versions standing; if the first is still at work, the second waits for its locks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from slipring.fhir.outcome import busy
from slipring.fhir.store.batch import Batch, KeyTaken, Overtaken, Stale
from slipring.fhir.store.commit import commit
from slipring.fhir.store.engine import UNAVAILABLE, OutcomeUnknown, transaction
from slipring.fhir.store.reading import Reader

T = TypeVar("T")
_PATIENCE_SECONDS = 8.0  # a restarting database is back by then, or the client is told that nobody knows
_PAUSE_SECONDS = 0.2


async def settle(pool: asyncpg.Pool, batch: Batch) -> None:
    """Make a commit of unknown outcome certain by committing the same batch again; Stale if it did not happen."""

    async def once_more() -> None:
        try:
            await commit(pool, batch)
        except (Stale, KeyTaken, Overtaken):
            if not await _stands(pool, batch):
                raise

    await _until_known(once_more)


async def stored(pool: asyncpg.Pool, batch: Batch, locks: list[str]) -> bool:
    """Whether a commit of unknown outcome, made under these advisory locks, happened: with the locks it has ended."""

    async def look() -> bool:
        async with transaction(pool, locks) as connection:
            return await _stands(connection, batch)

    return await _until_known(look)


async def _until_known(ask: Callable[[], Awaitable[T]]) -> T:
    loop = asyncio.get_running_loop()
    end = loop.time() + _PATIENCE_SECONDS
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        try:
            return await ask()
        except (OutcomeUnknown, *UNAVAILABLE) as error:
            if loop.time() > end:
                raise busy(
                    "The database was lost while storing; it may or may not have been stored. Look for it, or repeat with "
                    "If-None-Exist or If-Match, so that nothing is stored twice.",
                    "保存过程中与数据库的连接中断，可能已保存也可能未保存。请先查询，或以 If-None-Exist / If-Match 重试，以免重复。",
                    retry_after_seconds=5,
                    detail="kernel.outcome-unknown",
                ) from error


async def _stands(reader: Reader, batch: Batch) -> bool:
    """Whether the versions of the batch are stored with its texts; a batch without versions cannot tell."""
    own = [v for v in batch.versions if not v.source]
    found = await reader.fetchval(
        "SELECT count(*) FROM unnest($1::text[], $2::text[], $3::int[], $4::text[]) AS w(type, id, version, body) "
        "JOIN resource r USING (type, id) JOIN version v ON v.key = r.key AND v.version = w.version AND v.body = w.body",
        [v.type for v in own],
        [v.id for v in own],
        [v.version for v in own],
        [v.text for v in own],
    )
    return bool(own) and found == len(own)

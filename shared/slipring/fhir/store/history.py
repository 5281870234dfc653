"""Histories: the versions kept here, newest first, in pages that together are exact while others write.

Sequence numbers are given before a commit, so a version may appear later than one with a higher number. A first page
therefore waits for whoever is writing just then (milliseconds), and all pages end at the number that was the highest.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.fhir.outcome import busy
from slipring.fhir.store.reading import Reader, Row, row_of

_LONGEST_WAIT_SECONDS = 5.0
_PAUSE_SECONDS = 0.005
_WRITERS = (
    "SELECT DISTINCT virtualtransaction FROM pg_locks WHERE relation = 'version'::regclass AND granted "
    "AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, slots=True)
class Span:
    """Which versions: of a type, of one resource, or all; made since, or current at some moment of [low, high)."""

    type: str | None = None
    id: str | None = None
    since: datetime | None = None
    low: datetime | None = None
    high: datetime | None = None
    audiences: tuple[str, ...] | None = None  # as whom the caller is shown what is not for everybody; None: all

    def where(self) -> tuple[list[str], list[Any]]:
        """SQL conditions on `v` and `r`, and their arguments."""
        conditions: list[str] = ["r.source = ''"]
        arguments: list[Any] = []
        for condition, value in (
            ("r.type = ${}::text", self.type),
            ("r.id = ${}::text", self.id),
            ("v.updated_at >= ${}::timestamptz", self.since),
            ("v.updated_at < ${}::timestamptz", self.high),
            (
                "NOT EXISTS (SELECT 1 FROM version n WHERE n.key = v.key AND n.version = v.version + 1 "
                "AND n.updated_at <= ${}::timestamptz)",
                self.low,
            ),
        ):
            if value is not None:
                arguments.append(value)
                conditions.append(condition.format(len(arguments)))
        if self.audiences is not None:
            arguments.append(list(self.audiences))
            conditions.append(f"(v.audience IS NULL OR v.audience && ${len(arguments)}::text[])")
        if self.id is not None:  # few rows of one resource: by its key, not along the whole sequence
            conditions.append("v.key = (SELECT k.key FROM resource k WHERE k.type = $1 AND k.id = $2)")
        return conditions, arguments


async def settled(reader: Reader) -> int:
    """The highest sequence number so far, once every version up to it is to be seen or was given up; else 503."""
    top = int(await reader.fetchval("SELECT last_value FROM version_sequence"))
    writing = {row["virtualtransaction"] for row in await reader.fetch(_WRITERS)}
    until = time.monotonic() + _LONGEST_WAIT_SECONDS
    while writing:
        await asyncio.sleep(_PAUSE_SECONDS)
        writing &= {row["virtualtransaction"] for row in await reader.fetch(_WRITERS)}
        if writing and time.monotonic() > until:
            raise busy(
                "A long transaction is being written; the history is complete after it.",
                "有较长事务正在写入，完成后历史方完整。",
                detail="kernel.history-not-settled",
            )
    return top


async def page(reader: Reader, span: Span, *, below: int, limit: int) -> list[tuple[int, Row]]:
    """The newest versions of the span with a sequence number below this one, as (number, row)."""
    conditions, arguments = span.where()
    records = await reader.fetch(
        "SELECT r.key, r.type, r.id, v.version, v.updated_at, r.deleted, r.source, v.body, v.method, v.audience, v.sequence "
        f"FROM version v JOIN resource r ON r.key = v.key WHERE {' AND '.join(conditions)} "
        f"AND v.sequence < ${len(arguments) + 1}::bigint ORDER BY v.sequence DESC LIMIT {int(limit)}",
        *arguments,
        below,
    )
    return [(record["sequence"], row_of(record)) for record in records]


async def count(reader: Reader, span: Span) -> int:
    """How many versions the span holds."""
    conditions, arguments = span.where()
    return int(
        await reader.fetchval(
            f"SELECT count(*) FROM version v JOIN resource r ON r.key = v.key WHERE {' AND '.join(conditions)}",
            *arguments,
        )
    )

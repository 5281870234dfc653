"""What is stored at the end, held against what the clients were told."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import asyncpg
from slipring.runtime.postgres import ensure_running

from tests.consistency.checker import faults, torn

if TYPE_CHECKING:
    from tests.consistency.run import Run


async def judge(run: Run) -> list[str]:
    """All that is wrong, in words."""
    found = list(run.wrong)
    connection = await asyncpg.connect(ensure_running(run.data_dir), server_settings={"search_path": "order"})
    try:
        histories = {r: await _history(connection, r) for r in run.registers}
        for r in run.registers:
            found += faults(r, run.seen[r], histories[r], (1, "first"))
            found += await _beside(connection, r, len(histories[r]))
        found += torn(run.transactions, histories)
        run.tally["versions"] = sum(map(len, histories.values()))
        for _ in range(200):
            if not await connection.fetchval("SELECT count(*) FROM outbox WHERE NOT fanned_out"):
                return found
            await asyncio.sleep(0.1)
        found.append("events wait that nobody fans out: the workers did not recover")
    finally:
        await connection.close()
    return found


async def _history(connection: Any, register: str) -> dict[int, str | None]:
    """Version -> value as stored; None for a deletion."""
    rows = await connection.fetch(
        "SELECT v.version, v.method, v.body::jsonb->>'name' AS value FROM version v JOIN resource r USING (key) "
        "WHERE r.type || '/' || r.id = $1 ORDER BY v.version",
        register,
    )
    return {row["version"]: None if row["method"] == "DELETE" else row["value"] for row in rows}


async def _beside(connection: Any, register: str, versions: int) -> list[str]:
    """Every version has its audit row and its event, once each."""
    audits = await connection.fetch(
        "SELECT resource FROM audit WHERE resource LIKE $1 || '/_history/%' AND interaction IN ('create', 'update', 'delete', 'patch')",
        register,
    )
    events = await connection.fetch("SELECT version FROM outbox WHERE type || '/' || resource_id = $1", register)
    wanted = list(range(1, versions + 1))
    told = sorted(int(row["resource"].rpartition("/")[2]) for row in audits)
    sent = sorted(row["version"] for row in events)
    found = (
        []
        if told == wanted
        else [
            f"{register}: audit rows {Counter(told) - Counter(wanted)} too many, {Counter(wanted) - Counter(told)} missing"
        ]
    )
    return (
        found
        if sent == wanted
        else [
            *found,
            f"{register}: events {Counter(sent) - Counter(wanted)} too many, {Counter(wanted) - Counter(sent)} missing",
        ]
    )

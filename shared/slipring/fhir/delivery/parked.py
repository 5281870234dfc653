"""What waits and what was parked, seen and moved on: `$deliveries`, `$resume`, `$skip` and `$rotate-secret` of Subscription.

For the client that owns the Subscription, and for an administrator (`slipring/administer`). A delivery keeps its number
whatever becomes of it; each move stands in the audit trail, in the same transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
from starlette.responses import Response

from slipring.fhir.delivery.parked_shown import delivery_parts, lane_parts
from slipring.fhir.delivery.signature import read, rotated, written
from slipring.fhir.intent import written_instant
from slipring.fhir.interactions.given import Given
from slipring.fhir.interactions.respond import answer_tree
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, busy, conflict, forbidden, gone, invalid, not_found
from slipring.fhir.store.batch import Batch
from slipring.fhir.store.engine import OutcomeUnknown

ADMINISTER = "slipring/administer"
OPEN = ("waiting", "parked")
_MOST_SHOWN = 200  # deliveries in one answer; who wants more asks on from the next number
_MOST_MOVED = 10_000
_LONGEST_REASON = 500
_LONGEST_OVERLAP_HOURS = 168
_OVERLAP_HOURS = 24

_LANES = """SELECT s.*, v.body, w.waiting, w.oldest,
    (SELECT count(*) FROM delivery d WHERE d.subscription = s.id AND d.state = 'parked') AS parked
  FROM subscription s JOIN resource r ON r.type = 'Subscription' AND r.id = s.id AND NOT r.deleted
  JOIN version v ON v.key = r.key AND v.version = r.version
  CROSS JOIN LATERAL (SELECT count(*) AS waiting, min(event_at) AS oldest FROM delivery d
    WHERE d.subscription = s.id AND d.state = 'waiting') w
  WHERE NOT s.internal AND ($1 = '' OR s.id = $1) AND ($2 OR (s.client, s.practitioner) = ($3, $4)) ORDER BY s.id"""
_DELIVERIES = """SELECT number, type, resource_id, version, method, state, attempts, error, event_at FROM delivery
  WHERE subscription = $1 AND state = $2 AND number > $3 ORDER BY number LIMIT $4"""
_CHOSEN = """SELECT number FROM delivery WHERE subscription = $1 AND state = ANY($2::text[])
  AND (cardinality($3::bigint[]) = 0 OR number = ANY($3)) ORDER BY number LIMIT $4"""
_MOVE = "UPDATE delivery SET state = $3, error = $4 WHERE subscription = $1 AND number = ANY($2::bigint[]) AND state = ANY($5::text[])"
# What is delivered reaches up to the first that waits; an endpoint in error is tried at once.
_COUNT = """UPDATE subscription s SET next_attempt_at = NULL, delivered_number = coalesce(
    (SELECT min(number) - 1 FROM delivery d WHERE d.subscription = s.id AND d.state = 'waiting'), s.last_number) WHERE s.id = $1"""


async def deliveries(kernel: Kernel, context: Context, resource_id: str | None, given: Given) -> Response:
    """How each subscription of the caller stands; of one, also what waits and what is parked, by number."""
    _demand(context, "r")
    asked = dict(given.pairs("state", "after", "_count"))
    everybody = context.caller.has(ADMINISTER)
    pool = kernel.store.pool
    if resource_id is not None:
        _demand_own(context, await pool.fetchrow(_KNOWN, resource_id), resource_id)
    caller = context.caller
    found = await pool.fetch(_LANES, resource_id or "", everybody, caller.client, caller.practitioner or "")
    parameters = [{"name": "subscription", "part": lane_parts(lane)} for lane in found]
    if resource_id is not None:
        for state in _states(asked):
            rows = await pool.fetch(_DELIVERIES, resource_id, state, _whole("after", asked), _count(asked))
            parameters += [{"name": "delivery", "part": delivery_parts(row)} for row in rows]
    touched = f"Subscription/{resource_id}/$deliveries" if resource_id else "Subscription/$deliveries"
    told = [f"Subscription/{lane['id']}" for lane in found]
    await kernel.store.audits.write(context.audit("operation", touched, disclosed=told), kernel.now())
    return answer_tree({"resourceType": "Parameters", "parameter": parameters})


async def resume(kernel: Kernel, context: Context, resource_id: str | None, given: Given) -> Response:
    """Send what was parked once more: the numbers given, or all of them."""
    numbers = _numbers(given.pairs("number"))
    async with _own(kernel, context, resource_id, "$resume") as (connection, lane):
        chosen = await _chosen(connection, lane["id"], ("parked",), numbers)
        await connection.execute(_MOVE, lane["id"], chosen, "waiting", "", ["parked"])
        await connection.execute(_COUNT, lane["id"])
    return _moved(kernel, chosen)


async def skip(kernel: Kernel, context: Context, resource_id: str | None, given: Given) -> Response:
    """Give up deliveries that wait or were parked, for a reason; their numbers stay taken."""
    pairs = given.pairs("number", "reason")
    numbers, reason = _numbers([pair for pair in pairs if pair[0] == "number"]), dict(pairs).get("reason", "").strip()
    if not numbers:
        raise _missing("number")
    if not reason or len(reason) > _LONGEST_REASON:
        raise _missing("reason")
    async with _own(kernel, context, resource_id, "$skip") as (connection, lane):
        chosen = await _chosen(connection, lane["id"], OPEN, numbers)
        who = context.caller.practitioner or context.caller.client
        await connection.execute(_MOVE, lane["id"], chosen, "skipped", f"{who}: {reason}", list(OPEN))
        await connection.execute(_COUNT, lane["id"])
    return _moved(kernel, chosen)


async def rotate_secret(kernel: Kernel, context: Context, resource_id: str | None, given: Given) -> Response:
    """Make the secret that notifications are signed with; told once. The one before signs beside it for some hours."""
    hours = _whole("overlapHours", dict(given.pairs("overlapHours")), _OVERLAP_HOURS)
    if hours > _LONGEST_OVERLAP_HOURS:
        raise invalid(
            f"overlapHours is 0 to {_LONGEST_OVERLAP_HOURS}.",
            f"overlapHours 须为 0 至 {_LONGEST_OVERLAP_HOURS}。",
            at="overlapHours",
            detail="kernel.overlap-hours",
        )
    made, until = secrets.token_urlsafe(32), kernel.now() + timedelta(hours=hours)
    async with _own(kernel, context, resource_id, "$rotate-secret") as (connection, lane):
        standing = read(kernel.secrets.decrypt(lane["signing"].encode()).decode()) if lane["signing"] else []
        text = kernel.secrets.encrypt(written(rotated(standing, made, until)).encode()).decode()
        await connection.execute("UPDATE subscription SET signing = $2 WHERE id = $1", lane["id"], text)
    told: list[dict[str, Any]] = [{"name": "secret", "valueString": made}]
    if standing:
        told.append({"name": "previousUntil", "valueInstant": written_instant(until)})
    answer = answer_tree({"resourceType": "Parameters", "parameter": told})
    answer.headers["Cache-Control"] = "no-store"
    return answer


OPERATIONS = {"deliveries": deliveries, "resume": resume, "skip": skip, "rotate-secret": rotate_secret}


# --- whose it is --------------------------------------------------------------------------------------------

_KNOWN = """SELECT s.*, r.deleted FROM subscription s JOIN resource r ON r.type = 'Subscription' AND r.id = s.id
  WHERE s.id = $1 AND NOT s.internal"""


def _demand(context: Context, letter: str) -> None:
    if not context.caller.has(ADMINISTER):  # who runs the system sees no clinical data, and needs none for this
        context.demand("Subscription", letter)


def _demand_own(context: Context, lane: asyncpg.Record | None, resource_id: str) -> asyncpg.Record:
    if lane is None:
        raise not_found(f"Subscription/{resource_id}")
    owns = (lane["client"], lane["practitioner"]) == (context.caller.client, context.caller.practitioner or "")
    if not owns and not context.caller.has(ADMINISTER):
        raise forbidden(
            f"Only the client that owns this Subscription, or who holds {ADMINISTER}, sees and moves its deliveries.",
            f"只有该订阅的所有者或持有 {ADMINISTER} 者可以查看和处理其投递。",
            detail="kernel.not-your-subscription",
        )
    if lane["deleted"]:
        raise gone(f"Subscription/{resource_id}")
    return lane


@asynccontextmanager
async def _own(
    kernel: Kernel, context: Context, resource_id: str | None, operation: str
) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Record]]:
    """The lane, locked, with the audit row of what is done to it; the workers of all replicas are told afterwards."""
    _demand(context, "u")
    try:
        async with kernel.store.transaction([]) as connection:
            known = await connection.fetchrow(f"{_KNOWN} FOR UPDATE OF s", resource_id)
            lane = _demand_own(context, known, resource_id or "")
            yield connection, lane
            audit = context.audit("operation", f"Subscription/{lane['id']}/{operation}")
            await kernel.store.commit(Batch(kernel.now(), audits=[audit]), within=connection)
    except OutcomeUnknown as error:
        raise busy(
            "The connection to the database was lost at the end: it may have been done. Look before you ask again.",
            "数据库连接在最后一刻中断，操作可能已完成；请先查看再重试。",
            detail="kernel.move-unknown",
        ) from error
    kernel.store.written.set()
    kernel.store.committed.set()


async def _chosen(
    connection: asyncpg.Connection, lane: str, states: Sequence[str], numbers: Sequence[int]
) -> list[int]:
    rows = await connection.fetch(_CHOSEN, lane, list(states), list(numbers), _MOST_MOVED)
    found = [row["number"] for row in rows]
    if lacking := sorted(set(numbers) - set(found)):
        listed = ", ".join(map(str, lacking[:20]))
        raise conflict(
            f"Nothing was done: these numbers are not {' or '.join(states)}: {listed}.",
            f"未执行任何操作：以下编号不处于所需状态：{listed}。",
            at="number",
            detail="kernel.delivery-not-open",
        )
    return found


# --- what is said -------------------------------------------------------------------------------------------


def _moved(kernel: Kernel, numbers: Sequence[int]) -> Response:
    parameters = [{"name": "number", "valueString": str(number)} for number in numbers]
    return answer_tree(
        {"resourceType": "Parameters", "parameter": parameters} if numbers else {"resourceType": "Parameters"}
    )


# --- what was asked -----------------------------------------------------------------------------------------


def _states(asked: dict[str, str]) -> Sequence[str]:
    state = asked.get("state")
    if state is not None and state not in OPEN:
        raise invalid(
            "state is waiting or parked.", "state 须为 waiting 或 parked。", at="state", detail="kernel.delivery-state"
        )
    return (state,) if state else ("parked", "waiting")


def _count(asked: dict[str, str]) -> int:
    return min(_whole("_count", asked, _MOST_SHOWN), _MOST_SHOWN)


def _numbers(pairs: Sequence[tuple[str, str]]) -> list[int]:
    return [_whole(name, {name: value}) for name, value in pairs]


def _whole(name: str, asked: dict[str, str], otherwise: int = 0) -> int:
    text = asked.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise invalid(f"{name} is a whole number.", f"{name} 须为整数。", at=name, detail="kernel.whole-number")
    return int(text)


def _missing(name: str) -> FhirError:
    return invalid(
        f"$skip needs {name}: which deliveries are given up and, in at most {_LONGEST_REASON} characters, why.",
        f"$skip 须有参数 {name}：说明放弃哪些投递及原因（最多 {_LONGEST_REASON} 个字符）。",
        at=name,
        detail="kernel.skip-incomplete",
    )

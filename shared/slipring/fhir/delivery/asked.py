"""`$status` and `$events` of Subscription (Subscriptions R5 Backport 1.1.0, on R4).

What is replayed is judged by the rights of whoever asks, at this moment: not by those of the subscriber.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from starlette.responses import Response

from slipring.fhir.access import reaches
from slipring.fhir.delivery.channel import CONTENTS
from slipring.fhir.delivery.notification import history, status_of
from slipring.fhir.delivery.telling import told_of
from slipring.fhir.interactions.given import Given
from slipring.fhir.interactions.respond import answer, bundle, entry
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, gone, invalid, not_found
from slipring.fhir.store import reading
from slipring.fhir.store.reading import Row

MOST_EVENTS = 1000  # in one answer of $events; who wants more asks on from the next number
_STATUSES = ("requested", "active", "error", "off")
_MOST_DIGITS = 18

_KEPT = """SELECT s.*, v.body FROM subscription s JOIN resource r ON r.type = 'Subscription' AND r.id = s.id
  JOIN version v ON v.key = r.key AND v.version = r.version WHERE NOT s.internal AND NOT r.deleted
  AND (cardinality($1::text[]) = 0 OR s.id = ANY($1)) AND (cardinality($2::text[]) = 0 OR s.status = ANY($2)) ORDER BY s.id"""
_EVENTS = """SELECT d.*, v.body, v.audience FROM delivery d
  LEFT JOIN version v ON v.key = d.key AND v.version = d.version - (d.method = 'DELETE')::int
  WHERE d.subscription = $1 AND d.number BETWEEN $2 AND $3 ORDER BY d.number LIMIT $4"""


async def status(kernel: Kernel, context: Context, resource_id: str | None, given: Given) -> Response:
    """How one Subscription fares, or all that are asked for: a searchset of status Parameters."""
    context.demand("Subscription", "r")
    pairs = given.pairs("id", "status")
    if resource_id is not None:  # at the instance both parameters are ignored (OperationDefinition)
        await _kept(kernel, context, resource_id)
        ids, states = [resource_id], []
    else:
        ids = [one for name, value in pairs if name == "id" for one in value.split(",")]
        states = [one for name, value in pairs if name == "status" for one in value.split(",")]
    if unknown := [state for state in states if state not in _STATUSES]:
        raise _one_of("status", _STATUSES, unknown[0])
    found = await kernel.store.pool.fetch(_KEPT, ids, states)
    lanes = [lane for lane in found if reaches(context.caller, "r", json.loads(lane["body"]), kernel.zone)]
    await _audited(kernel, context, resource_id, "$status", [f"Subscription/{lane['id']}" for lane in lanes])
    entries = [_entry(kernel, lane) for lane in lanes]
    return answer(bundle("searchset", entries, total=len(entries)))


def _entry(kernel: Kernel, lane: asyncpg.Record) -> str:
    content = lane["content"] or ("full-resource" if lane["payload"] else "empty")
    written = status_of(kernel.base, lane, "query-status", number=lane["last_number"], content=content)
    name = str(uuid.uuid4())
    text = json.dumps({"resourceType": "Parameters", "id": name, **written}, ensure_ascii=False)
    return entry(f"urn:uuid:{name}", text, search={"mode": "match"})


async def events(kernel: Kernel, context: Context, resource_id: str | None, given: Given) -> Response:
    """The events of one Subscription again, from number to number, as the caller may know them now."""
    context.demand("Subscription", "r")
    row = await _kept(kernel, context, resource_id or "")
    asked = dict(given.pairs("eventsSinceNumber", "eventsUntilNumber", "content"))
    [lane] = await kernel.store.pool.fetch(_KEPT, [row.id], [])
    least, most = _number(asked, "eventsSinceNumber", 1), _number(asked, "eventsUntilNumber", lane["last_number"])
    content = asked.get("content") or lane["content"] or ("full-resource" if lane["payload"] else "empty")
    if content not in CONTENTS:
        raise _one_of("content", CONTENTS, content)
    found = await kernel.store.pool.fetch(_EVENTS, row.id, least, most, MOST_EVENTS)
    told = await told_of(kernel, lane, found, context.caller, content)
    shown = [one for one in told if one.shown and content != "empty"]
    disclosed = [f"{one.event['type']}/{one.event['resource_id']}/_history/{one.event['version']}" for one in shown]
    disclosed += [one_more.reference for one in shown for one_more in one.context]
    await _audited(kernel, context, row.id, "$events", list(dict.fromkeys(disclosed)))
    return answer(history(kernel.base, lane, "query-event", told, kernel.now(), content=content))


async def _kept(kernel: Kernel, context: Context, resource_id: str) -> Row:
    """The Subscription as the caller may read it: 404 or 410 otherwise."""
    row = await reading.current(kernel.store.pool, "Subscription", resource_id)
    reference = f"Subscription/{resource_id}"
    if row is None or row.source or not reaches(context.caller, "r", row.stored().resource, kernel.zone):
        raise not_found(reference)
    if row.deleted:
        raise gone(reference)
    return row


async def _audited(
    kernel: Kernel, context: Context, resource_id: str | None, operation: str, disclosed: Sequence[str]
) -> None:
    touched = f"Subscription/{resource_id}/{operation}" if resource_id else f"Subscription/{operation}"
    await kernel.store.audits.write(context.audit("operation", touched, disclosed=list(disclosed)), kernel.now())


def _number(asked: Mapping[str, Any], name: str, otherwise: int) -> int:
    text = asked.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise invalid(
            f"{name} is the number of an event.", f"{name} 须为事件编号。", at=name, detail="kernel.event-number"
        )
    return int(text)


def _one_of(name: str, known: Sequence[str], given: str) -> FhirError:
    listed = ", ".join(known)
    return invalid(
        f"{name} is one of {listed}, not {given[:32]}.",
        f"{name} 须为 {listed} 之一，不能是 {given[:32]}。",
        at=name,
        detail="kernel.not-one-of",
    )


OPERATIONS = {"status": status, "events": events}

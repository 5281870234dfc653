"""How lanes and their deliveries are told in the answer of `$deliveries`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from slipring.fhir.intent import written_instant


def lane_parts(lane: asyncpg.Record) -> list[dict[str, Any]]:
    """One subscription as parts of a parameter; of its endpoint only where it is, because a path may hold what only the owner knows."""
    address = urlsplit(lane["endpoint"])
    parts: list[dict[str, Any]] = [
        {"name": "reference", "valueReference": {"reference": f"Subscription/{lane['id']}"}},
        {"name": "status", "valueCode": lane["status"]},
        {"name": "reason", "valueString": json.loads(lane["body"]).get("reason", "")},
        {"name": "client", "valueString": lane["client"]},
        {"name": "endpoint", "valueString": f"{address.scheme}://{address.netloc}"},
        {"name": "waiting", "valueInteger": lane["waiting"]},
        {"name": "parked", "valueInteger": lane["parked"]},
        {"name": "failures", "valueInteger": lane["failures"]},
        {"name": "lastNumber", "valueString": str(lane["last_number"])},
    ]
    if lane["error"]:
        parts.append({"name": "lastError", "valueString": lane["error"]})
    for name, moment in (("oldestWaiting", lane["oldest"]), ("nextAttempt", lane["next_attempt_at"])):
        if moment is not None:
            parts.append({"name": name, "valueInstant": written_instant(moment)})
    return [part for part in parts if part.get("valueString") != ""]


def delivery_parts(row: asyncpg.Record) -> list[dict[str, Any]]:
    """One delivery as parts of a parameter: what it tells of and how it fares, nothing of what is in it."""
    reference = f"{row['type']}/{row['resource_id']}/_history/{row['version']}"
    parts: list[dict[str, Any]] = [
        {"name": "number", "valueString": str(row["number"])},
        {"name": "reference", "valueReference": {"reference": reference}},
        {"name": "state", "valueCode": row["state"]},
        {"name": "attempts", "valueInteger": row["attempts"]},
        {"name": "since", "valueInstant": written_instant(row["event_at"])},
    ]
    return [*parts, {"name": "lastError", "valueString": row["error"]}] if row["error"] else parts

"""A comparison of scanners kept for good: by which criteria, with what outcome, who made and who approved it (5.6.4). Pure."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from slipring.fhir.service import Resource
from slipring.qc.equipment.comparing import Outcome

from slipring_order.department.records import DOCUMENT_SYSTEM
from slipring_order.equipment.chart_answer import as_pair
from slipring_order.equipment.comparability import Pair
from slipring_order.reading import has_code, instant, reference_of
from slipring_order.rooms.scanner_standard import unit_of

RECORD = "scanner-comparison"
_TYPE = "application/fhir+json"


def is_comparison(document: Resource) -> bool:
    """Whether a DocumentReference keeps a comparison of scanners."""
    return has_code(document.get("type"), DOCUMENT_SYSTEM, RECORD)


def as_parameters(compared: Mapping[str, Sequence[Pair]], since: date, until: date) -> Resource:
    """Every pair of scanners in every test that was measured on both, with limit and outcome."""
    parts: list[Resource] = [
        {"name": "periodStart", "valueDate": since.isoformat()},
        {"name": "periodEnd", "valueDate": until.isoformat()},
    ]
    for test, pairs in compared.items():
        for pair in pairs:
            said = as_pair(pair, unit_of(test))
            said["part"].insert(0, {"name": "test", "valueCode": test})
            parts.append(said)
    return {"resourceType": "Parameters", "parameter": parts}


def as_document(
    told: Resource, scanners: Sequence[str], by: str, note: str, until: date, *, id: str, now: datetime
) -> Resource:
    """The record, not approved yet; it counts from the last day that was compared."""
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=float).encode()
    attachment = {
        "contentType": _TYPE,
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode(),
        "title": "scanner-comparison.json",
    }
    described = {"description": note} if note else {}
    return {
        "resourceType": "DocumentReference",
        "id": id,
        "status": "current",
        "docStatus": "preliminary",
        "type": {"coding": [{"system": DOCUMENT_SYSTEM, "code": RECORD}]},
        "date": instant(now),
        "author": [{"reference": by}],
        **described,
        "content": [{"attachment": attachment}],
        "context": {
            "period": {"start": until.isoformat()},
            "related": [{"reference": one} for one in scanners],
        },
    }


def author_of(document: Resource) -> str:
    """Who made it."""
    return reference_of(next(iter(document.get("author", [])), None))


def different(document: Resource) -> list[tuple[str, tuple[str, ...]]]:
    """Tests in which two scanners differ by more than is allowed, with the two."""
    data = base64.b64decode(document["content"][0]["attachment"]["data"])
    found = []
    for one in json.loads(data)["parameter"]:
        parts: list[dict[str, Any]] = one.get("part", [])
        told = {part["name"]: part for part in parts}
        if told.get("outcome", {}).get("valueCode") == Outcome.DIFFERENT.value:
            scanners = tuple(part["valueReference"]["reference"] for part in parts if part["name"] == "scanner")
            found.append((str(told["test"]["valueCode"]), scanners))
    return found

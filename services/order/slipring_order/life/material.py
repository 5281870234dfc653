"""What a placer's new version of a request really changes; pure. Display names and the order of codings are no change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.fhir.meaning import meaning, side_meant
from slipring.fhir.service import Resource

from slipring_order.gathering.sides import sides_of

# Element -> what it is a change of.
_ELEMENTS: Mapping[str, str] = {
    "code": "exam",
    "bodySite": "exam",
    "orderDetail": "exam",  # the planned contrast agent
    "reasonCode": "reason",
    "reasonReference": "reason",
    "supportingInfo": "evidence",
    "priority": "priority",
}


def changed(before: Resource, after: Resource) -> dict[str, str]:
    """Element that differs in meaning -> kind of change: exam, reason, evidence, priority."""
    found = {name: kind for name, kind in _ELEMENTS.items() if _meaning(before, name) != _meaning(after, name)}
    if side_meant(before) != side_meant(after):
        found.setdefault("extension", "exam")
    if sides_of(before) != sides_of(after):  # the rules read it in words too
        found.setdefault("bodySite", "exam")
    return found


def _meaning(request: Resource, name: str) -> Any:
    if name == "priority":
        return request.get("priority", "routine")
    return meaning(request.get(name))

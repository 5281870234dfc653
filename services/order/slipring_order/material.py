"""What a placer's new version of a request really changes; pure. Display names and the order of codings are no change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.fhir.service import Resource

from slipring_order.sides import sides_of

# Element -> what it is a change of. Laterality stands in bodySite, or in the extension for the target structure.
_ELEMENTS: Mapping[str, str] = {
    "code": "exam",
    "bodySite": "exam",
    "orderDetail": "exam",  # the planned contrast agent
    "reasonCode": "reason",
    "reasonReference": "reason",
    "supportingInfo": "evidence",
    "priority": "priority",
}
_SITE = ("laterality", "procedure-targetBodyStructure")
_SPELLING = frozenset({"display", "_display", "userSelected", "id"})


def changed(before: Resource, after: Resource) -> dict[str, str]:
    """Element that differs in meaning -> kind of change: exam, reason, evidence, priority."""
    found = {name: kind for name, kind in _ELEMENTS.items() if _meaning(before, name) != _meaning(after, name)}
    if _sites(before) != _sites(after):
        found.setdefault("extension", "exam")
    if sides_of(before) != sides_of(after):  # the rules read it in words too
        found.setdefault("bodySite", "exam")
    return found


def _meaning(request: Resource, name: str) -> Any:
    if name == "priority":
        return request.get("priority", "routine")
    return _plain(request.get(name))


def _plain(node: Any) -> Any:
    """A node without its spelling; what is coded is known by its codes alone."""
    if isinstance(node, list):
        return sorted((_plain(item) for item in node), key=repr)
    if not isinstance(node, Mapping):
        return node
    left = {name: _plain(value) for name, value in node.items() if name not in _SPELLING}
    if left.get("coding"):
        left.pop("text", None)
        left.pop("_text", None)
    return sorted(left.items(), key=repr)


def _sites(request: Resource) -> Any:
    return _plain([one for one in request.get("extension", []) if str(one.get("url", "")).rpartition("/")[2] in _SITE])

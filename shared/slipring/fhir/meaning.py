"""What an element says, without its spelling: two that mean the same compare equal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SPELLING = frozenset({"display", "_display", "userSelected", "id"})
# Laterality stands in bodySite, or in the extension for the target structure.
_SITE = ("laterality", "procedure-targetBodyStructure")


def meaning(node: Any) -> Any:
    """A node without display names and the order of its list; what is coded is known by its codes alone."""
    if isinstance(node, list):
        return sorted((meaning(item) for item in node), key=repr)
    if not isinstance(node, Mapping):
        return node
    left = {name: meaning(value) for name, value in node.items() if name not in _SPELLING}
    if left.get("coding"):
        left.pop("text", None)
        left.pop("_text", None)
    return sorted(left.items(), key=repr)


def side_meant(request: Mapping[str, Any]) -> Any:
    """Which side or structure the extensions of a request say it is about."""
    return meaning([one for one in request.get("extension", []) if str(one.get("url", "")).rpartition("/")[2] in _SITE])

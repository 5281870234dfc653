"""Whether a record bears an element that a check asks for (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

_STEP = re.compile(r"(?P<member>[A-Za-z]+)(?:\[(?P<code>[a-z0-9-]+)\])?")


def bears(resource: Mapping[str, Any], need: str) -> bool:
    """Whether one of the alternatives of a need is said: `owner`, `code.text|code.coding`, `input[cause]`.

    >>> bears({"input": [{"type": {"coding": [{"code": "cause"}]}, "valueString": "x"}]}, "input[cause]")
    True
    >>> bears({"owner": {}}, "owner|requester")
    False
    """
    return any(_said(resource, path) for path in need.split("|"))


def _said(resource: Mapping[str, Any], path: str) -> bool:
    found: list[Any] = [resource]
    for member, code in _steps(path):
        below = [node.get(member) for node in found if isinstance(node, Mapping)]
        found = [one for value in below for one in (value if isinstance(value, list) else [value])]
        if code:
            found = [one for one in found if _typed(one, code)]
    return any(one not in (None, "", {}, []) for one in found)


@cache
def _steps(path: str) -> tuple[tuple[str, str], ...]:
    """The members on a path, each with the code that its entries are typed with, '' where it does not matter."""
    steps = [_STEP.fullmatch(step) for step in path.split(".")]
    if None in steps:
        raise ValueError(f"{path} is no path of elements")
    return tuple((step["member"], step["code"] or "") for step in steps if step)


def _typed(entry: Any, code: str) -> bool:
    if not isinstance(entry, Mapping):
        return False
    kinds = [entry.get("code"), *(c.get("code") for c in entry.get("type", {}).get("coding", []))]
    return code in kinds

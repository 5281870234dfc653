"""What an operation answered: the parts of its parameters by their names. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slipring.department.road import Tree


def values_of(parts: Sequence[Tree]) -> dict[str, Any]:
    """The parts of a parameter by name, the last of each; a part with parts is left out.

    >>> values_of([{"name": "code", "valueCode": "a"}, {"name": "note"}, {"name": "row", "part": []}])
    {'code': 'a', 'note': None}
    """
    return {
        str(one["name"]): next((one[name] for name in one if name.startswith("value")), None)
        for one in parts
        if "part" not in one
    }


def groups_of(parts: Sequence[Tree], name: str) -> list[Sequence[Tree]]:
    """The parts of every parameter of this name."""
    return [one["part"] for one in parts if one["name"] == name]

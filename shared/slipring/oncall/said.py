"""What an operation answered, by the names of its parameters; and what those whom it names are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slipring.department import names
from slipring.department.road import Hand


def value_of(parameter: Mapping[str, Any]) -> Any:
    """The value of a parameter, whatever its type; '' when it has none."""
    return next(_members(parameter), "")


def values_of(parts: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The parts of a parameter by name; nested ones the same way."""
    found: dict[str, list[Any]] = {}
    for part in parts:
        value = values_of(part["part"]) if "part" in part else value_of(part)
        found.setdefault(str(part["name"]), []).append(value)
    return found


def _members(parameter: Mapping[str, Any]) -> Iterator[Any]:
    return (value for name, value in parameter.items() if name != "name")


async def names_of(hand: Hand, references: set[str]) -> dict[str, str]:
    """Reference -> name; whoever has none is called by the reference."""
    called = {one: one.rpartition("/")[2] for one in references if one}
    for kept_type in ("Practitioner", "Location"):
        ids = sorted(one.rpartition("/")[2] for one in called if one.startswith(f"{kept_type}/"))
        for found in await hand.about(kept_type, "_id", ids) or [] if ids else []:
            name = names.person(found) if kept_type == "Practitioner" else str(found.get("name", ""))
            called[f"{kept_type}/{found['id']}"] = name or str(found["id"])
    return called

"""Which of R4's invariants are enforced, and by what: for the docs, and for the test that none is forgotten."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from slipring.fhir.checks.invariants.invariant import declared
from slipring.fhir.checks.schema import members

_HERE = Path(__file__).parent
_NOT_DOMAIN = frozenset({"Binary", "Bundle", "Parameters"})


@dataclass(frozen=True, slots=True)
class Covered:
    """One official invariant and what becomes of it; `how` is empty when nothing does."""

    key: str
    path: str
    human: str
    how: str


def reachable(types: Iterable[str]) -> frozenset[str]:
    """These types, the types of their elements and so on; `Type.element` for each use of one."""
    found: set[str] = {"Element", "SimpleQuantity"}
    waiting = list(types)
    while waiting:
        present = waiting.pop()
        if present in found:
            continue
        found.add(present)
        for name, kind in members(present).items():
            found.add(f"{present}.{name}")
            waiting.append(kind)
    return frozenset(found)


def coverage(types: Iterable[str]) -> list[Covered]:
    """Every invariant that R4 states on these resource types or on anything inside them."""
    kept = list(types)
    inside = reachable(kept) | ({"DomainResource"} if set(kept) - _NOT_DOMAIN else frozenset())
    official = json.loads((_HERE / "official.json").read_text(encoding="utf-8"))["invariants"]
    elsewhere = tomllib.loads((_HERE / "elsewhere.toml").read_text(encoding="utf-8"))["enforced_by"]
    found = []
    for one in official:
        if one["of"] in inside or (one["of"].partition(".")[0] in inside and "." in one["of"]):
            found.append(Covered(one["key"], one["path"], one["human"], _how(one, elsewhere)))
    return found


def _how(one: dict[str, str], elsewhere: dict[str, str]) -> str:
    if one["key"] == "sqty-1":
        rule = next(rule for (_, key), rule in declared().items() if key == "sqty-1")
    elif (one["of"], one["key"]) in declared():
        rule = declared()[one["of"], one["key"]]
    else:
        return elsewhere.get(f"{one['of']} {one['key']}", "")
    if rule.severity == "error":
        return "refused"
    return "warning of `$validate`" + (" (R4: error)" if one["severity"] == "error" else "")

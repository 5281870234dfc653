"""A rule's examples in TOML: they document it, and one test runs them all.

A file names the rule and lists `[[case]]` entries: `name`, `facts`, and `finds` (the English message, or a part
of it) when the rule is to fire. `weight` and `confirmed` are looked at when given.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipring.rules.finding import Finding


@dataclass(frozen=True, slots=True)
class Case:
    """One example: facts, and what is to be found in them."""

    rule: str
    name: str
    facts: Mapping[str, Any]
    finds: str | None = None
    weight: str | None = None
    confirmed: bool = True
    also: Mapping[str, Any] = field(default_factory=dict)


def load_cases(path: Path) -> list[Case]:
    """The examples of one file."""
    with path.open("rb") as file:
        tree = tomllib.load(file)
    known = {"name", "facts", "finds", "weight", "confirmed"}
    return [
        Case(
            rule=tree["rule"],
            name=entry["name"],
            facts=entry.get("facts", {}),
            finds=entry.get("finds"),
            weight=entry.get("weight"),
            confirmed=entry.get("confirmed", True),
            also={name: value for name, value in entry.items() if name not in known},
        )
        for entry in tree["case"]
    ]


def verdict(case: Case, finding: Finding | None) -> str:
    """Empty when the finding is what the case expects, else one sentence that says how it differs."""
    if case.finds is None:
        return "" if finding is None else f"{case.name}: found {finding.en!r} where nothing was to be found"
    if finding is None:
        return f"{case.name}: nothing found, expected {case.finds!r}"
    if case.finds not in finding.en:
        return f"{case.name}: found {finding.en!r}, expected {case.finds!r}"
    if case.weight is not None and finding.weight != case.weight:
        return f"{case.name}: weight {finding.weight}, expected {case.weight}"
    return ""

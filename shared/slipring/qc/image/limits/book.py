"""The limits in force for what images give, by edition and kind of test: rows of the one table of the scanners' tests."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from slipring.qc.equipment.limits import scanner_limits
from slipring.rules.finding import Limit
from slipring.rules.limits import LimitBook, UnknownLimit

KINDS = ("acceptance", "status", "constancy")
_FILE = Path(__file__).parent / "equipment.toml"


@dataclass(frozen=True, slots=True)
class Edition:
    """The limits of one edition."""

    name: str
    book: LimitBook
    sharp_kernels: tuple[str, ...]
    items: Mapping[str, Mapping[str, Any]]
    origin: Mapping[str, Any]  # its table; another's, where it says nothing itself, with source and confidence

    @property
    def units(self) -> Mapping[str, str]:
        """The unit of each item that the edition knows."""
        return {item: str(entry["unit"]) for item, entry in self.items.items()}

    def limit(self, item: str, kind: str, on: date) -> Limit | None:
        """What the edition asks for an item in this kind of test; None where it asks nothing."""
        entry = self.items[item]
        row = entry["row"] if isinstance(entry["row"], str) else entry["row"].get(kind)
        found, said = self._found(f"{self.origin['table']}.{row}.{kind}", on), dict[str, Any]()
        if found is None and "else" in self.origin:
            found, said = self._found(f"{self.origin['else']}.{row}.{kind}", on), dict(self.origin)
        if found is None:
            return None
        return Limit(
            id=f"{self.name}.{item}.{kind}",
            value=_rule(found.value) | {"digits": entry["digits"]},
            source=said.get("source", found.source),
            confidence=said.get("confidence", found.confidence),
            since=said.get("from", found.since),
            unit=str(entry["unit"]),
            confirmed=found.confirmed and said.get("confidence", "S") in ("S", "S2"),
        )

    def is_sharp(self, kernel: str) -> bool:
        """Is this a kernel of the high-resolution algorithm?"""
        return any(kernel.upper().startswith(word) for word in self.sharp_kernels)

    def _found(self, name: str, on: date) -> Limit | None:
        try:
            return self.book.limit(name, on=on)
        except UnknownLimit:
            return None


@cache
def editions() -> dict[str, Edition]:
    """All editions that are shipped, by name."""
    tree = tomllib.loads(_FILE.read_text("utf-8"))
    book = LimitBook({**scanner_limits().entries, **LimitBook.load(_FILE).entries})
    words = tuple(tree["sharp_kernels"]["words"])
    return {name: Edition(name, book, words, tree["items"], origin) for name, origin in tree["editions"].items()}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule of the table in the words of a verdict."""
    kind, of = rule["rule"], rule.get("of", "")
    if kind in ("below", "above"):
        return {kind: float(rule["than"])}
    if kind == "at-most":
        return {"at_most": float(rule["than"])}
    if kind == "within-larger":
        return {"baseline_percent": float(rule["percent"]), "baseline_within": float(rule["by"])}
    percent = "_percent" if kind == "within-percent" else ""
    if of == "baseline":
        return {f"baseline{percent or '_within'}": float(rule["by"])}
    return {f"within{percent}": float(rule["by"])}

"""The limits in force, by edition and kind of test."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

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
    units: Mapping[str, str]
    inherited: Mapping[str, Any] = field(default_factory=dict)  # source and confidence, where another edition's stand

    def limit(self, item: str, kind: str, on: date) -> Limit | None:
        """What the edition asks for an item in this kind of test; None where it asks nothing."""
        origin = self.inherited.get("same_as", self.name)
        try:
            found = self.book.limit(f"{origin}.{item}.{kind}", on=on)
        except UnknownLimit:
            return None
        said = self.inherited
        return Limit(
            id=f"{self.name}.{item}.{kind}",
            value=found.value,
            source=said.get("source", found.source),
            confidence=said.get("confidence", found.confidence),
            since=said.get("from", found.since),
            unit=self.units.get(item, ""),
            confirmed=found.confirmed and said.get("confidence", "S") in ("S", "S2"),
        )

    def is_sharp(self, kernel: str) -> bool:
        """Is this a kernel of the high-resolution algorithm?"""
        return any(kernel.upper().startswith(word) for word in self.sharp_kernels)


@cache
def editions() -> dict[str, Edition]:
    """All editions that are shipped, by name."""
    tree = tomllib.loads(_FILE.read_text("utf-8"))
    book = LimitBook.load(_FILE)
    words = tuple(tree.pop("sharp_kernels")["words"])
    found = {}
    for name, table in tree.items():
        told = tree[table["same_as"]] if "same_as" in table else table
        units = {item: entry["unit"] for item, entry in told.items()}
        found[name] = Edition(name, book, words, units, table if "same_as" in table else {})
    return found

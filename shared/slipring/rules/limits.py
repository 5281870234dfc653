"""Dated, sourced numbers and lists from TOML: no literal in code decides about a patient.

A file holds `[group.name]` tables, each with `unit` and a list `values` of `from`, `value`, `source` and
`confidence`. The entry in force is the latest whose `from` is not after the day asked for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from slipring.rules.finding import Limit

_READ_IN_THE_SOURCE = frozenset({"S", "S2"})
EVERYTHING = "*"


class UnknownLimit(LookupError):
    """No such limit, or none in force on the day."""


@dataclass(frozen=True, slots=True)
class LimitSet:
    """Values that the department has set for itself, in force now: two of its people stand for them."""

    values: Mapping[str, Any]
    version: str
    since: date
    source: str


@dataclass(frozen=True, slots=True)
class LimitBook:
    """All limits of a file, and which unconfirmed ones a named person of the department has confirmed."""

    entries: Mapping[str, Mapping[str, Any]]
    confirmed: frozenset[str] = frozenset()
    own: LimitSet | None = field(default=None)  # what the department has set counts before what was shipped

    @classmethod
    def load(cls, path: Path, confirmed: Collection[str] = ()) -> LimitBook:
        """Read a limits file; `confirmed` holds limit ids, or `*` for all."""
        with path.open("rb") as file:
            tree = tomllib.load(file)
        return cls(dict(_tables(tree, "")), frozenset(confirmed))

    def limit(self, limit_id: str, *, on: date) -> Limit:
        """The entry in force on a day."""
        entry = self.entries.get(limit_id)
        dated = [value for value in entry["values"] if value["from"] <= on] if entry else []
        if entry is None or not dated:
            raise UnknownLimit(f"no limit {limit_id} in force on {on.isoformat()}")
        newest = max(dated, key=lambda value: value["from"])
        if self.own is not None and limit_id in self.own.values:
            return Limit(
                id=limit_id,
                value=self.own.values[limit_id],
                source=self.own.source,
                confidence=newest["confidence"],
                since=self.own.since,
                unit=entry.get("unit", ""),
                confirmed=True,
                of=self.own.version,
            )
        confidence = newest["confidence"]
        sure = confidence in _READ_IN_THE_SOURCE or EVERYTHING in self.confirmed or limit_id in self.confirmed
        return Limit(
            id=limit_id,
            value=newest["value"],
            source=newest["source"],
            confidence=confidence,
            since=newest["from"],
            unit=entry.get("unit", ""),
            confirmed=sure,
        )

    def with_own(self, own: LimitSet | None) -> LimitBook:
        """The same book with what the department has set."""
        return replace(self, own=own)

    def unconfirmed(self, day: date) -> list[Limit]:
        """What is in force on a day without a source that was read and without anybody's confirmation."""
        begun = [name for name, entry in self.entries.items() if any(value["from"] <= day for value in entry["values"])]
        return [limit for limit in (self.limit(name, on=day) for name in begun) if not limit.confirmed]

    def on(self, day: date) -> Limits:
        """The limits as they stand on one day."""
        return Limits(self, day)


@dataclass(frozen=True, slots=True)
class Limits:
    """A limit book opened at one day: what rules are given."""

    book: LimitBook
    day: date

    def limit(self, limit_id: str) -> Limit:
        """The entry in force on this day."""
        return self.book.limit(limit_id, on=self.day)


def _tables(tree: Mapping[str, Any], prefix: str) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name, table in tree.items():
        if not isinstance(table, Mapping):
            continue
        path = f"{prefix}.{name}" if prefix else name
        found += [(path, table)] if "values" in table else _tables(table, path)
    return found

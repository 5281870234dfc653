"""A value against its limit: pass or fail, and why it could not be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from slipring.qc.image.limits.book import Edition
from slipring.qc.image.words import note_of, word
from slipring.rules.finding import Limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome` is pass or fail; within or warn where the limit is unconfirmed; no-baseline, no-nominal; not-required."""

    item: str
    value: float
    unit: str
    outcome: str
    limit: Limit | None = None
    baseline: float | None = None

    def as_tree(self, edition: str, kind: str, language: str = "en") -> dict[str, Any]:
        """As printed, with the limit that was applied; `text` says the outcome in one language, `note` why it is none."""
        tree: dict[str, Any] = {
            "item": self.item, "value": self.value, "unit": self.unit, "outcome": self.outcome,
            "text": word("outcome", self.outcome, language), "edition": edition, "kind": kind,
        }  # fmt: skip
        if self.limit is not None:
            rule = {name: value for name, value in self.limit.value.items() if name != "digits"}
            tree["limit"] = {
                "id": self.limit.id, **rule, "unit": self.limit.unit, "from": self.limit.since.isoformat(),
                "source": self.limit.source, "confidence": self.limit.confidence, "confirmed": self.limit.confirmed,
            }  # fmt: skip
        if self.baseline is not None:
            tree["baseline"] = self.baseline
        note = note_of(self.outcome, language)
        return tree | ({"note": note} if note else {})


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else decides which limit counts."""

    kind: str
    on: date
    thickness_mm: float | None = None
    kernel: str = ""
    baseline: Mapping[str, float] | None = None
    nominal: Mapping[str, float] | None = None  # what a maker states, by item; a slice's is its thickness


def verdicts(values: Mapping[str, float], edition: Edition, seen: Circumstances) -> list[Verdict]:
    """One verdict for each value that the standard knows."""
    found = []
    for item, value in values.items():
        entry = _entry(item, edition, seen)
        if entry not in edition.units:
            continue
        limit = edition.limit(entry, seen.kind, seen.on)
        unit = edition.units[entry]
        if limit is None:
            found.append(Verdict(item, round(value, 4), unit, "not-required"))
        else:
            found.append(_judged(item, value, limit, seen))
    return found


def _entry(item: str, edition: Edition, seen: Circumstances) -> str:
    if item == "slice_thickness" and seen.thickness_mm:
        size = "thick" if seen.thickness_mm > 2 else "middle" if seen.thickness_mm >= 1 else "thin"
        return f"slice_thickness_{size}"
    return "high_contrast_sharp" if item == "high_contrast" and edition.is_sharp(seen.kernel) else item


def _judged(item: str, value: float, limit: Limit, seen: Circumstances) -> Verdict:
    """Rounded first, then compared: `within` takes the boundary in, `below` and `above` do not."""
    rule = limit.value
    value = round(value, rule["digits"])
    stated = (seen.nominal or {}).get(item, 0.0)
    nominal = (seen.thickness_mm or 0.0) if item == "slice_thickness" else stated
    baseline = (seen.baseline or {}).get(item)
    against_baseline = "baseline_within" in rule or "baseline_percent" in rule
    if against_baseline and baseline is None:
        return Verdict(item, value, limit.unit, "no-baseline", limit)
    if "within_percent" in rule and not nominal:
        return Verdict(item, value, limit.unit, "no-nominal", limit)
    if against_baseline and baseline is not None:
        allowed = max(rule.get("baseline_within", 0.0), abs(baseline) * rule.get("baseline_percent", 0.0) / 100)
        good = abs(value - baseline) <= allowed + 1e-9
    elif "below" in rule:
        good = value < rule["below"]
    elif "at_most" in rule:
        good = value <= rule["at_most"]
    elif "above" in rule:
        good = value > rule["above"]
    else:
        allowed = rule["within"] if "within" in rule else nominal * rule["within_percent"] / 100
        good = round(abs(value - nominal), rule["digits"]) <= allowed
    outcome = ("pass" if good else "fail") if limit.confirmed else ("within" if good else "warn")
    return Verdict(item, value, limit.unit, outcome, limit, baseline if against_baseline else None)

"""Which of an exam's injections is meant: when it was given, of what, and how much. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from slipring.department import names
from slipring.department.names import Pair
from slipring.department.road import Tree

_GIVEN = ("in-progress", "on-hold", "completed", "stopped")


@dataclass(frozen=True, slots=True)
class Injected:
    """One injection, as a person tells it from another."""

    reference: str
    at: datetime | None
    agent: Pair
    dose: str


def injected(injections: Iterable[Tree]) -> list[Injected]:
    """The injections that were given or are being given, the newest first."""
    given = [_said(one) for one in injections if one.get("status") in _GIVEN]
    return sorted(given, key=lambda one: (one.at is not None, one.at and one.at.timestamp()), reverse=True)


def in_words(texts: Iterable[object]) -> Pair | None:
    """What consent wrote down of an injection in both languages; None where it wrote nothing."""
    text = next((str(one) for one in texts if one), "")
    zh, _, en = text.partition(" / ")
    return (zh, en or zh) if text else None


def _said(administration: Tree) -> Injected:
    period = administration.get("effectivePeriod", {})
    dose = administration.get("dosage", {}).get("dose", {})
    return Injected(
        f"MedicationAdministration/{administration['id']}",
        names.moment(administration.get("effectiveDateTime") or period.get("start")),
        names.concept_words(administration.get("medicationCodeableConcept")),
        f"{dose['value']} {dose.get('unit') or dose.get('code', '')}".strip() if "value" in dose else "",
    )

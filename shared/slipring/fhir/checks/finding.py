"""How a finding of the shape checks is written: place first, no value of the resource in it."""

from __future__ import annotations

from slipring.fhir.checks.invariants import Invariant
from slipring.fhir.outcome import Issue


def finding(place: str, code: str, detail: str, en: str, zh: str) -> Issue:
    """An issue at a place: `code` is FHIR's issue type, `detail` our own word for the kind of fault."""
    return Issue(code, zh=f"{place}：{zh}。", en=f"{place}: {en}.", at=place, detail=f"shape.{detail}")


def broken(rule: Invariant, place: str) -> Issue:
    """The finding for an invariant that does not hold, under FHIR's own key."""
    return Issue(
        "invariant",
        zh=f"{place}：{rule.zh}（{rule.key}）。",
        en=f"{place}: {rule.en} ({rule.key}).",
        at=place,
        severity=rule.severity,
        detail=f"invariant.{rule.key}",
    )


def missing(place: str) -> Issue:
    """The finding for an element that must be there."""
    return finding(place, "required", "required", "this element is required", "缺少该必填元素")

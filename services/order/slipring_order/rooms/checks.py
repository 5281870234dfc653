"""The performed-step check list (5.5.1.1): each item is a Provenance, and an input of the exam's Task points at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource, Stored

from slipring_order.mapping_record import INPUT_SYSTEM
from slipring_order.reading import codes, has_code, instant
from slipring_order.rooms.identity import BIRTH_DATE, NAME

STEP_ITEM_SYSTEM = f"{CANONICAL}/CodeSystem/exam-step"
KIND_SYSTEM = f"{CANONICAL}/CodeSystem/identifier-kind"
_KINDS = {NAME: NAME, BIRTH_DATE: BIRTH_DATE}  # any other kind is a number of some system, named by the text
_AGENT = f"{CANONICAL}/CodeSystem/agent-type"

ARRIVAL = "arrival"
IDENTITY, ITEM, PARAMETERS, DONE = "identity-confirmed", "item-confirmed", "parameters-set", "exam-done"
PREGNANCY, PLAIN = "pregnancy-asked", "plain-instead"
ATTENDANT, CRITICAL = "attending-clinician", "critical-patient"
CHECK_LIST = (IDENTITY, ITEM, PARAMETERS, DONE)
ITEMS = (*CHECK_LIST, PREGNANCY, PLAIN)


def done_items(exam: Resource) -> frozenset[str]:
    """The items of the check list that are on record for an exam."""
    return frozenset(code for entry in exam.get("input", []) for code in codes(entry.get("type")) if code in ITEMS)


def record(
    exam: Stored, item: str, who: str, *, id: str, now: datetime, kinds: Sequence[str] = (), note: str = ""
) -> Resource:
    """Who confirmed an item of an exam, when, and by which kinds of identifier; no value of theirs is copied."""
    why = [{"coding": [{"system": KIND_SYSTEM, "code": _KINDS.get(kind, "number")}], "text": kind} for kind in kinds]
    provenance: Resource = {
        "resourceType": "Provenance",
        "id": id,
        "target": [{"reference": f"{exam.reference}/_history/{exam.version + 1}"}, exam.resource["focus"]],
        "recorded": instant(now),
        "reason": [*why, *([{"text": note}] if note else [])],
        "activity": {"coding": [{"system": STEP_ITEM_SYSTEM, "code": item}]},
        "agent": [{"type": {"coding": [{"system": _AGENT, "code": "confirmer"}]}, "who": {"reference": who}}],
    }
    return {name: value for name, value in provenance.items() if value}


def is_record_of(provenance: Resource, item: str) -> bool:
    """Whether a Provenance records this item."""
    return has_code(provenance.get("activity"), STEP_ITEM_SYSTEM, item)


def with_input(exam: Resource, code: str, value: Mapping[str, Any]) -> list[Resource]:
    """The exam's inputs with this one in the place of an earlier one of its code."""
    kind = {"coding": [{"system": INPUT_SYSTEM, "code": code}]}
    others = [entry for entry in exam.get("input", []) if entry.get("type") != kind]
    return [*others, {"type": kind, **value}]


def before_the_visit(exam: Resource) -> list[Resource] | None:
    """The exam's inputs without what was confirmed at a visit that came to nothing."""
    ended = {ARRIVAL, ATTENDANT, CRITICAL, *ITEMS}
    return [entry for entry in exam.get("input", []) if not ended & set(codes(entry.get("type")))] or None


def for_another_exam(exam: Resource) -> Resource:
    """The exam without what was confirmed of the examination that it no longer is; who came, and who he is, stands."""
    inputs = [e for e in exam.get("input", []) if not {ITEM, PARAMETERS, PLAIN}.intersection(codes(e.get("type")))]
    return {**exam, "input": inputs}


def input_of(exam: Resource, code: str) -> Resource | None:
    """The exam's input of a code."""
    return next((e for e in exam.get("input", []) if has_code(e.get("type"), INPUT_SYSTEM, code)), None)

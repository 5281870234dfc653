"""Vital signs as a form takes them, as one Observation of the injection. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import msgspec

from slipring.department.names import reference_in
from slipring.department.place import Words
from slipring.department.road import Tree
from slipring.pages.language import said

_LOINC, _UCUM = "http://loinc.org", "http://unitsofmeasure.org"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
# Field -> LOINC code, unit, and what no living patient exceeds: a slip of the finger, no judgement.
FIELDS = {
    "systolic": ("8480-6", "mm[Hg]", 20, 350),
    "diastolic": ("8462-4", "mm[Hg]", 5, 250),
    "pulse": ("8867-4", "/min", 10, 350),
    "oxygen": ("59408-5", "%", 10, 100),
}
_NOTHING = ("请至少填写一项。", "Fill in at least one.")
_ODD = ("请核对数值。", "Check this value.")


def vital_signs(
    form: Mapping[str, str], task: Tree, who: str, now: datetime, language: str
) -> tuple[Tree | None, Words]:
    """The record and nothing, or nothing and what is wrong beside each field."""
    beside: Words = {}
    components = []
    for name, (code, unit, least, most) in FIELDS.items():
        text = unicodedata.normalize("NFKC", form.get(name, "")).strip()
        if not text:
            continue
        number = _number(text)
        if number is None or not least <= number <= most:
            beside[name] = said(_ODD, language)
            continue
        quantity = {"value": msgspec.Raw(f"{number:f}".encode()), "unit": unit, "system": _UCUM, "code": unit}
        components.append({"code": {"coding": [{"system": _LOINC, "code": code}]}, "valueQuantity": quantity})
    if not components and not beside:
        beside["systolic"] = said(_NOTHING, language)
    if beside:
        return None, beside
    observation: Tree = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORY, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": _LOINC, "code": "85353-1", "display": "Vital signs"}]},
        "subject": {"reference": reference_in(task.get("for"))},
        "partOf": [{"reference": reference_in(task.get("focus"))}],
        "effectiveDateTime": now.astimezone(UTC).isoformat(timespec="seconds"),
        "component": components,
    }
    return observation | ({"performer": [{"reference": who}]} if who else {}), beside


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None

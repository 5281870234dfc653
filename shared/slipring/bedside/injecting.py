"""What stands in the form at the injector, as a MedicationAdministration. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from slipring.bedside.standing import ContrastExam
from slipring.department import names
from slipring.department.names import Pair
from slipring.department.road import Tree
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import CANONICAL

UCUM = "http://unitsofmeasure.org"
INJECTION = f"{CANONICAL}/StructureDefinition/contrast-injection"
OVERRIDE = f"{CANONICAL}/StructureDefinition/override"
_FUNCTION = f"{CANONICAL}/CodeSystem/administration-function"
_REASON = f"{CANONICAL}/CodeSystem/override-reason"
# Where a refusal points -> the field beside which it is shown.
FIELDS: Sequence[tuple[str, str]] = (
    ("dosage.dose", "dose"), ("dosage.rate", "rate"), ("gauge", "gauge"), ("peakPressure", "peak"), ("ressureLimit", "limit"),
    ("salineFlush", "saline"), ("agentTemperature", "warm"), ("flow", "flow"), ("limit", "limit"), ("peak", "peak"), ("saline", "saline"),
    ("warm", "warm"), ("dosage.site", "site"), ("dosage.route", "route"), ("device", "injector"), ("contained", "lot"),
    ("medication", "agent"), ("statusReason", "reason"), ("effective", "ended"), ("performer", "performer"),
    ("observer", "observer"), ("given", "given"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class People:
    """Who gives, and who observes, as references."""

    performer: str
    observer: str


def field_at(expression: str) -> str:
    """The field that an expression of a refusal points at; '' for the whole form."""
    return next((name for part, name in FIELDS if expression == name or part in expression), "")


def asked_for(
    one: ContrastExam, form: Mapping[str, str], agents: Mapping[str, Tree], lots: Sequence[Tree], people: People,
    now: datetime,
) -> Tree:  # fmt: skip
    """The administration that permission is asked for; `lots`: the Medications with the scanned number."""
    override = form.get("override", "")
    dosage = {
        **quantity_said(form, "dose", "dose", "mL"),
        **quantity_said(form, "rate", "rateQuantity", "mL/s"),
    }
    gauge = number_in(form, "gauge")
    extensions = [
        *(
            [{"url": INJECTION, "extension": [{"url": "gauge", "valueInteger": int(gauge)}]}]
            if gauge is not None
            else []
        ),
        *([_override(form, people)] if override else []),
    ]
    return {
        "resourceType": "MedicationAdministration",
        **({"extension": extensions} if extensions else {}),
        **_agent(form, agents, lots),
        "status": "in-progress",
        "subject": {"reference": names.reference_in(one.exam.task.get("for"))},
        "supportingInformation": [{"reference": f"ServiceRequest/{one.exam.id}"}],
        "effectiveDateTime": now.isoformat(timespec="seconds"),
        "performer": [
            {"actor": {"reference": people.performer}},
            {
                "function": {"coding": [{"system": _FUNCTION, "code": "observer"}]},
                "actor": {"reference": people.observer},
            },
        ],
        **({"dosage": dosage} if dosage else {}),
    }


def left(one: ContrastExam, form: Mapping[str, str], by: str, agents: Mapping[str, Tree], now: datetime) -> Tree:
    """Contrast that is not given: a record with its reason."""
    asked = asked_for(one, {"agent": form.get("agent", "")}, agents, (), People(by, by), now)
    reason = form.get("reason", "").strip()
    return {**asked, "status": "not-done", **({"statusReason": [{"text": reason}]} if reason else {})}


def _agent(form: Mapping[str, str], agents: Mapping[str, Tree], lots: Sequence[Tree]) -> Tree:
    coding, number = agents.get(form.get("agent", "")), form.get("lot", "").strip()
    if len(lots) == 1:
        return {"medicationReference": {"reference": f"Medication/{lots[0]['id']}"}}
    concept: dict[str, Any] = {"coding": [dict(coding)]} if coding else {"text": "碘对比剂"}
    if number:
        lot = {"resourceType": "Medication", "id": "lot", "code": concept, "batch": {"lotNumber": number}}
        return {"contained": [lot], "medicationReference": {"reference": "#lot"}}
    return {"medicationCodeableConcept": concept}


def _override(form: Mapping[str, str], people: People) -> Tree:
    coding = {"system": _REASON, "code": form["override"], "display": form.get("override_en", "")}
    words = {"text": form["override_zh"]} if form.get("override_zh") else {}
    parts: list[Tree] = [
        {"url": "by", "valueReference": {"reference": form.get("override_by") or people.performer}},
        {"url": "reason", "valueCodeableConcept": {"coding": [{k: v for k, v in coding.items() if v}], **words}},
    ]
    return {"url": OVERRIDE, "extension": parts}


def quantity_said(form: Mapping[str, str], field: str, member: str, unit: str, *, shown: str = "") -> dict[str, Tree]:
    """A quantity that was typed, as this member; empty when nothing was. `shown`: the unit as people write it."""
    number = number_in(form, field)
    if number is None:
        return {}
    value = msgspec.Raw(f"{number:f}".encode())
    return {member: {"value": value, "unit": shown or unit, "system": UCUM, "code": unit}}


def number_in(form: Mapping[str, str], field: str) -> Decimal | None:
    """A number that was typed; None when nothing was."""
    text = unicodedata.normalize("NFKC", form.get(field, "")).strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if (
        not number.is_finite()
        or not 0 <= number < 10_000
        or (field == "gauge" and number != number.to_integral_value())
    ):
        raise unprocessable("Type a number.", "请输入数字。", at=field, detail="bedside.no-number")
    return number


@dataclass(frozen=True, slots=True)
class Objection:
    """Who may pass a finding of the gate, and with which coded reasons; none: it stands."""

    by: Pair = ("", "")
    act: str = ""  # what whoever passes it must be allowed
    reasons: Sequence[str] = ()


def objection_of(issue: Tree) -> Objection:
    """What `may-override` says on a DetectedIssue that `$check` answered."""
    for extension in issue.get("extension", []):
        if str(extension.get("url", "")).endswith("/may-override"):
            parts = extension.get("extension", [])
            by: Tree = next((one["valueCodeableConcept"] for one in parts if one["url"] == "by"), {})
            english = next((str(one.get("display", "")) for one in by.get("coding", [])), "")
            chinese = str(by.get("text", "")) or english
            act = next((str(one.get("code", "")) for one in by.get("coding", [])), "")
            codes = [str(one["valueCoding"]["code"]) for one in parts if one["url"] == "reason"]
            return Objection((chinese, english or chinese), act, codes)
    return Objection()

"""What a receiver is told once he has identified himself: whom a case is about, what was found, what is to be read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.clauses.critical_findings import CriticalFinding
from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Call, Changes, Desk, Resource, Stored

from slipring_critical.answering.answers import RECEIVE, case_of
from slipring_critical.cases.facts import case_facts, imaging_number
from slipring_critical.cases.resources import instant
from slipring_critical.directory.people import lacking, name_said
from slipring_critical.directory.policy import findings_in_force
from slipring_critical.lifecycle import OPEN
from slipring_critical.ringing.one_call import others_of_the_exam
from slipring_critical.rules.choices import choices


async def told(call: Call, desk: Desk) -> Changes:
    """The case and every other open finding of the same exam: they rang as one call, and each is read back by itself."""
    case = case_of(call)
    who = desk.caller.practitioner
    reasons = await lacking(desk, RECEIVE, who) if who else []
    if reasons:
        issues = [Issue("forbidden", zh=r.zh, en=r.en, at="Task.owner", detail=f"critical.{r.code}") for r in reasons]
        raise FhirError(403, issues)
    facts = case_facts(case.resource)
    order = await desk.read(facts.request) if facts.request else None
    patient = await desk.read(facts.patient) if facts.patient.startswith("Patient/") else None
    author = await desk.read(str(case.resource.get("requester", {}).get("reference", "")))
    about = [
        *_said("patient", name_said(patient)),
        *_said("birthDate", str(patient.resource.get("birthDate", "")) if patient else ""),
        *_said("gender", str(patient.resource.get("gender", "")) if patient else ""),
        *_said("exam", _words(order.resource.get("code")) if order else ""),
        *_said("imagingNumber", imaging_number(order.resource) if order else ""),
        *_said("author", name_said(author)),
    ]
    known = await findings_in_force(desk)
    others = [one for one, other in await others_of_the_exam(facts, desk) if other.state in OPEN]
    findings = [_finding(one, known) for one in (case, *others)]
    return Changes(answer={"resourceType": "Parameters", "parameter": [*about, *findings]})


def _finding(case: Stored, catalogue: Mapping[str, CriticalFinding]) -> Resource:
    facts = case_facts(case.resource)
    entry = catalogue.get(facts.finding)
    words = _words(case.resource.get("reasonCode"))
    parts: list[dict[str, Any]] = [
        {"name": "case", "valueReference": {"reference": case.reference}},
        {"name": "state", "valueCode": facts.state},
        {"name": "level", "valueCode": facts.policy.level},
        {"name": "finding", "valueString": facts.finding},
        {"name": "zh", "valueString": entry.zh if entry else words or facts.finding},
        {"name": "en", "valueString": entry.en if entry else words or facts.finding},
        {"name": "since", "valueInstant": instant(facts.events[0].at)},
        {"name": "drill", "valueBoolean": facts.drill},
        {"name": "mismatches", "valueInteger": facts.mismatches},
        *_said("owner", facts.owner),
        *_said("offeredTo", facts.offered_to),
        *({"name": "note", "valueString": note["text"]} for note in case.resource.get("note", [])),
    ]
    for code in choices(facts.finding, list(catalogue), case.reference):
        known = catalogue.get(code)
        zh, en = (known.zh, known.en) if known else (words or code, words or code)
        choice = [("code", code), ("zh", zh), ("en", en)]
        parts.append({"name": "choice", "part": [{"name": name, "valueString": value} for name, value in choice]})
    return {"name": "finding", "part": parts}


def _said(name: str, value: str) -> list[dict[str, Any]]:
    return [{"name": name, "valueString": value}] if value else []


def _words(concept: Any) -> str:
    if not isinstance(concept, dict):
        return ""
    return str(concept.get("text") or next((c.get("display", "") for c in concept.get("coding", [])), ""))

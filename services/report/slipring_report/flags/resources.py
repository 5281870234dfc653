"""A critical finding as FHIR says it: its Observation, the hand-over and the documented communication."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from slipring.clauses.critical_findings import CriticalFinding
from slipring.fhir.service import CANONICAL, Resource
from slipring.quality.flagging import as_concept

from slipring_report.reading import reference_of
from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import CASE_STATE, FINDING_LEVEL, FLAG_MARK, HANDOVER_STATE, TASK_CODE

_LEVEL_CODES = {"1": "RID49480", "2": "RID49481", "3": "RID49482"}  # RadLex, ACR category 1 to 3 (DICOM CID 7035)

CASE_EVENT = f"{CANONICAL}/StructureDefinition/case-event"


def as_flag(
    report: Resource,
    entry: CriticalFinding,
    *,
    id: str,
    level: str,
    recognised_at: str,
    author: str,
    note: str,
    now: datetime,
    marks: Sequence[str] = (),
) -> Resource:
    """The critical finding as an Observation; critical opens a case from it."""
    flag: Resource = {
        "resourceType": "Observation",
        "id": id,
        "status": "preliminary",
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "imaging")],
        "code": as_concept(entry),
        "focus": [reference(f"DiagnosticReport/{report['id']}")],
        "effectiveDateTime": recognised_at,
        "issued": written(now),
        "interpretation": [
            coded("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "AA", "Critical abnormal")
        ],
        "component": [{"code": {"text": "finding level"}, "valueCodeableConcept": _level(level)}],
    }
    flag["component"] += [{"code": coded(FLAG_MARK, mark), "valueBoolean": True} for mark in marks]
    flag |= {name: report[name] for name in ("subject", "basedOn", "encounter") if name in report}
    if author:
        flag["performer"] = [reference(author)]
    if note:
        flag["note"] = [{"text": note}]
    return flag


def _level(level: str) -> Resource:
    own = {"system": FINDING_LEVEL, "code": level}
    return {"coding": [own, {"system": "http://radlex.org", "code": _LEVEL_CODES[level]}]}


def as_handover(
    report: Resource, flag: Resource, *, id: str, within: timedelta, author: str, now: datetime
) -> Resource:
    """The hand-over: open until critical's case comes back."""
    handover: Resource = {
        "resourceType": "Task",
        "id": id,
        "basedOn": [reference(f"DiagnosticReport/{report['id']}")],
        "status": "requested",
        "businessStatus": coded(HANDOVER_STATE, "not-taken-over"),
        "intent": "order",
        "priority": "stat",
        "code": coded(TASK_CODE, "hand-over"),
        "focus": reference(f"Observation/{flag['id']}"),
        "authoredOn": written(now),
        "lastModified": written(now),
        "restriction": {"period": {"end": written(now + within)}},
    }
    if "subject" in report:
        handover["for"] = report["subject"]
    if "encounter" in report:
        handover["encounter"] = report["encounter"]
    if author:
        handover["requester"] = reference(author)
    return handover


def as_communication(case: Resource, report: str, *, id: str, state: str, now: datetime) -> Resource:
    """The documented communication of a critical finding, kept beside the report (outside the signed form)."""
    told: Resource = {
        "resourceType": "Communication",
        "id": id,
        "basedOn": [reference(f"Task/{case['id']}")],
        "status": "completed",
        "topic": coded("http://loinc.org", "73568-8"),
        "about": [reference(report), case["focus"]],
        "received": case.get("lastModified", written(now)),
        "payload": [{"contentString": _in_words(case, state)}],
        "reasonCode": [coded(CASE_STATE, state)],
    }
    if "for" in case:
        told["subject"] = case["for"]
    receiver = reference_of(case.get("owner"))
    if receiver:
        told["recipient"] = [reference(receiver)]
    return told


def _in_words(case: Resource, state: str) -> str:
    """How a case was told, as it is printed beside the report: how it stands, when and by what it was read back, what was done."""
    told: Resource = next(
        (parts for parts in reversed(_events(case)) if parts.get("what") == "read-back-confirmed"), {}
    )
    actions = [str(one.get("valueCodeableConcept", {}).get("text", "")) for one in case.get("output", [])]
    zh, en = [f"危急值已通报：{state}"], [f"Critical finding communicated: {state}"]
    if told:
        zh.append(f"{told['at']} 复述确认（{told.get('outcome', '')}）")
        en.append(f"read back {told['at']} ({told.get('outcome', '')})")
    if done := "; ".join(action for action in actions if action):
        zh.append(f"处置：{done}")
        en.append(f"done: {done}")
    return f"{'；'.join(zh)}。{'; '.join(en)}."


def _events(case: Resource) -> list[Resource]:
    """The events of a case, each part by its name."""
    return [
        {
            part["url"]: next(value for name, value in part.items() if name.startswith("value"))
            for part in one["extension"]
        }
        for one in case.get("extension", [])
        if one.get("url") == CASE_EVENT
    ]

"""Decisions out, FHIR in: the resources this service makes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from slipring.clauses.critical_findings import CriticalFinding
from slipring.fhir.copies import decided_on
from slipring.fhir.service import Resource, Stored
from slipring.signing.form import FORM, SignedForm
from slipring.signing.jws import Judged
from slipring.signing.policy import purpose
from slipring.staff.facts import QUALIFICATION_SYSTEM, ROLE_SYSTEM, TITLE_SYSTEM

from slipring_report import facts

_LEVEL_CODES = {"1": "RID49480", "2": "RID49481", "3": "RID49482"}  # RadLex, ACR category 1 to 3 (DICOM CID 7035)
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def written(at: datetime) -> str:
    """An instant as FHIR writes it, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reference(text: str) -> Resource:
    """A Reference."""
    return {"reference": text}


def versioned(stored: Stored) -> str:
    """The reference of one version."""
    return f"{stored.reference}/_history/{stored.version}"


def coded(system: str, code: str, display: str = "") -> Resource:
    """A CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def as_provenance(
    jws: str,
    judged: Judged,
    form: SignedForm,
    *,
    id: str,
    targets: Sequence[str],
    person: Stored,
    roles: Sequence[Stored],
    who: facts.Signer,
    reached: str,
    now: datetime,
    as_of: datetime | None,
) -> Resource:
    """One signature: the JWS, what it covers by version, the signer's qualification as it stood, and the copies' time."""
    declared = purpose(judged.role)
    return {
        "resourceType": "Provenance",
        "id": id,
        "extension": [
            {
                "url": facts.SIGNED_FORM,
                "extension": [
                    {"url": "form", "valueUri": FORM},
                    {"url": "sha256", "valueString": form.sha256},
                ],
            },
            {"url": facts.QUALIFICATION, "extension": _qualification(person, roles, who)},
            *([decided_on("order", as_of)] if as_of else []),
        ],
        "target": [reference(target) for target in targets],
        "occurredDateTime": written(judged.signed_at or now),
        "recorded": written(now),
        "activity": coded(facts.REPORT_STATUS, reached),
        "agent": [
            {
                "type": coded(_PARTICIPATION, "author" if judged.role == "author" else "verifier"),
                "role": [coded(facts.SIGNING_ROLE, judged.role)],
                "who": reference(judged.signer),
            }
        ],
        "signature": [
            {
                "type": [{"system": declared.system, "code": declared.code, "display": declared.en}],
                "when": written(judged.signed_at or now),
                "who": reference(judged.signer),
                "targetFormat": "application/json",
                "sigFormat": "application/jose",
                "data": base64.b64encode(jws.encode("ascii")).decode(),
            }
        ],
    }


def as_voided(provenance: Resource, now: datetime) -> list[Resource]:
    """The extensions of a Provenance whose signature no longer stands."""
    return [*provenance.get("extension", []), {"url": facts.VOIDED, "valueInstant": written(now)}]


def _qualification(person: Stored, roles: Sequence[Stored], who: facts.Signer) -> list[Resource]:
    parts: list[Resource] = [{"url": "practitioner", "valueReference": reference(versioned(person))}]
    if who.level:
        parts.append({"url": "level", "valueCode": who.level})
    parts += [{"url": "licence", "valueIdentifier": {"value": number}} for number in who.licences]
    systems = {TITLE_SYSTEM, QUALIFICATION_SYSTEM}
    for entry in person.resource.get("qualification", []):
        if any(coding.get("system") in systems for coding in entry.get("code", {}).get("coding", [])):
            held: list[Resource] = [{"url": "code", "valueCodeableConcept": entry["code"]}]
            if "period" in entry:
                held.append({"url": "period", "valuePeriod": entry["period"]})
            parts.append({"url": "qualification", "extension": held})
    for role in roles:
        parts.append({"url": "roleRecord", "valueReference": reference(versioned(role))})
        parts += [
            {"url": "role", "valueCodeableConcept": concept}
            for concept in role.resource.get("code", [])
            if any(coding.get("system") == ROLE_SYSTEM for coding in concept.get("coding", []))
        ]
    return parts


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
) -> Resource:
    """The critical finding as an Observation; critical opens a case from it."""
    codings = [{"system": facts.CRITICAL_FINDING, "code": entry.code, "display": entry.zh}]
    codings += [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code} for code in entry.icd10[:1]]
    flag: Resource = {
        "resourceType": "Observation",
        "id": id,
        "status": "preliminary",
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", "imaging")],
        "code": {"coding": codings, "text": f"{entry.zh} {entry.en}"},
        "focus": [reference(f"DiagnosticReport/{report['id']}")],
        "effectiveDateTime": recognised_at,
        "issued": written(now),
        "interpretation": [
            coded("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "AA", "Critical abnormal")
        ],
        "component": [{"code": {"text": "finding level"}, "valueCodeableConcept": _level(level)}],
    }
    flag |= {name: report[name] for name in ("subject", "basedOn", "encounter") if name in report}
    if author:
        flag["performer"] = [reference(author)]
    if note:
        flag["note"] = [{"text": note}]
    return flag


def _level(level: str) -> Resource:
    own = {"system": facts.FINDING_LEVEL, "code": level}
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
        "businessStatus": coded(facts.HANDOVER_STATE, "not-taken-over"),
        "intent": "order",
        "priority": "stat",
        "code": coded(facts.TASK_CODE, "hand-over"),
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
        "payload": [{"contentString": f"危急值已通报：{state}。Critical finding communicated: {state}."}],
        "reasonCode": [coded(facts.CASE_STATE, state)],
    }
    if "for" in case:
        told["subject"] = case["for"]
    receiver = facts.reference_of(case.get("owner"))
    if receiver:
        told["recipient"] = [reference(receiver)]
    return told


def parameters(*parts: tuple[str, str, Any]) -> Resource:
    """A Parameters resource of (name, value type, value), e.g. ("report", "Reference", {...}); a resource's type is "resource"."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": name, "resource" if kind == "resource" else f"value{kind}": value} for name, kind, value in parts
        ],
    }

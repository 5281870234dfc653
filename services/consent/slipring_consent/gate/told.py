"""The gate's findings in FHIR spelling: each with who may pass it, and for which coded reasons."""

from __future__ import annotations

from slipring.fhir.findings import TRANSLATION, as_detected_issue
from slipring.fhir.service import CANONICAL, Desk, Resource
from slipring.rules.finding import Finding
from slipring.staff.permission import acts

from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.gate.override import OVERRIDE_REASON
from slipring_consent.gate.permission import Permission
from slipring_consent.gate.policy import GatePolicy
from slipring_consent.reading import instant, reference_of

MAY_OVERRIDE = f"{CANONICAL}/StructureDefinition/may-override"
STAFF_ACT = f"{CANONICAL}/CodeSystem/staff-act"


def as_answer(permission: Permission, administration: Resource, desk: Desk) -> Resource:
    """The Parameters that `$check` answers with; the DetectedIssues are made for the answer and stored nowhere."""
    patient = reference_of(administration.get("subject"))
    about = exam_of_administration(administration) or patient
    answer: list[Resource] = [{"name": "permitted", "valueBoolean": permission.permitted}]
    if permission.as_of is not None:
        answer.append({"name": "asOf", "valueInstant": instant(permission.as_of)})
    for reason in permission.not_entitled:
        answer.append({"name": "overrideRefused", "valueCodeableConcept": _worded(reason.code, reason.zh, reason.en)})
    for position, finding in enumerate([*permission.against, *permission.passed, *permission.noted], 1):
        issue = as_detected_issue(finding, id=f"issue-{position}", subject=patient, about=about, now=desk.now)
        if finding in permission.passed and permission.override is not None:
            done = {"action": permission.override.concept, "author": {"reference": permission.override.by}}
            issue["mitigation"] = [done]
        issue["extension"] += as_may_override(finding, permission.policy)
        answer.append({"name": "issue", "resource": issue})
    return {"resourceType": "Parameters", "parameter": answer}


def as_may_override(finding: Finding, policy: GatePolicy) -> list[Resource]:
    """The extension that names the act whoever passes a finding must be allowed, and the reasons; none where it stands."""
    reasons = policy.reasons_for(finding)
    if not reasons:
        return []
    act = policy.act_for(finding.rule)
    named = acts()[act]
    by = {"coding": [{"system": STAFF_ACT, "code": act, "display": named["en"]}], "text": named["zh"]}
    parts: list[Resource] = [{"url": "by", "valueCodeableConcept": by}]
    parts += [{"url": "reason", "valueCoding": {"system": OVERRIDE_REASON, "code": reason}} for reason in reasons]
    return [{"url": MAY_OVERRIDE, "extension": parts}]


def _worded(code: str, zh: str, en: str) -> Resource:
    english = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": en}]
    system = f"{CANONICAL}/CodeSystem/issue"
    return {
        "coding": [{"system": system, "code": code, "display": en}],
        "text": zh,
        "_text": {"extension": [{"url": TRANSLATION, "extension": english}]},
    }

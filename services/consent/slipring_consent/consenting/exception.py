"""Contrast without consent in an emergency: who approved it, why, and who tried to reach whom.

One story with the gate: such a Consent is `active`, and `consent_state` calls it `emergency-exception`; a physician who
had to pass the gate first (override `emergency-no-capacity`) leaves a Task that this Consent completes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.consents.state import EXCEPTION, exam_of_consent, is_exception, was_refused
from slipring.fhir.merged import merge_set
from slipring.fhir.service import CANONICAL, Desk, Resource, Save, Stored, successor

from slipring_consent.consenting.exception_facts import Attempt, ExceptionFacts
from slipring_consent.consenting.facts import CAPACITY
from slipring_consent.department import settings_of
from slipring_consent.people import lacking
from slipring_consent.reading import codes_in, extension_value, extensions, instant, moment, reference_of
from slipring_consent.resources import TASK_CODE, concept

REASON = f"{CANONICAL}/CodeSystem/emergency-exception-reason"
APPROVE = "approve-emergency-treatment"  # the act of slipring.staff that approving needs
DUE = "emergency-approval"  # the Task that waits for it
_OPEN = "requested,received,accepted,ready,in-progress,on-hold"  # somebody may see to it meanwhile


def asks_exception(consent: Resource) -> bool:
    """Whether contrast is to be permitted without consent: that asks for a fresh sign-in, as passing the gate does."""
    return consent.get("status") == "active" and is_exception(consent)


def signs_exception(parameters: Resource) -> bool:
    """Whether the consent that `$sign` is handed is an exception."""
    return any(is_exception(one["resource"]) for one in parameters.get("parameter", []) if "resource" in one)


async def exception_facts(consent: Resource, desk: Desk) -> ExceptionFacts:
    """What an exception states, and whether its approver may approve now."""
    parts = {part.get("url"): part for part in extensions(consent, EXCEPTION)[0].get("extension", [])}
    approver = reference_of(parts.get("approver", {}).get("valueReference"))
    reasons = await lacking(APPROVE, approver, desk) if approver else []
    zone = settings_of(desk).time_zone
    return ExceptionFacts(
        approver=approver,
        approver_zh="".join(one.zh for one in reasons),
        approver_en=" ".join(one.en for one in reasons),
        approved_at=moment(parts.get("approved-at", {}).get("valueDateTime"), zone),
        reason=next(
            (
                code
                for system, code in codes_in(parts.get("reason", {}).get("valueCodeableConcept"))
                if system == REASON
            ),
            "",
        ),
        capacity=next((code for _, code in codes_in(extension_value(consent, CAPACITY))), ""),
        attempts=tuple(
            _attempt(one, zone)
            for one in extensions(consent, EXCEPTION)[0].get("extension", [])
            if one.get("url") == "attempt"
        ),
        refused=await _refused(consent, desk),
    )


def _attempt(extension: Resource, zone: str) -> Attempt:
    parts: dict[str, Any] = {part.get("url"): part for part in extension.get("extension", [])}
    whom = parts.get("whom", {})
    return Attempt(
        by=reference_of(parts.get("by", {}).get("valueReference")),
        whom=str(whom.get("valueString") or reference_of(whom.get("valueReference"))).strip(),
        outcome=str(parts.get("outcome", {}).get("valueString", "")).strip(),
        at_known=moment(parts.get("at", {}).get("valueDateTime"), zone) is not None,
    )


async def _refused(consent: Resource, desk: Desk) -> bool:
    """Whether contrast was refused for this exam, or consent to it withdrawn, while somebody could decide."""
    exam, patient = exam_of_consent(consent), reference_of(consent.get("patient"))
    person = await merge_set(patient, desk) if patient else frozenset[str]()
    return was_refused(await desk.search(f"Consent?data={exam}"), person) if exam else False


def as_approval_due(task_id: str, administration: Resource, exam: str, physician: str, *, now: datetime) -> Resource:
    """The Task that waits for the approval, once a physician had to pass the gate without consent."""
    return {
        "resourceType": "Task",
        "id": task_id,
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": concept(TASK_CODE, DUE, "补办紧急情况下使用对比剂的批准", "Approve contrast given in an emergency"),
        "focus": {"reference": exam},
        "for": {"reference": reference_of(administration.get("subject"))},
        "authoredOn": instant(now),
        "requester": {"reference": physician},
        "basedOn": [{"reference": exam}],
    }


async def approvals_due(exam: str, desk: Desk) -> list[Stored]:
    """The approvals that an exam still waits for."""
    return await desk.search(f"Task?code={DUE}&focus={exam}&status={_OPEN}") if exam else []


async def approvals_given(consent: Resource, desk: Desk) -> list[Save]:
    """An exception on record completes what waited for it; any other consent completes nothing."""
    if not is_exception(consent):
        return []
    due = await approvals_due(exam_of_consent(consent), desk)
    answer = {
        "type": concept(f"{CANONICAL}/CodeSystem/task-parameter", "consent", "知情同意", "consent"),
        "valueReference": {"reference": f"Consent/{consent['id']}"},
    }
    return [successor(one, status="completed", lastModified=instant(desk.now), output=[answer]) for one in due]

"""`Questionnaire/$populate`: the screening form, answered as far as records say, for a person to go through (SDC)."""

from __future__ import annotations

from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource

from slipring_consent.department import settings_of
from slipring_consent.reading import reference_of
from slipring_consent.screening.form import NEWEST, URL, questionnaire
from slipring_consent.screening.forms_known import SHIPPED
from slipring_consent.screening.known import denied_for, evidence_on
from slipring_consent.screening.prefill import as_response, prefilled_of


async def populated(call: Call, desk: Desk) -> Changes:
    """Answer what order's copies and records kept here say of this patient, each with its source; nothing is stored."""
    version = _version(call)
    subject = reference_of(call.value("subject"))
    if not subject.startswith("Patient/") or await desk.read(subject) is None:
        raise unprocessable(
            "The subject is a Patient that is known here.",
            "subject 须为此处已知的患者。",
            at=call.at("subject"),
            detail="consent.populate-subject",
        )
    exam = await _exam(call, subject, desk)
    asked: Resource = {"subject": {"reference": subject}, "basedOn": [{"reference": exam}] if exam else []}
    found = prefilled_of(await evidence_on(desk, asked), desk.now, settings_of(desk).time_zone, denied_for(desk))
    response = as_response(questionnaire(version), found, subject=subject, exam=exam, now=desk.now)
    return Changes(answer={"resourceType": "Parameters", "parameter": [{"name": "response", "resource": response}]})


def _version(call: Call) -> str:
    """Which version of the screening form is meant; no other form is filled in here."""
    canonical = call.value("canonical") or ""
    url, _, version = str(canonical).partition("|")
    if url not in ("", URL) or (version or NEWEST) not in SHIPPED:
        raise unprocessable(
            "Only the contrast screening form is filled in here, in the versions that are shipped.",
            "此处只预填本系统的对比剂筛查表及其已发布的版本。",
            at=call.at("canonical"),
            detail="consent.populate-questionnaire",
        )
    return version or NEWEST


async def _exam(call: Call, subject: str, desk: Desk) -> str:
    """The exam that is screened for, when one is named: it has to be this patient's."""
    exam = reference_of(call.value("context"))
    if not exam:
        return ""
    request = await desk.read(exam) if exam.startswith("ServiceRequest/") else None
    if request is None or reference_of(request.resource.get("subject")) not in await merge_set(subject, desk):
        raise unprocessable(
            "The context is a ServiceRequest of this patient that is known here.",
            "context 须为此处已知的该患者的检查申请。",
            at=call.at("context"),
            detail="consent.populate-context",
        )
    return exam

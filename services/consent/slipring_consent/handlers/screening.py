"""Screening is answered: every rule of the policy pack is applied, and what it finds is kept."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.findings import rule_of
from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Changes, Desk, Resource, Save, Write, successor
from slipring.rules.finding import Finding, Weight

from slipring_consent.handlers.alarms import at_the_injector
from slipring_consent.handlers.requests import OPEN
from slipring_consent.people import PHYSICIAN_DECIDES, lacking
from slipring_consent.reading import reference_of
from slipring_consent.resources import questionnaire_answered
from slipring_consent.rules import SCREENING_RULES
from slipring_consent.screening.forms_known import answer_faults
from slipring_consent.screening.known import (
    ANSWERED,
    exam_of_response,
    exams_of_response,
    is_our_screening,
    screening_known,
)
from slipring_consent.verdicts import checked, on_record


async def screening_answered(write: Write, desk: Desk) -> Changes:
    """Answers of any form fit their Questionnaire; of a completed screening every finding is kept and its Task is done."""
    response = write.resource
    if write.method == "delete" or write.imported:
        return Changes.none()
    problems = await answer_faults(response, desk)
    finished = is_our_screening(response) and response.get("status") in ANSWERED
    if finished:
        problems += await _problems(response, desk)
    if problems:
        return Changes(refuse=FhirError(422, problems))
    if not finished:
        return Changes.none()
    findings = checked(await screening_known(desk, response), SCREENING_RULES, desk)
    patient = reference_of(response["subject"])
    save = [
        *await _superseded(write, desk),
        *on_record(findings, desk, patient=patient, about=write.reference),
    ]
    for task in await desk.search(f"Task?code=screening&focus={exam_of_response(response)}"):
        if task.resource["status"] in OPEN:
            save.append(successor(task, **questionnaire_answered(task.resource, write.reference)))
    return Changes(save=[*save, *await _told(response, findings, desk)])


async def _told(response: Resource, findings: Sequence[Finding], desk: Desk) -> list[Save]:
    """Answers that stop or ask while contrast is given already, as after an emergency, are told at the injector."""
    grave = [one for one in findings if one.weight in (Weight.STOP, Weight.ASK)]
    if not grave:
        return []
    zh, en = "".join(one.zh for one in grave), " ".join(one.en for one in grave)
    return await at_the_injector(exam_of_response(response), [reference_of(response["subject"])], zh, en, desk)


async def issue_decided(write: Write, desk: Desk) -> Changes:
    """A finding counts as decided only when a named, qualified physician says so with an action."""
    if write.method == "delete" or write.imported:
        return Changes.none()
    before = write.before.resource.get("mitigation", []) if write.before else []
    problems = []
    for position, mitigation in enumerate(write.resource.get("mitigation", [])):
        if mitigation in before:
            continue
        author = reference_of(mitigation.get("author"))
        reasons = await lacking(PHYSICIAN_DECIDES, author, desk)
        at = f"DetectedIssue.mitigation[{position}].author"
        problems += [Issue("business-rule", zh=one.zh, en=one.en, at=at, detail=one.code) for one in reasons]
    return Changes(refuse=FhirError(422, problems)) if problems else Changes.none()


async def _problems(response: Resource, desk: Desk) -> list[Issue]:
    """What makes the answers unusable: no exam, or several; another patient's exam."""
    problems = []
    exam = exam_of_response(response)
    patient = reference_of(response.get("subject"))
    if not exam:
        problems.append(
            Issue(
                "required",
                zh="筛查须注明所针对的检查申请。",
                en="The screening names the request it is for.",
                at="QuestionnaireResponse.basedOn",
                detail="consent.screening-request-missing",
            )
        )
    if len(exams_of_response(response)) > 1:  # its facts are one exam's, and so is the consent
        problems.append(
            Issue(
                "business-rule",
                zh="一份筛查只针对一项检查申请；每项检查各填一份。",
                en="A screening is for one request: each examination has its own.",
                at="QuestionnaireResponse.basedOn",
                detail="consent.screening-one-exam",
            )
        )
    request = await desk.read(exam) if exam else None
    subject = reference_of(request.resource.get("subject")) if request else patient
    if not patient or (subject != patient and subject not in await merge_set(patient, desk)):
        problems.append(
            Issue(
                "business-rule",
                zh="筛查对象须为该检查申请的患者。",
                en="The screening is about the patient of the request.",
                at="QuestionnaireResponse.subject",
                detail="consent.screening-patient",
            )
        )
    return problems


async def _superseded(write: Write, desk: Desk) -> list[Save]:
    """The open findings of the earlier version of these answers; what a physician decided stays."""
    if write.before is None:
        return []
    return [
        successor(stored, status="cancelled")
        for stored in await desk.search(f"DetectedIssue?implicated={write.reference}")
        if rule_of(stored.resource) and not stored.resource.get("mitigation") and stored.resource["status"] == "final"
    ]

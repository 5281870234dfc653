"""Consent is given, refused or withdrawn."""

from __future__ import annotations

from datetime import timedelta

from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import FhirError, Issue, conflict
from slipring.fhir.service import Changes, Desk, Resource, Save, Write, successor
from slipring.rules.finding import Weight

from slipring_consent.consenting.facts import TREATMENT, consent_facts, exam_of_consent
from slipring_consent.department import limits_of, settings_of
from slipring_consent.handlers.alarms import at_the_injector
from slipring_consent.lifecycle import CONSENT, illegal
from slipring_consent.reading import has_code, instant, moment, reference_of
from slipring_consent.rules import CONSENT_RULES
from slipring_consent.verdicts import as_issues, checked, on_record

# What the patient signed: it does not change under the signature.
SIGNED = ("patient", "performer", "provision", "sourceReference", "sourceAttachment", "scope")


async def consent_written(write: Write, desk: Desk) -> Changes:
    """An active consent is complete; a refusal ends what was given before; a signed one does not change."""
    consent = write.resource
    if write.method == "delete" or write.imported or not has_code(consent.get("scope"), *TREATMENT):
        return Changes.none()
    before = write.before.resource if write.before else None
    state = before["status"] if before else "none"
    if state != consent["status"]:
        error = illegal(CONSENT, state, consent["status"], "Consent.status")
        if error:
            return Changes(refuse=error)
    if before is not None and state == "active":
        changed = [member for member in SIGNED if before.get(member) != consent.get(member)]
        if changed:
            return Changes(refuse=_already_signed(changed[0]))
    if consent["status"] == "active" and state != "active":
        return await _signed(write, desk)
    if consent["status"] == "rejected":
        return await _refused(write, desk)
    if state == "active":  # withdrawn, or marked as wrong
        told = await _told(exam_of_consent(consent), consent, desk)
        return Changes(save=told) if told else Changes.none()
    return Changes.none()


async def _signed(write: Write, desk: Desk) -> Changes:
    """Every missing part of an active consent is named at once; what is only advisable is kept as a finding."""
    members = _with_default_end(write.resource, desk)
    consent = {**write.resource, **members}
    facts = consent_facts(consent, await _relative(consent, desk), time_zone=settings_of(desk).time_zone)
    findings = checked(facts, CONSENT_RULES, desk)
    issues = as_issues(finding for finding in findings if finding.weight in (Weight.STOP, Weight.ASK))
    issues += await _other_patient(consent, desk)
    if issues:
        return Changes(refuse=FhirError(422, issues))
    return Changes(
        members=members,
        save=on_record(findings, desk, patient=reference_of(consent.get("patient")), about=write.reference),
    )


async def _refused(write: Write, desk: Desk) -> Changes:
    """A refusal names its exam, and ends every consent given for it before."""
    exam = exam_of_consent(write.resource)
    if not exam:
        issue = Issue(
            "required",
            zh="拒绝须注明所针对的检查申请。",
            en="The refusal names the examination it is for (a ServiceRequest).",
            at="Consent.provision.data",
            detail="consent.exam",
        )
        return Changes(refuse=FhirError(422, [issue]))
    return Changes(save=[*await _ended(exam, write, desk), *await _told(exam, write.resource, desk)])


async def _told(exam: str, consent: Resource, desk: Desk) -> list[Save]:
    request = await desk.read(exam) if exam else None
    patients = [reference_of(consent.get("patient")), reference_of(request.resource["subject"]) if request else ""]
    zh, en = "患者已撤回或拒绝同意。", "consent was withdrawn or refused."
    return await at_the_injector(exam, patients, zh, en, desk)


async def _ended(exam: str, write: Write, desk: Desk) -> list[Save]:
    patient = reference_of(write.resource.get("patient"))
    person = await merge_set(patient, desk) if patient else {patient}
    return [
        successor(stored, status="inactive")
        for stored in await desk.search(f"Consent?data={exam}&status=active")
        if stored.reference != write.reference and reference_of(stored.resource.get("patient")) in person
    ]


def _with_default_end(consent: Resource, desk: Desk) -> dict[str, Resource]:
    """A validity with a beginning only ends after the department's default."""
    provision = consent.get("provision", {})
    period = provision.get("period", {})
    starts_at = moment(period.get("start"), settings_of(desk).time_zone)
    if starts_at is None or period.get("end"):
        return {}
    hours = limits_of(desk).limit("consent.validity_hours").value
    ends = instant(starts_at + timedelta(hours=hours))
    return {"provision": {**provision, "period": {**period, "end": ends}}}


async def _relative(consent: Resource, desk: Desk) -> Resource | None:
    for performer in consent.get("performer", []):
        reference = reference_of(performer)
        if reference.startswith("RelatedPerson/"):
            stored = await desk.read(reference)
            return stored.resource if stored else None
    return None


async def _other_patient(consent: Resource, desk: Desk) -> list[Issue]:
    request = await desk.read(exam_of_consent(consent)) if exam_of_consent(consent) else None
    patient = reference_of(consent.get("patient"))
    subject = reference_of(request.resource.get("subject")) if request else patient
    if patient and (subject == patient or subject in await merge_set(patient, desk)):
        return []
    return [
        Issue(
            "business-rule",
            zh="知情同意须注明患者，且为该检查申请的患者。",
            en="The consent names its patient, who is the patient of the request.",
            at="Consent.patient",
            detail="consent.patient",
        )
    ]


def _already_signed(member: str) -> FhirError:
    return conflict(
        "A signed consent does not change; withdraw it (inactive) and record a new one.",
        "已签署的知情同意不可更改；请撤回（inactive）后另行记录。",
        at=f"Consent.{member}",
        detail="consent.already-signed",
    )

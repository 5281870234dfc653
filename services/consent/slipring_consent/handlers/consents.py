"""Consent is given, refused or withdrawn."""

from __future__ import annotations

from slipring.consents.state import ENDED_BY, EXCEPTION, TREATMENT, denies, ended_by, exam_of_consent
from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Save, Write, successor

from slipring_consent.consenting.exception import approvals_given
from slipring_consent.consenting.facts import CAPACITY, REPRESENTATION
from slipring_consent.consenting.judging import weighed, with_default_end
from slipring_consent.consenting.statement import BOUND, CONSENT_SIGNATURE, WITHDRAWAL, bound_sha256, decision_of
from slipring_consent.consenting.withdrawal import withdrawal_facts
from slipring_consent.handlers.alarms import at_the_injector
from slipring_consent.lifecycle import CONSENT, illegal
from slipring_consent.reading import extension_value, extensions, has_code, reference_of
from slipring_consent.rules import WITHDRAWAL_RULES
from slipring_consent.verdicts import checked, on_record

# What was decided on paper: it does not change under the signature, and a refusal stays with its patient and exam.
SIGNED = ("patient", "performer", "provision", "sourceReference", "sourceAttachment", "scope", "verification")
_STATED = (EXCEPTION, CAPACITY, REPRESENTATION)  # extensions that stand under it too
_DECIDED = frozenset({"active", "rejected", "inactive"})


async def consent_written(write: Write, desk: Desk) -> Changes:
    """An active consent is complete; a refusal ends what was given before; a signed one does not change."""
    consent = write.resource
    if write.method == "delete" or write.imported or not _is_ours(write):
        return Changes.none()
    before = write.before.resource if write.before else None
    state = before["status"] if before else "none"
    if state != consent["status"]:
        error = illegal(CONSENT, state, consent["status"], "Consent.status")
        if error:
            return Changes(refuse=error)
    error = marked_by_hand(consent, before) or _changed(before, consent)
    if error:
        return Changes(refuse=error)
    if state != consent["status"] and decision_of(consent) == "deny" and consent["status"] in ("active", "rejected"):
        issues = refusal_issues(consent)
        return Changes(refuse=FhirError(422, issues)) if issues else Changes(save=await refused(consent, desk))
    if consent["status"] == "active" and state != "active":
        return await _signed(write, desk)
    if state == "active" and consent["status"] != "active" and not denies(consent):  # withdrawn, or marked as wrong
        saves = await _over(consent, desk)
        return Changes(save=saves) if saves else Changes.none()
    return Changes.none()


async def _over(consent: Resource, desk: Desk) -> list[Save]:
    """What goes with a withdrawal by a plain write; it is never refused, and what it does not say is on record."""
    exam, patient = exam_of_consent(consent), reference_of(consent.get("patient"))
    saves = await told(exam, consent, desk)
    if consent["status"] == "inactive":
        findings = checked(withdrawal_facts(consent), WITHDRAWAL_RULES, desk)
        saves += on_record(findings, desk, patient=patient, about=f"Consent/{consent['id']}")
        saves += await ended(exam, consent, desk) if exam else []
    return saves


def refusal_issues(consent: Resource) -> list[Issue]:
    """A refusal names its exam."""
    if exam_of_consent(consent):
        return []
    return [
        Issue(
            "required",
            zh="拒绝须注明所针对的检查申请。",
            en="The refusal names the examination it is for (a ServiceRequest).",
            at="Consent.provision.data",
            detail="consent.exam",
        )
    ]


async def refused(consent: Resource, desk: Desk) -> list[Save]:
    """A refusal ends every consent given for its exam before, and is told at the injector."""
    exam = exam_of_consent(consent)
    return [*await ended(exam, consent, desk), *await told(exam, consent, desk)]


async def ended(exam: str, consent: Resource, desk: Desk) -> list[Save]:
    """Every other consent that stands for this exam and person ends; by a refusal, it says by which."""
    patient = reference_of(consent.get("patient"))
    person = await merge_set(patient, desk) if patient else {patient}
    refusal = {"url": ENDED_BY, "valueReference": {"reference": f"Consent/{consent['id']}"}}
    more = [refusal] if decision_of(consent) == "deny" else []
    return [
        successor(stored, status="inactive", extension=[*stored.resource.get("extension", []), *more] or None)
        for stored in await desk.search(f"Consent?data={exam}&status=active")
        if stored.reference != f"Consent/{consent['id']}" and reference_of(stored.resource.get("patient")) in person
    ]


async def told(exam: str, consent: Resource, desk: Desk) -> list[Save]:
    """Whoever is at the injector hears that consent was withdrawn or refused."""
    request = await desk.read(exam) if exam else None
    patients = [reference_of(consent.get("patient")), reference_of(request.resource["subject"]) if request else ""]
    zh, en = "患者已撤回或拒绝同意。", "consent was withdrawn or refused."
    return await at_the_injector(exam, patients, zh, en, desk)


def marked_by_hand(consent: Resource, before: Resource | None) -> FhirError | None:
    """The 422 of a consent that says of itself that it was signed here, or what ended it; the service alone says so."""
    if ended_by(consent) != ended_by(before or {}):
        return unprocessable(
            "By which refusal a consent was ended is recorded by the refusal alone.",
            "知情同意因哪份拒绝而终止，只由该拒绝记录产生。",
            at="Consent.extension",
            detail="consent.ended-by-refusal",
        )
    kept = extension_value(before or {}, CONSENT_SIGNATURE)
    if extension_value(consent, CONSENT_SIGNATURE) == kept:
        return None
    return unprocessable(
        "That a consent was signed here is recorded by Consent/$sign alone.",
        "在本系统签署的记录只能由 Consent/$sign 产生。",
        at="Consent.extension",
        detail="consent.signature-by-operation",
    )


def _is_ours(write: Write) -> bool:
    before = write.before.resource if write.before else {}
    return any(has_code(one.get("scope"), *TREATMENT) for one in (before, write.resource))


def _changed(before: Resource | None, after: Resource) -> FhirError | None:
    """The 409 of a change under a signature."""
    if before is None or before["status"] not in _DECIDED:
        return None
    if extensions(before, WITHDRAWAL) and extensions(before, WITHDRAWAL) != extensions(after, WITHDRAWAL):
        return _already_signed("extension")
    if extension_value(before, CONSENT_SIGNATURE) is not None:
        if bound_sha256(before) == bound_sha256(after):
            return None
        changed = next((member for member in BOUND if before.get(member) != after.get(member)), "extension")
        return _already_signed(changed)
    changed = next((member for member in SIGNED if before.get(member) != after.get(member)), "")
    if any(extensions(before, url) != extensions(after, url) for url in _STATED):
        changed = changed or "extension"
    return _already_signed(changed) if changed else None


async def _signed(write: Write, desk: Desk) -> Changes:
    """Every missing part of an active consent is named at once; what is only advisable is kept as a finding."""
    members = with_default_end(write.resource, desk)
    consent = {**write.resource, **members}
    findings, issues = await weighed(consent, desk)
    if issues:
        return Changes(refuse=FhirError(422, issues))
    save = on_record(findings, desk, patient=reference_of(consent.get("patient")), about=write.reference)
    return Changes(members=members, save=[*save, *await approvals_given(consent, desk)])


def _already_signed(member: str) -> FhirError:
    return conflict(
        "A signed consent does not change; withdraw it (inactive) and record a new one.",
        "已签署的知情同意不可更改；请撤回（inactive）后另行记录。",
        at=f"Consent.{member}",
        detail="consent.already-signed",
    )

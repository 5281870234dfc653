"""`Consent/[id]/$withdraw`: at any moment, by whom and why; whoever is at the injector hears of it at once."""

from __future__ import annotations

from slipring.consents.state import TREATMENT, exam_of_consent
from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Stored, successor

from slipring_consent.consenting.resources import as_withdrawal
from slipring_consent.handlers.consents import ended, told
from slipring_consent.lifecycle import CONSENT, illegal
from slipring_consent.reading import has_code, reference_of

_WHO = ("Patient", "RelatedPerson", "Practitioner", "PractitionerRole")


async def consent_withdrawn(call: Call, desk: Desk) -> Changes:
    """Withdraw a consent, and with it any other that stands for the same exam."""
    target = call.target
    if target is None or not has_code(target.resource.get("scope"), *TREATMENT):
        raise conflict(
            "This is no consent to contrast.",
            "该资源不是对比剂知情同意。",
            at="Consent.scope",
            detail="consent.not-contrast",
        )
    error = illegal(CONSENT, target.resource["status"], "inactive", "Consent.status")
    if error:
        return Changes(refuse=error)
    by = await _by(call, target, desk)
    reason: Resource = call.value("reason")
    extension = [*target.resource.get("extension", []), as_withdrawal(by, reason, now=desk.now)]
    withdrawn = successor(target, status="inactive", extension=extension)
    exam = exam_of_consent(target.resource)
    saves = [withdrawn, *await ended(exam, withdrawn.resource, desk), *await told(exam, withdrawn.resource, desk)]
    return Changes(save=saves, answer=withdrawn.resource)


async def _by(call: Call, target: Stored, desk: Desk) -> str:
    """Who withdraws: the patient, somebody of his, or staff that notes it down; never another patient."""
    by = reference_of(call.value("by"))
    stored = await desk.read(by) if by.startswith(tuple(f"{kind}/" for kind in _WHO)) else None
    patient = reference_of(target.resource.get("patient"))
    whose = by if by.startswith("Patient/") else ""
    if stored is not None and by.startswith("RelatedPerson/"):
        whose = reference_of(stored.resource.get("patient"))
    if stored is None or (whose and whose not in await merge_set(patient, desk)):
        raise unprocessable(
            "A consent is withdrawn by its patient, by somebody who is related to him, or by staff for him.",
            "知情同意由患者本人、其近亲属或代为记录的工作人员撤回。",
            at=call.at("by"),
            detail="consent.withdrawn-by",
        )
    return by

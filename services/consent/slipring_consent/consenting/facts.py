"""What a Consent says about itself, and where consent for one exam stands. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.reading import codes_in, extension_value, has_code, moment, reference_of

EXPLAINED_BY = f"{CANONICAL}/StructureDefinition/explained-by"
TREATMENT = ("http://terminology.hl7.org/CodeSystem/consentscope", "treatment")


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """What one Consent says about itself."""

    scope_treatment: bool = True
    signer: str = "patient"  # patient | relative | other | "" when nobody signed
    relationship: str = ""  # of the relative to the patient
    exam: str = ""  # the ServiceRequest it is for
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    explained_by: str = ""
    explained_at: datetime | None = None
    text_shown: bool = False  # the text as shown is referred to or attached


def consent_facts(consent: Resource, relative: Resource | None, *, time_zone: str) -> ConsentFacts:
    """What a Consent states; `relative` is the RelatedPerson who signed, when one did and is known."""
    signers = [reference_of(performer) for performer in consent.get("performer", [])]
    patient = reference_of(consent.get("patient"))
    period = consent.get("provision", {}).get("period", {})
    verified: Resource = next((entry for entry in consent.get("verification", []) if entry.get("verified")), {})
    relationship: Resource = next(iter((relative or {}).get("relationship", [])), {})
    return ConsentFacts(
        scope_treatment=has_code(consent.get("scope"), *TREATMENT),
        signer=_signer(signers, patient, relative),
        relationship=relationship.get("text", "") or next((code for _, code in codes_in(relationship)), ""),
        exam=exam_of_consent(consent),
        starts_at=moment(period.get("start"), time_zone),
        ends_at=moment(period.get("end"), time_zone, end_of_day=True),
        explained_by=reference_of(extension_value(verified, EXPLAINED_BY)),
        explained_at=moment(verified.get("verificationDate"), time_zone),
        text_shown=bool(consent.get("sourceReference") or consent.get("sourceAttachment")),
    )


def _signer(signers: list[str], patient: str, relative: Resource | None) -> str:
    if not signers:
        return ""
    if patient and patient in signers:
        return "patient"
    if relative is not None and reference_of(relative.get("patient")) == patient:
        return "relative"
    return "other"


def exam_of_consent(consent: Resource) -> str:
    """The ServiceRequest that a Consent covers, by `provision.data` with meaning `instance`."""
    for entry in consent.get("provision", {}).get("data", []):
        reference = reference_of(entry.get("reference"))
        if entry.get("meaning") == "instance" and reference.startswith("ServiceRequest/"):
            return reference
    return ""


def consent_state(consents: Iterable[Resource], person: Collection[str], now: datetime, time_zone: str) -> str:
    """Where consent for one exam stands: the best of what is held under any of the patient's records, at `now`."""
    order = ("none", "refused", "withdrawn", "expired", "not-yet", "active")
    return max((_state(consent, person, now, time_zone) for consent in consents), key=order.index, default="none")


def _state(consent: Resource, person: Collection[str], now: datetime, time_zone: str) -> str:
    if reference_of(consent.get("patient")) not in person:
        return "none"
    if consent["status"] != "active":
        return {"rejected": "refused", "inactive": "withdrawn"}.get(consent["status"], "none")
    facts = consent_facts(consent, None, time_zone=time_zone)
    if consent.get("provision", {}).get("type") == "deny":
        return "refused"
    if not (facts.scope_treatment and facts.exam and facts.signer):
        return "none"  # an imported one was not checked when it was written
    if facts.ends_at is None or now > facts.ends_at:
        return "expired"
    if facts.starts_at and now < facts.starts_at:
        return "not-yet"
    return "active"

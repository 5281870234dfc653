"""FHIR in, facts out: what the rules of this service look at. Frozen values, units in names, nothing assumed.

An answer that was not given is `unknown`, and unknown is never `no`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.catalogue import Policy, is_contrast_agent, is_contrast_allergy, is_contrast_exam
from slipring_consent.reading import codes_in, extension_value, has_code, items_of, moment, reference_of

EXPLAINED_BY = f"{CANONICAL}/StructureDefinition/explained-by"
LOINC = "http://loinc.org"
TREATMENT = ("http://terminology.hl7.org/CodeSystem/consentscope", "treatment")
EGFR_CODES = frozenset({"98979-8", "62238-1", "33914-3", "50384-7"})
STANDING = frozenset({"final", "amended", "corrected"})
YES_NO = {"Y": "yes", "N": "no", "true": "yes", "false": "no"}
METFORMIN_ATC = "A10BA02"


@dataclass(frozen=True, slots=True)
class ScreeningFacts:
    """What is known about one patient before contrast, from the answers and from order's copies."""

    prior_reaction: str = "unknown"  # none | mild | moderate | severe | unknown
    asthma: str = "unknown"  # yes | no | unknown
    hyperthyroidism: str = "unknown"
    metformin: str = "unknown"
    dialysis: str = "unknown"
    egfr_ml_min: Decimal | None = None  # per 1.73 m2, the newest in date
    policy: Policy = field(default_factory=lambda: Policy("none"))


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


@dataclass(frozen=True, slots=True)
class GateFacts:
    """All that the gate weighs for one administration, at one moment."""

    exam_known: bool = True
    exam_active: bool = True
    same_patient: bool = True
    identity_waits: bool = False  # records were merged or taken apart, and nobody has confirmed who this is
    consent: str = "active"  # active | not-yet | expired | withdrawn | refused | none
    screening: str = "completed"  # completed | none
    high_findings: tuple[str, ...] = ()  # rule keys that stop
    open_questions: tuple[str, ...] = ()  # rule keys a physician has to decide
    performers: int = 1
    unqualified_zh: str = ""  # why nobody named here may give contrast; empty when one may
    unqualified_en: str = ""
    observer: bool = True


@dataclass(frozen=True, slots=True)
class ReactionFacts:
    """Whether a reaction is being closed, and whether it says what closing demands."""

    closed: bool = False
    measures: bool = False
    effect_on_result: bool = False


def answers_of(response: Resource) -> dict[str, str]:
    """The coded answers of a QuestionnaireResponse by linkId, as plain words."""
    found: dict[str, str] = {}
    for item in items_of(response):
        for answer in item.get("answer", []):
            code = str(answer.get("valueCoding", {}).get("code", ""))
            if "valueBoolean" in answer:
                code = "true" if answer["valueBoolean"] else "false"
            found[item["linkId"]] = YES_NO.get(code, code)
    return found


def screening_facts(
    response: Resource,
    *,
    observations: Iterable[Resource],
    allergies: Iterable[Resource],
    medications: Iterable[Resource],
    policy: Policy,
    now: datetime,
    renal_valid: timedelta,
    time_zone: str,
) -> ScreeningFacts:
    """What the patient answered, with what the copies know on top: a known fact outweighs a "no"."""
    answers = answers_of(response)
    known = _worst_reaction(allergies)
    taken = any(_is_metformin(medication) for medication in medications)
    return ScreeningFacts(
        prior_reaction=_worse(_one_of(answers, "prior-reaction", ("none", "mild", "moderate", "severe")), known),
        asthma=_one_of(answers, "asthma"),
        hyperthyroidism=_one_of(answers, "hyperthyroidism"),
        metformin="yes" if taken else _one_of(answers, "metformin"),
        dialysis=_one_of(answers, "dialysis"),
        egfr_ml_min=_newest_egfr(observations, now, renal_valid, time_zone),
        policy=policy,
    )


def _one_of(answers: dict[str, str], link: str, allowed: tuple[str, ...] = ("yes", "no")) -> str:
    return answers.get(link, "") if answers.get(link) in allowed else "unknown"


def _worse(answered: str, known: str) -> str:
    order = ("none", "unknown", "mild", "moderate", "severe")
    return max(answered, known, key=order.index)


def _worst_reaction(allergies: Iterable[Resource]) -> str:
    """The worst reaction of an active allergy to contrast; one without a grade counts as unknown."""
    worst = "none"
    for allergy in allergies:
        if not _stands(allergy):
            continue
        reactions = allergy.get("reaction", [])
        codings = codes_in(allergy.get("code"))
        codings += [coding for reaction in reactions for coding in codes_in(reaction.get("substance"))]
        if not is_contrast_allergy(codings):
            continue
        grades = [reaction.get("severity", "unknown") for reaction in reactions] or ["unknown"]
        if allergy.get("criticality") == "high":
            grades.append("severe")
        for grade in grades:
            worst = _worse(worst, grade)
    return worst


def _stands(allergy: Resource) -> bool:
    status = {code for _, code in codes_in(allergy.get("clinicalStatus"))}
    verified = {code for _, code in codes_in(allergy.get("verificationStatus"))}
    return not status & {"inactive", "resolved"} and not verified & {"refuted", "entered-in-error"}


def _is_metformin(medication: Resource) -> bool:
    codings = codes_in(medication.get("medicationCodeableConcept"))
    return medication.get("status") in ("active", "intended", "on-hold") and any(
        code == METFORMIN_ATC for _, code in codings
    )


def _newest_egfr(observations: Iterable[Resource], now: datetime, valid: timedelta, time_zone: str) -> Decimal | None:
    found: list[tuple[datetime, Decimal]] = []
    for observation in observations:
        codes = {code for system, code in codes_in(observation.get("code")) if system == LOINC}
        taken_at = moment(observation.get("effectiveDateTime"), time_zone)
        value = observation.get("valueQuantity", {}).get("value")
        if observation.get("status") in STANDING and codes & EGFR_CODES and taken_at and value is not None:
            found.append((taken_at, Decimal(str(value))))
    in_date = [entry for entry in found if now - valid <= entry[0] <= now]
    newest = max((at for at, _ in in_date), default=None)
    return min((value for at, value in in_date if at == newest), default=None)  # of two at one moment the lower


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


def needs_contrast(request: Resource) -> bool:
    """Whether a request asks for contrast: an agent in its details, or an exam code that means contrast."""
    details = [coding for detail in request.get("orderDetail", []) for coding in codes_in(detail)]
    return is_contrast_agent(details) or is_contrast_exam(codes_in(request.get("code")))


def exam_of_administration(administration: Resource) -> str:
    """The ServiceRequest an administration supports, by `supportingInformation`."""
    references = [reference_of(entry) for entry in administration.get("supportingInformation", [])]
    return next((reference for reference in references if reference.startswith("ServiceRequest/")), "")


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

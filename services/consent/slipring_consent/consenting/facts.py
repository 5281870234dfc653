"""What a Consent says about itself, and where consent for one exam stands. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from slipring.fhir.service import CANONICAL, Resource, Stored
from slipring.rules.finding import Weight

from slipring_consent.reading import codes_in, extension_value, extensions, has_code, moment, reference_of

EXPLAINED_BY = f"{CANONICAL}/StructureDefinition/explained-by"
PAPER_REASON = f"{CANONICAL}/StructureDefinition/paper-reason"
CAPACITY = f"{CANONICAL}/StructureDefinition/capacity"
EXCEPTION = f"{CANONICAL}/StructureDefinition/emergency-exception"
EMERGENCY = "emergency-exception"  # what `consent_state` calls an exam that has one
REPRESENTATION = f"{CANONICAL}/StructureDefinition/representation"
_OVER = frozenset({"refused", "withdrawn"})
TREATMENT = ("http://terminology.hl7.org/CodeSystem/consentscope", "treatment")


def consents_of(exam: str) -> str:
    """The search for all Consents that name an exam, in whatever state."""
    return f"Consent?data={exam}"


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
    exams: int = 1  # how many examinations it names
    signed_here: bool = False  # by `$sign`; else it is on paper, or wherever its sender keeps it
    signed_at: datetime | None = None
    age_known: bool = True  # a whole date of birth is known
    age_years: int = 40  # of the patient, at signing; where it is known
    capacity: str = ""  # full | own-labour | limited | none, as stated by who explained
    representation: str = ""  # minor | incapacity | authorised: why a relative signs
    informer_zh: str = ""  # why who explained may not; empty when he may
    informer_en: str = ""

    @property
    def lighter_on_paper(self) -> Weight | None:
        """What stops a signature made here is put on record where one was made on paper."""
        return None if self.signed_here else Weight.WARN


def age_on(birth_date: str, day: date) -> int | None:
    """Completed years on a day; None for a missing date of birth, or one that is a year or a month."""
    if len(birth_date) != len("2000-01-01"):
        return None
    born = date.fromisoformat(birth_date)
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


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
        exams=len(exams_of_consent(consent)),
        signed_at=moment(consent.get("dateTime"), time_zone),
        capacity=_code(consent, CAPACITY),
        representation=_code(consent, REPRESENTATION),
    )


def _code(consent: Resource, url: str) -> str:
    return next((code for _, code in codes_in(extension_value(consent, url))), "")


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
    return next(iter(exams_of_consent(consent)), "")


def exams_of_consent(consent: Resource) -> list[str]:
    """All ServiceRequests that a Consent names; an active one names one."""
    named = [
        reference_of(entry.get("reference"))
        for entry in consent.get("provision", {}).get("data", [])
        if entry.get("meaning") == "instance"
    ]
    return [one for one in dict.fromkeys(named) if one.startswith("ServiceRequest/")]


def consent_state(consents: Iterable[Stored], person: Collection[str], now: datetime, time_zone: str) -> str:
    """Where consent for one exam stands: a consent in force, else the latest word of the patient, under any of his records."""
    order = ("none", "refused", "expired", "not-yet", EMERGENCY, "active")
    told = [(_state(one.resource, person, now, time_zone), one.updated_at) for one in consents]
    # A refusal withdraws what was given before it in the same commit: of a moment's words the refusal is the later.
    over = max(((at, state == "refused") for state, at in told if state in _OVER), default=None)
    best = max((state for state, _ in told if state not in _OVER), key=order.index, default="none")
    if over is None or best in (EMERGENCY, "active"):
        return best
    return "refused" if over[1] else "withdrawn"


def _state(consent: Resource, person: Collection[str], now: datetime, time_zone: str) -> str:
    if reference_of(consent.get("patient")) not in person:
        return "none"
    if consent["status"] != "active":
        return {"rejected": "refused", "inactive": "withdrawn"}.get(consent["status"], "none")
    facts = consent_facts(consent, None, time_zone=time_zone)
    if consent.get("provision", {}).get("type") == "deny":
        return "refused"
    exception = bool(extensions(consent, EXCEPTION))
    if not (facts.scope_treatment and facts.exam and (facts.signer or exception)):
        return "none"  # an imported one was not checked when it was written
    if facts.ends_at is None or now > facts.ends_at:
        return "expired"
    if facts.starts_at and now < facts.starts_at:
        return "not-yet"
    return EMERGENCY if exception else "active"

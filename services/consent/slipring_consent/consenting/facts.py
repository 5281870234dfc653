"""What a Consent says about itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from slipring.consents.state import TREATMENT, exam_of_consent, exams_of_consent, has_exceptions
from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.finding import Weight

from slipring_consent.reading import codes_in, extension_value, has_code, moment, reference_of

EXPLAINED_BY = f"{CANONICAL}/StructureDefinition/explained-by"
PAPER_REASON = f"{CANONICAL}/StructureDefinition/paper-reason"
CAPACITY = f"{CANONICAL}/StructureDefinition/capacity"
REPRESENTATION = f"{CANONICAL}/StructureDefinition/representation"


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
    excepted: bool = False  # it takes something out of what it permits
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
        excepted=has_exceptions(consent),
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

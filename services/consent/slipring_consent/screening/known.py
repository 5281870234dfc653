"""The screening of an exam, and what the desk knows about its patient now: reads only, facts out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.service import Desk, Resource, Stored
from slipring.rules.limits import EVERYTHING

from slipring_consent.department import limits_of, settings_of
from slipring_consent.policy_set import APPROVED
from slipring_consent.reading import moment, reference_of
from slipring_consent.screening.evidence import Evidence, evidence_in
from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.form import URL
from slipring_consent.screening.gathered import Reckoning, gathered
from slipring_consent.screening.kidneys import LOINC
from slipring_consent.screening.own_pack import with_own
from slipring_consent.screening.packs import Policy, policy_pack
from slipring_consent.screening.weighed import OBSERVED

ANSWERED = ("completed", "amended")
_OBSERVED = ",".join(f"{LOINC}|{code}" for code in sorted(OBSERVED))
# What is looked at of a person: type, the search parameter that names him, and what narrows it.
_LOOKED_AT = (
    ("Observation", "patient", f"&code={_OBSERVED}"),
    ("AllergyIntolerance", "patient", ""),
    ("Condition", "patient", ""),
    ("MedicationStatement", "patient", ""),
    ("MedicationRequest", "patient", ""),
    ("MedicationAdministration", "patient", ""),
    ("Procedure", "patient", ""),
    ("Encounter", "patient", ""),
    ("AdverseEvent", "subject", ""),
    ("ServiceRequest", "patient", "&status=active"),
)
_OF_MEDICINES = ("MedicationStatement", "MedicationRequest", "MedicationAdministration")


def policy_of(desk: Desk) -> Policy:
    """The selected policy pack, with whether the department has confirmed it."""
    return pack_of(settings_of(desk).policy, desk)


def pack_of(name: str, desk: Desk) -> Policy:
    """A policy pack by its name, with whether the department has confirmed it."""
    return policy_pack(name, confirmed=bool(settings_of(desk).confirmed & {name, EVERYTHING}))


async def pack_in_force(name: str, desk: Desk) -> Policy:
    """A policy pack with what two people of the department have set otherwise, from the moment it is in force."""
    plans = await desk.search(APPROVED)
    return with_own(pack_of(name, desk), plans, desk.now, settings_of(desk).time_zone)


def is_our_screening(response: Resource) -> bool:
    """Whether a QuestionnaireResponse answers the contrast screening, in any version."""
    return str(response.get("questionnaire", "")).partition("|")[0] == URL


def exams_of_response(response: Resource) -> list[str]:
    """The ServiceRequests a QuestionnaireResponse is based on; one, or it is refused."""
    references = [reference_of(entry) for entry in response.get("basedOn", [])]
    return sorted({reference for reference in references if reference.startswith("ServiceRequest/")})


def exam_of_response(response: Resource) -> str:
    """The ServiceRequest a QuestionnaireResponse is based on; empty where it names none."""
    return next(iter(exams_of_response(response)), "")


async def screening_of(desk: Desk, exam: str, person: Collection[str]) -> Stored | None:
    """The newest answered screening of this exam and this patient, under any of his records."""
    found = [
        stored
        for stored in await desk.search(answers_of(exam))
        if stored.resource.get("status") in ANSWERED
        and is_our_screening(stored.resource)
        and reference_of(stored.resource.get("subject")) in person
    ]
    return next(iter(newest_first(found, desk)), None)


def answers_of(exam: str) -> str:
    """The search for all forms that were filled in for an exam."""
    return f"QuestionnaireResponse?based-on={exam}"


def looked_at_of(person: str) -> list[str]:
    """The searches for all that is looked at of a person, in the order of what is looked at."""
    return [f"{kind}?{by}={person}{narrower}" for kind, by, narrower in _LOOKED_AT]


def answered_by(person: str) -> str:
    """The search for the answers that these records of a person have given."""
    return f"QuestionnaireResponse?subject={person}&status={','.join(ANSWERED)}"


def newest_first(responses: Iterable[Stored], desk: Desk) -> list[Stored]:
    """Screenings by when they were answered, the newest first."""
    zone = settings_of(desk).time_zone
    return sorted(responses, key=lambda one: moment(one.resource.get("authored"), zone) or one.updated_at, reverse=True)


async def screening_known(desk: Desk, response: Resource, policy: Policy | None = None) -> ScreeningFacts:
    """The answers together with what copies and records kept here say about the patient now."""
    policy = policy or await pack_in_force(settings_of(desk).policy, desk)
    return gathered(await evidence_on(desk, response), reckoning(desk, policy))


def screening_in(
    bundle: Resource, response: Resource | None, desk: Desk, policy: Policy | None = None
) -> ScreeningFacts:
    """The same of a Bundle, which may hold a patient whom nobody here knows; nothing is read from the desk but settings."""
    return gathered(evidence_in(bundle, response), reckoning(desk, policy))


def reckoning(desk: Desk, policy: Policy | None = None) -> Reckoning:
    """Against what facts are reckoned here and now."""
    limits = limits_of(desk)
    return Reckoning(
        now=desk.now,
        time_zone=settings_of(desk).time_zone,
        adult_formula=limits.limit("renal.adult_formula").value,
        valid_inpatient=timedelta(days=limits.limit("renal.valid_days_inpatient").value),
        valid_outpatient=timedelta(days=limits.limit("renal.valid_days_outpatient").value),
        denied_for=denied_for(desk),
        policy=policy or policy_of(desk),
    )


def denied_for(desk: Desk) -> timedelta:
    """For how long it holds in this department that a patient said she is not pregnant."""
    return timedelta(days=limits_of(desk).limit("pregnancy.denied_days").value)


async def evidence_on(desk: Desk, response: Resource) -> Evidence:
    """What lies on the desk about the person who answered, under any of his records."""
    patient = reference_of(response.get("subject"))
    exam = exam_of_response(response)
    if not patient:
        return Evidence({}, response)
    records = await merge_set(patient, desk)  # what is known of any of his records counts
    request = await desk.read(exam) if exam else None
    if request is not None and reference_of(request.resource.get("subject")) not in records:
        request = None  # another patient's exam says nothing of this one
    found = await desk.searches(looked_at_of(any_of(records)))
    by_type: dict[str, list[Resource]] = {
        kind: [stored.resource for stored in stored_ones]
        for (kind, _, _), stored_ones in zip(_LOOKED_AT, found, strict=True)
    }
    by_type["Patient"] = [one.resource for one in [await desk.read(record) for record in sorted(records)] if one]
    for reference in _pointed_at(by_type):
        stored = await desk.read(reference)
        if stored is not None:
            by_type.setdefault(stored.resource["resourceType"], []).append(stored.resource)
    return Evidence(by_type, response, request.resource if request else None, person=records)


def _pointed_at(by_type: dict[str, list[Resource]]) -> list[str]:
    """The medicines that records of a person point at."""
    told = [one for kind in _OF_MEDICINES for one in by_type.get(kind, [])]
    named = {reference_of(one.get("medicationReference")) for one in told}
    return sorted(one for one in named if one.startswith("Medication/"))

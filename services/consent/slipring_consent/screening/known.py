"""The screening of an exam, and what the desk knows about its patient now: reads only, facts out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.service import Desk, Resource, Stored
from slipring.rules.limits import EVERYTHING

from slipring_consent.department import limits_of, settings_of
from slipring_consent.reading import moment, reference_of
from slipring_consent.screening.facts import EGFR_CODES, LOINC, ScreeningFacts, screening_facts
from slipring_consent.screening.form import questionnaire
from slipring_consent.screening.packs import Policy, policy_pack

ANSWERED = ("completed", "amended")
_EGFR = ",".join(f"{LOINC}|{code}" for code in sorted(EGFR_CODES))


def policy_of(desk: Desk) -> Policy:
    """The selected policy pack, with whether the department has confirmed it."""
    settings = settings_of(desk)
    confirmed = bool(settings.confirmed & {settings.policy, EVERYTHING})
    return policy_pack(settings.policy, confirmed=confirmed)


def is_our_screening(response: Resource) -> bool:
    """Whether a QuestionnaireResponse answers the contrast screening, in any version."""
    return str(response.get("questionnaire", "")).partition("|")[0] == str(questionnaire()["url"])


def exam_of_response(response: Resource) -> str:
    """The ServiceRequest a QuestionnaireResponse is based on."""
    references = [reference_of(entry) for entry in response.get("basedOn", [])]
    return next((reference for reference in references if reference.startswith("ServiceRequest/")), "")


async def screening_of(desk: Desk, exam: str, person: Collection[str]) -> Stored | None:
    """The newest answered screening of this exam and this patient, under any of his records."""
    found = [
        stored
        for stored in await desk.search(f"QuestionnaireResponse?based-on={exam}")
        if stored.resource.get("status") in ANSWERED
        and is_our_screening(stored.resource)
        and reference_of(stored.resource.get("subject")) in person
    ]
    return next(iter(newest_first(found, desk)), None)


def newest_first(responses: Iterable[Stored], desk: Desk) -> list[Stored]:
    """Screenings by when they were answered, the newest first."""
    zone = settings_of(desk).time_zone
    return sorted(responses, key=lambda one: moment(one.resource.get("authored"), zone) or one.updated_at, reverse=True)


async def screening_known(desk: Desk, response: Resource) -> ScreeningFacts:
    """The answers together with what the copies say about the patient now."""
    patient = reference_of(response.get("subject"))
    person = any_of(await merge_set(patient, desk)) if patient else ""  # what is known of any of his records counts
    inpatient = any(
        stored.resource.get("class", {}).get("code") == "IMP"
        for stored in await desk.search(f"Encounter?patient={person}&status=in-progress")
    )
    days = limits_of(desk).limit("renal.valid_days_inpatient" if inpatient else "renal.valid_days_outpatient").value
    return screening_facts(
        response,
        observations=await _about(desk, "Observation", person, f"&code={_EGFR}"),
        allergies=await _about(desk, "AllergyIntolerance", person),
        medications=await _about(desk, "MedicationStatement", person),
        policy=policy_of(desk),
        now=desk.now,
        renal_valid=timedelta(days=days),
        time_zone=settings_of(desk).time_zone,
    )


async def _about(desk: Desk, resource_type: str, person: str, narrower: str = "") -> list[Resource]:
    if not person:
        return []
    return [stored.resource for stored in await desk.search(f"{resource_type}?patient={person}{narrower}")]

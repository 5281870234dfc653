"""What the desk knows about one exam and one patient: reads only, facts out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.service import CANONICAL, Desk, Resource, Stored
from slipring.rules.limits import EVERYTHING, LimitBook, Limits
from slipring.staff import Reason, may

from slipring_consent.catalogue import Policy, is_contrast_exam, policy_pack, questionnaire
from slipring_consent.facts import EGFR_CODES, LOINC, ScreeningFacts, needs_contrast, screening_facts
from slipring_consent.reading import codes_in, is_coded, moment, reference_of
from slipring_consent.settings import ConsentSettings

ANSWERED = ("completed", "amended")
_EGFR = ",".join(f"{LOINC}|{code}" for code in sorted(EGFR_CODES))
PHYSICIAN_DECIDES = "decide-justification"  # the act of slipring.staff that a physician's decision needs


def settings_of(desk: Desk) -> ConsentSettings:
    """The service's settings; a bare desk has the defaults."""
    return desk.settings if isinstance(desk.settings, ConsentSettings) else ConsentSettings()


def limits_of(desk: Desk) -> Limits:
    """The numbers of this service as they stand today in the department."""
    day = desk.now.astimezone(ZoneInfo(settings_of(desk).time_zone)).date()
    path = Path(__file__).with_name("data") / "limits.toml"
    return LimitBook.load(path, settings_of(desk).confirmed).on(day)


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


async def person_behind(desk: Desk, reference: str) -> str:
    """The Practitioner whom a role names, by reference; any other reference is itself."""
    stored = await desk.read(reference) if reference.startswith("PractitionerRole/") else None
    return reference_of(stored.resource.get("practitioner")) if stored is not None else reference


async def staff_behind(desk: Desk, reference: str) -> tuple[Resource | None, list[Resource]]:
    """The Practitioner named directly or by a role, and all roles held."""
    person = await person_behind(desk, reference)
    stored = await desk.read(person) if person.startswith("Practitioner/") else None
    if stored is None:
        return None, []
    roles = await desk.search(f"PractitionerRole?practitioner={person}")
    return stored.resource, [role.resource for role in roles]


async def lacking(act: str, person: str, desk: Desk) -> list[Reason]:
    """Why a person, named directly or by a role, may not do an act now; empty when he may."""
    practitioner, roles = await staff_behind(desk, person) if person else (None, [])
    return may(act, practitioner, roles, desk.now, zone=settings_of(desk).time_zone)


def translated_to_contrast(exam_tasks: Iterable[Resource]) -> bool:
    """Whether order translated a hospital's own exam code into one that means contrast."""
    return any(
        is_contrast_exam(codes_in(entry.get("valueCodeableConcept")))
        for task in exam_tasks
        for entry in task.get("input", [])
    )


async def contrast_asked(reference: str, request: Resource, desk: Desk) -> bool:
    """Whether an exam is one with contrast: by what the request says, or by what order made of its local code."""
    if needs_contrast(request):
        return True
    tasks = await desk.search(tasks_of(reference))
    return translated_to_contrast(task.resource for task in tasks if is_coded(task.resource.get("code"), "exam"))


def tasks_of(reference: str) -> str:
    """The search for all Tasks that are about a request."""
    return f"Task?focus={reference}"


async def identity_waits(reference: str, desk: Desk) -> bool:
    """Whether the patient's records were merged or taken apart, and nobody has confirmed yet who this exam's patient is."""
    tasks = await desk.search(f"Task?based-on={reference}&code={CANONICAL}/CodeSystem/task-code|identity-confirmation")
    return any(task.resource.get("status") in ("requested", "rejected") for task in tasks)

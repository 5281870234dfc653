"""What the desk knows about the contrast of one administration: reads only, facts out."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.service import Desk, Resource, Stored

from slipring_consent.catalogue import data_file
from slipring_consent.consenting.facts import consents_of
from slipring_consent.contrast.agents import Coding, is_contrast_agent
from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.contrast.facts import ContrastFacts, Earlier, agent_of_concept, contrast_facts, earlier_dose
from slipring_consent.contrast.holding import contained_lot, lot_reference, numbered
from slipring_consent.contrast.lots import lot_number, lot_of, same_lot, strength_of
from slipring_consent.contrast.record import times_of
from slipring_consent.contrast.weight import weight_search
from slipring_consent.department import limits_of, settings_of
from slipring_consent.reading import codes_in, instant, reference_of

PERMITTED = ("in-progress", "on-hold")  # what runs: permitted and not over
_COUNTS = ",".join(("completed", "stopped", *PERMITTED))


async def contrast_known(administration: Resource, desk: Desk, at: datetime | None = None) -> ContrastFacts:
    """What CONTRAST_RULES weigh of one administration: as it stands now, or stood when it was given."""
    zone, at = settings_of(desk).time_zone, at or desk.now
    patient, exam = reference_of(administration.get("subject")), exam_of_administration(administration)
    person = await merge_set(patient, desk) if patient else frozenset[str]()
    inside = contained_lot(administration)
    queries = [weight_search(any_of(person)), _lately(person, at, desk)] if person else []
    queries += [consents_of(exam)] if exam else []
    queries += [numbered(lot_number(inside))] if inside else []
    found = dict(zip(queries, await desk.searches(queries), strict=True))
    weights = found[queries[0]] if person else []
    others = [one for one in (found[queries[1]] if person else []) if one.resource["id"] != administration.get("id")]
    before = [one for one in others if _begun_by(one.resource, at, zone)]
    kept = await _lot(administration, inside, found.get(queries[-1], []) if inside else [], desk)
    request = await desk.read(exam) if exam else None
    known = await desk.read(patient) if patient else None
    return contrast_facts(
        administration,
        lot_of(kept.resource, zone, at) if kept is not None else None,
        named=inside is not None or bool(lot_reference(administration)),
        exam=request.resource if request else None,
        consents=[one.resource for one in found.get(consents_of(exam), [])],
        patient=known.resource if known else None,
        weights=[one.resource for one in weights],
        earlier=[dose for one in before if (dose := await _earlier(one.resource, desk))],
        now=at,
        time_zone=zone,
    )


async def kept_lot(administration: Resource, desk: Desk) -> Stored | None:
    """The lot that an administration was taken from, as it is kept here; None when it names none that is."""
    inside = contained_lot(administration)
    found = await desk.search(numbered(lot_number(inside))) if inside else []
    return await _lot(administration, inside, found, desk)


async def agent_of(administration: Resource, desk: Desk) -> list[Coding]:
    """The codes of what is given: said at once, in a contained Medication, or in one that is kept here."""
    codings = _codes(administration.get("medicationCodeableConcept"))
    reference = str(administration.get("medicationReference", {}).get("reference", ""))
    if reference.startswith("#"):
        contained = administration.get("contained", [])
        codings += [c for one in contained if one.get("id") == reference[1:] for c in _codes(one.get("code"))]
    elif reference:
        medication = await desk.read(reference_of({"reference": reference}))
        codings += _codes(medication.resource.get("code")) if medication else []
    return codings


def _codes(concept: Resource | None) -> list[Coding]:
    """The codes of a drug, and of the agent that only its words name."""
    codes, agent = codes_in(concept), agent_of_concept(concept)
    return [*codes, (data_file("contrast_agents.toml")["systems"]["atc"], agent.atc)] if agent else codes


async def _lot(
    administration: Resource, inside: Resource | None, numbered_so: list[Stored], desk: Desk
) -> Stored | None:
    """The Medication kept here: the one referred to, or the one of the number and agent that a contained one says."""
    if inside is None:
        reference = lot_reference(administration)
        stored = await desk.read(reference) if reference else None
        return stored if stored is not None and lot_number(stored.resource) else None
    stands = (one for one in numbered_so if one.resource.get("status") != "entered-in-error")
    return next((one for one in stands if not one.source and same_lot(inside, one.resource)), None)


async def _earlier(administration: Resource, desk: Desk) -> Earlier | None:
    """An administration of contrast as it counts; other drugs count nothing."""
    if not is_contrast_agent(await agent_of(administration, desk)):
        return None
    inside, reference = contained_lot(administration), lot_reference(administration)
    stored = await desk.read(reference) if reference and inside is None else None
    medication = inside or (stored.resource if stored else None)
    return earlier_dose(administration, strength_of(medication) if medication else None)


def _begun_by(administration: Resource, at: datetime, zone: str) -> bool:
    """Whether a dose comes before a moment; one that is permitted and has not begun does."""
    started, _ = times_of(administration, zone)
    return administration["status"] in PERMITTED or started is None or started <= at


def _lately(person: frozenset[str], at: datetime, desk: Desk) -> str:
    """The search for what a person was given within the time that counts together."""
    hours = limits_of(desk).limit("contrast.repeat_hours").value
    since = instant(at - timedelta(hours=hours))
    return f"MedicationAdministration?patient={any_of(person)}&status={_COUNTS}&effective-time=ge{since}"

"""The injections of a period by when they were given, and all reactions to them: reads only."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Desk, Resource, Stored

from slipring_consent.contrast.agents import Agent, agent_named, is_contrast_agent
from slipring_consent.contrast.holding import contained_lot, lot_reference
from slipring_consent.contrast.lots import agent_of_lot, lot_number
from slipring_consent.reactions.grades import worst_of
from slipring_consent.reactions.said import happened, kind_of, suspects_of
from slipring_consent.reactions.timing import began_at, given_at
from slipring_consent.reading import codes_in, instant, reference_of
from slipring_consent.surveillance.given import UNKNOWN, Given, Reacted

_ZONE = "UTC"  # a time of day has its offset with it; a day alone is no moment
_SPAN = timedelta(days=31)
_A_DAY = timedelta(days=1)
_TOO_MANY = "kernel.too-many-matches-decide"
_GIVEN = "MedicationAdministration?status=completed,stopped&effective-time"


async def given_in(start: datetime, end: datetime, desk: Desk) -> list[Given]:
    """The contrast that was given from `start` until before `end`, completed or stopped; imported history counts too."""
    found: dict[str, Stored] = {}
    while start < end:
        until = min(start + _SPAN, end)
        found |= {one.reference: one for one in await found_within(_GIVEN, start, until, desk) if not one.source}
        start = until
    lots: dict[str, Resource] = {}
    every = [await _given(one, lots, desk) for one in found.values()]
    return [one for one in every if one is not None]


async def reactions_since(start: datetime, desk: Desk) -> list[Reacted]:
    """The reactions that happened since then; one that does not say when counts too. Marked as wrong they do not."""
    since = instant(start - _A_DAY)  # a date without a time begins at midnight
    found = await desk.searches([f"AdverseEvent?date=ge{since}", "AdverseEvent?date:missing=true"])
    return [as_reacted(one.resource) for each in found for one in each if not one.source and happened(one.resource)]


def as_reacted(event: Resource) -> Reacted:
    """A reaction as it is counted."""
    return Reacted(
        reference=f"AdverseEvent/{event['id']}",
        suspects=tuple(suspects_of(event, "MedicationAdministration")),
        kind=kind_of(event),
        grade=worst_of(event.get("severity")),
        began_at=began_at(event, _ZONE),
    )


def lot_name(agent: str, number: str) -> str:
    """A lot by its agent and number: two makers may print the same number."""
    return f"{agent} {number}" if number else UNKNOWN


async def _given(stored: Stored, lots: dict[str, Resource], desk: Desk) -> Given | None:
    """What one record says was given; None for a drug that is no contrast."""
    administration = stored.resource
    medication = contained_lot(administration) or await _kept(lot_reference(administration), lots, desk)
    concept = administration.get("medicationCodeableConcept") or medication.get("code", {})
    agent = _agent(administration, concept, medication)
    if agent is None and not is_contrast_agent(codes_in(concept)):
        return None
    name = agent.atc if agent else UNKNOWN
    patient = reference_of(administration.get("subject"))
    return Given(
        stored.reference, patient, name, lot_name(name, lot_number(medication)), given_at(administration, _ZONE)
    )


def _agent(administration: Resource, concept: Resource, medication: Resource) -> Agent | None:
    held = (one for one in administration.get("contained", []) if one.get("resourceType") == "Medication")
    codings = [*codes_in(concept), *(coding for one in held for coding in codes_in(one.get("code")))]
    return agent_named(codings, [str(concept.get("text", ""))]) or (agent_of_lot(medication) if medication else None)


async def _kept(reference: str, lots: dict[str, Resource], desk: Desk) -> Resource:
    if reference and reference not in lots:
        stored = await desk.read(reference)
        lots[reference] = stored.resource if stored is not None else {}
    return lots.get(reference, {})


async def found_within(query: str, start: datetime, end: datetime, desk: Desk) -> list[Stored]:
    """The matches of a span; halved as long as there are more than the desk gives at once."""
    name = query.rpartition("&")[2]
    try:
        return await desk.search(f"{query}=ge{instant(start)}&{name}=lt{instant(end)}")
    except FhirError as refused:
        if end - start <= _A_DAY or refused.issues[0].detail != _TOO_MANY:
            raise
    middle = start + (end - start) / 2
    return [*await found_within(query, start, middle, desk), *await found_within(query, middle, end, desk)]

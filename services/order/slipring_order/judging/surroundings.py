"""What stands around a request: everything here that a judgement of it may look at."""

from __future__ import annotations

from slipring.fhir.merged import any_of, linked, merge_set, sought_links
from slipring.fhir.service import Ahead, Desk, Resource, Write

from slipring_order.catalogue import exam_of
from slipring_order.gathering.patient import SOUGHT_BY_CODE
from slipring_order.judging.rule_set import INDEX, RuleSet, in_force, listed
from slipring_order.lifecycle import SCANNED
from slipring_order.offer.defined import definition_id
from slipring_order.offer.maps_in_use import EARLIER_TYPES, definition_of, maps_of
from slipring_order.reading import Pool, codes, reference_of
from slipring_order.resources import TASK_CODE_SYSTEM, state_of

# A request counts as an examination when it was carried out; other carriers say so themselves.
_NARROWER = {"ServiceRequest": "&status=completed"}
_BASED_ON = ("Observation", "DiagnosticReport", "Procedure", "QuestionnaireResponse")


def ahead(write: Write) -> Ahead:
    """What a judgement of this request will look at, as far as the request tells: all of it, for most."""
    request = write.resource
    if write.imported or write.method == "delete" or request.get("status") != "active":
        return Ahead()
    shipped = exam_of(codes(request.get("code")))
    named = [reference_of(element) for element in [*_direct(request), request.get("requester")]]
    named += [INDEX, *([f"ActivityDefinition/{definition_id(shipped.code)}"] if shipped else [])]
    patient = reference_of(request.get("subject"))
    records = frozenset([patient] if patient.startswith("Patient/") else [])
    queries = [sought_links(sorted(records))] if records else []
    return Ahead(named, [*queries, *_queries(request, records)])


async def surroundings(request: Resource, desk: Desk, sent: Pool | None = None) -> Pool:
    """The request with all that is known here of its patient, its requester and itself.

    `sent` holds what came with a dry run: it counts before what is stored under the same reference.
    """
    pool = sent or Pool()
    if request.get("id"):
        pool.add(request)
    for element in _direct(request):
        await _named(reference_of(element), pool, desk)
    subject = _subject(request, pool)
    if subject.startswith("Patient/"):
        pool.one_person = await merge_set(subject, desk)
    await _requester(request, pool, desk)
    for found in await desk.searches(_queries(request, pool.one_person)):
        # A followed copy of a report is evidence of an earlier exam like any other.
        pool.fill(*(one.resource for one in found))
    await _scanned(pool, desk)
    if sent is not None and pool.one_person:
        pool.one_person = _linked(pool)  # it ties what was sent together, and opens no stored record
    await maps_of(pool, desk, request)
    await definition_of(request, pool, desk)
    return pool


async def rules_in_force(desk: Desk) -> RuleSet:
    """The limits and switches to judge by now.

    The sets that are active stand in one resource of a fixed id: a search for them would make every judgement wait for
    every other, because what a search finds must still stand at the commit.
    """
    settings, index = desk.settings, await desk.read(INDEX)
    plans = [await desk.read(reference) for reference in listed(index.resource)] if index else []
    return in_force([plan for plan in plans if plan], settings.limits, desk.now, settings.zone)


async def _scanned(pool: Pool, desk: Desk) -> None:
    """The requests of what was scanned here: what was asked for is what was seen."""
    requests = [reference_of(exam.get("focus")) for exam in pool.of_type("Task") if state_of(exam) in SCANNED]
    unread = [one for one in requests if one not in pool.by_reference]
    await desk.foresee(Ahead(unread))
    for reference in unread:
        await _named(reference, pool, desk)


def _direct(request: Resource) -> list[Resource | None]:
    """The patient, the visit, and what the request itself points at."""
    pointed = [*request.get("supportingInfo", []), *request.get("reasonReference", [])]
    return [request.get("subject"), request.get("encounter"), *pointed]


def _queries(request: Resource, one_person: frozenset[str]) -> list[str]:
    queries: list[str] = []
    if request.get("id"):
        queries += [f"{kind}?based-on=ServiceRequest/{request['id']}" for kind in _BASED_ON]
    if one_person:
        subject = any_of(one_person)
        queries += [f"{kind}?subject={subject}{_NARROWER.get(kind, '')}" for kind in EARLIER_TYPES]
        queries.append(f"Observation?subject={subject}&combo-code={','.join(SOUGHT_BY_CODE)}")
        queries.append(f"Task?subject={subject}&code={TASK_CODE_SYSTEM}|exam")
        queries.append(f"AllergyIntolerance?patient={subject}")
        queries.append(f"Condition?subject={subject}")
    requester = reference_of(request.get("requester"))
    if requester.startswith("Practitioner/"):
        queries.append(f"PractitionerRole?practitioner={requester}")
    return queries


def _subject(request: Resource, pool: Pool) -> str:
    patient = pool.resolve(request.get("subject"), request)
    return f"Patient/{patient['id']}" if patient and patient.get("id") else reference_of(request.get("subject"))


def _linked(pool: Pool) -> frozenset[str]:
    """The records of the same person as what was sent links them, in either direction."""
    pairs = [
        {f"Patient/{patient['id']}", other}
        for patient in pool.of_type("Patient")
        if patient.get("id")
        for other in linked(patient)
    ]
    found = pool.one_person
    while more := frozenset[str]().union(*(pair for pair in pairs if found & pair)) - found:
        found |= more
    return found


async def _named(reference: str, pool: Pool, desk: Desk) -> Resource | None:
    if "/" not in reference:
        return None
    if reference not in pool.by_reference:
        stored = await desk.read(reference)
        pool.fill(stored.resource if stored else None)
    return pool.by_reference.get(reference)


async def _requester(request: Resource, pool: Pool, desk: Desk) -> None:
    """The person who asks; a role leads to its holder."""
    found = await _named(reference_of(request.get("requester")), pool, desk)
    if found is not None and found["resourceType"] == "PractitionerRole":
        await _named(reference_of(found.get("practitioner")), pool, desk)

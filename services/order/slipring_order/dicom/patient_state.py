"""What a console shows of the patient's state: pregnancy, allergies, weight and height, looked up for a whole list at once.

A statement is passed on as it stands: nothing said is an empty attribute, and unknown is said as unknown, never as no.
Allergies of every record of a person count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from slipring.fhir.merged import linked
from slipring.fhir.service import Desk, Resource

from slipring_order.dicom.entry import LONG, Entry, PatientState
from slipring_order.dicom.names import one_line
from slipring_order.gathering.body_size import HEIGHT, WEIGHT, height_m, weight_kg
from slipring_order.gathering.pregnancy_stated import pregnancy_status
from slipring_order.gathering.request import supporting_of
from slipring_order.reading import Pool, codes, codings, reference_of

ASKED_BY = frozenset({"PregnancyStatus", "Allergies", "MedicalAlerts", "PatientWeight", "PatientSize"})
_NOT_SO = frozenset({"refuted", "entered-in-error"})
_OVER = frozenset({"inactive", "resolved"})
_VOID = frozenset({"entered-in-error", "cancelled"})
_AT_ONCE = 100


async def with_states(entries: Sequence[Entry], desk: Desk) -> list[Entry]:
    """The entries with what is known of their patients."""
    patients = {one.step.patient: one.patient for one in entries if one.patient}
    persons = await _persons(patients, desk)
    everybody = sorted({name for names in persons.values() for name in names})
    requests = sorted({one.step.request for one in entries})
    pool = Pool()
    pool.add(*patients.values(), *(one.request for one in entries))
    queries = [
        *_in_parts("AllergyIntolerance?patient=", everybody),
        *_in_parts(f"Observation?code={WEIGHT},{HEIGHT}&subject=", everybody),
        *_in_parts("Condition?subject=", everybody),
        *_in_parts("Observation?code=82810-3,11449-6&based-on=", requests),
        *_in_parts("QuestionnaireResponse?based-on=", requests),
        *_in_parts("Observation?_id=", _named_by(entries, "Observation")),
        *_in_parts("QuestionnaireResponse?_id=", _named_by(entries, "QuestionnaireResponse")),
    ]
    for found in await desk.searches(queries):
        pool.fill(*(one.resource for one in found))
    held = _by_whom_and_what_for(pool)
    return [
        replace(one, state=_state(one, _own(one, persons.get(one.step.patient, frozenset()), held, pool), desk))
        for one in entries
    ]


async def _persons(patients: Mapping[str, Resource], desk: Desk) -> dict[str, frozenset[str]]:
    """The records of each of these people: themselves, and those that a merge ties to them from either side."""
    persons = {name: {name, *linked(patient)} for name, patient in patients.items()}
    others = await desk.searches(_in_parts("Patient?link=", sorted(patients)))
    for other in (one for found in others for one in found):
        for name in linked(other.resource) & persons.keys():
            persons[name].add(other.reference)
    return {name: frozenset(names) for name, names in persons.items()}


def _state(entry: Entry, own: Pool, desk: Desk) -> PatientState:
    zone, now = desk.settings.zone, desk.now
    allergies = [one for one in own.of_type("AllergyIntolerance") if _stands(one)]
    measured = [one for one in own.of_type("Observation") if one.get("status") not in _VOID]
    supporting = list(supporting_of(entry.request, own))
    return PatientState(
        pregnancy=pregnancy_status(entry.request, supporting, entry.patient, own, now, zone),
        allergies=_words(allergies),
        alerts=_words(one for one in allergies if one.get("criticality") == "high"),
        weight_kg=weight_kg(measured, zone),
        height_m=height_m(measured, zone),
    )


def _own(entry: Entry, person: frozenset[str], held: Mapping[str, Sequence[Resource]], pool: Pool) -> Pool:
    """What is told of this person, based on this request, or named by it; a long list is not searched for each entry."""
    own = Pool(one_person=person)
    own.add(entry.patient or None, entry.request)
    for name in (*sorted(person), entry.step.request):
        own.fill(*held.get(name, ()))
    named = [*entry.request.get("supportingInfo", []), *entry.request.get("reasonReference", [])]
    own.fill(*(pool.by_reference.get(reference_of(element)) for element in named))
    return own


def _by_whom_and_what_for(pool: Pool) -> Mapping[str, Sequence[Resource]]:
    found: defaultdict[str, list[Resource]] = defaultdict(list)
    for resource in pool.of_type("AllergyIntolerance", "Condition", "Observation", "QuestionnaireResponse"):
        about = [resource.get("patient") or resource.get("subject"), *resource.get("basedOn", [])]
        for name in {reference_of(element) for element in about}:
            found[name].append(resource)
    return found


def _stands(allergy: Resource) -> bool:
    said = {*codes(allergy.get("verificationStatus")), *codes(allergy.get("clinicalStatus"))}
    return not said & (_NOT_SO | _OVER)


def _words(allergies: Iterable[Resource]) -> tuple[str, ...]:
    texts = (one_line(_named(one.get("code", {})), LONG) for one in allergies)
    return tuple(dict.fromkeys(text for text in texts if text))


def _named(concept: Mapping[str, Any]) -> str:
    """A concept in words, else by its code: an allergy that is only coded is an allergy."""
    displays = (one.get("display") for one in codings(concept))
    return str(next(filter(None, [concept.get("text"), *displays, *codes(concept)]), ""))


def _named_by(entries: Iterable[Entry], kind: str) -> list[str]:
    """What the requests point at as their support."""
    named = (reference_of(element) for one in entries for element in one.request.get("supportingInfo", []))
    return sorted({name.partition("/")[2] for name in named if name.startswith(f"{kind}/")})


def _in_parts(query: str, values: Sequence[str]) -> list[str]:
    return [query + ",".join(values[begin : begin + _AT_ONCE]) for begin in range(0, len(values), _AT_ONCE)]

"""What the bench sends: synthetic resources, each with identifiers of its own, made cheaply."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tests.bench.load import Next, http

MARK = "00000000-0000-4000-8000-000000000000"  # where each request gets a number of its own
_ATC = {"system": "http://www.whocc.no/atc", "code": "V08AB02", "display": "iohexol"}
PLACER = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]}
Tree = dict[str, Any]


def prescription(number: str = MARK) -> Tree:
    """A MedicationRequest of about 2.5 KB: kept by order, followed by nobody, no rules."""
    return {
        "resourceType": "MedicationRequest",
        "identifier": [{"use": "official", "system": "urn:oid:2.16.156.10011.1.12", "value": number}],
        "status": "active",
        "intent": "order",
        "category": [{"coding": [_ATC], "text": "x" * 200} for _ in range(4)],
        "medicationCodeableConcept": {"coding": [_ATC]},
        "subject": {"reference": f"Patient/o-{number}", "display": "Synthetic"},
        "authoredOn": "2026-11-23T08:00:00.120+08:00",
        "reasonCode": [
            {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": f"J{n:02d}"}]} for n in range(10)
        ],
    }


def transaction(size: int) -> Tree:
    """A transaction Bundle of so many prescriptions."""
    entries = [
        {"request": {"method": "POST", "url": "MedicationRequest"}, "resource": prescription(f"{MARK}-{n:02d}")}
        for n in range(size)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def patient(position: int) -> Tree:
    """Somebody to be examined."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:bench:patient", "value": f"P{position}"}],
        "name": [{"text": f"Synthetic {position}"}],
        "gender": "female" if position % 2 else "male",
        "birthDate": f"{1940 + position % 60}-05-01",
        "telecom": [{"system": "phone", "value": "000"}],
    }


def requester(number: int = 0) -> Tree:
    """One of those who order."""
    return {"resourceType": "Practitioner", "active": True, "name": [{"text": f"Synthetic Physician {number}"}]}


def order(patient_reference: str, requester_reference: str) -> Tree:
    """A CT request that goes through all rules of order."""
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "priority": "routine",
        "identifier": [{"type": PLACER, "system": "urn:bench:his", "value": MARK}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "24627-2", "display": "CT Chest"}]},
        "bodySite": [{"coding": [{"system": "http://snomed.info/sct", "code": "816094009", "display": "Chest"}]}],
        "subject": {"reference": patient_reference},
        "requester": {"reference": requester_reference},
        "authoredOn": "2026-11-23T08:00:00+08:00",
        "reasonCode": [{"text": "胸痛两天"}],
        "note": [{"text": "无手术史；血常规正常；无既往影像"}],
    }


def posting(path: str, token: str, tree: Tree) -> Next:
    """POST the tree again and again, each time with a number of its own in place of the mark."""
    return posting_in_turn(path, token, [tree])


def posting_in_turn(path: str, token: str, trees: Sequence[Tree]) -> Next:
    """The same, with one tree after the other."""
    return in_turn_with_numbers(http("POST", path, token, json.dumps(tree).encode()) for tree in trees)


def in_turn_with_numbers(requests: Iterable[bytes]) -> Next:
    """One request after the other, each time with a number of its own in place of the mark."""
    pieces = itertools.cycle([request.split(MARK.encode()) for request in requests])
    number = _numbers()
    return lambda: number().join(next(pieces))


def _numbers() -> Callable[[], bytes]:
    """Texts as long as the mark, none of which comes twice, in this run or another."""
    run = uuid.uuid4().hex[:23]
    count = itertools.count()
    return lambda: b"%s-%012d" % (run.encode(), next(count))

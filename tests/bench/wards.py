"""A made-up hospital that orders CT: patients with a history, requesters with roles, and requests of every common kind."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from slipring.fhir.service import CANONICAL

from tests.bench.load import Next, http
from tests.bench.samples import MARK, PLACER, in_turn_with_numbers

SEED = 20260302
_LOINC, _SNOMED, _ICD10 = "http://loinc.org", "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10"
# LOINC code, display, body site (SNOMED CT), and a complaint that asks for it.
_EXAMS = (
    ("24627-2", "CT Chest", "816094009", "胸痛两天"),
    ("24725-4", "CT Head", "69536005", "头痛、呕吐一天"),
    ("41806-1", "CT Abdomen", "818981001", "右上腹痛三天"),
    ("30588-8", "CT Sinuses", "2095001", "鼻塞、面部疼痛两周"),
)
_DIAGNOSES = (("I10", "高血压"), ("E11.9", "2型糖尿病"), ("J44.9", "慢性阻塞性肺疾病"), ("K80.2", "胆囊结石"))
_TERMS = "http://terminology.hl7.org/CodeSystem"
Tree = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """A patient with what a request may point at, as references."""

    patient: str
    encounter: str = ""
    condition: str = ""
    laboratory: str = ""
    pregnancy: str = ""


def history(number: int) -> list[Tree]:
    """A patient with what the hospital knows of him, under `urn:uuid` names; a number always gives the same one."""
    choose = random.Random(SEED + number)
    woman = number % 10 == 3  # of an age that is asked about pregnancy
    born = 1985 + choose.randrange(15) if woman else 1935 + choose.randrange(40)
    made: list[Tree] = [
        {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:bench:patient", "value": f"W{number}"}],
            "name": [{"text": f"Synthetic {number}"}],
            "gender": "female" if woman or (born < 1965 and number % 2) else "male",
            "birthDate": f"{born}-05-01",
            "telecom": [{"system": "phone", "value": "000"}],
        }
    ]
    about = {"reference": _name(number, "Patient")}
    for code, text in choose.sample(_DIAGNOSES, choose.randrange(1, 4)):
        concept = {"coding": [{"system": _ICD10, "code": code, "display": text}], "text": text}
        made.append({"resourceType": "Condition", "code": concept, "subject": about})
    made.append(
        _observation(about, (_LOINC, "33914-3"), valueQuantity={"value": 60 + choose.randrange(50), "unit": "mL/min"})
    )
    if choose.random() < 0.3:
        active = {"coding": [{"system": f"{_TERMS}/allergyintolerance-clinical", "code": "active"}]}
        allergy = {"code": {"text": "青霉素"}, "clinicalStatus": active}
        made.append({"resourceType": "AllergyIntolerance", "patient": about, **allergy})
    if choose.random() < 0.4:  # an earlier CT of another place, long ago, with its dose
        made += _earlier(about, choose)
    if woman:
        coded = {"coding": [{"system": _LOINC, "code": "LA26683-5"}]}
        made.append(_observation(about, (_LOINC, "82810-3"), valueCodeableConcept=coded))
    if number % 4 == 0:
        made.append(
            {
                "resourceType": "Encounter", "status": "in-progress", "subject": about,
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            }
        )  # fmt: skip
    return made


def _earlier(about: Tree, choose: random.Random) -> list[Tree]:
    done = datetime.now(UTC) - timedelta(days=200 + choose.randrange(400))
    at = f"{done:%Y-%m-%dT%H:%M:%S}Z"
    pelvis = {"coding": [{"system": _LOINC, "code": "24865-8", "display": "CT Pelvis"}]}
    dose = {
        "code": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "113839"}]},
        "valueQuantity": {"value": 6.5, "unit": "mSv", "system": "http://unitsofmeasure.org", "code": "mSv"},
    }
    return [
        {"resourceType": "Procedure", "status": "completed", "code": pelvis, "subject": about, "performedDateTime": at},
        _observation(about, (_LOINC, "73569-6"), effectiveDateTime=at, component=[dose]),
    ]


def _observation(about: Tree, code: tuple[str, str], **members: Any) -> Tree:
    system, number = code
    return {
        "resourceType": "Observation", "status": "final", "code": {"coding": [{"system": system, "code": number}]},
        "category": [{"coding": [{"system": f"{_TERMS}/observation-category", "code": "laboratory"}]}],
        "subject": about, "effectiveDateTime": "2026-11-20T08:00:00+08:00", **members,
    }  # fmt: skip


def _name(number: int, kind: str) -> str:
    return f"urn:uuid:{kind.lower()}-{number}"


def requester(number: int) -> list[Tree]:
    """A physician who may order, with the role that says so."""
    title = {"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-title", "code": "attending-physician"}]}
    roles = [{"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-role", "code": "requester"}]}]
    person = {
        "resourceType": "Practitioner", "active": True, "name": [{"text": f"Synthetic Physician {number}"}],
        "telecom": [{"system": "phone", "value": "000"}], "qualification": [{"code": title}],
    }  # fmt: skip
    who = {"reference": _name(number, "Practitioner")}
    return [person, {"resourceType": "PractitionerRole", "active": True, "practitioner": who, "code": roles}]


def bundles(families: Iterable[tuple[int, Sequence[Tree]]], at_once: int = 400) -> Iterable[Tree]:
    """Transactions that store them; the first resource of each is known to the others by its name."""
    entries: list[Tree] = []
    for number, trees in families:
        for position, tree in enumerate(trees):
            entry: Tree = {"request": {"method": "POST", "url": tree["resourceType"]}, "resource": tree}
            if position == 0:
                entry["fullUrl"] = _name(number, tree["resourceType"])
            entries.append(entry)
        if len(entries) >= at_once:
            yield {"resourceType": "Bundle", "type": "transaction", "entry": entries}
            entries = []
    if entries:
        yield {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def people(numbers: Iterable[int], references: Iterable[str]) -> list[Person]:
    """The patients, by the references that their histories got, in the order they were sent."""
    following, found = iter(references), []
    for number in numbers:
        held: dict[str, str] = {}
        for tree in history(number):
            reference = next(following)
            pregnancy = tree["resourceType"] == "Observation" and "valueCodeableConcept" in tree
            held.setdefault("pregnancy" if pregnancy else tree["resourceType"], reference)
        found.append(
            Person(
                held["Patient"], held.get("Encounter", ""), held["Condition"], held["Observation"],
                held.get("pregnancy", ""),
            )
        )  # fmt: skip
    return found


def request(number: int, person: Person, who: str, *, wanting: bool = False) -> Tree:
    """A CT request that states what it must; `wanting`: it lacks its question, or asks for what is asked back."""
    code, display, site, complaint = _EXAMS[number % len(_EXAMS)]
    tree: Tree = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "priority": ("routine", "routine", "routine", "urgent")[number % 4],
        "identifier": [{"type": PLACER, "system": "urn:bench:his", "value": MARK}],
        "category": [{"coding": [{"system": _SNOMED, "code": "363679005", "display": "Imaging"}]}],
        "code": {"coding": [{"system": _LOINC, "code": code, "display": display}]},
        "bodySite": [{"coding": [{"system": _SNOMED, "code": site}]}],
        "subject": {"reference": person.patient},
        "requester": {"reference": who},
        "authoredOn": "2026-11-26T08:00:00+08:00",
        "reasonCode": [{"text": complaint}],
        "note": [{"text": "无手术史；血常规正常；无既往影像"}],
    }
    supporting = [one for one in (person.laboratory if number % 3 == 0 else "", person.pregnancy) if one]
    if supporting:
        tree["supportingInfo"] = [{"reference": one} for one in supporting]
    if person.encounter:
        tree["encounter"] = {"reference": person.encounter}
        tree["reasonReference"] = [{"reference": person.condition}]
    if wanting:
        tree |= {"reasonCode": [{"text": " "}]} if number % 2 else {"note": [], "orderDetail": [{"text": "增强"}]}
        tree = {name: value for name, value in tree.items() if value != []}
        tree.pop("reasonReference", None)
    return tree


def posted(path: str, token: str, requests: Sequence[Tree], *, once: bool = False) -> Next:
    """POST one request after the other, each with a number of its own; `once`: only if its number is new."""
    header = f"If-None-Exist: identifier=urn:bench:his%7C{MARK}" if once else ""
    return in_turn_with_numbers(http("POST", path, token, json.dumps(tree).encode(), header) for tree in requests)


def bundled(path: str, token: str, requests: Sequence[Tree], size: int, kind: str = "transaction") -> Next:
    """POST so many requests at a time in a Bundle."""
    pieces = []
    for begin in range(0, len(requests) - size + 1, size):
        entries = []
        for position, tree in enumerate(requests[begin : begin + size]):
            [identifier] = tree["identifier"]
            numbered = {**tree, "identifier": [{**identifier, "value": f"{MARK}-{position:02d}"}]}
            entries.append({"request": {"method": "POST", "url": "ServiceRequest"}, "resource": numbered})
        bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
        pieces.append(http("POST", path, token, json.dumps(bundle).encode()))
    return in_turn_with_numbers(pieces)

"""The department before the quarter begins: its people, papers, rooms, gear and tests, all in order until the quarter's end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from slipring_demo.cast import C, practitioner, role, scanner
from slipring_order.catalogue import SYSTEMS, exams
from slipring_order.department.checklists import checklists
from slipring_order.department.obligations import obligations
from slipring_order.department.standing import AGREEMENT_PARTS, IMAGING
from slipring_order.offer.coverage import SCANNER_PROPERTY, SCOPE
from slipring_order.offer.defined import BODY_SYSTEM
from slipring_order.offer.protocols import protocol_id, protocols
from slipring_order.rooms.measured import TEST_SYSTEM
from slipring_order.rooms.scanner_standard import tests

from tests.support.staffing import RESULT, a_device, a_document, a_test, an_answer, held

from .papers import FAULTY, KINDS

Tree = dict[str, Any]
BEFORE = "2026-06-22"  # when all that is checked was checked last
CHECKED = f"{BEFORE}T02:00:00Z"
_TRAININGS = (
    "exam-skills-training", "ct-nursing-training", "contrast-training", "resuscitation-training",
    "radiation-protection-training",
)  # fmt: skip
_YEARS = {"imaging-diagnosis": "2008-07-01", "ct-operation": "2012-07-01"}

# name -> title, roles; everybody is certified, trained, assessed, monitored and examined
STAFF: dict[str, tuple[str, tuple[str, ...]]] = {
    "requester": ("attending-physician", ("requester", "may-order-ct", "may-receive-critical")),
    "ward duty": ("attending-physician", ("requester", "may-receive-critical")),
    "first reader": ("attending-physician", ("radiologist", "level-b")),
    "second reader": ("associate-chief-physician", ("radiologist", "level-d")),
    "third reader": ("attending-physician", ("radiologist", "level-c")),
    "head": ("chief-physician", ("radiologist", "level-e", "ct-head", "diagnosis-lead")),
    "technologist": ("technologist", ("technologist",)),
    "technical lead": ("associate-chief-technologist", ("technologist", "technical-lead")),
    "physicist": ("supervising-technologist", ("physicist", "quality-manager")),
    "nurse": ("senior-nurse", ("ct-nurse",)),
}
CLINIC = ("requester", "ward duty")
GEAR = (
    "injector", "workstation", "rescue-equipment", "protective-gear-adult", "protective-gear-child", "crash-cart",
    "second-supply", "phantom",
)  # fmt: skip


def urn(name: str) -> str:
    """What a resource is called inside the transaction that makes it."""
    return f"urn:uuid:{name.replace(' ', '-')}"


def certificates() -> list[Tree]:
    """What a member of the department holds through the quarter."""
    kept = [
        held(code, "2012-03-01", "2032-03-01") for code in ("radiation-worker-certificate", "ct-equipment-certificate")
    ]
    kept += [held(code, since) for code, since in _YEARS.items()]
    kept += [held(code, "2026-01-15") for code in _TRAININGS]
    return [*kept, held("competence", "2026-01-10", "2026-12-31")]


def house() -> Iterator[tuple[str, Tree]]:
    """Everything that stands, by the name that the quarter knows it by."""
    yield "hospital", {"resourceType": "Organization", "name": "示例医院(虚构)"}
    yield "ward", {"resourceType": "Organization", "name": "急诊病区(虚构)", "partOf": {"reference": urn("hospital")}}
    yield "scanner", scanner() | {"property": [_scope()]}
    for number, (name, (title, duties)) in enumerate(STAFF.items()):
        yield from member(name, f"Q-{number:04d}", title, duties)
    for kind in GEAR:
        yield kind, _bare(a_device(kind, kind) | _made_of(kind))
    yield from _papers()
    yield from _protocols()
    for listed in obligations():
        if listed.carried == "answers" and listed.of == "device":
            for kind in sorted(listed.by):
                yield f"{listed.code} {kind}", checked(listed.code, urn(kind))
    for listed in obligations():
        if listed.carried == "answers" and listed.of == "department" and listed.required:
            yield listed.code, checked(listed.code, urn("hospital"))
    for code in ("acceptance-test", "status-test", "constancy-test", "calibration"):
        yield code, _bare(a_test(code, code, urn("scanner"), CHECKED))
    for test, number in VALUES.items():
        yield f"measured {test}", measured(test, number, CHECKED)


def member(name: str, number: str, title: str, duties: tuple[str, ...], *more: Tree) -> Iterator[tuple[str, Tree]]:
    """A person, what he does, and, where he works with radiation, his dose and his health."""
    certified = [] if name in CLINIC else certificates()
    yield name, practitioner(number, "示", "例", title, *certified, *more)
    yield f"{name} role", role(urn(name), urn("hospital"), *duties) | {"period": {"start": "2019-01-01"}}
    if name not in CLINIC:
        yield f"{name} dose", dosed(urn(name), "2026-07-01T00:30:00Z")
        yield (
            f"{name} health",
            _bare(an_answer("x", "health-examination", urn(name), CHECKED, urn("head"), result="passed")),
        )


def dosed(who: str, on: str) -> Tree:
    """The reading of somebody's dosimeter."""
    answer = _bare(an_answer("x", "personal-dose", who, on, urn("head")))
    quantity = {"value": 0.1, "unit": "mSv", "code": "mSv", "system": "http://unitsofmeasure.org"}
    return answer | {"item": [{"linkId": "hp10", "answer": [{"valueQuantity": quantity}]}]}


def checked(form: str, subject: str, on: str = CHECKED) -> Tree:
    """A check list on which everything is as it must be, its dates far ahead."""
    answers: Tree = {}
    for item in checklists()[form].items:
        said = {"check": True, "expiry": str(date(2028, 6, 30)), "result": "passed"}.get(item.type)
        if said is not None:
            answers[item.code] = said
    return _bare(an_answer("x", form, subject, on, urn("technologist"), **answers))


# What was measured on the scanner, well inside the limits of constancy.
VALUES = {
    "water": 0.4, "uniformity": 1.2, "noise": 0.28, "spatial-resolution": 6.4, "density-resolution": 2.0, "couch": 0.5,
    "laser": 0.5, "tilt": 0.5, "slice-thickness": 0.3, "ctdiw-head": 45.0, "ctdiw-body": 18.0, "linearity": 12.0,
}  # fmt: skip


def measured(test: str, number: float, at: str, device: str = urn("scanner"), kind: str = "status") -> Tree:
    """One value of a test of the scanner; a status test sets the baseline."""
    unit = tests()[test]["units"][0]
    kinds = f"{C}/CodeSystem/scanner-test-kind"
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": TEST_SYSTEM, "code": test}]},
        "method": {"coding": [{"system": kinds, "code": kind}]},
        "subject": {"reference": device},
        "effectiveDateTime": at,
        "valueQuantity": {"value": number, "code": unit, "system": "http://unitsofmeasure.org"},
    }


def _papers() -> Iterator[tuple[str, Tree]]:
    parts = {"practice-licence": (IMAGING,), "service-agreement": AGREEMENT_PARTS}
    for one in obligations():
        if one.carried == "document":
            start = "2015-01-01" if one.code == "practice-licence" else "2026-01-05"
            yield one.code, document(one.code, start, "2027-12-31", *parts.get(one.code, ()))


def document(code: str, start: str, end: str, *parts: str) -> Tree:
    """A paper of the department and how long it holds."""
    paper = _bare(a_document(code, code, start, end, *parts))
    return paper if parts else paper | {"context": {"period": paper["context"]["period"]}}


def _protocols() -> Iterator[tuple[str, Tree]]:
    """The scan protocols of the exams that are made, as the department approved them."""
    made = {exams()[kind.code] for kind in (*KINDS.values(), *FAULTY.values())}
    wanted = {protocol_id(f"{one.protocol}-{one.phases}-{age}") for one in made for age in ("adult", "child")}
    for one in protocols():
        if one["id"] in wanted:
            plain = json.loads(json.dumps(one, default=float))  # its figures are exact decimals
            yield f"protocol {one['id']}", _bare(plain) | {"status": "active"}


def _scope() -> Tree:
    systems = [{"coding": [{"system": BODY_SYSTEM, "code": code}]} for code in SYSTEMS]
    return {"type": {"coding": [{"system": SCANNER_PROPERTY, "code": SCOPE}]}, "valueCode": systems}


def _made_of(kind: str) -> Tree:
    if not kind.startswith("protective-gear"):
        return {}
    lead = {"type": {"coding": [{"system": f"{C}/CodeSystem/gear-property", "code": "lead-equivalent"}]}}
    return {"property": [lead | {"valueQuantity": [{"value": 0.5, "unit": "mmPb"}]}]}


def _bare(resource: Tree) -> Tree:
    return {name: value for name, value in resource.items() if name != "id"}


__all__ = [
    "BEFORE",
    "GEAR",
    "RESULT",
    "STAFF",
    "VALUES",
    "certificates",
    "checked",
    "house",
    "measured",
    "member",
    "urn",
]

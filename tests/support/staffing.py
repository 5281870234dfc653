"""A small department for the due list: who works there, what hangs on its walls, what was checked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.fhir.caller import Caller
from slipring.fhir.service import CANONICAL, Call, Due, Resource, Wake, Write, WriteHandler
from slipring_order.department.checklists import QUESTIONNAIRE
from slipring_order.department.records import DOCUMENT_SYSTEM, KIND_SYSTEM, TEST_SYSTEM
from slipring_order.handlers.reminding import lapsed
from slipring_order.settings import OrderSettings

from tests.support.desk import A_NOON, ANYONE, ADesk

QUALIFICATION = f"{CANONICAL}/CodeSystem/staff-qualification"
ROLE = f"{CANONICAL}/CodeSystem/staff-role"
TITLE = f"{CANONICAL}/CodeSystem/staff-title"
RESULT = f"{CANONICAL}/CodeSystem/check-result"


def held(code: str, start: str = "", end: str = "", system: str = QUALIFICATION) -> Resource:
    """An entry of Practitioner.qualification."""
    period = {name: day for name, day in (("start", start), ("end", end)) if day}
    return {"code": {"coding": [{"system": system, "code": code}]}} | ({"period": period} if period else {})


def a_member(
    id: str, title: str, *qualifications: Resource, roles: tuple[str, ...] = (), since: str = "2019-01-01", **role: Any
) -> list[Resource]:
    """A member of staff and what he does there."""
    person = {
        "resourceType": "Practitioner", "id": id, "name": [{"text": f"name of {id}"}],
        "qualification": [held(title, system=TITLE), *qualifications],
    }  # fmt: skip
    post = {
        "resourceType": "PractitionerRole", "id": f"{id}-role", "active": True, "period": {"start": since},
        "practitioner": {"reference": f"Practitioner/{id}"},
        "code": [{"coding": [{"system": ROLE, "code": code}]} for code in roles], **role,
    }  # fmt: skip
    return [person, post]


def a_document(id: str, code: str, start: str = "2020-01-01", end: str = "", *parts: str) -> Resource:
    """A licence, permit, agreement or procedure."""
    period = {name: day for name, day in (("start", start), ("end", end)) if day}
    return {
        "resourceType": "DocumentReference", "id": id, "status": "current",
        "type": {"coding": [{"system": DOCUMENT_SYSTEM, "code": code}]},
        "content": [{"attachment": {"contentType": "application/pdf", "url": f"urn:paper:{id}"}}],
        "context": {
            "period": period,
            "event": [{"coding": [{"system": f"{CANONICAL}/CodeSystem/document-part", "code": part}]} for part in parts],
        },
    }  # fmt: skip


def a_device(id: str, kind: str, **members: Any) -> Resource:
    """Gear, a supply, a phantom."""
    return {
        "resourceType": "Device", "id": id, "status": "active",
        "type": {"coding": [{"system": KIND_SYSTEM, "code": kind}]}, **members,
    }  # fmt: skip


def an_answer(
    id: str, form: str, subject: str, on: str, author: str = "Practitioner/o-head", **answers: Any
) -> Resource:
    """A filled form; answers by linkId: booleans, dates, codes (staff-role for `duty`, check-result for `result`)."""
    systems = {"duty": ROLE, "result": RESULT}
    items = []
    for link, value in answers.items():
        name = link.replace("_", "-")
        if isinstance(value, bool):
            answer: Resource = {"valueBoolean": value}
        elif name in systems:
            answer = {"valueCoding": {"system": systems[name], "code": value}}
        elif isinstance(value, str):
            answer = {"valueDate": value}
        else:
            answer = {"valueQuantity": {"value": value, "code": "mSv"}}
        items.append({"linkId": name, "answer": [answer]})
    return {
        "resourceType": "QuestionnaireResponse", "id": id, "status": "completed", "questionnaire": f"{QUESTIONNAIRE}{form}|1",
        "subject": {"reference": subject}, "authored": on, "author": {"reference": author}, "item": items,
    }  # fmt: skip


def a_test(id: str, code: str, device: str, on: str, result: str = "passed", **members: Any) -> Resource:
    """An acceptance, status or constancy test of a device."""
    return {
        "resourceType": "Observation", "id": id, "status": "final", "code": {"coding": [{"system": TEST_SYSTEM, "code": code}]},
        "device": {"reference": device}, "effectiveDateTime": on,
        "valueCodeableConcept": {"coding": [{"system": RESULT, "code": result}]}, **members,
    }  # fmt: skip


def asked(**values: Any) -> Call:
    """A call with these parameters; `on` is a date, `within` a number, others codes."""
    kinds = {"on": "Date", "within": "Integer", "at": "DateTime", "subject": "Reference"}
    return Call(
        {
            "resourceType": "Parameters",
            "parameter": [{"name": name, f"value{kinds.get(name, 'Code')}": value} for name, value in values.items()],
        }
    )


def a_house(*holding: Resource, now: datetime = A_NOON, caller: Caller = ANYONE) -> ADesk:
    """A desk of the order service where nobody works and nothing stands but what is given; intervals unconfirmed."""
    return ADesk(now, holding, caller=caller, settings=OrderSettings())


async def written(desk: ADesk, resource: Resource, handler: WriteHandler) -> Resource:
    """Write a resource as the kernel would, and let what became due at once happen; the resource as it is kept."""
    before = await desk.read(f"{resource['resourceType']}/{resource['id']}")
    changes = await handler(Write("update" if before else "create", resource, before), desk)
    kept = desk.carry_out(changes, resource)
    if changes.refuse is not None:
        raise changes.refuse
    assert kept is not None
    for wake in changes.wake:
        await fired(desk, wake)
    return kept


async def fired(desk: ADesk, wake: Wake) -> list[Wake]:
    """Let a timer of the department fire; what it armed next."""
    changes = await lapsed(Due(wake.name, wake.subject, wake.key, desk.now, wake.payload), desk)
    desk.carry_out(changes)
    return list(changes.wake)

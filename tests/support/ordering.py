"""A department's order desk for tests: people, a request, and what happens to it."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from slipring.fhir.caller import Caller
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Call, Changes, Resource, Write
from slipring_order import resources
from slipring_order.handlers.check_list import checked
from slipring_order.handlers.decisions import decided
from slipring_order.handlers.exams import task_written
from slipring_order.handlers.requests import request_written
from slipring_order.settings import OrderSettings

from tests.support.desk import ADesk

NOW = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)  # already 3 March in the department
CONFIRMED = OrderSettings(limits_confirmed=frozenset({"*"}))


def a_patient(**members: Any) -> Resource:
    return {
        "resourceType": "Patient",
        "id": "o-pat",
        "identifier": [{"system": "urn:hospital", "value": "A1"}],
        "gender": "male",
        "birthDate": "1961-07-15",
        "telecom": [{"system": "phone", "value": "1"}],
    } | members


def a_person(id: str, title: str, *roles: str) -> list[Resource]:
    qualification = [{"code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-title", "code": title}]}}]
    coding = [{"system": f"{CANONICAL}/CodeSystem/staff-role", "code": role} for role in roles]
    person = {
        "resourceType": "Practitioner",
        "id": id,
        "telecom": [{"system": "phone", "value": "2"}],
        "qualification": qualification,
    }
    role = {
        "resourceType": "PractitionerRole", "id": f"{id}-role", "active": True,
        "practitioner": {"reference": f"Practitioner/{id}"}, "code": [{"coding": coding}],
    }  # fmt: skip
    return [person, role]


def a_contrast_consent(**members: Any) -> Resource:
    """A Consent to the contrast of `a_request`, as consent keeps it: in force on the day of these tests."""
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}
    patient = {"reference": "Patient/o-pat"}
    exam = [{"meaning": "instance", "reference": {"reference": "ServiceRequest/o-req"}}]
    return {
        "resourceType": "Consent", "id": "c-1", "status": "active", "scope": {"coding": [scope]}, "patient": patient,
        "performer": [patient], "provision": {"data": exam, "period": {"end": "2026-03-04"}},
    } | members  # fmt: skip


def a_request(**members: Any) -> Resource:
    request = {
        "resourceType": "ServiceRequest", "id": "o-req", "status": "active", "intent": "order",
        "identifier": [{"type": {"coding": [{"code": "PLAC"}]}, "system": "urn:his", "value": "77"}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "24627-2"}]},
        "subject": {"reference": "Patient/o-pat"}, "requester": {"reference": "Practitioner/o-doc"},
        "reasonCode": [{"text": "胸痛两天"}], "note": [{"text": "无手术史；血常规正常"}],
    } | members  # fmt: skip
    return {name: value for name, value in request.items() if value is not None}


def a_desk(*more: Resource, settings: OrderSettings = CONFIRMED, caller: Caller | None = None) -> ADesk:
    people = [
        *a_person("o-doc", "attending-physician", "requester"),
        *a_person("o-rad", "attending-physician", "radiologist"),
    ]
    who = caller or Caller("his", frozenset({"system/*.cruds"}))
    return ADesk(NOW, [a_patient(), *people, *more], caller=who, settings=settings)


async def received(desk: ADesk, request: Resource) -> Resource:
    """Write a request as the kernel would; answers its exam Task."""
    before = await desk.read(f"ServiceRequest/{request['id']}")
    if before:
        kept = [i for i in before.resource["identifier"] if i not in request["identifier"]]
        request = {**request, "identifier": [*request["identifier"], *kept]}
    desk.carry_out(await request_written(Write("update" if before else "create", request, before), desk), request)
    return await the_exam(desk)


async def the_exam(desk: ADesk) -> Resource:
    [task] = await desk.search("Task?focus=ServiceRequest/o-req&code=exam")
    return task.resource


async def moved(desk: ADesk, *states: str) -> Resource:
    for state in states:
        before = await desk.read(f"Task/{(await the_exam(desk))['id']}")
        assert before
        if state == "ready":
            desk.carry_out(await checked(identity_confirmed(before), desk))
            continue
        task = deepcopy(before.resource) | {"businessStatus": resources.state_concept(state)}
        desk.carry_out(await task_written(Write("update", task, before), desk), task)
    return await the_exam(desk)


def identity_confirmed(exam: Any, *more: str) -> Call:
    """Number and birth date agree, and this is the examination."""
    given: list[Resource] = [
        *({"name": "item", "valueCode": item} for item in ("identity-confirmed", "item-confirmed", *more)),
        {"name": "identifier", "valueIdentifier": {"system": "urn:hospital", "value": "A1"}},
        {"name": "birthDate", "valueDate": "1961-07-15"},
        {"name": "performer", "valueReference": {"reference": "Practitioner/o-rad"}},
    ]
    return Call({"resourceType": "Parameters", "parameter": given}, exam)


def a_decision(exam: Any, decision: str, reason: str | None = "benefit", who: str | None = "o-rad") -> Call:
    given: list[Resource] = [{"name": "decision", "valueCode": decision}]
    if reason:
        given.append({"name": "reason", "valueCodeableConcept": {"coding": [{"code": reason}]}})
    if who:
        given.append({"name": "performer", "valueReference": {"reference": f"Practitioner/{who}"}})
    return Call({"resourceType": "Parameters", "parameter": given}, exam)


async def decide(desk: ADesk, *args: Any, **names: Any) -> Changes:
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    changes = await decided(a_decision(exam, *args, **names), desk)
    desk.carry_out(changes)
    return changes


def findings(desk: ADesk) -> set[str]:
    issues = [s.resource for s in desk.held.values() if s.resource["resourceType"] == "DetectedIssue"]
    return {rule_of(issue) for issue in issues if not issue.get("mitigation")}

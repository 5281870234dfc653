"""Requests, answers, decisions and moves, on a desk held in memory."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Arrival, Call, Changes, Resource, Write
from slipring_order import resources
from slipring_order.handlers.decisions import decided
from slipring_order.handlers.evidence import evidence_written, observation_written
from slipring_order.handlers.exams import task_written
from slipring_order.handlers.followed import consent_arrived, report_arrived
from slipring_order.handlers.justify import justified
from slipring_order.handlers.requests import request_written
from slipring_order.reading import identifier_of
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
    person = {"resourceType": "Practitioner", "id": id, "telecom": [{"value": "2"}], "qualification": qualification}
    role = {
        "resourceType": "PractitionerRole", "id": f"{id}-role", "active": True,
        "practitioner": {"reference": f"Practitioner/{id}"}, "code": [{"coding": coding}],
    }  # fmt: skip
    return [person, role]


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
        task = deepcopy(before.resource) | {"businessStatus": resources.state_concept(state)}
        desk.carry_out(await task_written(Write("update", task, before), desk), task)
    return await the_exam(desk)


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


async def test_a_whole_request_is_justified_and_gets_its_numbers() -> None:
    desk = a_desk()
    exam = await received(desk, a_request())
    stored = await desk.read("ServiceRequest/o-req")
    assert stored
    number = identifier_of(stored.resource, "ACSN")
    assert number and number["value"] == "CT20260303000001"
    assert identifier_of(stored.resource, "FILL")
    assert stored.resource["status"] == "active"
    assert (resources.state_of(exam), exam["status"]) == ("justified", "accepted")
    [guidance] = await desk.search("GuidanceResponse?request=CT20260303000001")
    assert (guidance.resource["status"], resources.outcome_in(guidance.resource)) == ("success", "justified")
    assert findings(desk) == set()


async def test_a_missing_item_holds_the_exam_with_a_coded_list_and_completing_it_moves_on() -> None:
    desk = a_desk()
    exam = await received(desk, a_request(note=None))
    assert (resources.state_of(exam), exam["status"]) == ("awaiting-information", "on-hold")
    listed = [coding["code"] for coding in exam["statusReason"]["coding"]]
    assert listed == [
        "surgery-endoscopy",
        "pathology",
        "laboratory",
        "earlier-imaging",
        "precautions",
        "consent-information",
    ]
    assert "pathology" in exam["statusReason"]["_text"]["extension"][0]["extension"][1]["valueString"]
    assert findings(desk) == {"order.request-complete"}
    exam = await received(desk, a_request())
    assert resources.state_of(exam) == "justified"
    assert "statusReason" not in exam
    assert findings(desk) == set()


async def test_an_unauthorised_requester_is_rejected_and_an_unconfirmed_list_asks_a_physician() -> None:
    request = a_request(requester={"reference": "Practitioner/o-rad"})
    assert resources.state_of(await received(a_desk(), request)) == "rejected"
    assert resources.state_of(await received(a_desk(settings=OrderSettings()), request)) == "awaiting-justification"


async def test_imported_requests_proposals_and_other_categories_are_no_work() -> None:
    desk = a_desk()
    lab = a_request(category=[{"coding": [{"code": "108252007"}]}])
    for write in (
        Write("create", a_request(), imported=True),
        Write("create", a_request(intent="proposal")),
        Write("create", a_request(status="draft")),
        Write("create", lab),
    ):
        assert await request_written(write, desk) == Changes.none()


async def test_pregnancy_recorded_later_for_this_request_moves_it_on() -> None:
    desk = a_desk()
    desk.hold(a_patient(gender="female", birthDate="1996-01-01"))
    abdomen = {"coding": [{"system": "http://loinc.org", "code": "36424-0"}]}
    exam = await received(desk, a_request(code=abdomen))
    assert (resources.state_of(exam), findings(desk)) == ("awaiting-information", {"order.pregnancy-asked"})
    answer = {
        "resourceType": "Observation", "id": "o-obs", "status": "final", "subject": {"reference": "Patient/o-pat"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "basedOn": [{"reference": "ServiceRequest/o-req"}], "effectiveDateTime": "2026-03-02",
        "valueCodeableConcept": {"coding": [{"code": "LA26683-5"}]},
    }  # fmt: skip
    desk.hold(answer)
    desk.carry_out(await observation_written(Write("create", answer), desk))
    assert resources.state_of(await the_exam(desk)) == "justified"
    pregnant = {**answer, "id": "o-obs2", "effectiveDateTime": "2026-03-03"}
    pregnant["valueCodeableConcept"] = {"coding": [{"code": "LA15173-0"}]}
    desk.hold(pregnant)
    desk.carry_out(await observation_written(Write("create", pregnant), desk))
    assert resources.state_of(await the_exam(desk)) == "awaiting-justification"


async def test_a_completed_patient_record_moves_waiting_requests_on() -> None:
    desk = a_desk()
    desk.hold({name: value for name, value in a_patient().items() if name != "gender"})
    assert resources.state_of(await received(desk, a_request())) == "awaiting-information"
    desk.hold(a_patient())
    desk.carry_out(await evidence_written(Write("update", a_patient()), desk))
    assert resources.state_of(await the_exam(desk)) == "justified"


async def test_a_recent_scan_of_the_same_region_asks_and_the_answer_on_the_request_settles_it() -> None:
    study = {
        "resourceType": "ImagingStudy", "id": "o-old", "status": "available", "subject": {"reference": "Patient/o-pat"},
        "started": "2026-02-25T08:00:00+08:00",
        "series": [{"uid": "1.2", "modality": {"code": "CT"}, "bodySite": {"code": "51185008"}}],
    }  # fmt: skip
    desk = a_desk(study)
    assert resources.state_of(await received(desk, a_request())) == "awaiting-information"
    answer = {
        "url": f"{CANONICAL}/StructureDefinition/rule-answer",
        "extension": [{"url": "rule", "valueCode": "J08"}, {"url": "answer", "valueString": "新发热"}],
    }
    assert resources.state_of(await received(desk, a_request(extension=[answer]))) == "justified"


async def test_the_patient_of_a_request_never_changes() -> None:
    desk = a_desk(a_patient(id="o-other"))
    await received(desk, a_request())
    with pytest.raises(FhirError) as refused:
        await received(desk, a_request(subject={"reference": "Patient/o-other"}))
    assert (refused.value.status, refused.value.issues[0].at) == (422, "ServiceRequest.subject")


async def test_another_examination_voids_the_justification_and_a_better_reason_does_not() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "scheduled", "arrived")
    assert resources.state_of(await received(desk, a_request(reasonCode=[{"text": "咳嗽三周"}]))) == "arrived"
    head = {"coding": [{"system": "http://loinc.org", "code": "24725-4"}]}
    assert resources.state_of(await received(desk, a_request(code=head))) == "justified"
    assert (
        resources.state_of(await received(desk, a_request(code=head, reasonCode=[{"text": "检查"}])))
        == "awaiting-information"
    )


async def test_a_request_taken_back_cancels_the_exam_before_the_scan_only() -> None:
    desk = a_desk()
    await received(desk, a_request())
    assert resources.state_of(await received(desk, a_request(status="revoked"))) == "cancelled"
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "scheduled", "arrived", "ready", "in-progress")
    assert resources.state_of(await received(desk, a_request(status="revoked"))) == "in-progress"


async def test_an_illegal_move_is_409_and_names_the_legal_ones() -> None:
    desk = a_desk()
    await received(desk, a_request())
    with pytest.raises(FhirError) as refused:
        await moved(desk, "acquired")
    assert refused.value.status == 409
    assert "scheduled, arrived, cancelled" in refused.value.issues[0].en


async def test_only_the_open_members_of_an_exam_task_may_change() -> None:
    desk = a_desk()
    exam = await received(desk, a_request())
    before = await desk.read(f"Task/{exam['id']}")
    with pytest.raises(FhirError) as refused:
        await task_written(Write("update", exam | {"for": {"reference": "Patient/o-other"}}, before), desk)
    assert [issue.at for issue in refused.value.issues] == ["Task.for"]
    with pytest.raises(FhirError):
        await task_written(Write("create", exam | {"id": "o-new"}), desk)


async def test_an_operator_without_certificates_does_not_start_and_the_try_is_on_record() -> None:
    desk = a_desk(*a_person("o-tech", "technician", "technologist"))
    await received(desk, a_request())
    exam = await moved(desk, "scheduled", "arrived", "ready")
    before = await desk.read(f"Task/{exam['id']}")
    task = exam | {
        "businessStatus": resources.state_concept("in-progress"),
        "owner": {"reference": "Practitioner/o-tech"},
    }
    changes = await task_written(Write("update", task, before), desk)
    assert changes.refuse and changes.refuse.status == 422
    assert {rule_of(save.resource) for save in changes.save} == {"order.operator-qualified"}


async def test_a_dose_report_moves_a_running_exam_to_acquired_and_a_released_report_closes_it() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "scheduled", "arrived", "ready", "in-progress")
    dose = {
        "resourceType": "Observation", "id": "o-dose", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "73569-6"}]},
        "basedOn": [{"identifier": {"system": resources.ACSN_SYSTEM, "value": "CT20260303000001"}}],
    }  # fmt: skip
    desk.carry_out(await observation_written(Write("create", dose), desk))
    exam = await the_exam(desk)
    assert resources.state_of(exam) == "acquired" and exam["executionPeriod"].keys() == {"start", "end"}
    report = {"resourceType": "DiagnosticReport", "id": "r-1", "basedOn": [{"reference": "ServiceRequest/o-req"}]}
    desk.carry_out(await report_arrived(Arrival("report", report | {"status": "partial"}, 1), desk))
    assert resources.state_of(await the_exam(desk)) == "acquired"
    desk.carry_out(await report_arrived(Arrival("report", report | {"status": "final"}, 2), desk))
    exam = await the_exam(desk)
    assert (resources.state_of(exam), exam["status"]) == ("closed", "completed")
    assert await report_arrived(Arrival("report", report | {"status": "final"}, 2), desk) == Changes.none()


async def test_the_contrast_condition_follows_the_consent() -> None:
    desk = a_desk()
    code = {"coding": [{"system": "http://loinc.org", "code": "24628-0"}]}
    exam = await received(desk, a_request(code=code))
    assert exam["extension"] == [{"url": resources.CONTRAST_CONDITION, "valueCode": "open"}]
    consent: Resource = {
        "resourceType": "Consent", "id": "c-1", "status": "active",
        "provision": {
            "data": [{"meaning": "instance", "reference": {"reference": "ServiceRequest/o-req"}}],
            "period": {"end": "2026-03-03T12:00:00+08:00"},
        },
    }  # fmt: skip
    for status, shown in (("active", "cleared"), ("rejected", "refused")):
        desk.hold(consent | {"status": status}, source="consent")
        desk.carry_out(await consent_arrived(Arrival("consent", consent | {"status": status}, 1), desk))
        assert (await the_exam(desk))["extension"][0]["valueCode"] == shown


async def test_a_named_radiologist_decides_and_the_whole_decision_is_on_record() -> None:
    desk = a_desk()
    await received(desk, a_request(requester={"reference": "Practitioner/o-rad"}))
    changes = await decide(desk, "justified")
    assert changes.answer and resources.state_of(changes.answer) == "justified"
    [record] = [s.resource for s in changes.save if s.resource["resourceType"] == "Provenance"]
    assert record["agent"][0]["who"] == {"reference": "Practitioner/o-rad"}
    assert record["agent"][0]["role"][0]["coding"][0]["code"] == "attending-physician"
    assert findings(desk) == set()
    assert (
        resources.state_of(await received(desk, a_request(requester={"reference": "Practitioner/o-rad"})))
        == "justified"
    )


@pytest.mark.parametrize(
    ("names", "status"),
    [({"who": None}, 422), ({"who": "o-doc"}, 403), ({"who": "o-nobody"}, 403), ({"reason": None}, 422)],
)
async def test_a_decision_without_a_qualified_person_or_a_reason_is_refused(names: dict[str, Any], status: int) -> None:
    desk = a_desk()
    await received(desk, a_request(requester={"reference": "Practitioner/o-rad"}))
    with pytest.raises(FhirError) as refused:
        await decide(desk, "justified", **names)
    assert refused.value.status == status


async def test_missing_items_are_not_decided_away_but_one_call_passes_them_in_an_emergency() -> None:
    desk = a_desk()
    await received(desk, a_request(note=None))
    with pytest.raises(FhirError) as refused:
        await decide(desk, "justified", "emergency")
    assert refused.value.issues[0].detail == "order.request-complete"
    desk = a_desk()
    await received(desk, a_request(note=None, priority="stat", reasonCode=None))
    await decide(desk, "justified", "emergency")
    assert resources.state_of(await the_exam(desk)) == "justified"
    [later] = await desk.search("Task?code=follow-up")
    passed = [entry["valueCodeableConcept"]["coding"][0]["code"] for entry in later.resource["input"]]
    assert passed[:2] == ["surgery-endoscopy", "pathology"] and passed[-1] == "J01"


async def test_justify_judges_a_bundle_and_stores_nothing() -> None:
    desk = a_desk(settings=OrderSettings())
    request = a_request(reasonCode=[{"text": "check"}], id=None, subject={"reference": "urn:uuid:1"})
    bundle = {
        "resourceType": "Bundle", "type": "collection",
        "entry": [{"fullUrl": "urn:uuid:1", "resource": a_patient(id=None)}, {"fullUrl": "urn:uuid:2", "resource": request}],
    }  # fmt: skip
    call = Call({"resourceType": "Parameters", "parameter": [{"name": "data", "resource": bundle}]})
    changes = await justified(call, desk)
    assert changes.save == () and changes.answer
    [outcome, issue] = changes.answer["parameter"]
    assert outcome["valueCode"] == "awaiting-information"
    assert rule_of(issue["resource"]) == "order.clinical-question"
    parts = {part["url"]: part for part in issue["resource"]["extension"][0]["extension"]}
    limit = {part["url"]: part for part in parts["limit"]["extension"]}
    assert issue["resource"]["severity"] == "high" and limit["confirmed"]["valueBoolean"] is False

"""Requests that do not pass at once: a child's health check, a woman who may be pregnant, a region scanned days ago.

CNAS-CL02-A011 5.4.1 (justification before the exam), 46号令 article 26 (children, pregnancy, repeats).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL as C
from slipring_order.reading import instant

from tests.stories.test_a_day_in_the_rooms import state
from tests.support.asking import LOINC, Asked, a_status, answered
from tests.support.department import Department
from tests.support.one_exam import rules

Tree = dict[str, Any]
ABDOMEN = {"code": {"coding": [{"system": LOINC, "code": "41806-1"}]}, "bodySite": [{"coding": [{"code": "ABDOMEN"}]}]}
WOMAN = {"gender": "female", "birthDate": "1996-05-05"}
HEALTH_CHECK = [{"coding": [{"system": f"{C}/CodeSystem/exam-purpose", "code": "health-check"}]}]


@pytest.fixture(scope="module")
async def rooms(department: Department) -> Asked:
    """A scanner and its people."""
    rooms = Asked(department)
    await rooms.opened()
    return rooms


@pytest.mark.clause("5.4.1")
async def test_a_childs_health_check_is_rejected_and_goes_nowhere_until_there_is_a_complaint(rooms: Asked) -> None:
    child = {"birthDate": "2018-09-01"}
    request, exam = await rooms.requested("K-1", child, reasonCode=HEALTH_CHECK)
    assert state(exam) == "rejected" and exam["status"] == "rejected"
    finding = (await rooms.open_findings(request))["order.child-health-check"]
    assert finding["severity"] == "high" and "儿童" in finding["detail"]
    assert (await rooms.department.get(f"ServiceRequest/{request['id']}"))["status"] == "active", "its placer's alone"
    for operation in ("schedule", "arrive", "start"):
        more = {"identifier": ("Identifier", {"value": "K-1"}), "birthDate": ("Date", "2018-09-01")}
        given = {"performer": ("Reference", {"reference": rooms.staff["technologist"]})}
        sent = {"schedule": {}, "arrive": more | given, "start": given}[operation]
        refused = await rooms.asked(exam, operation, **sent)
        assert (refused.status_code, rules(refused)) == (409, {"order.illegal-move"}), refused.text
    assert not await rooms.department.found(f"Task?part-of=Task/{exam['id']}&code=scheduled-step")

    await rooms.written_again(request, reasonCode=[{"text": "右下腹痛一天，发热"}], **ABDOMEN)
    assert await rooms.state(request) == "awaiting-information"
    stands = set(await rooms.open_findings(request))
    assert "order.child" in stands, "is there no way without radiation?"
    assert "order.child-health-check" not in stands
    await rooms.written_again(request, extension=[*request["extension"], answered("J06", "超声不能明确，外科要求 CT")])
    assert await rooms.state(request) == "justified"
    assert (await rooms.asked(exam, "schedule")).status_code == 200


@pytest.mark.clause("5.4.1")
async def test_a_named_physician_may_reverse_the_rejection_and_says_why(rooms: Asked) -> None:
    request, exam = await rooms.requested("K-2", {"birthDate": "2018-09-01"}, reasonCode=HEALTH_CHECK)
    refused = await rooms.decided(request, "justified", "technologist")
    assert refused.status_code == 403
    assert (await rooms.decided(request, "justified")).status_code == 200
    assert await rooms.state(request) == "justified" and await rooms.open_findings(request) == {}
    [record] = await rooms.department.found(f"Provenance?target=Task/{exam['id']}")
    assert record["agent"][0]["who"]["reference"] == rooms.staff["second reader"]
    assert record["reason"][0]["coding"][0]["code"] == "benefit"


async def test_a_woman_is_asked_about_pregnancy_before_her_abdomen_is_scanned_and_asked_again_before_the_start(
    rooms: Asked,
) -> None:
    request, exam = await rooms.requested("W-1", WOMAN, **ABDOMEN)
    assert state(exam) == "awaiting-information"
    assert "order.pregnancy-asked" in await rooms.open_findings(request)
    assert (await rooms.asked(exam, "schedule")).status_code == 409

    now = instant(rooms.department.clock.now())
    await rooms.made(a_status(request, "LA26683-5", now))
    assert await rooms.state(request) == "justified" and "order.pregnancy-asked" not in await rooms.open_findings(
        request
    )
    assert (await rooms.at(exam, 400)).status_code == 200
    technologist = {"performer": ("Reference", {"reference": rooms.staff["technologist"]})}
    shown = {"identifier": ("Identifier", {"value": "W-1"}), "birthDate": ("Date", WOMAN["birthDate"])}
    assert (await rooms.asked(exam, "arrive", **shown, **technologist)).status_code == 200
    ready = await rooms.checked(exam, "W-1", WOMAN["birthDate"], "identity-confirmed", "item-confirmed")
    assert ready.status_code == 200 and await rooms.state(request) == "ready"
    again = await rooms.checked(
        exam, "W-1", WOMAN["birthDate"], "pregnancy-asked", "parameters-set", pregnancy=("Code", "not-pregnant")
    )
    assert again.status_code == 200, again.text
    assert (await rooms.asked(exam, "start", **technologist)).status_code == 200
    assert (await rooms.asked(exam, "finish", **technologist)).status_code == 200
    about = await rooms.department.found(f"DetectedIssue?implicated=Task/{exam['id']}")
    assert "order.pregnancy-asked-again" not in map(rule_of, about)
    answers = await rooms.department.found(f"Observation?based-on=ServiceRequest/{request['id']}&code=82810-3")
    assert sorted(bool(one.get("performer")) for one in answers) == [False, True], "the HIS's, and hers at the door"


async def said_to_be_pregnant(rooms: Asked, number: str, minutes: int) -> tuple[Tree, Tree]:
    """She was not pregnant when it was asked for; at the door she says that she is."""
    request, exam = await rooms.requested(number, WOMAN, **ABDOMEN)
    await rooms.made(a_status(request, "LA26683-5", instant(rooms.department.clock.now())))
    assert (await rooms.at(exam, minutes)).status_code == 200
    shown = {"identifier": ("Identifier", {"value": number}), "birthDate": ("Date", WOMAN["birthDate"])}
    technologist = {"performer": ("Reference", {"reference": rooms.staff["technologist"]})}
    assert (await rooms.asked(exam, "arrive", **shown, **technologist)).status_code == 200
    rooms.department.clock.advance(timedelta(minutes=1))
    told = await rooms.checked(exam, number, WOMAN["birthDate"], "pregnancy-asked", pregnancy=("Code", "pregnant"))
    assert told.status_code == 200, told.text
    assert await rooms.state(request) == "awaiting-justification"
    [step] = await rooms.department.found(f"Task?part-of=Task/{exam['id']}&code=scheduled-step")
    assert step["status"] == "on-hold", "no scanner shows her now"
    return request, exam


async def test_who_says_at_the_door_that_she_is_pregnant_waits_for_a_physician_who_lets_the_exam_go_on(
    rooms: Asked,
) -> None:
    request, exam = await said_to_be_pregnant(rooms, "W-2", 430)
    assert (await rooms.decided(request, "justified")).status_code == 200
    assert await rooms.state(request) == "justified"
    [step] = await rooms.department.found(f"Task?part-of=Task/{exam['id']}&code=scheduled-step")
    assert step["status"] == "accepted", "her time stood"
    [passed] = [
        one
        for one in await rooms.department.found(f"DetectedIssue?implicated=ServiceRequest/{request['id']}")
        if rule_of(one) == "order.pregnant"
    ]
    assert passed["mitigation"][0]["author"]["reference"] == rooms.staff["second reader"]


async def test_who_says_at_the_door_that_she_is_pregnant_is_sent_to_ultrasound_instead(rooms: Asked) -> None:
    request, exam = await said_to_be_pregnant(rooms, "W-3", 460)
    sonography = await rooms.made(
        {
            "resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": request["subject"],
            "requester": request["requester"], "code": {"text": "腹部超声"},
            "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "409063005"}]}],
        }
    )  # fmt: skip
    instead = {"reference": f"ServiceRequest/{sonography['id']}"}
    unnamed = await rooms.decided(request, "replace")
    assert (unnamed.status_code, rules(unnamed)) == (422, {"order.replacement-missing"})
    assert (await rooms.decided(request, "replace", replacement=("Reference", instead))).status_code == 200
    task = await rooms.exam_of(request)
    assert state(task) == "rejected" and task["output"][0]["valueReference"] == instead
    [step] = await rooms.department.found(f"Task?part-of=Task/{exam['id']}&code=scheduled-step")
    [booked] = await rooms.department.found(f"Appointment?based-on=ServiceRequest/{request['id']}")
    assert (step["status"], booked["status"]) == ("cancelled", "cancelled"), "her time is free for somebody else"


@pytest.mark.clause("5.4.1")
async def test_a_region_scanned_days_ago_is_scanned_again_for_a_reason_that_stays_on_the_order(rooms: Asked) -> None:
    first = await rooms.exam("R-1")
    assert (await rooms.at(first, 500)).status_code == 200
    assert await rooms.carried_out(first, "R-1") == [200] * 6
    patient = await rooms.department.get(first["for"]["reference"])
    images = await rooms.made(
        {
            "resourceType": "ImagingStudy", "status": "available", "subject": first["for"], "basedOn": [first["focus"]],
            "started": instant(rooms.department.clock.now()),
            "modality": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}],
            "procedureCode": [{"coding": [{"system": LOINC, "code": "24627-2"}]}],
        }
    )  # fmt: skip
    request, exam = await rooms.of(patient)
    assert state(exam) == "awaiting-information"
    finding = (await rooms.open_findings(request))["order.repeat-exam"]
    assert finding["severity"] == "moderate"
    assert images["id"] in str(finding["extension"]), "it names the images that there are"
    blank = await _with_an_answer(rooms, request, " ")
    assert blank.status_code in (200, 400) and await rooms.state(request) == "awaiting-information"
    assert (await _with_an_answer(rooms, request, "新发发热，疑肺炎进展")).status_code == 200
    assert await rooms.state(request) == "justified"
    kept = await rooms.department.get(f"ServiceRequest/{request['id']}")
    assert "新发发热" in str(kept["extension"])
    found = await rooms.department.found(f"DetectedIssue?implicated=ServiceRequest/{request['id']}")
    [answered_] = [one for one in found if rule_of(one) == "order.repeat-exam"]
    assert answered_["mitigation"][0]["action"]["coding"][0]["code"] == "answered"

    _, head = await rooms.of(patient, code={"coding": [{"system": LOINC, "code": "30799-1"}]}, bodySite=None)
    assert state(head) == "justified", "another region is no repeat"


async def test_a_region_scanned_here_is_no_first_scan_before_images_and_report_have_come(rooms: Asked) -> None:
    first = await rooms.exam("R-2")
    patient = await rooms.department.get(first["for"]["reference"])
    _, waiting = await rooms.of(patient)
    assert state(waiting) == "justified", "nothing was scanned yet"
    assert (await rooms.at(first, 560)).status_code == 200
    assert await rooms.carried_out(first, "R-2") == [200] * 6
    request, exam = await rooms.of(patient)
    assert state(exam) == "awaiting-information"
    finding = (await rooms.open_findings(request))["order.repeat-exam"]
    assert first["focus"]["reference"] in str(finding["extension"])
    _, head = await rooms.of(patient, code={"coding": [{"system": LOINC, "code": "30799-1"}]}, bodySite=None)
    assert state(head) == "justified"


async def _with_an_answer(rooms: Asked, request: Tree, reason: str) -> httpx.Response:
    now = await rooms.department.get(f"ServiceRequest/{request['id']}")
    return await rooms.department.put(now | {"extension": [*request["extension"], answered("J08", reason)]})

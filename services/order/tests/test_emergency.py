"""The green channel: one call passes everything, what was passed is made up for, and the clocks are watched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Due, Resource, Write
from slipring_order import resources
from slipring_order.handlers.check_list import checked
from slipring_order.handlers.clocks import RULE, clock_struck
from slipring_order.handlers.emergencies import emergency_use, what_is_overdue
from slipring_order.handlers.evidence import observation_written
from slipring_order.handlers.followed import report_arrived
from slipring_order.handlers.patients import patient_written
from slipring_order.handlers.requests import request_written
from slipring_order.handlers.wrong_exams import stopped

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_patient, a_request, decide, moved, received, the_exam
from tests.support.requesting import a_report, follow_ups, parts
from tests.support.rooms import call

BY_THE_RADIOLOGIST = ("Reference", {"reference": "Practitioner/o-rad"})
UNKNOWN = a_patient(
    identifier=[{"system": "urn:hospital:temporary", "value": "T-1"}],
    meta={"tag": [{"code": "unidentified"}]},
    gender=None,
    birthDate=None,
    telecom=None,
)


def nobody() -> Resource:
    return {name: value for name, value in UNKNOWN.items() if value is not None}


def nobody_knows(exam: Any) -> Call:
    given: list[Resource] = [{"name": "item", "valueCode": one} for one in ("identity-confirmed", "item-confirmed")]
    given.append({"name": "unidentified", "valueBoolean": True})
    given.append({"name": "performer", "valueReference": {"reference": "Practitioner/o-rad"}})
    return Call({"resourceType": "Parameters", "parameter": given}, exam)


def stat(**members: Any) -> Resource:
    return a_request(priority="stat", reasonCode=None, note=None, **members)


async def passed(*more: Resource) -> ADesk:
    desk = a_desk(*more)
    await received(desk, stat())
    await decide(desk, "justified", "emergency")
    return desk


async def strike(desk: ADesk, **later: float) -> list[Resource]:
    """The clock strikes; the findings it has put on record."""
    desk.now += timedelta(**later)
    exam = f"Task/{(await the_exam(desk))['id']}"
    desk.carry_out(await clock_struck(Due("green-channel", exam, "", desk.now, {}), desk))
    issues = [one.resource for one in desk.held.values() if one.resource["resourceType"] == "DetectedIssue"]
    return [issue for issue in issues if rule_of(issue) == RULE]


async def scanned(desk: ADesk, *, unknown: bool = False) -> None:
    await moved(desk, "arrived")
    if unknown:
        exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
        desk.carry_out(await checked(nobody_knows(exam), desk))
    else:
        await moved(desk, "ready")
    await moved(desk, "in-progress")
    dose = {
        "resourceType": "Observation", "id": "o-dose", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "73569-6"}]},
        "basedOn": [{"reference": "ServiceRequest/o-req"}],
    }  # fmt: skip
    desk.carry_out(await observation_written(Write("create", dose), desk))


@pytest.mark.clause("5.4.4.1")
async def test_one_call_of_a_named_physician_passes_everything_and_all_of_it_is_to_be_made_up_for() -> None:
    desk = await passed(nobody())
    assert resources.state_of(await the_exam(desk)) == "justified"
    [task] = await follow_ups(desk)
    codes = [entry["valueCodeableConcept"]["coding"][0]["code"] for entry in task["input"]]
    assert {"J01", "surgery-endoscopy", "patient-identity"} <= set(codes)
    assert task["status"] == "requested" and task["owner"] == a_request()["requester"]


async def test_what_was_passed_is_due_after_the_exam_and_completed_when_nothing_is_left_open() -> None:
    desk = await passed()
    await strike(desk)
    assert "restriction" not in (await follow_ups(desk))[0], "the exam is not over"
    await scanned(desk)
    await strike(desk)
    period = (await follow_ups(desk))[0]["restriction"]["period"]
    assert period == {"start": "2026-03-02T17:30:00.000Z", "end": "2026-03-03T17:30:00.000Z"}
    await received(desk, stat(patientInstruction="见申请单"))
    assert (await follow_ups(desk))[0]["status"] == "requested"
    desk.now += timedelta(hours=2)
    await received(desk, a_request(priority="stat"))
    [task] = await follow_ups(desk)
    assert (task["status"], task["executionPeriod"]["end"]) == ("completed", "2026-03-02T19:30:00.000Z")


async def test_the_unknown_patients_name_is_an_answer_when_the_record_is_merged_into_his_own() -> None:
    desk = a_desk(nobody(), a_patient(id="o-known"))
    await received(desk, a_request(priority="stat"))
    await decide(desk, "justified", "emergency")
    assert (await follow_ups(desk))[0]["status"] == "requested"
    await scanned(desk, unknown=True)
    link = [{"type": "replaced-by", "other": {"reference": "Patient/o-known"}}]
    merged = nobody() | {"link": link, "gender": "female", "birthDate": "1950-01-01", "telecom": [{"value": "1"}]}
    before = await desk.read("Patient/o-pat")
    desk.hold(merged)
    desk.carry_out(await patient_written(Write("update", merged, before), desk))
    assert (await follow_ups(desk))[0]["status"] == "completed"


@pytest.mark.clause("5.8.1")
async def test_each_stage_of_the_green_channel_that_is_late_is_on_record_once() -> None:
    desk = await passed()
    assert await strike(desk, minutes=50) == [], "the patient has not arrived yet"
    await moved(desk, "arrived")
    assert await strike(desk, minutes=9) == []
    assert len(await strike(desk, minutes=1)) == len(await strike(desk, minutes=1)) == 1
    await moved(desk, "ready", "in-progress")
    assert len(await strike(desk, minutes=19)) == 1
    await moved(desk, "acquired")
    assert len(await strike(desk, minutes=29)) == 1
    late = await strike(desk, minutes=2)
    assert [issue["evidence"][0]["code"][0]["text"] for issue in late] == ["start", "report"]
    assert "30" in late[1]["detail"]


async def test_the_clock_goes_by_what_stands_not_by_what_was_taken_back() -> None:
    desk = await passed()
    await moved(desk, "arrived", "ready", "in-progress", "acquired")
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    assert exam
    desk.now += timedelta(minutes=5)
    given = {"reason": ("CodeableConcept", {"coding": [{"code": "wrong-side"}]}), "performer": BY_THE_RADIOLOGIST}
    desk.carry_out(await stopped(call(exam, **given), desk))
    [late] = await strike(desk, minutes=5)
    assert late["evidence"][0]["code"][0]["text"] == "start", "scanned anew: the start is waited for since he arrived"
    await moved(desk, "ready", "in-progress")
    assert len(await strike(desk, minutes=19)) == 1
    assert len(await strike(desk, minutes=1)) == 2, "the end, since the second start"


async def test_a_look_at_the_clock_reads_no_earlier_version() -> None:
    desk = await passed()
    await moved(desk, "arrived", "ready", "in-progress")
    desk.versions.clear()
    assert len(await strike(desk, minutes=20)) == 1


async def test_the_clock_stops_with_the_report_and_with_an_exam_that_is_off() -> None:
    desk = await passed()
    exam = f"Task/{(await the_exam(desk))['id']}"
    due = Due("green-channel", exam, "", desk.now, {})
    assert [wake.key for wake in (await clock_struck(due, desk)).wake] == [f"green-channel:{exam}"]
    await scanned(desk)
    desk.carry_out(await report_arrived(a_report("final"), desk))
    assert (await clock_struck(due, desk)).wake == ()
    desk = await passed()
    await received(desk, a_request(status="revoked", priority="stat"))
    assert (await clock_struck(due, desk)).wake == ()


async def test_a_stat_request_arms_the_clock_and_so_does_one_that_becomes_stat() -> None:
    desk = a_desk()
    assert (await request_written(Write("create", a_request(priority="stat")), desk)).wake
    assert not (await request_written(Write("create", a_request()), desk)).wake
    await received(desk, a_request())
    before = await desk.read("ServiceRequest/o-req")
    changes = await request_written(Write("update", a_request(priority="stat"), before), desk)
    assert [wake.name for wake in changes.wake] == ["green-channel"]


@pytest.mark.clause("4.14.2")
async def test_stat_share_passes_and_late_answers_are_counted_per_requester() -> None:
    desk = await passed()
    routine = a_request(id="o-two", identifier=[])
    desk.carry_out(await request_written(Write("create", routine), desk), routine)
    await scanned(desk)
    await strike(desk)
    desk.now += timedelta(hours=30)
    asked = Call({"resourceType": "Parameters", "parameter": []})
    [use] = parts(await emergency_use(asked, desk), "use")
    assert use == {
        "requester": a_request()["requester"], "requests": 2, "stat": 1, "passes": 1, "answeredLate": 1, "open": 1,
    }  # fmt: skip
    await received(desk, a_request(priority="stat"))
    [use] = parts(await emergency_use(asked, desk), "use")
    assert (use["answeredLate"], use["open"]) == (1, 0), "answered, but after its time"


@pytest.mark.parametrize("period", [{"start": "2026-03-02", "end": "2026-03-01"}, {"start": "2020-01-01"}])
async def test_a_period_that_cannot_be_counted_is_422(period: Resource) -> None:
    call = Call({"resourceType": "Parameters", "parameter": [{"name": "period", "valuePeriod": period}]})
    with pytest.raises(FhirError) as refused:
        await emergency_use(call, a_desk())
    assert (refused.value.status, refused.value.issues[0].at) == (422, "Parameters.parameter[0]")


async def test_the_overdue_list_names_what_waits_with_the_longest_first() -> None:
    desk = await passed()
    await moved(desk, "arrived")
    held = a_request(id="o-held", identifier=[], note=None)
    desk.carry_out(await request_written(Write("create", held), desk), held)
    asked = Call({"resourceType": "Parameters", "parameter": []})
    assert parts(await what_is_overdue(asked, desk), "item") == []
    desk.now += timedelta(minutes=25)
    [item] = parts(await what_is_overdue(asked, desk), "item")
    assert (item["what"], item["minutes"], item["en"]) == ("start", 15, "start after arrival")
    desk.now += timedelta(hours=24)
    found = parts(await what_is_overdue(asked, desk), "item")
    assert [one["what"] for one in found] == ["start", "held"]

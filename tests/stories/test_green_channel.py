"""The life of requests that do not run straight: an emergency, an abort, an order written over.

CNAS-CL02-A011 5.4.1, 5.4.4.1 and 5.8.1 (green channel), HL7 Clinical Order Workflow (abort).
"""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import CANONICAL as C
from slipring_demo.ordering import a_request
from slipring_demo.teller import parameters

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules

Tree = dict[str, Any]
ABORT = {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "abort"}]}
EMERGENCY = {"coding": [{"code": "emergency"}]}
HEAD = {"coding": [{"system": "http://loinc.org", "code": "30799-1"}]}


def codes(task: Tree) -> set[str]:
    """What a follow-up Task says was passed."""
    return {entry["valueCodeableConcept"]["coding"][0]["code"] for entry in task["input"]}


async def listed(department: Department, operation: str, name: str) -> list[Tree]:
    """The rows that an operation on Task answers with."""
    answer = await department.post(f"Task/${operation}", parameters())
    assert answer.status_code == 200, answer.text
    rows = [one["part"] for one in answer.json().get("parameter", []) if one["name"] == name]
    return [{part["name"]: next(v for m, v in part.items() if m != "name") for part in row} for row in rows]


async def an_unknown_woman(story: OneExam) -> Tree:
    """Found unconscious: nobody knows her name, her age, or whether she is pregnant."""
    tag = {"system": "https://slipring.example/fhir/CodeSystem/patient-tag", "code": "unidentified"}
    temporary = [{"system": "urn:example:temporary", "value": "T-SYN-1"}]
    woman = {"resourceType": "Patient", "meta": {"tag": [tag]}, "identifier": temporary, "gender": "female"}
    return await story.made(woman)


async def scanned(story: OneExam) -> None:
    """The dose report comes in."""
    code = {"coding": [{"system": "http://loinc.org", "code": "73569-6"}]}
    dose = {"resourceType": "Observation", "status": "final", "code": code, "valueString": "1 event"}
    await story.made(dose | {"subject": story.cast.subject, "basedOn": [{"reference": story.cast.exam}]})


async def stages(story: OneExam) -> list[str]:
    """The stages of the green channel that are on record as late."""
    task = await story.task()
    found = await story.department.found(f"DetectedIssue?implicated=Task/{task['id']}")
    late = [one for one in found if one["code"]["coding"][0]["code"] == "order.green-channel-late"]
    return sorted(one["evidence"][0]["code"][0]["text"] for one in late)


@pytest.mark.clause("5.4.4.1")
@pytest.mark.clause("5.8.1")
async def test_the_green_channel_of_an_unidentified_unconscious_woman(department: Department) -> None:
    story = await one_exam(department)
    known, woman = story.cast.patient, await an_unknown_woman(story)
    story.cast.patient = woman
    bare = {name: a_request(story.cast)[name] for name in ("resourceType", "status", "intent", "subject", "requester")}
    story.cast.request = await story.made(bare | {"priority": "stat", "code": HEAD})
    assert await story.state() == "awaiting-information", "nothing is known, nothing is said"

    task = await story.task()
    given = {"decision": ("Code", "justified"), "reason": ("CodeableConcept", EMERGENCY)}
    await story.called(
        f"Task/{task['id']}/$decide", **given, performer=("Reference", story.cast.person("first reader"))
    )
    assert await story.state() == "justified", "one call of one named physician"
    about = f"Task?part-of=Task/{task['id']}&code=follow-up"
    [follow_up] = await department.found(about)
    assert {"J01", "patient-identity"} <= codes(follow_up)

    await story.moved("arrived")
    await department.wait(minutes=4)
    items = [{"name": "item", "valueCode": item} for item in ("identity-confirmed", "item-confirmed")]
    nobody = parameters(unidentified=("Boolean", True), performer=("Reference", story.cast.person("technologist")))
    nobody["parameter"] += items
    checked = await department.post(f"Task/{task['id']}/$check", nobody)
    assert checked.status_code == 200, checked.text
    await story.moved("in-progress")
    await department.wait(minutes=6)
    await scanned(story)
    assert (await story.state(), await stages(story)) == ("acquired", [])
    await department.wait(minutes=29)
    assert await stages(story) == []
    await department.wait(minutes=2)
    assert await stages(story) == ["report"], "no report within 30 minutes of the end"
    [late] = [
        one for one in await listed(department, "overdue", "item") if one["task"]["reference"] == f"Task/{task['id']}"
    ]
    assert (late["what"], late["minutes"]) == ("report", 1)
    [follow_up] = await department.found(about)
    assert follow_up["restriction"]["period"]["end"], "now it is due"

    whole = (await department.get(story.cast.exam)) | {
        "reasonCode": [{"text": "昏迷待查，疑脑出血"}], "note": [{"text": "无既往资料"}],
        "patientInstruction": "家属不在场",
    }  # fmt: skip
    assert (await department.put(whole)).status_code == 200
    [follow_up] = await department.found(about)
    assert follow_up["status"] == "requested", "who she is nobody knows yet"
    await department.wait(hours=25)
    link = [{"type": "replaced-by", "other": {"reference": f"Patient/{known['id']}"}}]
    merged = woman | {"link": link} | {name: known[name] for name in ("birthDate", "telecom") if name in known}
    assert (await department.put(merged)).status_code == 200
    [follow_up] = await department.found(about)
    assert follow_up["status"] == "completed"
    mine = [
        one for one in await listed(department, "emergency-use", "use") if one.get("requester") == bare["requester"]
    ]
    assert [(one["stat"], one["passes"], one["answeredLate"], one["open"]) for one in mine] == [(1, 1, 1, 0)]
    request = await department.get(story.cast.exam)
    assert request["subject"] == {"reference": f"Patient/{woman['id']}"}, "the order names her as it did"


async def test_an_exam_that_has_begun_is_aborted_only_when_the_department_accepts(department: Department) -> None:
    story = await one_exam(department)
    await story.requested()
    await story.moved("scheduled", "arrived")
    task = await story.task()
    ask = {
        "resourceType": "Task", "status": "requested", "intent": "order", "code": ABORT,
        "focus": {"reference": f"Task/{task['id']}"}, "requester": story.cast.person("requester"),
    }  # fmt: skip
    early = await department.post("Task", ask)
    assert early.status_code == 409 and "order.abort-before-start" in rules(early)
    await story.moved("ready", "in-progress")
    revoked = (await department.get(story.cast.exam)) | {"status": "revoked"}
    assert (await department.put(revoked)).status_code == 200
    assert await story.state() == "in-progress", "the placer's word alone stops nothing now"
    [abort] = await department.found(f"Task?focus=Task/{task['id']}&code=abort")
    await department.wait(minutes=6)
    assert [one["what"] for one in await listed(department, "overdue", "item")].count("abort") == 1
    refused = await department.put(abort | {"status": "rejected", "owner": story.cast.person("technologist")})
    assert refused.status_code == 422 and "order.abort-reason" in rules(refused)
    accepted = abort | {"status": "accepted", "owner": story.cast.person("technologist")}
    assert (await department.put(accepted)).status_code == 200
    task = await story.task()
    assert await story.state() == "discontinued"
    assert task["statusReason"]["coding"][0]["code"] == "110500"
    over = await department.put(accepted | {"status": "requested"})
    assert over.status_code == 409 and "order.abort-illegal-move" in rules(over)
    screening = await department.found(f"Task?focus={story.cast.exam}&code=screening")
    assert {one["status"] for one in screening} <= {"cancelled", "completed"}, "consent follows the revocation"


async def test_the_his_writes_over_its_order_after_it_was_justified(department: Department) -> None:
    story = await one_exam(department)
    sent = await story.requested()
    consent = await story.cleared()
    await department.settle()
    numbers = sent.pop("identifier")
    placer = [one for one in numbers if one["type"]["coding"][0]["code"] not in ("FILL", "ACSN")]
    again = {name: value for name, value in sent.items() if name != "meta"}
    written = await department.put(again | {"identifier": placer})
    assert written.status_code == 200, written.text
    kept = await department.get(story.cast.exam)
    assert sorted(one["value"] for one in kept["identifier"]) == sorted(one["value"] for one in numbers)
    assert await story.state() == "justified", "the same order, sent again"

    forged = [
        one | {"value": "CT20260101000001"} if one["type"]["coding"][0]["code"] == "ACSN" else one for one in numbers
    ]
    altered = await department.put(again | {"identifier": forged})
    assert altered.status_code == 422 and altered.json()["issue"][0]["expression"] == ["ServiceRequest.identifier"]

    await story.moved("scheduled", "arrived")
    changed = await department.put(
        again | {"identifier": placer, "code": {"coding": [{"system": "http://loinc.org", "code": "24628-0"}]}}
    )
    assert changed.status_code == 200, changed.text
    await department.settle()
    assert await story.state() in ("justified", "awaiting-information"), "judged anew, and no longer arrived"
    assert (await department.get(f"Consent/{consent['id']}"))["status"] == "inactive", "it was given for another exam"
    issues = await department.found(f"DetectedIssue?implicated={story.cast.exam}&_count=100")
    assert "order.material-change" in {one["code"]["coding"][0]["code"] for one in issues}
    assert (await department.get(story.cast.exam))["status"] == "active", "the status is the placer's alone"


async def test_a_form_of_the_downtime_is_entered_afterwards_once_with_its_reserved_number(
    department: Department,
) -> None:
    story = await one_exam(department)
    answer = await department.post("Task/$downtime-kit", parameters(count=("Integer", 2)))
    assert answer.status_code == 200, answer.text
    [task] = [one["resource"] for one in answer.json()["parameter"] if one["name"] == "return"]
    first, second = [one["value"] for one in task["identifier"]]
    form = {name: a_request(story.cast)[name] for name in ("resourceType", "status", "intent", "subject", "requester")}
    form |= {"code": HEAD, "reasonCode": [{"text": "头部外伤后意识障碍"}]}
    reserved = "https://slipring.example/fhir/StructureDefinition/reserved-number"
    story.cast.request = await story.made(form | {"extension": [{"url": reserved, "valueString": first}]})
    assert story.cast.imaging_number == first
    twice = await department.post("ServiceRequest", form | {"extension": [{"url": reserved, "valueString": first}]})
    assert twice.status_code == 409, "a number is never used again"
    other = await story.made(form)
    story.cast.request = other
    assert story.cast.imaging_number not in (first, second)

    late = (await story.task()) | {
        "businessStatus": {"coding": [{"system": f"{C}/CodeSystem/exam-state", "code": "acquired"}]},
        "executionPeriod": {"start": story.cast.moment(), "end": story.cast.moment()},
        "owner": story.cast.person("technologist"), "statusReason": {"text": "停机期间已检查"},
    }  # fmt: skip
    refused = await department.put(late)
    assert refused.status_code == 403 and "order.late-record" in rules(refused)
    about = f"Task?focus=Task/{late['id']}&code=late-record"
    assert [one["status"] for one in await department.found(about)] == ["requested"]

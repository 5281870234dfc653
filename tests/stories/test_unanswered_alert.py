"""Nobody answers an alert: the shipped ladder climbs to the end and begins again until a person reads back.

CNAS-CL02-A011 5.9.1: whatever fails or is missing on the way is on record, and the case never falls silent.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from slipring_demo.receivers import Receiver

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, phones

OFFICES = ("ward-duty", "department-head", "medical-affairs")
NAMES = ("requester", "ward", *OFFICES)


def rings(phone: Receiver, since: datetime) -> list[float]:
    """At how many minutes after the flag a phone rang."""
    return [(datetime.fromisoformat(message["sentAt"]) - since) / timedelta(minutes=1) for message in phone.received]


async def an_inpatient(department: Department) -> tuple[OneExam, str]:
    """An exam of a patient who lies on a ward; the ward's reference."""
    story = await one_exam(department)
    for route in await department.found("Endpoint?status=active&_count=100"):  # of the story before
        assert (await department.put(route | {"status": "off"})).status_code == 200
    ward = await story.made({"resourceType": "Location", "status": "active", "name": "ward 7 (synthetic)"})
    place = {"reference": f"Location/{ward['id']}"}
    stay = await story.made(
        {
            "resourceType": "Encounter",
            "status": "in-progress",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "subject": story.cast.subject,
            "location": [{"location": place}],
        }
    )
    await story.requested(encounter={"reference": f"Encounter/{stay['id']}"})
    return story, place["reference"]


async def events(story: OneExam, case: dict[str, Any], what: str) -> list[dict[str, Any]]:
    """The events of one kind in a case's timeline."""
    told = await story.called(f"Task/{case['id']}/$timeline")
    every = [
        {part["name"]: next(v for k, v in part.items() if k.startswith("value")) for part in event["part"]}
        for event in told["parameter"]
        if event["name"] == "event"
    ]
    return [event for event in every if event["what"] == what]


async def test_an_alert_climbs_the_whole_ladder_until_the_second_reads_back(department: Department) -> None:
    story, ward = await an_inpatient(department)
    with phones(*NAMES) as phone:
        await story.rung_at({"valueReference": story.cast.person("requester")}, phone["requester"])
        await story.rung_at({"valueReference": {"reference": ward}}, phone["ward"])
        for office in OFFICES:
            await story.rung_at({"valueCode": office}, phone[office])
        report = await story.drafted()
        flagged_at = department.clock.now()
        case = await story.flagged(report)
        for _ in range(17):
            await department.wait(minutes=1)
        assert rings(phone["requester"], flagged_at) == [0, 3, 15]
        assert rings(phone["ward"], flagged_at) == [0, 3, 15]
        assert rings(phone["ward-duty"], flagged_at) == [3]
        assert rings(phone["department-head"], flagged_at) == [6]
        assert rings(phone["medical-affairs"], flagged_at) == [10]
        attempts = await department.found(f"Communication?part-of=Task/{case['id']}&_count=100")
        assert len(attempts) == 9 and {attempt["status"] for attempt in attempts} == {"completed"}
        keys = [headers["idempotency-key"] for receiver in phone.values() for headers in receiver.headers]
        assert len(set(keys)) == 9, "every attempt has an id of its own"

        wrong = "0000" if story.cast.imaging_number[-4:] != "0000" else "1111"
        assert (await story.read_back(case, "ward duty", check=wrong)).status_code == 422
        answered = await story.read_back(case, "ward duty")
        assert answered.status_code == 200, answered.text
        assert answered.json()["owner"] == story.cast.person("ward duty")
        before = {name: len(receiver.received) for name, receiver in phone.items()}
        await department.wait(minutes=50)
        await story.called(f"Task/{case['id']}/$act", action=("CodeableConcept", {"text": "anticoagulation begun"}))
        await department.wait(hours=5)
        assert {name: len(receiver.received) for name, receiver in phone.items()} == before, "nothing rings after"

    steps = [(event["round"], event["step"], event["outcome"]) for event in await events(story, case, "step")]
    assert steps == [(1, 1, "rung"), (1, 2, "rung"), (1, 3, "rung"), (1, 4, "rung"), (2, 1, "rung")]
    assert len(await events(story, case, "read-back-mismatch")) == 1
    assert [event["who"] for event in await events(story, case, "read-back-confirmed")] == [
        story.cast.staff["ward duty"]
    ]
    assert str(story.cast.patient["birthDate"]) not in str([receiver.received for receiver in phone.values()])


async def test_a_target_that_has_no_route_is_skipped_at_once_and_on_record(department: Department) -> None:
    story, _ = await an_inpatient(department)
    with phones("medical-affairs") as phone:
        await story.rung_at({"valueCode": "medical-affairs"}, phone["medical-affairs"])
        report = await story.drafted()
        flagged_at = department.clock.now()
        case = await story.flagged(report)
        assert rings(phone["medical-affairs"], flagged_at) == [0], "three steps without a route cost no time"
        skipped = [(event["step"], event["who"]) for event in await events(story, case, "no-route")]
        assert skipped == [
            (1, "requester"), (1, "ward"), (2, "requester"), (2, "ward"), (2, "ward-duty"), (3, "department-head"),
        ]  # fmt: skip
        await department.wait(minutes=5)
        assert rings(phone["medical-affairs"], flagged_at) == [0, 5], "and then the ladder begins again"
        assert (await story.read_back(case, "requester")).status_code == 200


async def test_a_person_who_may_not_receive_is_refused_and_the_ringing_goes_on(department: Department) -> None:
    story, _ = await an_inpatient(department)
    await story.joined("porter", "nurse", "receptionist")
    with phones("medical-affairs") as phone:
        await story.rung_at({"valueCode": "medical-affairs"}, phone["medical-affairs"])
        case = await story.flagged(await story.drafted())
        rung = len(phone["medical-affairs"].received)
        assert (await story.read_back(case, "porter")).status_code == 403
        await department.wait(minutes=5)
        assert len(phone["medical-affairs"].received) > rung
        assert [e["who"] for e in await events(story, case, "reached-not-authorised")] == [story.cast.staff["porter"]]
        assert (await story.read_back(case, "requester")).status_code == 200


async def test_an_answer_without_an_act_rings_its_owner_again_after_an_hour(department: Department) -> None:
    story, _ = await an_inpatient(department)
    with phones("requester") as phone:
        await story.rung_at({"valueReference": story.cast.person("requester")}, phone["requester"])
        case = await story.flagged(await story.drafted())
        assert (await story.read_back(case, "requester")).status_code == 200
        rung = len(phone["requester"].received)
        await department.wait(minutes=59)
        assert len(phone["requester"].received) == rung
        await department.wait(minutes=1)
        assert len(phone["requester"].received) == rung + 1
        standing = await department.get(f"Task/{case['id']}")
        assert standing["businessStatus"]["coding"][0]["code"] == "reopened"
        await story.called(f"Task/{case['id']}/$act", action=("CodeableConcept", {"text": "anticoagulation begun"}))
        await department.wait(hours=5)
        assert len(phone["requester"].received) == rung + 1

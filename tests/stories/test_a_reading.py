"""A green channel exam is acquired: it is listed, claimed, warned about, overdue, released, and counted (5.8.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slipring.identity.clients import DEMO_HIS
from slipring.signing.jws import jws_sha256
from slipring_demo.teller import parameters, value_of

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules

Tree = dict[str, Any]
DCM = "http://dicom.nema.org/resources/ontology/DCM"


async def acquired(story: OneExam, **members: Any) -> Tree:
    """An exam is scanned; its reading."""
    await story.requested(**members)
    await story.moved("scheduled", "arrived", "ready", "in-progress", "acquired")
    await story.department.settle()
    [reading] = await story.department.found(f"Task?code=reading&focus={story.cast.exam}")
    return reading


def listed(answer: Tree) -> dict[str, Tree]:
    """The entries of the reading list by the id of their Task."""
    entries = [{part["name"]: part for part in one["part"]} for one in answer["parameter"] if one["name"] == "reading"]
    return {entry["task"]["resource"]["id"]: entry for entry in entries}


def codes(task: Tree) -> list[str]:
    return [coding["code"] for coding in task["businessStatus"]["coding"]]


@pytest.mark.clause("5.8.1")
@pytest.mark.clause("5.6.1")
async def test_a_green_channel_exam_is_read_by_one_reader_against_a_clock_that_everybody_sees(
    department: Department,
) -> None:
    story = await one_exam(department)
    reading = await acquired(story, priority="stat")
    place, reader = f"Task/{reading['id']}", ("Reference", story.cast.person("first reader"))
    entry = listed(await story.called("Task/$reading-list"))[reading["id"]]
    assert entry["clockEn"]["valueString"] == "30 min from the end of the exam"
    assert "5.8.1" in entry["clockSource"]["valueString"] and entry["minutesLeft"]["valueInteger"] >= 29

    by_hand = await department.put(reading | {"status": "completed"})
    assert by_hand.status_code == 422 and rules(by_hand) == {"report.work-by-operation"}
    await story.called(f"{place}/$claim", by=reader, minutes=("Integer", 25))
    other = await department.post(f"{place}/$claim", parameters(by=("Reference", story.cast.person("second reader"))))
    assert other.status_code == 409 and rules(other) == {"report.case-held"}
    assert other.json()["issue"][0]["expression"] == ["Task.owner"]

    await department.wait(minutes=20)
    warned = await department.get(place)
    assert codes(warned) == ["claimed", "warned"]
    await department.wait(minutes=5)
    assert codes(await department.get(place)) == ["unread", "warned"], "nobody renewed the claim"
    await story.called(f"{place}/$claim", by=("Reference", story.cast.person("second reader")))
    await department.wait(minutes=6)
    assert codes(await department.get(place)) == ["claimed", "breached"]

    found = await department.found(f"DetectedIssue?implicated={place}")
    told = {issue["code"]["coding"][0]["code"] for issue in found}
    assert told == {"report.reporting-time-warning", "report.reporting-time-breached"}
    assert story.cast.patient["id"] not in json.dumps(found), "what subscribers are told names no patient"

    report = await story.drafted()
    await department.fresh()
    first = await story.jws(report, "first reader", "author")
    assert (await story.signed(report, first, "author")).is_success
    assert codes(await department.get(place))[0] == "claimed", "one signature issues nothing"
    second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
    assert (await story.signed(report, second, "reviewer")).is_success
    await department.settle()
    over = await department.get(place)
    assert codes(over) == ["reported", "breached"] and over["status"] == "completed"
    assert reading["id"] not in listed(await story.called("Task/$reading-list"))


@pytest.mark.clause("5.9.1")
@pytest.mark.clause("5.8.1")
@pytest.mark.clause("5.7.1")
@pytest.mark.clause("4.7 b")
async def test_after_the_release_late_images_doubts_and_a_conference_each_come_to_an_end(
    department: Department,
) -> None:
    story = await one_exam(department)
    reading = await acquired(story)
    place = f"Task/{reading['id']}"
    first, second = (("Reference", story.cast.person(f"{which} reader")) for which in ("first", "second"))
    study = await story.made(a_study(story, "1.2.840.1"))
    report = await story.drafted()
    question = await story.called(
        f"{report}/$consult", by=first, of=second, question=("String", "embolus or artefact?")
    )
    asked = value_of(question, "return")
    his = department.client(DEMO_HIS, "system/*.cruds")
    assert (await his.get(f"/fhir/Communication/{asked['id']}")).status_code == 404, (
        "what is asked about a draft is inside"
    )
    await story.called(f"Communication/{asked['id']}/$answer", by=second, answer=("String", "an embolus"))
    await released(story, report)
    prior = await story.called(f"{place}/$priors")
    [current] = [one for one in prior["parameter"] if one["name"] == "current"]
    assert f"ImagingStudy/{study['id']}" in json.dumps(current) and f"{report}" in json.dumps(current)
    disc = ("Code", "disc")
    handed = await story.called(
        f"{place}/$hand-out-images", by=first, medium=disc, to=("Reference", {"display": "本人"})
    )
    assert value_of(handed, "return")["about"] == [{"reference": f"ImagingStudy/{study['id']}"}]

    study["series"].append({"uid": "1.2.840.1.2", "modality": {"system": DCM, "code": "CT"}})
    assert (await department.put(study)).status_code == 200
    await department.settle()
    [late] = await department.found(f"Task?code=late-images&focus={report}")
    note = ("String", "a reconstruction in another plane")
    settled = await story.called(
        f"Task/{late['id']}/$settle-images", by=second, outcome=("Code", "unchanged"), note=note
    )
    assert value_of(settled, "return")["status"] == "completed"

    kind, what = ("Code", "image-unclear"), ("String", "motion in the lower lobes")
    doubt = value_of(await story.called(f"{report}/$open-discordance", by=first, kind=kind, description=what), "return")
    ended = {"by": second, "outcome": ("Code", "report-stands"), "note": ("String", "the clinic agrees")}
    early = await department.post(f"Task/{doubt['id']}/$conclude-discordance", parameters(**ended))
    assert early.status_code == 409 and rules(early) == {"report.discordance-illegal-move"}
    clinic = {"with": ("Reference", story.cast.person("requester")), "medium": ("Code", "telephone")}
    await story.called(f"Task/{doubt['id']}/$contact-clinic", by=first, said=("String", "agreed"), **clinic)
    concluded = value_of(await story.called(f"Task/{doubt['id']}/$conclude-discordance", **ended), "return")
    assert concluded["status"] == "completed"
    assert (await his.get(f"/fhir/Task/{doubt['id']}")).status_code == 404
    await his.aclose()
    await a_conference(story, report)

    counted = await story.called("DiagnosticReport/$turnaround", by=("Code", "modality"))
    [ct] = [one for one in counted["parameter"] if one["name"] == "group" and one["part"][0]["valueString"] == "CT"]
    assert {part["name"]: part for part in ct["part"]}["issued"]["valueInteger"] == 1


async def a_conference(story: OneExam, report: str) -> None:
    """The report is discussed; the result waits as an addition for two people to sign."""
    first, second = (("Reference", story.cast.person(f"{which} reader")) for which in ("first", "second"))
    when = ("DateTime", story.cast.moment())
    meeting = value_of(await story.called("Task/$plan-conference", chair=second, start=when), "return")
    place = f"Task/{meeting['id']}"
    why = ("String", "follow-up?")
    case = value_of(
        await story.called(f"{place}/$add-case", by=first, report=("Reference", {"reference": report}), question=why),
        "return",
    )
    await story.called(f"{place}/$attend", by=second, person=first)
    result = {"result": ("String", "control in three months"), "fold": ("Code", "report")}
    done = value_of(await story.called(f"Task/{case['id']}/$conclude-case", by=second, **result), "return")
    [draft] = [
        one["valueReference"]["reference"] for one in done["output"] if one["type"]["coding"][0]["code"] == "draft"
    ]
    assert (await story.department.get(draft))["status"] == "partial"
    assert (await story.department.get(report))["status"] == "final"
    await story.called(f"{place}/$close-conference", by=second)
    attended = await story.called("Task/$attendance")
    assert (
        value_of(attended, "held") == 1 and len([one for one in attended["parameter"] if one["name"] == "person"]) == 2
    )


async def released(story: OneExam, report: str) -> None:
    """Both readers sign."""
    await story.department.fresh()
    first = await story.jws(report, "first reader", "author")
    assert (await story.signed(report, first, "author")).is_success
    second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
    assert (await story.signed(report, second, "reviewer")).is_success
    await story.department.settle()


def a_study(story: OneExam, uid: str) -> Tree:
    """The images of the exam, as an archive enters them."""
    return {
        "resourceType": "ImagingStudy",
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}],
        "status": "available",
        "modality": [{"system": DCM, "code": "CT"}],
        "subject": story.cast.subject,
        "basedOn": [{"reference": story.cast.exam}],
        "series": [{"uid": f"{uid}.1", "modality": {"system": DCM, "code": "CT"}, "bodySite": {"code": "CHEST"}}],
    }

"""A green channel exam is acquired: it is listed, claimed, warned about, overdue, released, and counted (5.8.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slipring.signing.jws import jws_sha256
from slipring_demo.teller import parameters

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules

Tree = dict[str, Any]
RULE = "https://slipring.example/fhir/CodeSystem/rule"


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

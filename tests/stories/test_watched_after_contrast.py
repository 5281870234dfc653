"""After the injection: released too early, a reaction, nobody releases, the call after a week (5.4.4.1, 4.13)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules

C = "https://slipring.example/fhir"


async def watched(department: Department) -> tuple[OneExam, dict[str, Any], dict[str, Any]]:
    """Contrast was given after consent: the story, the injection and its observation."""
    story = await one_exam(department)
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    await story.cleared()
    permitted = await story.injected()
    assert permitted.status_code == 201, permitted.text
    given = await department.put(permitted.json() | {"status": "completed"})
    assert given.status_code == 200, given.text
    found = await department.found(f"Task?code=observation&focus=MedicationAdministration/{given.json()['id']}")
    return story, given.json(), found[0]


def parameters(**values: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": [{"name": name, **value} for name, value in values.items()]}


@pytest.mark.clause("5.4.4.1")
@pytest.mark.clause("4.13")
async def test_a_reaction_keeps_the_patient_until_a_nurse_may_release_him_and_calls_him_after_a_week(
    department: Department,
) -> None:
    story, given, watch = await watched(department)
    nurse = {"valueReference": story.cast.person("nurse")}
    release = parameters(by=nurse, cannulaRemoved={"valueBoolean": True})
    await department.wait(minutes=10)
    early = await department.post(f"Task/{watch['id']}/$release", release)
    assert early.status_code == 422 and rules(early) == {"consent.observation-time"}
    assert "20 min left" in early.text and "还剩 20 分钟" in early.text

    reaction = {
        "resourceType": "AdverseEvent",
        "actuality": "actual",
        "subject": story.cast.subject,
        "date": story.cast.moment(),
        "event": {"coding": [{"system": f"{C}/CodeSystem/reaction-type", "code": "physiologic"}]},
        "severity": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/adverse-event-severity", "code": "mild"}]
        },
        "suspectEntity": [{"instance": {"reference": f"MedicationAdministration/{given['id']}"}}],
    }
    logged = await department.post("AdverseEvent", reaction)
    assert logged.status_code == 201, logged.text
    await department.wait(minutes=40)
    kept = await department.get(f"Task/{watch['id']}")
    assert (kept["status"], kept["businessStatus"]["coding"][0]["code"]) == ("in-progress", "reaction")
    still = await department.post(f"Task/{watch['id']}/$release", release)
    assert still.status_code == 422 and rules(still) == {"consent.observation-reaction"}

    phase = {"url": f"{C}/StructureDefinition/reaction-phase", "valueCode": "resolved"}
    event = logged.json()
    well = await department.put(event | {"extension": [*event.get("extension", []), phase]})
    assert well.status_code == 200, well.text
    await department.wait(minutes=29)
    assert (await department.post(f"Task/{watch['id']}/$release", release)).status_code == 422
    await department.wait(minutes=1)
    ended = await department.post(f"Task/{watch['id']}/$release", release)
    assert ended.status_code == 200, ended.text
    named = {one["name"]: one for one in ended.json()["parameter"]}
    assert named["return"]["resource"]["owner"] == story.cast.person("nurse")
    assert "120" in named["instructionsZh"]["valueString"]

    await department.wait(hours=23)
    [first, last] = await department.found(f"Task?code=reaction-follow-up&focus=MedicationAdministration/{given['id']}")
    due = [one for one in (first, last) if one["status"] == "ready"]
    assert len(due) == 1, "the first call is due after a day, the other after a week"
    unreached = await department.post(
        f"Task/{due[0]['id']}/$called", parameters(by=nurse, result={"valueCode": "not-reached"})
    )
    assert unreached.status_code == 200, unreached.text
    await department.wait(hours=4)
    again = await department.get(f"Task/{due[0]['id']}")
    assert again["status"] == "ready", "not reached: due again"
    done = await department.post(f"Task/{again['id']}/$called", parameters(by=nurse, result={"valueCode": "well"}))
    assert done.json()["parameter"][0]["resource"]["status"] == "completed"


@pytest.mark.clause("5.4.4.1")
async def test_nobody_releases_and_who_observes_is_told_until_somebody_does(department: Department) -> None:
    story, _, watch = await watched(department)
    await department.wait(minutes=39)
    assert await department.found(f"Task?code=notice&focus=Task/{watch['id']}") == []
    await department.wait(minutes=1)
    told = await department.found(f"Task?code=notice&focus=Task/{watch['id']}")
    assert [one["owner"] for one in told] == [story.cast.person("nurse")]
    overdue = await department.found("Task?code=observation&business-status=overdue&_count=100")
    assert watch["id"] in [one["id"] for one in overdue]
    await department.wait(minutes=10)
    assert len(await department.found(f"Task?code=notice&focus=Task/{watch['id']}")) == 2
    late = parameters(by={"valueReference": story.cast.person("nurse")}, cannulaRemoved={"valueBoolean": True})
    assert (await department.post(f"Task/{watch['id']}/$release", late)).status_code == 200
    await department.wait(minutes=30)
    assert len(await department.found(f"Task?code=notice&focus=Task/{watch['id']}")) == 2


@pytest.mark.clause("4.13")
async def test_the_rates_count_what_was_given_and_what_came_of_it(department: Department) -> None:
    _, given, _ = await watched(department)
    counted = await rates(department, by={"valueCode": "lot"})
    assert counted["low"] <= counted["rate"] <= counted["high"]
    severe = await rates(department, severity={"valueCode": "severe"})
    assert (severe["given"], severe["reacted"]) == (counted["given"], 0)
    wrong = await department.put(given | {"status": "entered-in-error"})
    assert wrong.status_code == 200, wrong.text
    assert (await rates(department, by={"valueCode": "agent"}))["given"] == counted["given"] - 1


async def rates(department: Department, **asked: Any) -> dict[str, Any]:
    """The figures of all that was given."""
    answer = await department.post("Medication/$reaction-rates", parameters(**asked))
    assert answer.status_code == 200, answer.text
    last = [one["part"] for one in answer.json()["parameter"] if one["name"] == "group"][-1]
    figures = {part["name"]: next(value for name, value in part.items() if name != "name") for part in last}
    assert figures["of"] == "all"
    return figures

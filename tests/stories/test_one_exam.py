"""One exam from the request to the closed loop: every step of CNAS-CL02-A011 5.4 to 5.9 on one patient.

The HIS forgets an item and supplies it; contrast is given after consent; a critical finding is rung and read back
before anybody has signed; two people sign; the subscriber has the report; the exam is closed.
"""

from __future__ import annotations

from typing import Any

from slipring.fhir.service import CANONICAL
from slipring.signing.jws import jws_sha256
from slipring_demo.contrast import an_injection
from slipring_demo.ordering import stated
from slipring_demo.reading import a_subscription
from slipring_demo.teller import value_of

from tests.support.backport import told as said_by
from tests.support.backport import topical
from tests.support.department import Department
from tests.support.one_exam import one_exam, phones


async def test_an_exam_goes_from_an_incomplete_request_to_a_closed_loop(department: Department) -> None:
    story = await one_exam(department)
    cast = story.cast
    with phones("requester", "HIS", "topics") as phone:
        for topic in ("request-state", "consent-state", "report-released", "critical-case-state"):
            address = f"{CANONICAL}/SubscriptionTopic/{topic}"
            await story.made(topical("full-resource", topic=address, channel={"endpoint": phone["topics"].url}))
        await story.made(a_subscription("DiagnosticReport?status=final", phone["HIS"].url))
        await story.rung_at({"valueReference": cast.person("requester")}, phone["requester"])

        await story.requested(complete=False)
        held = await story.task()
        assert await story.state() == "awaiting-information"
        assert "laboratory" in {coding["code"] for coding in held["statusReason"]["coding"]}
        cast.request["extension"].append(stated("laboratory", "D-dimer 4.1 mg/L (synthetic)"))
        completed = await department.put(cast.request, If_Match='W/"1"')
        assert completed.status_code == 200, completed.text
        assert await story.state() == "justified"

        await story.moved("scheduled", "arrived")
        await story.cleared()
        await story.moved("ready", "in-progress")
        permitted = await story.injected()
        assert permitted.status_code == 201, permitted.text
        given = await department.put(permitted.json() | {"status": "completed"})
        assert given.status_code == 200, given.text
        await story.made(
            {
                "resourceType": "Observation",
                "status": "final",
                "basedOn": [{"reference": cast.exam}],
                "subject": cast.subject,
                "code": {"coding": [{"system": "http://loinc.org", "code": "73569-6"}]},
                "valueString": "2 events",
            }
        )
        assert await story.state() == "acquired"

        report = await story.drafted()
        case = await story.flagged(report)
        assert len(phone["requester"].received) == 1, "rung before any signature"
        answered = await story.read_back(case, "requester")
        assert answered.status_code == 200, answered.text
        await story.called(f"Task/{case['id']}/$act", action=("CodeableConcept", {"text": "anticoagulation begun"}))

        first = await story.jws(report, "first reader", "author")
        assert (await story.signed(report, first, "author")).is_success
        assert (await department.get(report))["status"] == "preliminary"
        assert await story.state() == "acquired", "one signature releases nothing"
        assert phone["HIS"].received == []
        second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
        assert (await story.signed(report, second, "reviewer")).is_success
        await department.settle()
        told = states_told(phone["topics"].received)

    released = await department.get(report)
    assert released["status"] == "final"
    kinds = [form["contentType"].partition(";")[0] for form in released["presentedForm"]]
    assert kinds == ["text/html", "application/pdf"]
    assert [told["id"] for told in phone["HIS"].received] == [released["id"]]
    assert value_of(await story.called(f"{report}/$verify"), "valid") is True
    assert await story.state() in ("reported", "closed")
    way = ["awaiting-information", "justified", "scheduled", "arrived", "ready", "in-progress", "acquired"]
    assert [state for state in told.pop("request-state") if state not in ("reported", "closed")] == way
    assert told == {
        "consent-state": ["active"],
        "report-released": ["final"],
        "critical-case-state": ["notifying", "read-back-confirmed", "closed"],
    }
    [handover] = await department.found(f"Task?based-on={report}&code=hand-over")
    assert handover["status"] == "completed"
    assert (await department.get(f"Task/{case['id']}"))["businessStatus"]["coding"][0]["code"] == "closed"


def states_told(notifications: list[dict[str, Any]]) -> dict[str, list[str]]:
    """By topic, the state of each resource that an event is about, in the order told."""
    told: dict[str, list[str]] = {}
    for bundle in notifications:
        status = said_by(bundle)
        about = {event["focus"] for event in status["events"]}
        for entry in bundle["entry"]:
            if entry["fullUrl"] in about:
                resource = entry["resource"]
                state = resource.get("businessStatus", {}).get("coding", [{"code": resource["status"]}])[0]["code"]
                told.setdefault(status["topic"].rpartition("/")[2], []).append(state)
    return told


async def test_nothing_of_an_exam_can_be_skipped(department: Department) -> None:
    story = await one_exam(department)
    await story.requested(complete=False)
    for state in ("scheduled", "arrived", "in-progress", "acquired"):
        task = await story.task()
        task["businessStatus"]["coding"][0]["code"] = state
        refused = await department.put(task, If_Match=f'W/"{task["meta"]["versionId"]}"')
        assert refused.status_code == 409, f"{state}: {refused.status_code}"
    assert await story.state() == "awaiting-information"
    told = an_injection(story.cast) | {"status": "completed"}
    assert (await department.post("MedicationAdministration", told)).status_code == 403

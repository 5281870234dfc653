"""No contrast without consent: the gate refuses with every reason at once, opens, and closes again.

CNAS-CL02-A011 5.4.1 and 5.5: screening, written consent, a qualified person, an observer, 30 minutes of observation.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta

from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL
from slipring_demo.contrast import a_consent, a_screening, an_egfr, an_injection

from tests.support.backport import told, topical
from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, phones, rules, texts

LATE = "system/*.cruds slipring/record-late"


async def an_exam_in_the_room(department: Department) -> OneExam:
    story = await one_exam(department)
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    return story


async def test_without_anything_the_gate_names_every_reason_at_once_and_keeps_the_try(department: Department) -> None:
    story = await an_exam_in_the_room(department)
    await story.joined("trainee nurse", "nurse", "ct-nurse")
    await department.fresh()
    bare = an_injection(story.cast) | {"performer": [{"actor": story.cast.person("trainee nurse")}]}
    refused = await department.post("MedicationAdministration", bare)
    assert refused.status_code == 422
    expected = {
        "consent.consent-valid", "consent.screening-current", "consent.performer-qualified", "consent.observer-named",
    }  # fmt: skip
    assert rules(refused) >= expected, texts(refused)
    assert all(issue["diagnostics"] and issue["expression"] for issue in refused.json()["issue"])
    kept = await department.found(f"DetectedIssue?implicated={story.cast.exam}&_count=100")
    assert {issue["code"]["coding"][0]["code"] for issue in kept} >= expected
    assert await department.found(f"MedicationAdministration?subject={story.cast.subject['reference']}") == []


async def test_with_screening_and_consent_it_opens_and_thirty_minutes_of_observation_begin(
    department: Department,
) -> None:
    story = await an_exam_in_the_room(department)
    assert (await story.injected()).status_code == 422
    await story.made(a_screening(story.cast))
    half = await story.injected()
    assert rules(half) == {"consent.consent-valid"}, texts(half)
    await story.made(a_consent(story.cast))
    permitted = await story.injected()
    assert permitted.status_code == 201, permitted.text
    given = permitted.json() | {"status": "completed"}
    assert (await department.put(given)).status_code == 200
    about = f"Task?focus=MedicationAdministration/{given['id']}&code=observation"
    [watch] = await department.found(about)
    assert watch["status"] == "in-progress"

    await department.wait(minutes=29, seconds=59)
    [watch] = await department.found(about)
    assert watch["status"] == "in-progress"
    early = await department.put(watch | {"status": "completed", "owner": story.cast.person("nurse")})
    assert early.status_code == 422 and "consent.observation-time" in rules(early)
    await department.wait(seconds=1)
    [watch] = await department.found(about)
    assert watch["status"] == "ready", "the time is over, nobody has released the patient yet"
    unnamed = await department.put(watch | {"status": "completed"})
    assert unnamed.status_code == 422 and "consent.observation-owner" in rules(unnamed)
    released = await department.put(watch | {"status": "completed", "owner": story.cast.person("nurse")})
    assert released.status_code == 200, released.text


async def test_a_withdrawn_consent_closes_the_gate_again(department: Department) -> None:
    story = await an_exam_in_the_room(department)
    consent = await story.cleared()
    assert (await department.put(consent | {"status": "inactive"})).status_code == 200
    refused = await story.injected()
    assert refused.status_code == 422
    assert rules(refused) == {"consent.consent-valid"}, texts(refused)


async def test_who_is_at_the_injector_is_told_of_renal_failure_and_of_the_nurse_who_gives_by_a_role(
    department: Department,
) -> None:
    story = await an_exam_in_the_room(department)
    await story.cleared()
    nurse = story.cast.staff["nurse"]
    [role, *_] = await department.found(f"PractitionerRole?practitioner={nurse}")
    by_role = {"actor": {"reference": f"PractitionerRole/{role['id']}"}}
    injection = an_injection(story.cast)
    observer = injection["performer"][1] | {"actor": story.cast.person("first reader")}
    await department.fresh()
    given = await story.made(injection | {"performer": [by_role, observer]})
    notices = f"Task?focus=MedicationAdministration/{given['id']}&code=notice"

    value = an_egfr(story.cast) | {"effectiveDateTime": story.cast.moment()}
    await story.made(value | {"valueQuantity": value["valueQuantity"] | {"value": 12}})
    await department.settle()
    owners = {task["owner"]["reference"] for task in await department.found(notices)}
    assert owners == {by_role["actor"]["reference"], observer["actor"]["reference"]}

    person = await department.get(nurse)
    assert (await department.put(person | {"active": False})).status_code == 200
    await department.settle()
    assert len(await department.found(notices)) == 2 * len(owners)


async def test_a_subscriber_of_the_alarm_is_told_which_injection_runs_without_its_consent(
    department: Department,
) -> None:
    story = await an_exam_in_the_room(department)
    consent = await story.cleared()
    with phones("injector") as phone:
        address = f"{CANONICAL}/SubscriptionTopic/injection-alarm"
        await story.made(topical("full-resource", topic=address, channel={"endpoint": phone["injector"].url}))
        given = (await story.injected()).json()
        await department.settle()
        assert not any(told(bundle)["events"] for bundle in phone["injector"].received), "nothing has changed yet"
        assert (await department.put(consent | {"status": "inactive"})).status_code == 200
        await department.settle()
        [bundle] = [bundle for bundle in phone["injector"].received if told(bundle)["events"]]  # beside the handshake
    [event] = told(bundle)["events"]
    [alarm] = [entry["resource"] for entry in bundle["entry"] if entry["fullUrl"] == event["focus"]]
    assert rule_of(alarm) == "consent.changed-after-permission"
    assert alarm["implicated"] == [{"reference": f"MedicationAdministration/{given['id']}"}]
    assert alarm["severity"] == "high"


async def test_a_consent_that_has_run_out_is_no_consent(department: Department) -> None:
    story = await an_exam_in_the_room(department)
    await story.cleared()
    await department.wait(hours=25)
    refused = await story.injected()
    assert refused.status_code == 422 and "consent.consent-valid" in rules(refused)


async def test_a_patient_who_reacted_before_gets_contrast_only_after_a_physician_decides(
    department: Department,
) -> None:
    story = await an_exam_in_the_room(department)
    await story.made(a_screening(story.cast, reaction="severe"))
    await story.made(a_consent(story.cast))
    refused = await story.injected()
    assert refused.status_code == 422
    assert rules(refused) & {"consent.no-high-finding", "consent.questions-decided"}, texts(refused)


async def test_copies_that_are_behind_decide_nothing(department: Department) -> None:
    """The clock runs on while no pulse can have come: the gate asks to come back, it does not guess."""
    story = await an_exam_in_the_room(department)
    await story.cleared()
    await department.fresh()
    department.clock.advance(timedelta(minutes=5))
    stale = await department.post("MedicationAdministration", an_injection(story.cast))
    assert stale.status_code == 503 and stale.headers["Retry-After"]
    assert (await story.injected()).status_code == 201


async def test_who_may_not_record_late_is_refused_and_audited_and_what_he_sent_waits_for_the_named_person(
    department: Department,
) -> None:
    story = await an_exam_in_the_room(department)
    room = department.client("demo-his", "system/*.cruds")
    manual = {"text": "手推注射 / by hand, the injector failed"}
    sent = an_injection(story.cast) | {"status": "completed", "statusReason": [manual]}
    for _ in range(2):
        refused = await department.post("MedicationAdministration", sent, room)
        assert refused.status_code == 403 and rules(refused) == {"consent.late-record"}, texts(refused)
    await room.aclose()
    waiting = f"Task?code=late-record&focus={story.cast.exam}"
    [task] = await department.found(waiting)
    assert task["status"] == "requested"
    kept = json.loads(base64.b64decode(task["input"][0]["valueAttachment"]["data"]))
    assert kept == {name: value for name, value in sent.items() if name != "meta"}, "the body as it was sent"
    denied = await department.found("AuditEvent?outcome=4&_sort=-date&_count=20")
    told_of = {one["entity"][0]["what"]["reference"]: one["agent"][0]["altId"] for one in denied if "entity" in one}
    assert told_of[f"Task/{task['id']}/_history/1"] == "demo-his", "who was refused, and where what he sent lies"

    named = department.client("demo-his", LATE)
    late = await department.post("MedicationAdministration", kept, named)
    await named.aclose()
    assert late.status_code == 201, late.text
    assert [one["status"] for one in await department.found(waiting)] == ["completed"]
    about = f"Task?code=nonconformity&focus=MedicationAdministration/{late.json()['id']}"
    assert len(await department.found(about)) == 1

"""A patient comes, is known by two identifiers of different kinds, and is scanned by named people."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Resource, Write
from slipring_order import resources
from slipring_order.handlers.check_list import checked, record_written
from slipring_order.handlers.exams import task_written
from slipring_order.handlers.performing import finished, started
from slipring_order.handlers.reception import arrived
from slipring_order.life.discontinuing import reason_concept
from slipring_order.rooms.checks import ARRIVAL, done_items, is_record_of

from tests.support.desk import ADesk
from tests.support.ordering import (
    a_contrast_consent,
    a_desk,
    a_patient,
    a_request,
    findings,
    identity_confirmed,
    moved,
    received,
    the_exam,
)
from tests.support.rooms import call, out

DOCTOR: Any = ("Reference", {"reference": "Practitioner/o-doc"})
NUMBER: Any = ("Identifier", {"system": "urn:hospital", "value": "A1"})
BORN: Any = ("Date", "1961-07-15")
WOMAN = {"gender": "female", "birthDate": "1990-05-05"}
ABDOMEN = {"coding": [{"system": "http://loinc.org", "code": "41806-1"}]}


async def act(desk: ADesk, operation: Any, **values: tuple[str, Any]) -> Changes:
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    changes: Changes = await operation(call(exam, **{"performer": DOCTOR, **values}), desk)
    desk.carry_out(changes)
    return changes


async def state(desk: ADesk) -> str:
    return resources.state_of(await the_exam(desk))


@pytest.mark.clause("4.13 d")
async def test_an_arrival_says_who_when_and_by_which_identifiers() -> None:
    desk = a_desk()
    await received(desk, a_request())
    changes = await act(desk, arrived, identifier=NUMBER, birthDate=BORN)
    assert await state(desk) == "arrived" and not out(changes, "issue")
    [record] = [s.resource for s in desk.held.values() if is_record_of(s.resource, ARRIVAL)]
    assert [reason["text"] for reason in record["reason"]] == ["urn:hospital", "birth-date"]
    assert record["agent"][0]["who"] == DOCTOR[1] and record["recorded"].startswith("2026-03-02T17:30")
    assert record["target"][1] == {"reference": "ServiceRequest/o-req"}
    assert "A1" not in str(record["reason"]) and "1961" not in str(record["reason"])


@pytest.mark.parametrize("shown", [{"identifier": NUMBER}, {"birthDate": BORN}, {}])
async def test_one_identifier_is_not_enough(shown: dict[str, Any]) -> None:
    desk = a_desk()
    await received(desk, a_request())
    with pytest.raises(FhirError) as refused:
        await act(desk, arrived, **shown)
    assert (refused.value.status, refused.value.issues[0].detail) == (422, "order.two-identifiers")
    assert await state(desk) == "justified"


async def test_an_identifier_of_somebody_else_is_refused_and_on_record() -> None:
    desk = a_desk()
    await received(desk, a_request())
    changes = await act(desk, arrived, identifier=("Identifier", {"value": "B2"}), birthDate=BORN)
    assert changes.refuse and changes.refuse.status == 422
    assert changes.refuse.issues[0].at == "Parameters.parameter[1]"
    assert findings(desk) == {"order.identity-mismatch"} and await state(desk) == "justified"


async def test_after_a_merge_what_stands_on_any_record_of_the_person_counts() -> None:
    desk = a_desk()
    await received(desk, a_request())
    surviving = a_patient(id="o-other", identifier=[{"system": "urn:hospital", "value": "B7"}])
    shown = {"identifier": ("Identifier", {"system": "urn:hospital", "value": "B7"}), "birthDate": BORN}
    desk.hold(surviving)
    assert (await act(desk, arrived, **shown)).refuse is not None
    desk.hold({**surviving, "link": [{"other": {"reference": "Patient/o-pat"}, "type": "replaces"}]})
    assert (await act(desk, arrived, **shown)).refuse is None
    assert await state(desk) == "arrived"


async def test_somebody_of_the_same_name_and_birth_date_on_the_list_is_warned_about() -> None:
    named = {"name": [{"text": "张伟"}]}
    desk = a_desk(a_patient(id="o-twin", name=[{"family": "张", "given": ["伟"]}]), a_patient(**named))
    await received(desk, a_request())
    await received(desk, a_request(id="o-other", identifier=[], subject={"reference": "Patient/o-twin"}))
    changes = await act(desk, arrived, identifier=NUMBER, birthDate=BORN)
    assert [rule_of(issue) for issue in out(changes, "issue")] == ["order.namesake-on-list"]
    assert await state(desk) == "arrived"


async def test_an_unidentified_patient_is_received_by_his_tag_alone() -> None:
    desk = a_desk()
    await received(desk, a_request(priority="stat"))
    with pytest.raises(FhirError) as refused:
        await act(desk, arrived, unidentified=("Boolean", True))
    assert refused.value.issues[0].detail == "order.patient-is-identified"
    desk.hold(a_patient(meta={"tag": [{"code": "unidentified"}]}))
    await act(desk, arrived, unidentified=("Boolean", True))
    assert await state(desk) == "arrived"


@pytest.mark.clause("5.5.1.1")
async def test_identity_and_examination_confirmed_make_an_exam_ready_and_it_runs_by_named_people() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await act(desk, arrived, identifier=NUMBER, birthDate=BORN)
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    desk.carry_out(await checked(identity_confirmed(exam, "parameters-set"), desk))
    assert await state(desk) == "ready"
    refused = await act(desk, started)  # a doctor is no technologist
    assert refused.refuse and {issue.detail for issue in refused.refuse.issues} == {"order.operator-qualified"}
    assert await state(desk) == "ready"
    await moved(desk, "in-progress")
    await act(desk, finished)
    assert await state(desk) == "acquired"
    assert done_items(await the_exam(desk)) == {"identity-confirmed", "item-confirmed", "parameters-set", "exam-done"}
    assert "order.step-check-list" not in findings(desk)


@pytest.mark.clause("5.5.1.1")
async def test_no_exam_starts_before_identity_was_checked_but_an_emergency_is_asked_later() -> None:
    for priority in ("routine", "stat"):
        desk = a_desk()
        await received(desk, a_request(priority=priority))
        await moved(desk, "scheduled", "arrived")
        exam = await the_exam(desk)
        before = desk.hold(exam | {"businessStatus": resources.state_concept("ready")})
        running = exam | {"businessStatus": resources.state_concept("in-progress")}
        changes = await task_written(Write("update", running, before), desk)
        tried = {rule_of(save.resource) for save in changes.save}
        assert "order.identity-before-start" in tried
        if priority == "stat":
            assert changes.refuse is None and "order.critical-attended" in tried
        else:
            assert changes.refuse and changes.refuse.status == 422


@pytest.mark.clause("5.4.4.1")
async def test_a_critical_patient_is_not_scanned_before_somebody_who_attends_him_is_named() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await act(desk, arrived, identifier=NUMBER, birthDate=BORN, critical=("Boolean", True))
    await moved(desk, "ready")
    exam = await the_exam(desk)
    before = await desk.read(f"Task/{exam['id']}")
    running = exam | {"businessStatus": resources.state_concept("in-progress")}
    changes = await task_written(Write("update", running, before), desk)
    assert changes.refuse and [i.detail for i in changes.refuse.issues] == ["order.critical-attended"]
    await act(desk, checked, item=("Code", "parameters-set"), attendant=DOCTOR)
    before = await desk.read(f"Task/{exam['id']}")
    assert before
    running = before.resource | {"businessStatus": resources.state_concept("in-progress")}
    assert (await task_written(Write("update", running, before), desk)).refuse is None


@pytest.mark.clause("5.3.2.5, 5.4.1")
async def test_after_a_refusal_of_contrast_a_radiologist_makes_the_exam_plain_or_it_does_not_start() -> None:
    desk = a_desk()
    await received(desk, a_request(code={"coding": [{"system": "http://loinc.org", "code": "24628-0"}]}))
    desk.hold(a_contrast_consent(status="rejected"), source="consent")
    await moved(desk, "scheduled", "arrived", "ready")
    exam = await the_exam(desk)
    running = exam | {"businessStatus": resources.state_concept("in-progress")}
    changes = await task_written(Write("update", running, await desk.read(f"Task/{exam['id']}")), desk)
    assert changes.refuse and [i.detail for i in changes.refuse.issues] == ["order.contrast-refused"]
    with pytest.raises(FhirError) as refused:
        await act(desk, checked, item=("Code", "plain-instead"))
    assert refused.value.status == 403
    radiologist = ("Reference", {"reference": "Practitioner/o-rad"})
    await act(desk, checked, item=("Code", "plain-instead"), performer=radiologist)
    exam = await moved(desk, "in-progress")
    assert exam["extension"][0]["valueCode"] == "not-needed" and await state(desk) == "in-progress"


@pytest.mark.parametrize(("answer", "then"), [("pregnant", "awaiting-justification"), ("not-pregnant", "ready")])
async def test_pregnancy_is_asked_again_and_another_answer_is_judged(answer: str, then: str) -> None:
    desk = a_desk(a_patient(**WOMAN))
    await received(desk, a_request(code=ABDOMEN))
    status = {
        "resourceType": "Observation", "id": "o-preg", "status": "final", "basedOn": [{"reference": "ServiceRequest/o-req"}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]}, "effectiveDateTime": "2026-03-01T08:00:00+08:00",
        "subject": {"reference": "Patient/o-pat"},
        "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA26683-5"}]},
    }  # fmt: skip
    desk.hold(status)
    await received(desk, a_request(code=ABDOMEN))
    await act(desk, arrived, identifier=NUMBER, birthDate=("Date", "1990-05-05"))
    confirmed = identity_confirmed(await desk.read(f"Task/{(await the_exam(desk))['id']}"), "pregnancy-asked")
    confirmed.parameters["parameter"].append({"name": "pregnancy", "valueCode": answer})
    next(p for p in confirmed.parameters["parameter"] if p["name"] == "birthDate")["valueDate"] = "1990-05-05"
    desk.carry_out(await checked(confirmed, desk))
    assert await state(desk) == then
    told = {rule_of(one.resource) for one in desk.held.values() if one.resource["resourceType"] == "DetectedIssue"}
    assert ("order.material-change" in told) == (answer == "pregnant"), "what is voided is said"
    answers = await desk.search("Observation?based-on=ServiceRequest/o-req&code=82810-3")
    assert len(answers) == 2


async def test_a_scan_that_is_broken_off_names_its_reason() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "scheduled", "arrived", "ready", "in-progress")
    with pytest.raises(FhirError) as refused:
        await act(desk, finished, outcome=("Code", "discontinued"))
    assert refused.value.issues[0].detail == "order.discontinuation-reason"
    reason: Resource = reason_concept("110513")
    await act(desk, finished, outcome=("Code", "discontinued"), reason=("CodeableConcept", reason))
    assert await state(desk) == "discontinued" and (await the_exam(desk))["statusReason"] == reason


async def test_an_arrival_is_recorded_by_the_operation_alone() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await act(desk, arrived, identifier=NUMBER, birthDate=BORN)
    [record] = [one for one in desk.held.values() if is_record_of(one.resource, ARRIVAL)]
    for write in (Write("create", {**record.resource, "id": "o-x"}), Write("delete", record.resource, record)):
        with pytest.raises(FhirError) as refused:
            await record_written(write, desk)
        assert refused.value.issues[0].detail == "order.step-record-by-operation"
    assert (await record_written(Write("create", {"resourceType": "Provenance", "id": "o-y"}), desk)).refuse is None

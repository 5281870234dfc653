"""Who is signed in acts in his own name, and only the department stops what runs; others ask for it."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.access import reaches
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Write
from slipring.identity.people.roles import the_roles
from slipring_order import resources
from slipring_order.handlers.aborts import ABORT_SYSTEM
from slipring_order.handlers.patients import patient_written
from slipring_order.handlers.performing import finished
from slipring_order.handlers.tasks import guarded
from slipring_order.life import discontinuing

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_patient, a_request, moved, received, the_exam
from tests.support.rooms import call
from tests.support.staffing import a_member, held

DOCTOR = Caller("pages", frozenset({"user/*.cruds"}), practitioner="Practitioner/o-doc")
RADIOLOGIST = Caller("pages", frozenset({"user/*.cruds"}), practitioner="Practitioner/o-rad")
REASON = discontinuing.reason_concept("110515")
CERTIFICATES = ("radiation-worker-certificate", "ct-equipment-certificate", "competence")
BY_RADIOLOGIST = {"reference": "Practitioner/o-rad"}


def an_abort(exam: Resource) -> Resource:
    return {
        "resourceType": "Task", "id": "o-abort", "status": "requested", "intent": "order",
        "code": {"coding": [{"system": ABORT_SYSTEM, "code": "abort"}]},
        "focus": {"reference": f"Task/{exam['id']}"}, "requester": {"reference": "Practitioner/o-doc"},
    }  # fmt: skip


async def running() -> ADesk:
    desk = a_desk(a_patient(id="o-old"))
    await received(desk, a_request())
    await moved(desk, "scheduled", "arrived", "ready", "in-progress")
    return desk


async def put(desk: ADesk, task: Resource) -> Any:
    before = await desk.read(f"Task/{task['id']}")
    changes = await guarded(Write("update" if before else "create", task, before), desk)
    return desk.carry_out(changes, task)


@pytest.mark.clause("5.5.1.1")
async def test_a_requester_asks_for_a_stop_and_neither_stops_nor_answers_himself() -> None:
    desk = await running()
    desk.caller = DOCTOR
    exam = await the_exam(desk)
    stop = exam | {"businessStatus": resources.state_concept("discontinued"), "statusReason": REASON}
    for act in (lambda: put(desk, stop), lambda: _finish(desk)):
        with pytest.raises(FhirError) as refused:
            await act()
        assert (refused.value.status, refused.value.issues[0].detail) == (403, "order.stopped-by-department")
    abort = await put(desk, an_abort(exam))
    with pytest.raises(FhirError) as borrowed:
        await put(desk, abort | {"status": "accepted", "owner": BY_RADIOLOGIST})
    assert (borrowed.value.status, borrowed.value.issues[0].detail) == (422, "order.in-own-name")
    with pytest.raises(FhirError) as himself:
        await put(desk, abort | {"status": "accepted", "owner": {"reference": "Practitioner/o-doc"}})
    assert himself.value.status == 403
    desk.caller = RADIOLOGIST
    await put(desk, abort | {"status": "accepted", "owner": BY_RADIOLOGIST})
    assert resources.state_of(await the_exam(desk)) == "discontinued"


async def _finish(desk: ADesk) -> None:
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    given = {"outcome": ("Code", "discontinued"), "reason": ("CodeableConcept", REASON)}
    await finished(call(exam, **given), desk)


async def test_whoever_starts_the_scan_is_who_is_signed_in() -> None:
    papers = [held(code, "2019-01-01", "2030-01-01") for code in CERTIFICATES]
    desk = a_desk(*a_member("o-t", "technologist", *papers, roles=("technologist",)))
    await received(desk, a_request())
    await moved(desk, "scheduled", "arrived", "ready")
    await put(desk, await the_exam(desk) | {"owner": BY_RADIOLOGIST})
    desk.caller = Caller("pages", frozenset({"user/*.cruds"}), practitioner="Practitioner/o-t")
    running = await the_exam(desk) | {"businessStatus": resources.state_concept("in-progress")}
    with pytest.raises(FhirError) as refused:
        await put(desk, running | {"owner": {"reference": "Practitioner/o-doc"}})
    assert refused.value.issues[0].detail == "order.in-own-name"
    await put(desk, running)
    assert (await the_exam(desk))["owner"] == {"reference": "Practitioner/o-t"}


async def test_nobody_confirms_an_identity_in_anothers_name() -> None:
    desk = await running()
    old = a_patient(id="o-old", link=[{"type": "replaced-by", "other": {"reference": "Patient/o-pat"}}])
    before = desk.held["Patient/o-old"]
    desk.hold(old)
    desk.carry_out(await patient_written(Write("update", old, before), desk))
    [asked] = await desk.search("Task?code=identity-confirmation&status=requested")
    desk.caller = DOCTOR
    with pytest.raises(FhirError) as refused:
        await put(desk, asked.resource | {"status": "completed", "owner": BY_RADIOLOGIST})
    assert refused.value.issues[0].detail == "order.in-own-name"


def test_the_requesters_role_makes_abort_requests_and_no_other_task() -> None:
    requester = Caller("pages", frozenset(the_roles().roles["requester"].scopes), practitioner="Practitioner/o-doc")
    abort = an_abort({"id": "o-exam"})
    assert reaches(requester, "c", abort)
    other = abort | {"code": {"coding": [{"system": resources.TASK_CODE_SYSTEM, "code": "nonconformity"}]}}
    assert not reaches(requester, "c", other)
    assert reaches(requester, "r", other)


async def test_a_token_that_does_not_reach_every_patient_merges_nobody() -> None:
    desk = a_desk(a_patient(id="o-old"), caller=Caller("app", frozenset({"patient/*.cruds"}), patient="o-old"))
    merged = a_patient(id="o-old", link=[{"type": "replaces", "other": {"reference": "Patient/o-pat"}}])
    with pytest.raises(FhirError) as refused:
        await patient_written(Write("update", merged, desk.held["Patient/o-old"]), desk)
    assert (refused.value.status, refused.value.issues[0].at) == (403, "Patient.link")

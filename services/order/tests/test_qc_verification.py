"""From a failed test back to the last good one: the exams between are looked at before the nonconformity is closed."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Resource, Write
from slipring_order.handlers.qc_verification import exams_verified, verification_concluded
from slipring_order.handlers.tasks import guarded

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_request, moved, received, the_exam
from tests.support.qc_rounds import APPROVER, a_call, a_qc_desk, approved, enter, round_of, settle, value
from tests.support.rooms import out, period, schedule
from tests.support.staffing import a_member, held

pytestmark = pytest.mark.clause("4.9", "5.6.2.3")
READER = "Practitioner/o-reader"


def a_reader() -> list[Resource]:
    papers = ("ct-equipment-certificate", "radiation-worker-certificate", "competence", "imaging-diagnosis")
    held_papers = [held(one, "2010-01-01", "2030-01-01") for one in papers]
    return a_member("o-reader", "associate-chief-physician", *held_papers, roles=("radiologist",))


async def a_failure() -> ADesk:
    """A good test ten days ago, an exam today, then a failure."""
    desk = a_qc_desk(*a_reader())
    await approved(desk, value("water", 0.5), kind="acceptance", at=NOW - timedelta(days=10))
    await received(desk, a_request())
    scanner: Any = ("Reference", {"reference": "Device/o-ct1"})
    await schedule(desk, scanner=scanner, period=period(NOW + timedelta(hours=1)))
    await moved(desk, "arrived", "ready", "in-progress")
    desk.now += timedelta(hours=2)
    await enter(desk, value("water", 7.5))
    return desk


async def the_nonconformity(desk: ADesk) -> Any:
    [task] = await desk.search("Task?focus=Device/o-ct1&code=nonconformity")
    return task


async def traced(desk: ADesk, who: str = APPROVER, **values: tuple[str, Any]) -> Changes:
    changes = await exams_verified(a_call(await the_nonconformity(desk), who=who, **values), desk)
    desk.carry_out(changes)
    return changes


async def conclude(desk: ADesk, task: str, conclusion: str, note: str = "", who: str = READER) -> Changes:
    values: dict[str, tuple[str, Any]] = {"conclusion": ("Code", conclusion)}
    if note:
        values["note"] = ("String", note)
    changes = await verification_concluded(a_call(await desk.read(task), who=who, **values), desk)
    desk.carry_out(changes)
    return changes


async def test_each_exam_in_doubt_gets_one_task_however_often_it_is_asked() -> None:
    desk = await a_failure()
    exam = await the_exam(desk)
    found = await traced(desk, owner=("Reference", {"reference": READER}))
    assert out(found, "exam") == [{"reference": f"Task/{exam['id']}"}] and out(found, "left") == [0]
    [made] = out(found, "verification")
    task = await desk.read(made["reference"])
    assert task is not None and task.resource["owner"] == {"reference": READER}
    assert task.resource["for"] == exam["for"] and task.resource["focus"] == {"reference": f"Task/{exam['id']}"}
    again = await traced(desk)
    assert not again.save and out(again, "exam") == [{"reference": f"Task/{exam['id']}"}]


async def test_a_preview_names_the_exams_and_makes_nothing() -> None:
    desk = await a_failure()
    exam = await the_exam(desk)
    shown = await traced(desk, preview=("Boolean", True))
    assert out(shown, "exam") == [{"reference": f"Task/{exam['id']}"}] and out(shown, "left") == [1]
    assert not shown.save and not await desk.search("Task?code=exam-verification")
    with pytest.raises(FhirError) as refused:
        await traced(desk, who="Practitioner/o-clerk", preview=("Boolean", True))
    assert refused.value.status == 403


async def test_the_nonconformity_is_not_closed_over_an_exam_nobody_has_looked_at() -> None:
    desk = await a_failure()
    await traced(desk)
    [verification] = await desk.search("Task?code=exam-verification")
    with pytest.raises(FhirError) as refused:
        await conclude(desk, verification.reference, "exam-to-repeat")
    assert refused.value.issues[0].detail == "order.verification-note"
    carried = deepcopy((await the_nonconformity(desk)).resource)
    state = {"coding": [{"system": "https://slipring.example/fhir/CodeSystem/quality-state", "code": "carried-out"}]}
    carried |= {"businessStatus": state, "owner": {"reference": "Practitioner/o-tester"}}
    desk.hold(carried)
    output = [
        {"type": {"coding": [{"code": "effect"}]}, "valueString": "four rounds within limits"},
        {"type": {"coding": [{"code": "verifier"}]}, "valueReference": {"reference": APPROVER}},
    ]
    closed = carried | {"businessStatus": {"coding": [state["coding"][0] | {"code": "closed"}]}, "output": output}
    write = Write("update", closed, await the_nonconformity(desk))
    with pytest.raises(FhirError) as refused:
        await guarded(write, desk)
    assert (refused.value.status, refused.value.issues[0].detail) == (409, "order.verifications-open")
    done = await conclude(desk, verification.reference, "exam-to-repeat", "the liver lesion cannot be told")
    assert done.answer is not None and done.answer["status"] == "completed"
    with pytest.raises(FhirError) as refused:
        await guarded(write, desk)
    assert refused.value.issues[0].detail == "staff.role", "now only the verifier's own standing counts"
    with pytest.raises(FhirError) as refused:
        await conclude(desk, verification.reference, "unaffected")
    assert refused.value.issues[0].detail == "order.verification-concluded"


async def test_exams_after_the_next_good_test_and_before_the_last_one_are_not_in_doubt() -> None:
    desk = await a_failure()
    desk.now += timedelta(hours=1)
    await approved(desk, value("water", 0.6))
    found = await traced(desk)
    assert len(out(found, "verification")) == 1 and len(out(found, "nextGood")) == 1
    with pytest.raises(FhirError) as refused:
        await traced(desk, exam=("Reference", {"reference": "Task/o-elsewhere"}))
    assert refused.value.issues[0].detail == "order.verification-exam"


async def test_a_failure_that_was_a_slip_of_the_pen_leaves_no_exam_in_doubt() -> None:
    desk = a_qc_desk()
    made = round_of(await enter(desk, value("water", 9), kind="acceptance"))
    await settle(desk, made, "rejected", note="0.9")
    with pytest.raises(FhirError) as refused:
        await traced(desk)
    assert refused.value.issues[0].detail == "order.no-exam-in-doubt"


async def test_only_who_may_traces_and_verifications_are_written_by_no_other_way() -> None:
    desk = await a_failure()
    with pytest.raises(FhirError) as refused:
        await traced(desk, who="Practitioner/o-clerk")
    assert refused.value.status == 403
    await traced(desk)
    [stored] = await desk.search("Task?code=exam-verification")
    with pytest.raises(FhirError) as refused:
        await guarded(Write("update", {**stored.resource, "status": "completed"}, stored), desk)
    assert refused.value.issues[0].detail == "order.verification-by-operation"

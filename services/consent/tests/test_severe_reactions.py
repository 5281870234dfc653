"""A severe reaction: handed over to critical in the same commit, told again when nobody takes it, taken back aloud."""

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Arrival, Changes, Due, Write
from slipring_consent.handlers.handing_over import case_arrived, handover_overdue
from slipring_consent.handlers.tasks import task_written

from tests.support.contrast import EXAM, a_cleared_department, an_injection
from tests.support.desk import A_NOON
from tests.support.reacting import NURSE, a_reaction, a_room, an_amendment, in_phase, logged, standing


@pytest.mark.clause("5.4.4.1")
@pytest.mark.parametrize("kind", ["allergic-like", "physiologic", "extravasation", ""])
async def test_a_severe_reaction_of_any_kind_is_handed_over_in_the_same_commit_and_once(kind: str) -> None:
    desk = a_room()
    changes = await logged(desk, a_reaction(kind, "severe"))
    [task] = [one.resource for one in changes.save if one.resource["resourceType"] == "Task"]
    [finding] = [one.resource for one in changes.save if one.resource["resourceType"] == "Observation"]
    assert task["focus"]["reference"] == f"Observation/{finding['id']}" and task["requester"] == NURSE
    assert finding["basedOn"] == [{"reference": EXAM}], "the exam comes from the injection"
    [wake] = changes.wake
    assert (wake.subject, wake.after.total_seconds()) == (f"Task/{task['id']}", 60)
    assert await logged(desk, a_reaction(kind, "severe", detected="2026-03-02T12:05:00+08:00")) == Changes.none()


@pytest.mark.clause("5.4.4.1")
async def test_a_grade_that_is_raised_later_is_handed_over_then() -> None:
    desk = a_room()
    assert not (await logged(desk, a_reaction(grade="moderate"))).wake
    assert (await logged(desk, a_reaction(grade="severe"))).wake


@pytest.mark.clause("5.4.4.1")
async def test_a_grade_that_is_corrected_down_and_raised_again_is_handed_over_anew_each_time() -> None:
    desk, keys = a_room(), []
    for _ in range(3):
        [wake] = (await logged(desk, a_reaction(grade="severe"))).wake
        keys.append((wake.key, desk.held[wake.subject].resource["focus"]["reference"]))
        assert (await logged(desk, a_reaction(grade="severe", detected="2026-03-02T12:05:00+08:00"))).nothing
        assert not (await logged(desk, a_reaction(grade="moderate"))).wake
        assert desk.held[keys[-1][1]].resource["status"] == "corrected"
    assert len(set(keys)) == 3


async def test_nobody_took_it_over_so_whoever_saw_it_is_asked_to_telephone() -> None:
    desk = a_room()
    [wake] = (await logged(desk, a_reaction(grade="severe"))).wake
    changes = await handover_overdue(Due(wake.name, wake.subject, wake.key, A_NOON, {}), desk)
    handover, notice = [one.resource for one in changes.save]
    assert standing(handover, "businessStatus") == "overdue"
    assert notice["owner"] == NURSE and "telephone" in notice["description"] and check(notice) == []
    desk.carry_out(changes)
    case = {"resourceType": "Task", "id": "k-1", "basedOn": [{"reference": wake.subject}]}
    taken = await case_arrived(Arrival("critical", case, 1), desk)
    assert [one.resource["status"] for one in taken.save] == ["completed"] and taken.cancel == [wake.key]
    desk.carry_out(taken)
    assert await case_arrived(Arrival("critical", case, 2), desk) == Changes.none()
    assert await handover_overdue(Due(wake.name, wake.subject, wake.key, A_NOON, {}), desk) == Changes.none()


async def test_a_severe_reaction_that_proves_wrong_is_taken_back_aloud() -> None:
    desk = a_room()
    [wake] = (await logged(desk, a_reaction(grade="severe"))).wake
    wrong = a_reaction(grade="severe", extension=[in_phase("entered-in-error"), an_amendment("患者弄错")])
    changes = await logged(desk, wrong)
    states = {one.resource["resourceType"]: one.resource.get("status") for one in changes.save}
    assert (
        states["Observation"] == "entered-in-error" and states["Task"] == "cancelled" and changes.cancel == [wake.key]
    )


async def test_a_hand_over_is_moved_by_nobody() -> None:
    desk = a_room()
    [wake] = (await logged(desk, a_reaction(grade="severe"))).wake
    task = desk.held[wake.subject]
    with pytest.raises(FhirError) as refused:
        await task_written(Write("update", task.resource | {"status": "completed"}, task), desk)
    assert [issue.detail for issue in refused.value.issues] == ["consent.hand-over-by-reaction"]


async def test_who_is_at_the_injector_of_the_same_patient_is_told_at_once() -> None:
    desk = a_cleared_department()
    desk.hold(an_injection())
    changes = await logged(desk, a_reaction())
    notices = [one.resource for one in changes.save if one.resource["resourceType"] == "Task"]
    assert [one["owner"]["reference"] for one in notices] == ["Practitioner/o-nurse"]

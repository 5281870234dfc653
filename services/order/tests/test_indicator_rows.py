"""What order's own records say of its indicators: an exam, where it was made, that it was wrong, when it was promised (4.14.7)."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest
from slipring.qc.indicators.definition import definitions
from slipring.qc.indicators.row import Counted
from slipring.qc.indicators.score import Group, count
from slipring_order.handlers.wrong_exams import stopped
from slipring_order.indicators import counts, promised

from tests.support.desk import ADesk
from tests.support.ordering import a_request, moved, received, the_exam
from tests.support.rooms import a_booking_desk, call, schedule

WHO = ("Reference", {"reference": "Practitioner/o-rad"})


async def running() -> ADesk:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk)
    await moved(desk, "arrived", "ready", "in-progress")
    return desk


def rows(desk: ADesk) -> list[Counted]:
    return [row for one in desk.held.values() for row in counts(one.resource, UTC)]


@pytest.mark.clause("4.14.7")
async def test_an_exam_stopped_as_wrong_is_an_error_among_the_exams_made() -> None:
    desk = await running()
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    wrong = {"coding": [{"code": "wrong-part"}]}
    desk.carry_out(await stopped(call(exam, reason=("CodeableConcept", wrong), performer=WHO), desk))
    [member] = [one for one in rows(desk) if one.population == "exam" and not one.remark]
    remarks = [one for one in rows(desk) if one.population == "exam" and one.remark]
    assert {one.member for one in remarks} == {member.member}
    assert {one.marks for one in remarks} == {"error", ""}
    assert any(one.scanner.startswith("Device/") for one in remarks)
    found = count(definitions("order")["error-rate"], [Group(member.marks, "error", 0, False, 1, 0, 0)])
    assert (found.numerator, found.over) == (1, 1), "it counts though it is not acquired any more"


@pytest.mark.clause("4.14.7")
async def test_an_exam_acquired_in_its_promised_time_is_in_time_and_one_called_off_is_not_due() -> None:
    desk = await running()
    await moved(desk, "acquired")
    [due] = [one for one in rows(desk) if one.population == "exam-due" and not one.remark]
    assert {"done", "in-time"} <= {*due.marks.split()}
    exam = await the_exam(desk)
    late = exam | {"authoredOn": "2020-01-01T00:00:00Z"}
    [due] = [one for one in counts(late, UTC) if one.population == "exam-due"]
    assert "in-time" not in due.marks and "done" in due.marks
    state = exam["businessStatus"]["coding"][0] | {"code": "cancelled"}
    off = exam | {"businessStatus": {"coding": [state]}}
    assert [one.population for one in counts(off, UTC)] == ["exam"]
    assert promised("stat", date(2026, 3, 4)) < promised("routine", date(2026, 3, 4)) == timedelta(days=3)


async def test_an_exam_asked_for_where_the_calendar_ends_is_due_never() -> None:
    desk = await running()
    assert not counts(await the_exam(desk) | {"authoredOn": "9999-12-31"}, UTC)

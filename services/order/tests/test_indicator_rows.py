"""What order's own records say of its indicators: an exam, where it was made, that it was wrong, when it was promised (4.14.7)."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from decimal import Decimal

import pytest
from slipring.fhir.service import Write
from slipring.qc.indicators.definition import definitions
from slipring.qc.indicators.row import Counted
from slipring.qc.indicators.score import Group, count
from slipring_order.dose.groups import QUANTITIES
from slipring_order.dose.levels import level_for
from slipring_order.dose.taking import take_dose_report
from slipring_order.handlers.evidence import observation_written
from slipring_order.handlers.wrong_exams import stopped
from slipring_order.indicators import counts, promised

from tests.support.desk import ADesk
from tests.support.dose import a_report, an_event
from tests.support.ordering import a_desk, a_request, moved, received, the_exam
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


@pytest.mark.clause("5.6.2.3")
async def test_a_dose_counts_in_the_group_of_its_exam_whoever_wrote_it_and_its_level_is_the_one_in_force() -> None:
    desk = a_desk()
    await received(desk, a_request())
    request = await desk.read("ServiceRequest/o-req")
    report = a_report(an_event("5.5", "140", uid="1.1"), total="140.0")
    desk.carry_out(taken := await take_dose_report(report, desk, request))
    dose = taken.answer
    assert dose is not None
    members = {(one.population, one.member, one.marks, one.value) for one in counts(dose, UTC)}
    assert members == {
        ("dose-chest-ctdivol", "ServiceRequest/o-req", "adult", 5.5),
        ("dose-chest-dlp", "ServiceRequest/o-req", "adult", 140.0),
    }
    assert counts(dose | {"status": "entered-in-error"}, UTC) == ()
    plain = {name: value for name, value in dose.items() if name != "extension"}
    changes = await observation_written(Write("create", plain), desk)
    assert changes.members["extension"] == dose["extension"], (
        "one that is written by hand is told as what it is compared"
    )
    forged = dose | {"extension": [dose["extension"][0] | {"extension": [{"url": "exam", "valueCode": "head"}]}]}
    changes = await observation_written(Write("update", forged), desk)
    assert changes.members["extension"] == dose["extension"]
    limits = desk.settings.limits.on(date(2026, 3, 2))
    doses = {key: one for key, one in definitions("order").items() if key.startswith("dose-")}
    for key, one in doses.items():
        group, _, quantity = key.removeprefix("dose-").rpartition("-")
        level = level_for(group, 40, None, limits)
        assert level is not None and one.target is not None
        assert level.of(quantity)[2] == Decimal(str(one.target.value)), key
        assert one.least == limits.limit("dose.group-size").value
    assert len(doses) == 14 * len(QUANTITIES)
    above = doses["dose-chest-ctdivol"]
    assert [above.verdict(score, 20) for score in (15.0, 15.1)] == [True, False] and above.verdict(15.1, 19) is None

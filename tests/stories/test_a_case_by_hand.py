"""Cases opened by hand and in a drill, and cases taken back."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import CANONICAL
from slipring_critical.cases.marks import is_drill

from tests.support.alerting import a_catalogue, an_entry
from tests.support.laying_down import a_desk, approved
from tests.support.one_case import REQUESTER, RIGHT, events, flag, rung, signed_in, told
from tests.support.ringing import FINDING, ARinging, a_department, refused

pytestmark = pytest.mark.clause("5.9.1")


async def test_a_case_taken_back_rings_nobody_and_everyone_told_is_told_so() -> None:
    ringing = await rung()
    before = len(ringing.rung)

    error = await refused(ringing.call("retract", signed_in("author"), reason=" "))
    assert error.status == 400
    await ringing.call("retract", signed_in("author"), reason="wrong patient on the screen")
    await ringing.settle()

    assert ringing.state == "retracted"
    assert sorted(ringing.rung[before:]) == ["requester.test", "ward.test"]
    assert all("retracted" in heard.body["text"]["en"] for heard in ringing.receivers.heard[before:])
    await ringing.wait(120)
    assert len(ringing.rung) == before + 2


async def test_a_withdrawn_report_takes_back_a_case_that_was_closed_already() -> None:
    ringing = await told()
    await ringing.call("act", action={"text": "chest drain"})

    withdrawn = {
        "resourceType": "DiagnosticReport",
        "id": "r-report-1",
        "status": "entered-in-error",
        "code": {"text": "CT"},
    }
    await ringing.arrive(withdrawn)

    assert ringing.state == "retracted"
    assert ringing.receivers.heard[-1].body["text"]["en"].startswith("A critical finding that you were told of")


async def test_a_stranger_takes_no_case_back() -> None:
    ringing = await rung()

    assert (await refused(ringing.call("retract", signed_in("duty"), reason="no"))).status == 403
    assert ringing.state == "notifying"


async def test_a_case_opened_by_hand_rings_and_joins_the_flag_that_comes_later() -> None:
    ringing = ARinging(*a_department())
    exam = {"reference": "ServiceRequest/o-ct"}

    await ringing.call("open-case", signed_in("author"), finding=FINDING, exam=exam, note="seen at the console")
    await ringing.settle()
    assert ringing.rung == ["requester.test", "ward.test"]
    again = await ringing.call("open-case", signed_in("author"), finding=FINDING, exam=exam, note="tube is in")
    assert again == await ringing.call("open-case", signed_in("author"), finding=FINDING, exam=exam, note="tube is in")
    await flag(ringing, note=[{"text": "tension"}])

    assert again["id"] == ringing.case["id"]
    assert [one["text"] for one in ringing.case["note"]] == ["seen at the console", "tube is in", "tension"]
    assert ringing.case["basedOn"] == [{"reference": "Task/r-handover-1"}]
    assert (ringing.case["for"], len(ringing.rung)) == ({"reference": "Patient/o-p"}, 2)
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    assert ringing.state == "read-back-confirmed"


async def test_a_finding_of_the_departments_own_is_opened_by_hand_and_told_by_its_names() -> None:
    laid_down = await approved(a_desk(), a_catalogue(an_entry("DEPT-02", "routine", "肺结节", "lung nodule")))
    ringing = ARinging(*a_department())
    ringing.desk.held[laid_down.reference] = laid_down

    exam = {"reference": "ServiceRequest/o-ct"}
    case = await ringing.call("open-case", signed_in("author"), finding="DEPT-02", exam=exam)

    assert case["reasonCode"]["text"] == "肺结节 lung nodule"
    [about] = [one["part"] for one in (await ringing.call("told"))["parameter"] if one["name"] == "finding"]
    said = {
        part["name"]: next(v for k, v in part.items() if k.startswith("value")) for part in about if "part" not in part
    }
    assert (said["level"], said["zh"], said["en"]) == ("3", "肺结节", "lung nodule")
    choices = [[each["valueString"] for each in part["part"]] for part in about if part["name"] == "choice"]
    assert len(choices) == 5 and ["DEPT-02", "肺结节", "lung nodule"] in choices


@pytest.mark.parametrize(
    ("members", "at"),
    [
        ({"finding": "CV-NO", "exam": {"reference": "ServiceRequest/o-ct"}}, "finding"),
        ({"finding": FINDING}, "exam"),
        ({"finding": FINDING, "exam": {"reference": "ServiceRequest/o-nowhere"}}, "exam"),
        ({"finding": FINDING, "patient": {"reference": "Patient/o-nobody"}}, "patient"),
        ({"finding": FINDING, "exam": {"reference": "ServiceRequest/o-ct"}, "level": "9"}, "level"),
        (
            {"finding": FINDING, "exam": {"reference": "ServiceRequest/o-ct"}, "recognisedAt": "2999-01-01T00:00:00Z"},
            "recognisedAt",
        ),
    ],
)
async def test_what_cannot_be_opened_by_hand_is_refused_where_it_is_wrong(members: dict[str, Any], at: str) -> None:
    ringing = ARinging(*a_department())

    error = await refused(ringing.call("open-case", signed_in("author"), **members))

    names = list(members)
    place = f"Parameters.parameter[{names.index(at)}]" if at in names else f"Parameters.parameter.where(name='{at}')"
    assert (error.status // 100, error.issues[0].at) == (4, place)
    assert ringing.cases == []


async def test_a_drill_rings_says_so_everywhere_and_never_meets_a_real_case() -> None:
    ringing = ARinging(*a_department())
    exam = {"reference": "ServiceRequest/o-ct"}

    await ringing.call("open-case", signed_in("author"), finding=FINDING, exam=exam, drill=True)
    await ringing.settle()

    assert is_drill(ringing.case)
    assert ringing.rung == ["requester.test", "ward.test"]
    for heard in ringing.receivers.heard:
        assert heard.body["text"]["en"].startswith("[DRILL")
        assert heard.body["text"]["zh"].startswith("【演练")
        assert heard.body["drill"] is True
    attempts = [s.resource for s in ringing.desk.held.values() if s.resource["resourceType"] == "Communication"]
    assert all(map(is_drill, attempts))
    await flag(ringing)
    real = [case for case in ringing.cases if not is_drill(case)]
    assert (len(ringing.cases), len(real), len(ringing.rung)) == (2, 1, 4), "the real one rings beside it"
    assert "drill" not in ringing.receivers.heard[-1].body


async def test_recognition_stands_first_in_the_record() -> None:
    """The clock of the national indicator starts when the finding is recognised."""
    ringing = ARinging(*a_department())

    await flag(ringing, effectiveDateTime="2026-03-02T11:56:00+08:00")

    assert events(ringing.case)[:2] == ["recognised", "opened"]
    assert CANONICAL in str(ringing.case["code"])

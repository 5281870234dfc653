"""The due list: what is missing, overdue, failed or due soon, on any day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource
from slipring_order.department.due import DEPARTMENT, Record, State, Subject, due_list, standings
from slipring_order.department.obligations import obligations
from slipring_order.department.standing import AGREEMENT_PARTS
from slipring_order.handlers.due import due_told
from slipring_order.settings import OrderSettings

from tests.support.desk import ADesk
from tests.support.staffing import a_device, a_document, a_house, a_member, a_test, an_answer, asked, held

BOOK = OrderSettings().limits
DAYS = some.dates(date(2019, 1, 1), date(2032, 12, 31))
CODES = sorted(one.code for one in obligations())
RECORDS = some.lists(
    some.builds(
        Record,
        subject=some.sampled_from(["Practitioner/o-t", "Device/o-d", DEPARTMENT]),
        code=some.sampled_from(CODES),
        on=DAYS,
        until=some.none() | DAYS,
        passed=some.booleans(),
    ),
    max_size=30,
)
SUBJECTS = (
    Subject("Practitioner/o-t", "person", frozenset({"technologist"})),
    Subject("Device/o-d", "device", frozenset({"protective-gear-adult"})),
    Subject(DEPARTMENT, "department"),
)


async def told(desk: ADesk, **values: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """The list by (subject, obligation): each line's parts by name."""
    changes = await due_told(asked(**values), desk)
    assert changes.answer is not None and not changes.save
    lines = {}
    for parameter in changes.answer["parameter"]:
        if parameter["name"] == "item":
            parts = {part["name"]: next(v for n, v in part.items() if n != "name") for part in parameter["part"]}
            lines[parts.get("subject", {}).get("reference", ""), parts["what"]["code"]] = parts
    return lines


async def issues(desk: ADesk, **values: Any) -> list[str]:
    changes = await due_told(asked(**values), desk)
    assert changes.answer is not None
    found = [one["resource"] for one in changes.answer["parameter"] if one["name"] == "issue"]
    return [issue["code"]["coding"][0]["code"] for issue in found]


def a_technologist(*more: Resource, **role: Any) -> list[Resource]:
    certificates = [
        held(code, "2019-01-01", "2030-01-01") for code in ("radiation-worker-certificate", "ct-equipment-certificate")
    ]
    return a_member("o-t", "technologist", *certificates, *more, roles=("technologist",), **role)


@pytest.mark.clause("5.1.6")
async def test_a_yearly_assessment_is_good_through_its_last_day_and_overdue_after_it() -> None:
    desk = a_house(*a_technologist(held("competence", "2025-02-28", "2026-02-28")))
    key = ("Practitioner/o-t", "competence")
    assert key not in await told(desk, on="2026-02-01", within=26)
    assert (await told(desk, on="2026-02-01", within=27))[key]["state"] == "due"
    assert (await told(desk, on="2026-02-28"))[key]["state"] == "due"
    line = (await told(desk, on="2026-03-01"))[key]
    assert (line["state"], line["due"], line["clause"]) == ("overdue", "2026-02-28", "CL02-A011:5.1.6")
    assert (line["interval"], line["confidence"], line["confirmed"]) == (12, "S", True)


@pytest.mark.clause("5.1.6")
async def test_a_competence_said_to_last_for_years_is_due_after_one_all_the_same() -> None:
    desk = a_house(*a_technologist(held("competence", "2025-03-31", "2031-01-01")))
    assert (await told(desk, on="2026-04-01"))["Practitioner/o-t", "competence"]["due"] == "2026-03-31"


@pytest.mark.clause("5.1.5")
async def test_each_duty_owes_its_own_training() -> None:
    desk = a_house(*a_technologist(), *a_member("o-n", "senior-nurse", roles=("ct-nurse",)))
    lines = await told(desk, on="2026-03-01", of="person")
    training = {key for key in lines if key[1].endswith("-training")}
    assert training == {
        ("Practitioner/o-t", "exam-skills-training"), ("Practitioner/o-t", "resuscitation-training"),
        ("Practitioner/o-t", "radiation-protection-training"), ("Practitioner/o-n", "ct-nursing-training"),
        ("Practitioner/o-n", "contrast-training"), ("Practitioner/o-n", "resuscitation-training"),
        ("Practitioner/o-n", "radiation-protection-training"),
    }  # fmt: skip
    assert {lines[key]["state"] for key in training} == {"missing"}


@pytest.mark.clause("5.1.9")
async def test_dose_badge_and_health_examination_fall_due_by_calendar_months() -> None:
    dose = an_answer("o-d1", "personal-dose", "Practitioner/o-t", "2025-11-30", hp10=0.1)
    health = an_answer(
        "o-h1", "health-examination", "Practitioner/o-t", "2025-06-01", result="passed", valid_until="2026-03-10"
    )
    desk = a_house(*a_technologist(), dose, health)
    lines = await told(desk, on="2026-03-01", of="person")
    assert (lines["Practitioner/o-t", "personal-dose"]["state"], lines["Practitioner/o-t", "personal-dose"]["due"]) == (
        "overdue", "2026-02-28",
    )  # fmt: skip
    assert (lines["Practitioner/o-t", "health-examination"]["state"], lines["Practitioner/o-t", "health-examination"]["due"]) == (
        "due", "2026-03-10",
    )  # fmt: skip


@pytest.mark.clause("4.1.1.4 e")
async def test_an_unfit_worker_is_told_first_and_his_evidence_is_named() -> None:
    health = an_answer("o-h1", "health-examination", "Practitioner/o-t", "2026-02-01", result="failed")
    desk = a_house(*a_technologist(), health)
    first = next(iter((await told(desk, on="2026-03-01", of="person")).values()))
    assert (first["what"]["code"], first["state"]) == ("health-examination", "failed")
    assert first["evidence"]["reference"] == "QuestionnaireResponse/o-h1"


async def test_nobody_owes_anything_before_his_first_day_of_duty() -> None:
    desk = a_house(*a_technologist(since="2026-06-01"))
    assert not await told(desk, on="2026-05-31", of="person")
    assert await told(desk, on="2026-06-01", of="person")


@pytest.mark.clause("4.1.1.1", "5.2.1", "5.3.1.1", "5.5.3")
async def test_licences_and_procedures_that_are_not_on_record_or_ran_out_are_told() -> None:
    desk = a_house(
        a_document("o-1", "radiodiagnosis-licence", "2020-01-01", "2026-02-28"),
        a_document("o-2", "radiation-safety-licence", "2024-01-01", "2029-01-01"),
        a_document("o-3", "procedure-positioning", "2025-03-01"),
    )
    lines = await told(desk, on="2026-03-01", of="department")
    assert (lines["", "radiodiagnosis-licence"]["state"], lines["", "radiodiagnosis-licence"]["due"]) == (
        "overdue",
        "2026-02-28",
    )
    assert ("", "radiation-safety-licence") not in lines and ("", "procedure-positioning") not in lines
    assert lines["", "large-equipment-licence"]["state"] == lines["", "procedure-ct-values"]["state"] == "missing"
    assert (await told(desk, on="2027-03-02", of="department"))["", "procedure-positioning"]["state"] == "overdue"


@pytest.mark.clause("5.3.1.1", "5.2.6", "5.6.2.2", "5.2.2")
async def test_what_must_stand_in_the_department_is_told_when_it_does_not() -> None:
    desk = a_house(a_device("o-ups", "second-supply"), a_device("o-old", "phantom", status="inactive"))
    lines = await told(desk, on="2026-03-01")
    wanted = {
        "ct-scanner",
        "injector",
        "workstation",
        "rescue-equipment",
        "phantom",
        "protective-gear-adult",
        "protective-gear-child",
    }
    assert wanted <= {code for _, code in lines} and ("", "second-supply") not in lines
    assert lines["Device/o-ups", "supply-check"]["state"] == "missing"


@pytest.mark.clause("5.3.1.2", "5.3.1.4")
async def test_a_scanner_owes_its_tests_and_a_failed_one_is_not_healed_by_an_older_pass() -> None:
    scanner = {"resourceType": "Device", "id": "o-ct", "status": "active", "type": {"coding": [{"code": "CT"}]}}
    desk = a_house(
        scanner,
        a_test("o-a", "acceptance-test", "Device/o-ct", "2022-05-01"),
        a_test("o-s1", "status-test", "Device/o-ct", "2025-05-01"),
        a_test("o-s2", "status-test", "Device/o-ct", "2026-02-20", "failed"),
        a_test("o-c", "constancy-test", "Device/o-ct", "2026-01-31"),
    )
    lines = await told(desk, on="2026-03-01", subject={"reference": "Device/o-ct"})
    assert {code: line["state"] for (_, code), line in lines.items()} == {
        "status-test": "failed", "calibration": "missing", "constancy-test": "overdue",
    }  # fmt: skip
    assert lines["Device/o-ct", "constancy-test"]["due"] == "2026-02-28"


@pytest.mark.clause("5.2.2")
async def test_gear_past_its_end_of_use_is_told() -> None:
    desk = a_house(a_device("o-apron", "protective-gear-adult", expirationDate="2026-02-28"))
    assert (await told(desk, on="2026-03-01"))["Device/o-apron", "expiry"]["state"] == "overdue"


@pytest.mark.clause("4.1.1.4", "4.1.2.5", "4.1.1.2", "4.4.1")
async def test_head_leads_licence_and_agreement_are_judged_on_any_day() -> None:
    head = a_member("o-head", "associate-chief-physician", held("imaging-diagnosis", "2016-03-02"), roles=("ct-head",))
    tech = a_member("o-chief", "supervising-technologist", held("ct-operation", "2021-03-02"), roles=("technologist",))
    desk = a_house(
        *head, *tech,
        a_document("o-l", "practice-licence", "2024-03-02", "", "medical-imaging"),
        a_document("o-g", "service-agreement", "2020-01-01", "", *AGREEMENT_PARTS),
    )  # fmt: skip
    assert await issues(desk, on="2026-03-02") == []
    assert await issues(desk, on="2026-03-01") == [
        "order.years-of-ct", "order.head-qualified", "order.diagnosis-led", "order.technique-led",
    ]  # fmt: skip
    desk.hold(a_document("o-g2", "service-agreement", "2026-01-01", "", *AGREEMENT_PARTS[:-1]))
    desk.hold(a_document("o-l", "practice-licence", "2024-03-02"))
    assert await issues(desk, on="2026-03-02") == ["order.licence-names-imaging", "order.agreement-complete"]


async def test_a_day_that_is_none_and_one_before_all_rules_are_refused_at_their_place() -> None:
    for values in ({"on": "2026-03"}, {"on": "2001-01-01"}, {"within": -1}, {"within": 99999}):
        with pytest.raises(FhirError) as refused:
            await due_told(asked(**values), a_house())
        assert refused.value.status == 422 and refused.value.issues[0].at == "Parameters.parameter[0]"


@given(RECORDS, DAYS, some.integers(0, 400), some.integers(0, 400))
def test_looking_further_ahead_never_hides_a_line(records: list[Record], day: date, near: int, far: int) -> None:
    nearer, farther = sorted((near, far))
    short = due_list(SUBJECTS, records, obligations(), BOOK.on(day), timedelta(days=nearer))
    long = due_list(SUBJECTS, records, obligations(), BOOK.on(day), timedelta(days=farther))
    assert {(one.subject, one.obligation.code) for one in short} <= {(one.subject, one.obligation.code) for one in long}


@given(RECORDS, DAYS, some.integers(0, 400))
def test_what_is_overdue_stays_so_until_something_new_is_recorded(records: list[Record], day: date, days: int) -> None:
    later = day + timedelta(days=days)
    known = [record for record in records if record.on <= day]
    now = {(one.subject, one.obligation.code): one for one in standings(SUBJECTS, known, obligations(), BOOK.on(day))}
    then = {
        (one.subject, one.obligation.code): one for one in standings(SUBJECTS, known, obligations(), BOOK.on(later))
    }
    assert now.keys() == then.keys()
    for key, one in now.items():
        if one.state is not State.MET:
            assert then[key].state is one.state


@given(RECORDS, DAYS)
def test_a_fresh_pass_without_end_meets_any_obligation_today(records: list[Record], day: date) -> None:
    fresh = [Record(s.reference, code, day) for s in SUBJECTS for code in CODES]
    older = [record for record in records if record.on < day]
    assert all(one.state is State.MET for one in standings(SUBJECTS, older + fresh, obligations(), BOOK.on(day)))

"""What a request states, read by its carriers; the tables behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slipring.fhir.service import CANONICAL, Resource
from slipring_order import lifecycle
from slipring_order.facts import OrderFacts, age_on, ages_on
from slipring_order.gathering.request import CLINICAL_DATA, order_facts
from slipring_order.reading import Pool
from slipring_order.resources import imaging_number
from slipring_order.settings import OrderSettings

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
PATIENT: Resource = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "2000-03-02"}


def facts(request: Resource | None = None, *others: Resource) -> OrderFacts:
    whole = {"resourceType": "ServiceRequest", "id": "r", "subject": {"reference": "Patient/p"}} | (request or {})
    pool = Pool()
    pool.add(whole, PATIENT, *others)
    return order_facts(whole, pool, NOW, ZONE)


def a_status(code: str, at: str, **members: Any) -> Resource:
    return {
        "resourceType": "Observation", "id": f"s{at}", "status": "final", "effectiveDateTime": at,
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "basedOn": [{"reference": "ServiceRequest/r"}],
        "valueCodeableConcept": {"coding": [{"code": code}]},
    } | members  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dates(date(1900, 1, 1), date(2026, 3, 2)), st.dates(date(2026, 3, 2), date(2032, 3, 1)))
def test_a_birth_year_or_month_allows_the_true_age_and_at_most_one_more(born: date, day: date) -> None:
    age = age_on(born.isoformat(), day)
    assert age is not None and ages_on(born.isoformat(), day) == (age, age)
    for partial in (f"{born:%Y-%m}", f"{born:%Y}"):
        span = ages_on(partial, day)
        assert span and span[0] <= age <= span[1] <= span[0] + 1


@pytest.mark.parametrize(
    ("said", "span"),
    [("2011", (14, 15)), ("2011-03", (14, 15)), ("2011-02", (15, 15)), ("2026", (0, 0)), ("2027", None), ("1990-13", None),
     ("0000", None), ("1990-02-30", None), ("unknown", None), ("", None)],
)  # fmt: skip
def test_what_a_birth_date_allows_on_the_second_of_march_2026(said: str, span: tuple[int, int] | None) -> None:
    assert ages_on(said, NOW.date()) == span


def test_the_newest_pregnancy_status_for_this_request_counts() -> None:
    old, new = a_status("LA26683-5", "2026-02-01"), a_status("LA15173-0", "2026-03-01")
    assert facts(None, new, old).pregnancy == "pregnant"
    assert facts(None, old, new | {"status": "entered-in-error"}).pregnancy == "not-pregnant"
    assert facts(None, old | {"subject": {"reference": "Patient/q"}}).pregnancy == ""
    assert facts(None, old | {"basedOn": [{"reference": "ServiceRequest/x"}]}).pregnancy == ""


def test_an_age_counts_from_the_birthday_and_a_partial_birth_date_gives_none() -> None:
    assert facts().age_years == 26
    assert (
        facts({"subject": {"reference": "#c"}, "contained": [PATIENT | {"id": "c", "birthDate": "2000"}]}).age_years
        is None
    )


def test_clinical_data_is_stated_by_extension_reference_or_note() -> None:
    extension = {"url": CLINICAL_DATA, "extension": [
        {"url": "item", "valueCode": "pathology"}, {"url": "statement", "valueCode": "none"}]}  # fmt: skip
    lab = {
        "resourceType": "Observation",
        "id": "l",
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
    }
    said = facts({"extension": [extension], "supportingInfo": [{"reference": "Observation/l"}]}, lab).statements
    assert said == {"pathology": "none", "laboratory": "Observation"}
    noted = facts({"extension": [extension], "note": [{"text": "阑尾术后"}]}).statements
    assert noted["pathology"] == "none" and noted["earlier-imaging"] == "free-text"
    assert set(facts({"patientInstruction": "空腹"}).statements) == {"precautions", "consent-information"}


def test_another_person_s_role_does_not_authorise_the_requester() -> None:
    role: Resource = {
        "resourceType": "PractitionerRole", "id": "x", "practitioner": {"reference": "Practitioner/d"},
        "code": [{"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-role", "code": "requester"}]}],
    }  # fmt: skip
    doctor: Resource = {"resourceType": "Practitioner", "id": "d"}
    asked = {"requester": {"reference": "Practitioner/d"}}
    assert facts(asked, doctor, role).requester_lacks == ()
    assert facts(asked, doctor, role | {"practitioner": {"reference": "Practitioner/e"}}).requester_lacks == ("role",)
    assert facts(asked).requester_lacks == ("unknown-person",)
    assert facts({"requester": {"reference": "PractitionerRole/x"}}, doctor, role).requester_lacks == ()


def test_an_earlier_scan_counts_by_when_it_was_done_and_never_another_patient_s() -> None:
    done: Resource = {
        "resourceType": "Procedure", "id": "e", "status": "completed", "subject": {"reference": "Patient/p"},
        "performedPeriod": {"start": "2026-02-20T08:00:00+08:00"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "16335031000119103"}]},
    }  # fmt: skip
    assert [exam.regions for exam in facts(None, done).earlier] == [frozenset({"chest"})]
    assert facts(None, done | {"subject": {"reference": "Patient/q"}}).earlier == ()
    assert facts(None, done | {"status": "not-done"}).earlier == ()
    assert facts(None, done | {"performedPeriod": {"start": "2026-03-03T08:00:00+08:00"}}).earlier == ()


def test_regions_and_contrast_come_from_the_catalogue_and_the_body_site() -> None:
    code = {"code": {"coding": [{"system": "http://loinc.org", "code": "36813-4"}]}}
    assert (facts(code).regions, facts(code).contrast) == (frozenset({"abdomen", "pelvis"}), True)
    assert facts({"bodySite": [{"coding": [{"code": "122496007"}]}]}).regions == frozenset({"lumbar-spine"})


def test_every_state_has_a_status_and_names_and_every_move_a_clause() -> None:
    for line in lifecycle.TRANSITIONS:
        assert line.clause
        for state in (line.state, line.next):
            assert lifecycle.task_status(state) and lifecycle.names(state)[0] != state


@pytest.mark.parametrize(("number", "written"), [(1, "CT20260302000001"), (1_000_001, "CT20260302000001")])
def test_the_imaging_number_has_sixteen_characters(number: int, written: str) -> None:
    assert imaging_number("CT", NOW, number, ZONE) == written
    assert len(written) == 16


def test_a_department_confirms_limits_by_setting_and_the_demo_all_of_them() -> None:
    one = OrderSettings.from_env({"SLIPRING_LIMITS_CONFIRMED": "repeat.days-inpatient"}).limits
    assert one.limit("repeat.days-inpatient", on=NOW.date()).confirmed
    assert not one.limit("repeat.days-outpatient", on=NOW.date()).confirmed
    assert OrderSettings.from_env({"SLIPRING_DEMO": "1"}).limits.limit("requester.authorised", on=NOW.date()).confirmed

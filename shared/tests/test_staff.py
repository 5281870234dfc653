"""Who may do what, judged at a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from slipring.fhir.service import CANONICAL
from slipring.staff import has_left, may
from slipring.staff.permission import UnknownAct

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
VALID = {"start": "2024-01-01", "end": "2027-01-01"}


def a_person(title: str = "attending-physician", since: str = "2015-06-01", **certificates: Any) -> dict[str, Any]:
    held = {
        "imaging-diagnosis": {"start": since},
        "ct-equipment-certificate": VALID,
        "radiation-worker-certificate": VALID,
        "competence": VALID,
        **{name.replace("_", "-"): period for name, period in certificates.items()},
    }
    entries = [{"code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-title", "code": title}]}}]
    entries += [
        {
            "code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-qualification", "code": code}]},
            "period": period,
        }
        for code, period in held.items()
        if period is not None
    ]
    return {"resourceType": "Practitioner", "id": "o-p", "qualification": entries}


def a_role(*codes: str, **members: Any) -> dict[str, Any]:
    coding = [{"system": f"{CANONICAL}/CodeSystem/staff-role", "code": code} for code in codes]
    return {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": "Practitioner/o-p"},
        "code": [{"coding": coding}],
        **members,
    }


def codes(act: str, person: dict[str, Any] | None, *roles: dict[str, Any], at: datetime = NOON) -> list[str]:
    return [reason.code for reason in may(act, person, roles, at)]


def test_an_attending_with_five_years_and_certificates_may_sign() -> None:
    assert codes("sign-report", a_person()) == []


def test_five_years_are_reached_on_the_anniversary_in_the_department_s_zone() -> None:
    person = a_person(since="2021-03-02")
    assert codes("sign-report", person, at=datetime(2026, 3, 1, 15, 59, tzinfo=UTC)) == ["years-of-imaging-diagnosis"]
    assert codes("sign-report", person, at=datetime(2026, 3, 1, 16, 0, tzinfo=UTC)) == []


def test_a_start_known_only_by_its_year_counts_from_the_last_day_of_it() -> None:
    assert codes("sign-report", a_person(since="2021"), at=datetime(2026, 12, 30, tzinfo=UTC)) == [
        "years-of-imaging-diagnosis"
    ]


@pytest.mark.parametrize("missing", ["ct_equipment_certificate", "radiation_worker_certificate", "competence"])
def test_each_missing_certificate_is_named(missing: str) -> None:
    gone: dict[str, Any] = {missing: None}
    assert codes("sign-report", a_person(**gone)) == [missing.replace("_", "-")]


def test_a_certificate_is_good_through_its_last_day_and_not_after() -> None:
    person = a_person(competence={"start": "2025-01-01", "end": "2026-03-02"})
    assert codes("sign-report", person) == []
    assert codes("sign-report", person, at=datetime(2026, 3, 2, 16, tzinfo=UTC)) == ["competence"]


def test_a_competence_record_without_a_due_date_proves_nothing() -> None:
    assert codes("sign-report", a_person(competence={"start": "2025-01-01"})) == ["competence"]


def test_rank_compares_only_inside_the_series() -> None:
    assert codes("sign-report", a_person("chief-nurse")) == ["series"]
    assert codes("sign-report", a_person("resident-physician")) == ["rank"]


def test_a_first_signature_needs_level_b_or_higher() -> None:
    resident = a_person("resident-physician", since="2024-01-01")
    assert codes("first-sign", resident, a_role("level-a")) == ["role"]
    assert codes("first-sign", resident, a_role("level-b")) == []


def test_roles_that_ended_or_belong_to_another_person_do_not_count() -> None:
    person = a_person()
    assert codes("order-ct", person, a_role("requester", active=False)) == ["role"]
    assert codes("order-ct", person, a_role("requester", period={"end": "2026-03-01"})) == ["role"]
    other = {**a_role("requester"), "practitioner": {"reference": "Practitioner/o-q"}}
    assert codes("order-ct", person, other) == ["role"]
    assert codes("order-ct", person, a_role("requester", period={"end": "2026-03-02"})) == []


def test_contrast_is_given_by_a_trained_nurse_or_a_physician() -> None:
    assert codes("give-contrast", a_person("senior-nurse", ct_nursing_training={})) == []
    assert codes("give-contrast", a_person("senior-nurse")) == ["ct-nursing-training"]
    assert codes("give-contrast", a_person("nurse", ct_nursing_training={})) == ["rank"]
    assert codes("give-contrast", a_person("attending-physician")) == []


def test_a_critical_finding_is_received_by_a_physician_or_an_authorised_person() -> None:
    assert codes("receive-critical", a_person("nurse"), a_role("may-receive-critical")) == []
    assert codes("receive-critical", a_person("attending-physician")) == []
    assert codes("receive-critical", a_person("nurse")) != []


def test_an_unknown_or_retired_person_may_do_nothing() -> None:
    assert codes("order-ct", None) == ["unknown-person"]
    assert codes("sign-report", {**a_person(), "active": False}) == ["not-active"]


def test_reasons_speak_both_languages_and_name_their_clause() -> None:
    for reason in may("sign-report", a_person("nurse", competence=None), [], NOON):
        assert reason.zh and reason.en and reason.clause.startswith("CL02-A011:5.1")


def test_an_act_nobody_defined_is_an_error_and_not_a_permission() -> None:
    with pytest.raises(UnknownAct):
        may("fly", a_person(), [], NOON)


@pytest.mark.clause("5.10.1")
@pytest.mark.parametrize(
    ("person", "roles", "left"),
    [
        ({}, [], False),  # a visitor who never had a post
        ({"active": False}, [{}], True),
        ({}, [{"period": {"start": "2020-01-01", "end": "2026-03-01"}}], True),
        ({}, [{"period": {"end": "2026-03-02"}}], False),  # his last day
        ({}, [{"period": {"end": "2026-03-02T03:59:59Z"}}], True),
        ({}, [{"period": {"start": "2026-05-01"}}], False),  # who comes has not left
        ({}, [{"active": False}], True),
        ({}, [{"active": False}, {"period": {"end": "2026-01-01"}}, {}], False),  # another post is left to him
        ({}, [{"active": False}, {"practitioner": {"reference": "Practitioner/o-else"}}], True),
    ],
)
def test_who_is_out_of_use_or_whose_roles_are_all_over_has_left(
    person: dict[str, Any], roles: list[dict[str, Any]], left: bool
) -> None:
    assert has_left(a_person() | person, [a_role("reader") | one for one in roles], NOON) is left


def test_whom_the_register_does_not_know_has_left() -> None:
    assert has_left(None, [], NOON)

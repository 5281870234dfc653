"""Statements about a pregnancy that do not agree, and diagnoses that are or are not over: which one counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from slipring.fhir.service import Resource
from slipring_order.gathering.pregnancy_stated import gestation_days, pregnancy_status
from slipring_order.reading import Pool

NOW = datetime(2026, 11, 26, 4, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
ICD10, LOINC = "http://hl7.org/fhir/sid/icd-10", "http://loinc.org"
PATIENT: Resource = {"resourceType": "Patient", "id": "p", "gender": "female"}
YES, NO, UNKNOWN = "LA15173-0", "LA26683-5", "LA4489-6"


def answered(code: str, at: str) -> Resource:
    return {
        "resourceType": "Observation", "id": f"{code}-{at}", "status": "final", "effectiveDateTime": at,
        "code": {"coding": [{"system": LOINC, "code": "82810-3"}]},
        "valueCodeableConcept": {"coding": [{"system": LOINC, "code": code}]},
    }  # fmt: skip


def diagnosed(code: str, **members: Any) -> Resource:
    return {
        "resourceType": "Condition", "id": code, "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": ICD10, "code": code}]}, **members,
    }  # fmt: skip


def status(*stated: Resource, **request: Any) -> str:
    asked = {"resourceType": "ServiceRequest", "id": "r", "subject": {"reference": "Patient/p"}, **request}
    pool = Pool()
    pool.add(asked, PATIENT, *stated)
    observed = [one for one in stated if one["resourceType"] == "Observation"]
    return pregnancy_status(asked, observed, PATIENT, pool, NOW, ZONE)


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("asked_on", ["2026-11-25", "2026-11-25T09:00:00+08:00", None])
def test_a_reason_that_is_a_pregnancy_is_not_hidden_by_an_answer_of_unknown(asked_on: str | None) -> None:
    reason = {"reasonCode": [{"coding": [{"system": ICD10, "code": "O20.0"}]}]}
    request = reason | ({"authoredOn": asked_on} if asked_on else {})
    assert status(answered(UNKNOWN, "2026-11-25T09:00:00+08:00"), **request) == "pregnant"


@pytest.mark.clause("5.4.1")
def test_a_diagnosis_of_a_pregnancy_stands_though_a_later_answer_is_unknown() -> None:
    assert status(diagnosed("Z33", recordedDate="2026-10-01"), answered(UNKNOWN, "2026-11-25")) == "pregnant"


@pytest.mark.clause("5.4.1")
def test_of_two_answers_of_one_moment_the_graver_counts() -> None:
    for answers in ((YES, NO), (NO, YES), (YES, UNKNOWN), (UNKNOWN, YES)):
        assert status(*(answered(code, "2026-11-25") for code in answers)) == "pregnant"
    for answers in ((NO, UNKNOWN), (UNKNOWN, NO)):
        assert status(*(answered(code, "2026-11-25") for code in answers)) == "not-pregnant"


def test_otherwise_the_newest_answer_counts_and_a_newer_unknown_asks_again() -> None:
    assert status() == ""
    assert status(answered(UNKNOWN, "2026-11-25")) == "unknown"
    assert status(answered(NO, "2026-11-01"), answered(UNKNOWN, "2026-11-25")) == "unknown"
    assert status(answered(UNKNOWN, "2026-11-01"), answered(NO, "2026-11-25")) == "not-pregnant"
    assert status(answered(YES, "2026-11-01"), answered(NO, "2026-11-25")) == "not-pregnant"
    between = answered(YES, "2026-11-01"), answered(NO, "2026-11-20"), answered(UNKNOWN, "2026-11-25")
    assert status(*between) == "unknown"


@pytest.mark.parametrize(
    ("members", "stands"),
    [
        ({}, "pregnant"),
        ({"abatementDateTime": "2026-11-01"}, ""),
        ({"abatementDateTime": "2026-11-01T08:00:00+08:00"}, ""),
        ({"abatementPeriod": {"start": "2026-10-01", "end": "2026-10-03"}}, ""),
        ({"abatementPeriod": {"start": "2026-10-01"}}, ""),
        ({"abatementPeriod": {"end": "2027-02-01"}}, "pregnant"),
        ({"abatementString": "已流产"}, ""),
        ({"abatementAge": {"value": 30, "code": "a"}}, ""),
        ({"onsetDateTime": "2015"}, ""),
        ({"recordedDate": "2019-05"}, ""),
        ({"onsetPeriod": {"start": "2019"}}, ""),
        ({"onsetDateTime": "2015", "recordedDate": "2026-11-01"}, ""),
        ({"onsetDateTime": "2026"}, "pregnant"),
        ({"recordedDate": "2026-10"}, "pregnant"),
        ({"recordedDate": "2026-01"}, "pregnant"),
        ({"recordedDate": "2025-12"}, ""),
    ],
)
def test_a_pregnancy_that_is_over_or_long_ago_does_not_go_on(members: Any, stands: str) -> None:
    assert status(diagnosed("Z33", **members)) == stands


@pytest.mark.parametrize(
    ("code", "stands"),
    [
        ("O03.9", ""), ("O04.9", ""), ("O05", ""), ("O06", ""), ("O08.0", ""), ("O80", ""),
        ("O00.1", "pregnant"), ("O01.9", "pregnant"), ("O02.1", "pregnant"), ("O07.4", "pregnant"),
        ("O09.90", "pregnant"), ("O20.0", "pregnant"), ("Z33", "pregnant"), ("Z3A.12", "pregnant"),
    ],
)  # fmt: skip
def test_an_abortion_is_no_pregnancy_that_goes_on(code: str, stands: str) -> None:
    assert status(diagnosed(code, recordedDate="2026-11-01")) == stands
    assert status(authoredOn="2026-11-25", reasonCode=[{"coding": [{"system": ICD10, "code": code}]}]) == stands


def test_an_answer_of_this_month_outranks_a_diagnosis_of_some_day_in_it() -> None:
    assert status(diagnosed("Z33", recordedDate="2026-11"), answered(NO, "2026-11-25")) == "not-pregnant"


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("12+3", 87), ("12周3天", 87), ("12w3d", 87), ("12+3周", 87), ("孕12周", 84), ("孕12+3周", 87), ("12.5周", 87),
        ("停经60天", 60), ("孕 12周+3天", 87), ("１２＋３周", 87), ("妊娠：12 周", 84), ("停经50+天", 50), ("孕8+周", 56),
        ("GA 12+3", 87), ("12 weeks 3 days", 87), ("停经 8 周", 56), ("12孕周", 84),
        ("12", None), ("孕早期", None), ("12-13周", None), ("", None),
    ],
)  # fmt: skip
def test_the_age_of_a_pregnancy_is_read_as_forms_write_it(written: str, days: int | None) -> None:
    age: Resource = {
        "resourceType": "Observation", "id": "a", "status": "final", "valueString": written,
        "effectiveDateTime": NOW.isoformat(), "code": {"coding": [{"system": LOINC, "code": "18185-9"}]},
    }  # fmt: skip
    pool = Pool()
    pool.add(PATIENT, age)
    assert gestation_days(PATIENT, pool, NOW, ZONE, frozenset()) == days

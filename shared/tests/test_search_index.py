"""What the indexer makes of elements of each FHIR type."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from slipring.fhir.search.fold import bounded, folded
from slipring.fhir.search.index import Rows, rows
from slipring.fhir.search.moment import BEGINNING, END, Interval, interval, period

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def tokens(found: Rows, parameter: str) -> set[tuple[str, str]]:
    return {(row.system, row.code) for row in found.tokens if row.parameter == parameter}


def references(found: Rows, parameter: str) -> set[tuple[str, str]]:
    return {(row.type, row.id) for row in found.references if row.parameter == parameter}


def dates(found: Rows, parameter: str) -> list[tuple[datetime, datetime]]:
    return [(row.low, row.high) for row in found.dates if row.parameter == parameter]


def test_a_concept_gives_a_token_per_coding_and_none_for_its_text() -> None:
    code = {"coding": [{"system": "urn:a", "code": "x"}, {"code": "y"}, {"system": "urn:b"}], "text": "free"}
    found = rows({"resourceType": "Task", "code": code})
    assert tokens(found, "Task.code") == {("urn:a", "x"), ("", "y")}


def test_identifiers_contacts_codes_and_booleans_are_tokens() -> None:
    found = rows(
        {
            "resourceType": "Patient",
            "active": False,
            "gender": "female",
            "identifier": [{"system": "urn:card", "value": "7"}],
            "telecom": [{"system": "phone", "value": "555"}, {"system": "email", "value": "a@b.example"}],
        }
    )
    assert tokens(found, "Patient.active") == {("", "false")}
    assert tokens(found, "Patient.gender") == {("", "female")}
    assert tokens(found, "Patient.identifier") == {("urn:card", "7")}
    assert tokens(found, "Patient.email") == {("email", "a@b.example")}
    assert tokens(found, "Patient.telecom") == {("phone", "555"), ("email", "a@b.example")}


@pytest.mark.parametrize(
    ("members", "expected"),
    [({}, "false"), ({"deceasedBoolean": False}, "false"), ({"deceasedDateTime": "2020"}, "true")],
)
def test_a_patient_is_deceased_only_when_it_says_so(members: dict[str, Any], expected: str) -> None:
    assert tokens(rows({"resourceType": "Patient", **members}), "Patient.deceased") == {("", expected)}


def test_references_lose_their_version_and_keep_foreign_addresses_whole() -> None:
    found = rows(
        {
            "resourceType": "ServiceRequest",
            "subject": {"reference": "Patient/p/_history/3"},
            "basedOn": [
                {"reference": "http://his.example/fhir/ServiceRequest/1"},
                {"reference": "#inside"},
                {"reference": "urn:uuid:5f3b5b5e-0000-4000-8000-000000000000"},
            ],
        }
    )
    assert references(found, "ServiceRequest.subject") == {("Patient", "p")}
    assert references(found, "ServiceRequest.patient") == {("Patient", "p")}
    assert references(found, "ServiceRequest.based-on") == {
        ("", "http://his.example/fhir/ServiceRequest/1"),
        ("", "urn:uuid:5f3b5b5e-0000-4000-8000-000000000000"),
    }


def test_a_patient_parameter_keeps_patients_only() -> None:
    found = rows({"resourceType": "ServiceRequest", "subject": {"reference": "Group/g"}})
    assert references(found, "ServiceRequest.subject") == {("Group", "g")}
    assert references(found, "ServiceRequest.patient") == set()


def test_a_logical_reference_is_found_by_its_identifier() -> None:
    identifier = {"system": "urn:card", "value": "7"}
    found = rows({"resourceType": "Task", "for": {"type": "Patient", "identifier": identifier}})
    assert tokens(found, "Task.subject:identifier") == {("urn:card", "7")}
    assert tokens(found, "Task.patient:identifier") == {("urn:card", "7")}


def test_a_canonical_is_found_with_and_without_its_version() -> None:
    found = rows({"resourceType": "QuestionnaireResponse", "questionnaire": "urn:q|2"})
    assert references(found, "QuestionnaireResponse.questionnaire") == {("", "urn:q|2"), ("", "urn:q")}


def test_consent_data_lies_two_levels_down() -> None:
    provision = {"data": [{"meaning": "instance", "reference": {"reference": "Task/1"}}]}
    found = rows({"resourceType": "Consent", "provision": provision})
    assert references(found, "Consent.data") == {("Task", "1")}


def test_a_filtered_path_takes_only_the_items_that_fit() -> None:
    artifacts = [{"type": "composed-of", "resource": "urn:a"}, {"type": "depends-on", "resource": "urn:b"}]
    found = rows({"resourceType": "Measure", "relatedArtifact": artifacts})
    assert references(found, "Measure.composed-of") == {("", "urn:a")}
    assert references(found, "Measure.depends-on") == {("", "urn:b")}


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", at(2026, 1, 1), at(2027, 1, 1)),
        ("2026-12", at(2026, 12, 1), at(2027, 1, 1)),
        ("2024-02-29", at(2024, 2, 29), at(2024, 3, 1)),
        ("2026-02-03T04:05Z", at(2026, 2, 3, 4, 5), at(2026, 2, 3, 4, 6)),
        ("2026-02-03T04:05:06+08:00", at(2026, 2, 2, 20, 5, 6), at(2026, 2, 2, 20, 5, 7)),
        ("2026-02-03T04:05:06.12Z", at(2026, 2, 3, 4, 5, 6, 120000), at(2026, 2, 3, 4, 5, 6, 130000)),
        ("2026-02-03T04:05:06.1234567Z", at(2026, 2, 3, 4, 5, 6, 123456), at(2026, 2, 3, 4, 5, 6, 123457)),
        ("2016-12-31T23:59:60Z", at(2016, 12, 31, 23, 59, 59), at(2017, 1, 1)),
    ],
)
def test_a_date_is_as_wide_as_it_is_precise(text: str, low: datetime, high: datetime) -> None:
    assert interval(text) == Interval(low, high)


def test_a_day_without_a_time_zone_is_a_day_of_the_zone_given() -> None:
    assert interval("2026-02-03", SHANGHAI) == Interval(at(2026, 2, 2, 16), at(2026, 2, 3, 16))


@pytest.mark.parametrize(
    "text", ["", "26", "2026-13", "2026-02-30", "2026-02-03T25:00Z", "9999-13", "0000", "2026-1-1"]
)
def test_what_is_no_date_has_no_interval(text: str) -> None:
    assert interval(text) is None


@pytest.mark.parametrize("text", ["0001", "0001-01-01", "9999", "9999-12-31", "9999-12-31T23:59:59-12:00"])
def test_the_edges_of_time_stay_inside_what_the_database_holds(text: str) -> None:
    found = interval(text, SHANGHAI)
    assert found is not None
    assert BEGINNING <= found.low < found.high <= END


def test_a_period_without_an_end_is_open() -> None:
    assert period("2026-01-01", None) == Interval(at(2026, 1, 1), END)
    assert period(None, "2026-01-01") == Interval(BEGINNING, at(2026, 1, 2))
    assert period(None, None) is None
    assert period("2026-01-02", "2026-01-01") is None


def test_a_timing_counts_by_its_outer_limits() -> None:
    timing = {"event": ["2026-01-05", "2026-01-01"], "repeat": {"boundsPeriod": {"end": "2026-02-01"}}}
    found = rows({"resourceType": "ServiceRequest", "occurrenceTiming": timing})
    assert dates(found, "ServiceRequest.occurrence") == [(BEGINNING, at(2026, 2, 2))]


def test_a_name_is_found_by_each_of_its_parts() -> None:
    name = {"text": "张 伟", "family": "Müller", "given": ["Ana", "Bo"], "prefix": ["Dr."]}
    found = rows({"resourceType": "Patient", "name": [name]})
    parts = {(row.folded, row.exact) for row in found.strings if row.parameter == "Patient.name"}
    assert parts == {("张 伟", "张 伟"), ("muller", "Müller"), ("ana", "Ana"), ("bo", "Bo"), ("dr.", "Dr.")}
    assert [row.exact for row in found.strings if row.parameter == "Patient.family"] == ["Müller"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ÉCOLE", "ecole"), ("Straße", "strasse"), ("ＣＴ１", "ct1"), ("肺结节", "肺结节"), (" a  b ", "a b")],
)
def test_folding_forgets_case_accents_and_width_but_not_characters(text: str, expected: str) -> None:
    assert folded(text) == expected


def test_a_code_too_long_for_the_index_still_differs_from_its_neighbour() -> None:
    first, second = bounded("x" * 5000 + "1"), bounded("x" * 5000 + "2")
    assert first != second
    assert len(first) < 300


def test_each_row_stands_once() -> None:
    twice = [{"coding": [{"system": "urn:a", "code": "x"}]}] * 2
    found = rows({"resourceType": "ServiceRequest", "category": twice})
    assert len(found.tokens) == 1


@pytest.mark.parametrize(
    "value", [None, 3, "text", [], {}, [[{}]], {"coding": "x"}, {"coding": [3, None]}, {"reference": 3}]
)
def test_elements_of_the_wrong_shape_give_no_row_and_no_error(value: Any) -> None:
    members = ("code", "subject", "identifier", "occurrencePeriod", "occurrenceTiming", "authoredOn", "meta")
    found = rows({"resourceType": "ServiceRequest", **dict.fromkeys(members, value)})
    assert not (found.references or found.dates or found.strings)


def test_tags_and_profiles_are_indexed_for_every_type() -> None:
    meta = {"tag": [{"system": "urn:t", "code": "demo"}], "profile": ["urn:p|1"]}
    found = rows({"resourceType": "Slot", "meta": meta})
    assert tokens(found, "Slot._tag") == {("urn:t", "demo")}
    assert tokens(found, "Slot._profile") == {("", "urn:p|1"), ("", "urn:p")}

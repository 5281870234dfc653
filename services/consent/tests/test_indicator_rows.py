"""What consent's records say of its indicators: contrast that was given, and what came of it (4.14.7, 5.4.4.1)."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from slipring.fhir.service import Resource
from slipring_consent.reactions.said import REACTION_TYPE
from slipring_consent.surveillance.indicators import counts


def injection(**members: Any) -> Resource:
    contrast = {"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB05"}]}
    return {
        "resourceType": "MedicationAdministration",
        "id": "c-1",
        "status": "completed",
        "medicationCodeableConcept": contrast,
        "effectiveDateTime": "2026-03-04T09:00:00Z",
        **members,
    }


def reaction(kind: str, **members: Any) -> Resource:
    return {
        "resourceType": "AdverseEvent",
        "id": "c-2",
        "actuality": "actual",
        "date": "2026-03-04T09:05:00Z",
        "event": {"coding": [{"system": REACTION_TYPE, "code": kind}]},
        "suspectEntity": [{"instance": {"reference": "MedicationAdministration/c-1"}}],
        **members,
    }


@pytest.mark.clause("5.4.4.1")
def test_an_injection_counts_once_and_a_reaction_is_said_of_it() -> None:
    [row] = counts(injection(), UTC)
    assert (row.population, row.member, row.remark) == ("injection", "MedicationAdministration/c-1", False)
    assert not counts(injection(status="not-done"), UTC)
    assert not counts(injection(medicationCodeableConcept={"text": "saline"}), UTC)
    [leaked] = counts(reaction("extravasation"), UTC)
    assert (leaked.member, leaked.marks, leaked.remark) == (row.member, "extravasation", True)
    severity = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/adverse-event-severity", "code": "severe"}]
    }
    [severe] = counts(reaction("allergic-like", severity=severity), UTC)
    assert severe.marks == "reaction severe-reaction"
    assert not counts(reaction("extravasation", actuality="potential"), UTC)


@pytest.mark.clause("5.4.4.1")
@pytest.mark.parametrize("said", [{}, {"date": "2026-03"}, {"recordedDate": "2026-03-05T09:00:00Z"}])
def test_a_reaction_that_says_no_moment_counts_for_its_injection_too(said: dict[str, str]) -> None:
    event = {name: value for name, value in reaction("extravasation").items() if name != "date"} | said
    [remark] = counts(event, UTC)
    assert (remark.member, remark.marks, remark.remark) == ("MedicationAdministration/c-1", "extravasation", True)

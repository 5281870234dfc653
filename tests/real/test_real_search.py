"""The indexer on real inputs: every official example and every Synthea resource is found by its own rows."""

from __future__ import annotations

import bz2
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.search.index import rows
from slipring.fhir.search.match import matches
from slipring.fhir.search.parameter import parameters_for, searchable_types

DATA = Path(__file__).parents[3] / "shared" / "data"
EXAMPLES = DATA / "fhir-r4-examples"
SYNTHEA = DATA / "synthea"

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the real inputs are not beside this checkout")

# Parameters that the examples must reach at least once: one per way of indexing.
REACHED = {
    *("Patient.name", "Patient.birthdate", "Patient.deceased", "Patient.phone", "Observation.value-concept"),
    *("ServiceRequest.based-on", "ServiceRequest.occurrence", "Task.focus", "DiagnosticReport.subject"),
    *("Consent.actor", "ImagingStudy.instance", "Provenance.target", "MedicationAdministration.effective-time"),
    *("Subscription.url", "AuditEvent.address", "QuestionnaireResponse.questionnaire", "Measure.depends-on"),
}


def examples() -> Iterator[dict[str, Any]]:
    for file in sorted(EXAMPLES.glob("*.json")):
        yield json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)


def synthea() -> Iterator[dict[str, Any]]:
    for file in sorted(SYNTHEA.glob("*.json.bz2")):
        for entry in json.loads(bz2.decompress(file.read_bytes()), parse_float=Decimal)["entry"]:
            yield entry["resource"]


def escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\,|$" else letter for letter in text)


def searches_of(resource: dict[str, Any]) -> list[tuple[str, str]]:
    """A search for each of its rows, as a client would write it."""
    found, prefix = rows(resource), resource["resourceType"] + "."
    asked = []
    for token in found.tokens:
        code = token.parameter.removeprefix(prefix)
        uri = ":" not in code and parameters_for(resource["resourceType"])[code].type == "uri"
        asked.append((code, escaped(token.code) if uri else f"{escaped(token.system)}|{escaped(token.code)}"))
    for reference in found.references:
        literal = f"{reference.type}/{reference.id}" if reference.type else reference.id
        asked.append((reference.parameter.removeprefix(prefix), escaped(literal)))
    asked += [(date.parameter.removeprefix(prefix), f"ge{date.low.isoformat()}") for date in found.dates]
    asked += [(f"{text.parameter.removeprefix(prefix)}:exact", escaped(text.exact)) for text in found.strings]
    return asked


def criteria_of(resource: dict[str, Any]) -> Iterator[Criteria]:
    for pair in searches_of(resource):
        yield parse(resource["resourceType"], [pair])


def test_every_official_example_is_found_by_each_of_its_rows() -> None:
    reached, count = set(), 0
    for resource in examples():
        found = rows(resource)
        for criteria in criteria_of(resource):
            assert matches(criteria, found, resource), (resource["resourceType"], resource.get("id"), criteria.pairs)
            reached.add(criteria.clauses[0].parameter.key)
            count += 1
    assert reached >= REACHED
    assert count > 1500


def test_no_example_of_a_searchable_type_is_without_rows_but_the_one_that_says_all_in_text() -> None:
    bare = set()
    for resource in examples():
        found = rows(resource)
        empty = not (found.tokens or found.references or found.dates or found.strings)
        if empty and resource["resourceType"] in searchable_types():
            bare.add(resource["id"])
    assert bare == {"medicationexample1"}


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason="the Synthea bundles are not beside this checkout")
def test_every_synthea_resource_is_found_by_each_of_its_rows() -> None:
    seen: set[str] = set()
    for resource in synthea():
        found = rows(resource)
        seen.add(resource["resourceType"])
        for criteria in criteria_of(resource):
            assert matches(criteria, found, resource), (resource["resourceType"], resource.get("id"), criteria.pairs)
    assert {"Patient", "ImagingStudy", "Observation", "Encounter", "DiagnosticReport"} <= seen

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
    *("Observation.value-quantity", "Observation.component-value-quantity", "Encounter.length"),
    *("Observation.code-value-quantity$8310-5", "DocumentReference.relationship$|appends"),
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


def asked_as(name: str, value: str) -> tuple[str, str]:
    """Name and value as a client writes them; the first part of a composite stands in the row's name."""
    code, dollar, first = name.partition("$")
    if not dollar:
        return name, value
    system, bar, plain = first.rpartition("|")
    return code, f"{escaped(system)}{bar}{escaped(plain)}${value}"


def searches_of(resource: dict[str, Any]) -> list[tuple[str, str]]:
    """A search for each of its rows, as a client would write it."""
    found, prefix = rows(resource), resource["resourceType"] + "."
    asked = []
    for token in found.tokens:
        name = token.parameter.removeprefix(prefix)
        known = parameters_for(resource["resourceType"]).get(name)
        if name.endswith(":of-type"):
            asked.append((name, f"{token.system}|{escaped(token.code)}"))
        elif known is not None and known.type == "uri":
            asked.append((name, escaped(token.code)))
        else:
            asked.append(asked_as(name, f"{escaped(token.system)}|{escaped(token.code)}"))
    for reference in found.references:
        literal = f"{reference.type}/{reference.id}" if reference.type else reference.id
        asked.append(asked_as(reference.parameter.removeprefix(prefix), escaped(literal)))
    for date in found.dates:
        asked.append(asked_as(date.parameter.removeprefix(prefix), f"ge{date.low.isoformat()}"))
    for text in found.strings:
        name = text.parameter.removeprefix(prefix)
        plain = name.endswith(":text") or "$" in name
        asked.append(asked_as(name if plain else f"{name}:exact", escaped(text.exact)))
    for amount in found.quantities:
        number = amount.low if amount.low.is_finite() else amount.high
        unit = f"|{escaped(amount.system)}|{escaped(amount.code)}" if amount.code else ""
        asked.append(asked_as(amount.parameter.removeprefix(prefix), f"ge{number}{unit}"))
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
            reached.update(criteria.clauses[0].keys)
            count += 1
    assert reached >= REACHED
    assert count > 1500


def test_no_example_of_a_searchable_type_is_without_rows() -> None:
    bare = set()
    for resource in examples():
        found = rows(resource)
        if not any(found.families.values()) and resource["resourceType"] in searchable_types():
            bare.add(resource["id"])
    assert bare == set()


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason="the Synthea bundles are not beside this checkout")
def test_every_synthea_resource_is_found_by_each_of_its_rows() -> None:
    seen: set[str] = set()
    for resource in synthea():
        found = rows(resource)
        seen.add(resource["resourceType"])
        for criteria in criteria_of(resource):
            assert matches(criteria, found, resource), (resource["resourceType"], resource.get("id"), criteria.pairs)
    assert {"Patient", "ImagingStudy", "Observation", "Encounter", "DiagnosticReport"} <= seen

"""The patient compartment: by which parameters each resource type belongs to a patient (CompartmentDefinition)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from slipring.fhir.definitions.vocabulary import DATE
from slipring.fhir.service import Resource

# Source: HL7 FHIR R4 (4.0.1), compartmentdefinition-patient.json (CC0-1.0); type -> parameters, empty: not in it.
_FILE = Path(__file__).parent / "patient_compartment.json"
URL = "http://hl7.org/fhir/CompartmentDefinition/patient"


@cache
def patient_compartment() -> Mapping[str, tuple[str, ...]]:
    """The parameters of each type that name the patient; a type outside of the compartment has none."""
    written: dict[str, list[str]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return {name: tuple(parameters) for name, parameters in written.items()}


def patient_compartment_definition(types: Iterable[str]) -> Resource:
    """The CompartmentDefinition, of the types that are kept here."""
    members = [(name, patient_compartment().get(name, ())) for name in sorted(set(types))]
    return {
        "resourceType": "CompartmentDefinition",
        "id": "patient",
        "url": URL,
        "version": "4.0.1",
        "name": "PatientCompartment",
        "status": "active",
        "date": DATE,
        "description": "Everything that is kept here about one patient.",
        "code": "Patient",
        "search": False,
        "resource": [
            {"code": name, "param": list(parameters)} if parameters else {"code": name} for name, parameters in members
        ],
    }

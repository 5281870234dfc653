"""The operations of the gate, as the CapabilityStatement lists them."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_consent.handlers.check import checked_only

GATE_OPERATIONS = (
    Operation(
        "MedicationAdministration",
        "check",
        checked_only,
        level="type",
        title="Say whether contrast may be given now, with every reason, storing nothing",
        affects_state=False,
        tells=("Consent", "QuestionnaireResponse", "AllergyIntolerance", "Observation", "Practitioner"),
        parameters=(
            Parameter("administration", "MedicationAdministration", min=1, documentation="as it would be asked for"),
            Parameter("permitted", "boolean", use="out", min=1),
            Parameter("asOf", "instant", use="out", documentation="up to when order's copies were complete"),
            Parameter(
                "overrideRefused",
                "CodeableConcept",
                use="out",
                max="*",
                documentation="why the override it carries does not stand",
            ),
            Parameter(
                "issue",
                "DetectedIssue",
                use="out",
                max="*",
                documentation="what stands against it first; the extension may-override says who may pass it and for which reasons",
            ),
        ),
    ),
)

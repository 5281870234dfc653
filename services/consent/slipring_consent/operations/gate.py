"""The operations of the gate, as the CapabilityStatement lists them."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_consent.handlers.check import checked_only
from slipring_consent.handlers.override_use import overrides_counted

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
    Operation(
        "MedicationAdministration",
        "override-use",
        overrides_counted,
        level="type",
        title="Count how often the gate was overridden, by rule, reason and physician",
        affects_state=False,
        tells=("MedicationAdministration", "DetectedIssue", "Practitioner"),
        parameters=(
            Parameter("period", "Period", documentation="absent: the last 30 days; at most a year"),
            Parameter("period", "Period", use="out", min=1),
            Parameter("given", "integer", use="out", min=1, documentation="injections completed or stopped"),
            Parameter("overridden", "integer", use="out", min=1, documentation="injections that were passed by name"),
            Parameter(
                "use",
                "",
                use="out",
                max="*",
                documentation="the most frequent first",
                parts=(
                    Parameter("rule", "code", use="out", min=1),
                    Parameter("reason", "Coding", use="out", min=1),
                    Parameter("by", "Reference", use="out", min=1),
                    Parameter("count", "integer", use="out", min=1),
                    Parameter("administration", "Reference", use="out", max="*"),
                ),
            ),
        ),
    ),
)

"""The operation that fills in the screening form, as the CapabilityStatement lists it (SDC `$populate`)."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_consent.handlers.populate import populated

FORM_OPERATIONS = (
    Operation(
        "Questionnaire",
        "populate",
        populated,
        level="type",
        title="Fill in the contrast screening form as far as records say, each answer with its source, storing nothing",
        affects_state=False,
        tells=(
            "QuestionnaireResponse",
            "AllergyIntolerance",
            "Condition",
            "MedicationStatement",
            "MedicationRequest",
            "MedicationAdministration",
            "Observation",
            "Procedure",
            "AdverseEvent",
        ),
        parameters=(
            Parameter("subject", "Reference", min=1, documentation="the Patient"),
            Parameter("context", "Reference", documentation="the ServiceRequest that is screened for"),
            Parameter("canonical", "canonical", documentation="the form with its version; absent: the newest"),
            Parameter("local", "boolean", documentation="records kept or followed here are always looked at"),
            Parameter(
                "response",
                "QuestionnaireResponse",
                use="out",
                min=1,
                documentation="in progress; the extension prefilled-from names the record of each answer",
            ),
        ),
    ),
)

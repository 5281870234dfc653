"""The operations on observation after an injection."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_consent.handlers.follow_up import called
from slipring_consent.handlers.release import observation_released

OBSERVING_OPERATIONS = (
    Operation(
        "Task",
        "release",
        observation_released,
        title="Release a patient from observation after an injection",
        parameters=(
            Parameter("by", "Reference", documentation="who releases, when the caller is no person"),
            Parameter(
                "outcome",
                "code",
                documentation="released (default, not before the time) | against-advice | physician-decision | handed-over",
            ),
            Parameter("reason", "CodeableConcept", documentation="CodeSystem early-leave-reason, when against advice"),
            Parameter("to", "Reference", documentation="who receives the patient, when handed over"),
            Parameter("cannulaRemoved", "boolean"),
            Parameter("vitalSigns", "Reference", max="*", documentation="Observations taken before leaving"),
            Parameter("note", "string"),
            Parameter("return", "Task", use="out", min=1, documentation="the observation, ended"),
            Parameter("issue", "DetectedIssue", use="out", max="*", documentation="what was not as it should be"),
            Parameter("instructionsZh", "string", use="out", min=1, documentation="what the patient is told"),
            Parameter("instructionsEn", "string", use="out", min=1),
        ),
    ),
    Operation(
        "Task",
        "called",
        called,
        title="Record what a call for a late reaction brought",
        parameters=(
            Parameter("by", "Reference", documentation="who called, when the caller is no person"),
            Parameter("result", "code", min=1, documentation="well | late-reaction | not-reached (due again)"),
            Parameter("note", "string"),
            Parameter("return", "Task", use="out", min=1, documentation="the follow-up with its calls"),
        ),
    ),
)

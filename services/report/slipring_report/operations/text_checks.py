"""Checking the words of a report, and standing for them."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import text_checks

_WORDS = (
    Parameter("findings", "string", documentation="words that are not stored yet; those of the report when left out"),
    Parameter("impression", "string"),
    Parameter("comparison", "string"),
    Parameter("removed", "string", max="*", documentation="an organ that was taken out: spleen, left-kidney, 胆囊"),
)
_FOUND = (
    Parameter(
        "issue", "DetectedIssue", "out", 0, "*", "with section and offsets in characters in the extension text-place"
    ),
    Parameter(
        "section",
        "",
        "out",
        0,
        "*",
        "the words that the offsets count in",
        parts=(
            Parameter("name", "code", "out", 1, documentation="findings | impression | comparison"),
            Parameter("code", "code", "out", 1, documentation="the LOINC code of the section"),
            Parameter("text", "string", "out"),
        ),
    ),
)

TEXT_OPERATIONS = (
    Operation(
        "DiagnosticReport",
        "check-text",
        text_checks.text_checked,
        title="Check the words of a report; nothing is stored",
        affects_state=False,
        parameters=(*_WORDS, *_FOUND),
    ),
    Operation(
        "DiagnosticReport",
        "check-text",
        text_checks.text_checked,
        level="type",
        title="Check words that are not stored yet",
        affects_state=False,
        tells=("ServiceRequest", "Patient"),
        parameters=(
            Parameter("request", "Reference", documentation="which tells part of the body, side and patient"),
            *_WORDS,
            *_FOUND,
        ),
    ),
    Operation(
        "DiagnosticReport",
        "answer-text-check",
        text_checks.check_answered,
        title="Stand for words that a check questions, with a reason",
        parameters=(
            Parameter("key", "string", min=1, documentation="the identifier of the issue, as $check-text tells it"),
            Parameter(
                "reason", "string", min=1, documentation="why the words are right, or the finding is not critical"
            ),
            Parameter("by", "Reference", documentation="who stands for it, when the token names no person"),
            Parameter("issue", "DetectedIssue", "out", 1),
        ),
    ),
)

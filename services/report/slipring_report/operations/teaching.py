"""Scores of reports, and what was changed between draft and release."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import differences, scoring
from slipring_report.operations.learning_parts import BY, COUNTED, MEMBER, PERIOD, RATE, RECORD

_SECTION = Parameter(
    "section",
    "",
    "out",
    0,
    "*",
    parts=(
        Parameter("name", "code", "out", 1, documentation="findings | impression | comparison"),
        Parameter("kept", "integer", "out", 1, documentation="words; a Chinese character counts as one"),
        Parameter("added", "integer", "out", 1),
        Parameter("removed", "integer", "out", 1),
    ),
)
_PART = (
    Parameter("code", "code", "out", 1, documentation="its linkId"),
    Parameter("zh", "string", "out", 1),
    Parameter("en", "string", "out", 1),
    Parameter("mean", "decimal", "out", 1, documentation="points"),
    Parameter("most", "decimal", "out", 1, documentation="points, by the sheet in force"),
    Parameter("count", "integer", "out", 1, documentation="scored reports"),
)
TEACHING_OPERATIONS = (
    Operation(
        "DiagnosticReport",
        "score",
        scoring.report_scored,
        title="Score a released report by the department's sheet; not by whoever wrote or signed it",
        parameters=(
            Parameter(
                "response", "QuestionnaireResponse", min=1, documentation="answers of Questionnaire/report-scoring"
            ),
            Parameter("note", "string"),
            BY,
            RECORD,
            Parameter("total", "decimal", "out", 1),
            Parameter("grade", "code", "out", 1, documentation="a | b | c"),
            Parameter("passed", "boolean", "out", 1),
        ),
    ),
    Operation(
        "DiagnosticReport",
        "score-sheet",
        scoring.sheet_told,
        level="type",
        title="The sheet by which reports are scored now",
        affects_state=False,
        tells=("Questionnaire",),
        parameters=(Parameter("return", "Questionnaire", "out", 1),),
    ),
    Operation(
        "DiagnosticReport",
        "writing-pass-rate",
        scoring.pass_rate_told,
        level="type",
        title="How many of the scored reports of a period pass",
        affects_state=False,
        tells=("DiagnosticReport", "QuestionnaireResponse"),
        parameters=(
            PERIOD,
            Parameter("period", "Period", "out", 1),
            Parameter("numerator", "integer", "out", 1, documentation="scored reports that pass"),
            Parameter("denominator", "integer", "out", 1, documentation="scored reports"),
            *RATE,
            Parameter("grade", "", "out", 0, "*", parts=COUNTED),
            Parameter("part", "", "out", 0, "*", "each part of the sheet that was given points", parts=_PART),
            Parameter("member", "", "out", 0, "*", parts=MEMBER),
        ),
    ),
    Operation(
        "DiagnosticReport",
        "draft-differences",
        differences.differences_told,
        level="type",
        title="What was changed between an author's first signature and the release, in words per section",
        affects_state=False,
        tells=("DiagnosticReport", "Composition", "Provenance"),
        parameters=(
            PERIOD,
            Parameter("author", "Reference", documentation="only this author's reports"),
            Parameter("period", "Period", "out", 1),
            Parameter("numerator", "integer", "out", 1, documentation="reports whose words were changed"),
            Parameter("denominator", "integer", "out", 1, documentation="reports released in the period"),
            *RATE[:4],
            Parameter(
                "byAuthor",
                "",
                "out",
                0,
                "*",
                parts=(
                    Parameter("author", "Reference", "out", 1),
                    Parameter("reports", "integer", "out", 1),
                    Parameter("changed", "integer", "out", 1, documentation="of them, those whose words were changed"),
                    _SECTION,
                ),
            ),
            Parameter(
                "report",
                "",
                "out",
                0,
                "*",
                parts=(
                    Parameter("report", "Reference", "out", 1),
                    Parameter("author", "Reference", "out", 1),
                    Parameter("releasedBy", "Reference", "out", 1),
                    Parameter("changed", "boolean", "out", 1),
                    _SECTION,
                ),
            ),
        ),
    ),
)

"""Blind re-reading."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import agreement, drawing, re_reading
from slipring_report.operations.learning_parts import BY, COUNTED, PERIOD, RATE, RECORD

_KAPPA = (
    Parameter("weighting", "code", "out", 1, documentation="none | linear | quadratic"),
    Parameter("value", "decimal", "out", 1),
    Parameter("low", "decimal", "out", 1),
    Parameter("high", "decimal", "out", 1),
    Parameter("error", "decimal", "out", 1, documentation="the large-sample standard error"),
    Parameter("level", "decimal", "out", 1),
)
RE_READING_OPERATIONS = (
    Operation(
        "DiagnosticReport",
        "draw-rereading",
        drawing.re_reading_drawn,
        level="type",
        title="Draw a seeded sample of released reports and give each case to another reader, blind",
        parameters=(
            PERIOD,
            Parameter("size", "integer", min=1, documentation="how many; each body system by its share"),
            Parameter("seed", "string", min=1, documentation="kept with the draw, so that anybody can draw again"),
            Parameter("reader", "Reference", min=1, max="*", documentation="who reads again; not whoever draws"),
            BY,
            Parameter("draw", "Reference", "out", 1, documentation="the Task that records the draw"),
            Parameter("population", "integer", "out", 1),
            Parameter("listSha256", "string", "out", 1, documentation="of the list that was drawn from"),
            Parameter("case", "Reference", "out", 0, "*", "a Task for one reader; it names no report"),
        ),
    ),
    Operation(
        "Task",
        "re-read",
        re_reading.re_read,
        title="Read a case again: first what is seen, then, told of the first reading, the grade",
        parameters=(
            Parameter("impression", "string", documentation="first call: what the second reader sees"),
            Parameter("category", "code", documentation="first call: of reading-category"),
            Parameter("grade", "code", documentation="second call: agree | minor | major"),
            Parameter("firstCategory", "code", documentation="second call: the category of the first reading"),
            Parameter("note", "string", documentation="needed unless the readers agree"),
            BY,
            RECORD,
            Parameter(
                "report", "Reference", "out", documentation="after the first call: the report that was read again"
            ),
            Parameter("impression", "string", "out", documentation="what it says"),
            Parameter("signedBy", "Reference", "out", 0, "*"),
            Parameter("nonconformity", "Reference", "out", documentation="opened by a major discrepancy"),
        ),
    ),
    Operation(
        "DiagnosticReport",
        "rereading-agreement",
        agreement.agreement_told,
        level="type",
        title="How well second readings agree with the first: grades, kappa with its interval, cases",
        affects_state=False,
        tells=("DiagnosticReport", "QuestionnaireResponse", "Task"),
        parameters=(
            PERIOD,
            Parameter("period", "Period", "out", 1),
            Parameter("cases", "integer", "out", 1, documentation="read again blind, and graded"),
            Parameter(
                "notBlind", "integer", "out", 1, documentation="the reader was shown the report before; not counted"
            ),
            Parameter("open", "integer", "out", 1, documentation="cases drawn in the period that wait"),
            Parameter("agreed", "integer", "out", 1),
            *RATE[:4],
            Parameter("grade", "", "out", 0, "*", parts=COUNTED),
            Parameter("kappa", "", "out", 0, "*", "of the categories; absent where it is not defined", parts=_KAPPA),
            Parameter(
                "member",
                "",
                "out",
                0,
                "*",
                parts=(
                    Parameter("record", "Reference", "out", 1),
                    Parameter("report", "Reference", "out", 1),
                    Parameter("grade", "code", "out", 1),
                    Parameter("blind", "boolean", "out", 1),
                ),
            ),
        ),
    ),
)

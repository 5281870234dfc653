"""Learning: concordance with pathology and clinic, blind re-reading."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import concordance
from slipring_report.operations.learning_parts import BY, PERIOD, RATE, RECORD
from slipring_report.operations.re_reading import RE_READING_OPERATIONS
from slipring_report.operations.teaching import TEACHING_OPERATIONS

_ROW = (
    Parameter("system", "Coding", "out", 1, documentation="B1 to B6 of Annex B"),
    Parameter("against", "code", "out", 1, documentation="pathology | clinical"),
    Parameter("numerator", "integer", "out", 1, documentation="concordant cases"),
    Parameter("denominator", "integer", "out", 1, documentation="cases with a reference"),
    *RATE,
    Parameter("partly", "integer", "out", 1, documentation="partly concordant; not in the numerator"),
    Parameter("discordant", "integer", "out", 1),
    Parameter("released", "integer", "out", 1, documentation="reports of the system released in the period"),
    Parameter("withoutReference", "integer", "out", 1, documentation="of them, those that nobody has held against it"),
    Parameter("missing", "code", "out", 0, "*", "no-data | reports-without-reference"),
    Parameter(
        "cause",
        "",
        "out",
        0,
        "*",
        parts=(
            Parameter("code", "code", "out", 1),
            Parameter("measure", "code", "out"),
            Parameter("count", "integer", "out", 1),
        ),
    ),
    Parameter(
        "member",
        "",
        "out",
        0,
        "*",
        parts=(
            Parameter("report", "Reference", "out", 1),
            Parameter("record", "Reference", "out", 1),
            Parameter("grade", "code", "out", 1),
        ),
    ),
)

LEARNING_OPERATIONS = (
    *RE_READING_OPERATIONS,
    *TEACHING_OPERATIONS,
    Operation(
        "DiagnosticReport",
        "record-concordance",
        concordance.concordance_recorded,
        title="Hold a released report against pathology or the clinical diagnosis",
        parameters=(
            Parameter("against", "code", min=1, documentation="pathology | clinical"),
            Parameter("grade", "code", min=1, documentation="concordant | partly | discordant"),
            Parameter("result", "Reference", documentation="the result that came in here (imported), or"),
            Parameter("diagnosis", "string", documentation="what pathology or the clinic said, in words"),
            Parameter("system", "code", documentation="B1 to B6, where the exam shows several"),
            Parameter("cause", "CodeableConcept", documentation="of discordance-cause; needed when discordant"),
            Parameter("measure", "CodeableConcept", documentation="of discordance-measure; needed when discordant"),
            Parameter("note", "string"),
            BY,
            RECORD,
        ),
    ),
    Operation(
        "DiagnosticReport",
        "concordance",
        concordance.concordance_told,
        level="type",
        title="Concordance per body system against pathology and clinic, with its cases and what is missing",
        affects_state=False,
        tells=("DiagnosticReport", "QuestionnaireResponse"),
        parameters=(
            PERIOD,
            Parameter("system", "code", max="*", documentation="B1 to B6; all when left out"),
            Parameter("period", "Period", "out", 1),
            Parameter("row", "", "out", 0, "*", parts=_ROW),
            Parameter("unknownSystem", "Reference", "out", 0, "*", "released reports whose exam tells no system"),
        ),
    ),
)

"""Flagging a critical finding."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import communication_printing, flagging

FLAGGING_OPERATIONS = (
    Operation(
        "DiagnosticReport",
        "flag-critical",
        flagging.finding_flagged,
        title="Flag a critical finding and hand it over",
        parameters=(
            Parameter("finding", "Coding", min=1),
            Parameter("level", "code", documentation="1 | 2 | 3; the catalogue's level when left out"),
            Parameter("recognisedAt", "dateTime", documentation="now when left out"),
            Parameter("note", "string"),
            Parameter(
                "unchanged",
                "boolean",
                documentation="as it was when this patient's doctors were told: linked to that case, rings nobody",
            ),
            Parameter("ring", "boolean", documentation="unchanged, and to be rung all the same"),
            Parameter("performer", "Reference", documentation="who recognised it, when the token names no person"),
            Parameter("observation", "Reference", "out", 1),
            Parameter("handover", "Reference", "out", 1),
            Parameter("note", "string", "out", documentation="present until critical has taken the finding over"),
        ),
    ),
    Operation(
        "Communication",
        "print",
        communication_printing.print_asked,
        title="The documented communication of a critical finding as a sheet beside the report (LOINC 73568-8)",
        affects_state=False,
        tells=("DiagnosticReport", "Observation", "Patient"),
        parameters=(
            Parameter("format", "code", documentation="text/html (when left out) | application/pdf"),
            Parameter("return", "Binary", "out", 1, documentation="the sheet in `data`"),
        ),
    ),
)

"""The second read of a report that was released in an emergency under one signature."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import second_reads

EMERGENCY_OPERATIONS = (
    Operation(
        "Task",
        "second-read",
        second_reads.second_read_graded,
        title="Grade the discrepancy between the first reading and the second",
        parameters=(
            Parameter("grade", "code", min=1, documentation="agree | minor | major"),
            Parameter("note", "string"),
            Parameter("by", "Reference", documentation="who read, when the token names no person"),
            Parameter("return", "Task", "out", 1),
            Parameter("notice", "Reference", "out", 0, "*", "of a major discrepancy, one for each receiver"),
        ),
    ),
)

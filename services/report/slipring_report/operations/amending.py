"""Changing a released report, and taking one back."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_report.handlers import amending, withdrawing

AMENDING_OPERATIONS = (
    Operation(
        "DiagnosticReport",
        "amend",
        amending.amendment_begun,
        title="Begin the next version of a released report, as a draft",
        parameters=(
            Parameter("kind", "code", min=1, documentation="amended | corrected | appended (only adds)"),
            Parameter("reason", "CodeableConcept", min=1, documentation="a code of amendment-reason"),
            Parameter("note", "string", documentation="needed when the reason is other"),
            Parameter("author", "Reference", documentation="who amends, when the token names no person"),
            Parameter("draft", "Reference", "out", 1, documentation="the DiagnosticReport to change and to sign"),
            Parameter("composition", "Reference", "out", documentation="its text"),
        ),
    ),
    Operation(
        "DiagnosticReport",
        "withdraw",
        withdrawing.report_withdrawn,
        title="Take a report back that should never have been (wrong patient)",
        step_up=True,
        parameters=(
            Parameter("reason", "CodeableConcept", min=1, documentation="a code of withdrawal-reason"),
            Parameter("note", "string", documentation="needed when the reason is other"),
            Parameter("by", "Reference", documentation="who withdraws it, when the token names no person"),
            Parameter("report", "Reference", "out", 1),
            Parameter("nonconformity", "Reference", "out", 1),
            Parameter("notice", "Reference", "out", 0, "*", "one for each receiver that is known"),
        ),
    ),
)

"""What a second reader has found wrong is not signed as it stands."""

from __future__ import annotations

from slipring.fhir.outcome import conflict
from slipring.fhir.service import Desk, Stored

from slipring_report.emergency.policy import grades
from slipring_report.emergency.release import second_reads_of
from slipring_report.emergency.resources import grade_of
from slipring_report.visibility import in_emergency


async def demand_not_contradicted(report: Stored, desk: Desk) -> None:
    """409 for the second signature on a report whose second reader graded a discrepancy that must be corrected."""
    if not in_emergency(report.resource):
        return
    for task in await second_reads_of(report.reference, desk):
        if grades().get(grade_of(task.resource), {}).get("corrected"):
            raise conflict(
                "The second read found a major discrepancy: correct the report with $amend.",
                "复核阅片发现重大差异：请用 $amend 更正报告。",
                at="DiagnosticReport.status",
                detail="report.second-read-major",
            )

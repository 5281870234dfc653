"""The nonconformity that a major discrepancy of a re-reading opens (4.9, 5.6.2.3). Pure."""

from __future__ import annotations

from datetime import datetime

from slipring.fhir.service import Resource
from slipring.quality import life

from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import TASK_CODE


def as_discrepancy(report: Resource, note: str, by: str, *, id: str, now: datetime) -> Resource:
    """Opened with the grade; cause, action (an amendment by `$amend`) and effect follow."""
    task: Resource = {
        "resourceType": "Task",
        "id": id,
        "intent": "order",
        "code": coded(TASK_CODE, "nonconformity"),
        "focus": reference(f"DiagnosticReport/{report['id']}"),
        "description": f"复阅重大差异 major discrepancy in re-reading: {note}",
        "authoredOn": written(now),
        "requester": reference(by),
        **life.members(life.OPENED, now),
    }
    return {**task, **({"for": report["subject"]} if "subject" in report else {})}

"""The second read as FHIR says it: a Task with a deadline, a grade and who read."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.fhir.service import Resource

from slipring_report.reading import code_of
from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import DISCREPANCY_GRADE, SECOND_READ_STATE, TASK_CODE

TIMER = "second-read-overdue"


def timer_key(task_id: str) -> str:
    """The key of the deadline of one second read."""
    return f"second-read:{task_id}"


def as_second_read(
    report: Resource, reason: Resource, signer: str, *, id: str, within: timedelta, now: datetime
) -> Resource:
    """Open until a second reader has signed; the period ends when he must have."""
    task: Resource = {
        "resourceType": "Task",
        "id": id,
        "status": "requested",
        "businessStatus": coded(SECOND_READ_STATE, "waiting"),
        "intent": "order",
        "priority": "urgent",
        "code": coded(TASK_CODE, "second-read"),
        "focus": reference(f"DiagnosticReport/{report['id']}"),
        "authoredOn": written(now),
        "lastModified": written(now),
        "requester": reference(signer),
        "reasonCode": reason,
        "restriction": {"period": {"end": written(now + within)}},
    }
    task |= {name: report[name] for name in ("basedOn", "encounter") if name in report}
    return {**task, **({"for": report["subject"]} if "subject" in report else {})}


def grade_of(task: Resource) -> str:
    """How the second reader graded the first reading; '' while he has not."""
    found = (code_of(one.get("valueCodeableConcept"), DISCREPANCY_GRADE) for one in task.get("output", []))
    return next(filter(None, found), "")


def graded(task: Resource, grade: str, note: str, by: str, now: datetime) -> Resource:
    """The members of a second read that was graded; it ends with the second signature."""
    kept = [one for one in task.get("output", []) if not code_of(one.get("valueCodeableConcept"), DISCREPANCY_GRADE)]
    output = {"type": {"text": "discrepancy"}, "valueCodeableConcept": coded(DISCREPANCY_GRADE, grade)}
    members: Resource = {
        "status": "in-progress",
        "businessStatus": coded(SECOND_READ_STATE, "graded"),
        "owner": reference(by),
        "lastModified": written(now),
        "output": [*kept, output],
    }
    if note:
        said = {"authorReference": reference(by), "time": written(now), "text": note}
        members["note"] = [*task.get("note", []), said]
    return members


def second_read_done(task: Resource, by: str, now: datetime) -> Resource:
    """The members of a second read that is done: whoever signs what stands without a grade agrees."""
    members = {} if grade_of(task) else graded(task, "agree", "", by, now)
    return {
        **members,
        "status": "completed",
        "businessStatus": coded(SECOND_READ_STATE, "done"),
        "lastModified": written(now),
    }

"""A reporting deadline is near, or past: one record of each, without a word about the patient. Pure."""

from __future__ import annotations

from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.finding import Finding, Limit, Weight

WARNING, BREACHED = "report.reporting-time-warning", "report.reporting-time-breached"
CLAUSE = "CL02-A011:5.8.1"
_WORDS = {
    WARNING: ("报告时限将至：须于 {due} 前发布。", "The report is due soon: by {due}."),
    BREACHED: ("报告已超过时限：应于 {due} 前发布。", "The report is overdue: it was due by {due}."),
}


def record_id(task: str, rule: str, due_at: datetime) -> str:
    """The id of the record: it follows from the reading and its deadline, so there is one for each."""
    return f"r-{uuid5(NAMESPACE_URL, f'{CANONICAL}/{task}#{rule}#{due_at.isoformat()}')}"


def as_record(task: Resource, rule: str, due_at: datetime, shown: str, limit: Limit, *, now: datetime) -> Resource:
    """The DetectedIssue on a reading; it names the Task and nothing else, because it is told to subscribers."""
    zh, en = (words.format(due=shown) for words in _WORDS[rule])
    finding = Finding(rule, "1", CLAUSE, Weight.WARN, zh, en, "Task.restriction.period.end", {}, limit)
    reference = f"Task/{task['id']}"
    return as_detected_issue(finding, id=record_id(reference, rule, due_at), subject="", about=reference, now=now)

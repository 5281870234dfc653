"""What was done without permission is a fact all the same: what spoke against it is on record, and a nonconformity opens."""

from __future__ import annotations

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.service import Desk, Resource, Save, Stored
from slipring.rules.finding import Finding, Weight

from slipring_order import lifecycle
from slipring_order.nonconformity import nonconformity, of_an_exam
from slipring_order.rooms.starting import issues_of, start_findings


async def without_permission(exam: Stored, stood: str, who: str, said: tuple[str, str], desk: Desk) -> list[Save]:
    """What spoke against a scan that was begun: each finding on record, and one nonconformity about the first.

    `stood`: the state the exam was in; `said`: what tells of the scan, in Chinese and English.
    """
    findings = [one for one in await start_findings(exam.resource, desk) if one.weight is Weight.STOP]
    if stood != "ready":
        zh, en = lifecycle.names(stood)
        not_ready = Finding(
            "order.scan-permitted",
            "1",
            "CL02-A011:5.5.1.1" if stood in ("scheduled", "arrived") else "CL02-A011:5.4.1",
            Weight.STOP,
            f"{said[0]}，而当时检查处于“{zh}”。",
            f"{said[1]} that was {en}.",
            "Task.businessStatus",
        )
        findings.insert(0, not_ready)
    if not findings:
        return []
    subject = str(exam.resource.get("for", {}).get("reference", ""))
    issue, task = opened(findings[0], exam.reference, subject, who, desk)
    return [Save(issue), Save(of_an_exam(task, exam.resource)), *issues_of(findings[1:], exam.resource, desk)]


def opened(finding: Finding, about: str, subject: str, who: str, desk: Desk) -> tuple[Resource, Resource]:
    """A finding and the nonconformity that rests on it."""
    issue = as_detected_issue(finding, id=desk.new_id(), subject=subject, about=about, now=desk.now)
    return issue, nonconformity(
        id=desk.new_id(), zh=finding.zh, en=finding.en, clause=finding.clause, about=about, now=desk.now,
        evidence=[f"DetectedIssue/{issue['id']}"], who=who,
    )  # fmt: skip

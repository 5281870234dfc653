"""One durable clock watches each stat exam until its report, and records which stage was late."""

from __future__ import annotations

from datetime import timedelta

from slipring.fhir.findings import as_detected_issue, rule_of
from slipring.fhir.service import Changes, Desk, Due, Resource, Save, Stored, Wake
from slipring.rules.finding import Finding, Weight

from slipring_order import resources
from slipring_order.life import green_channel
from slipring_order.reading import reference_of

TIMER = "green-channel"
RULE = "order.green-channel-late"
_CLAUSE = "CL02-A011:5.8.1"
_LOOK_AGAIN = timedelta(minutes=1)  # while nothing says when the next stage is due


def watched(exam: str) -> Wake:
    """The clock of an exam; armed again it only looks later."""
    return Wake(TIMER, subject=exam, after=_LOOK_AGAIN, key=_key(exam))


async def clock_struck(due: Due, desk: Desk) -> Changes:
    """Look where a stat exam stands, put on record what is late, and wind the clock for the next look."""
    exam = await desk.read(due.subject)
    if exam is None or exam.resource.get("priority") != "stat":
        return Changes.none()
    if resources.state_of(exam.resource) in green_channel.OVER:
        return Changes.none()
    times = await green_channel.times_of(exam, desk)
    if times.reported is not None:
        return Changes.none()
    clock = green_channel.running(times, desk)
    late = clock is not None and desk.now >= clock.due_at
    saves = await _late(exam, clock, desk) if clock is not None and late else []
    return Changes(save=saves, wake=[watched(exam.reference)])


async def _late(exam: Stored, clock: green_channel.Running, desk: Desk) -> list[Save]:
    """The finding that a stage is overdue, once for each."""
    zh, en = green_channel.names_of(clock.stage)
    for one in await desk.search(f"DetectedIssue?implicated={exam.reference}"):
        if rule_of(one.resource) == RULE and clock.stage in _stages(one.resource):
            return []
    book, day = desk.settings.limits, desk.now.astimezone(desk.settings.zone).date()
    limit = book.limit(green_channel.limit_of(clock.stage), on=day)
    finding = Finding(
        RULE,
        "1",
        _CLAUSE,
        Weight.WARN,
        f"绿色通道：{zh}已超过 {limit.value} 分钟。",
        f"Green channel: {en} is overdue after {limit.value} min.",
        "Task.businessStatus",
        {"stage": clock.stage, "since": clock.since.isoformat()},
        limit,
    )
    subject = reference_of(exam.resource.get("for"))
    issue = as_detected_issue(finding, id=desk.new_id(), subject=subject, about=exam.reference, now=desk.now)
    issue["evidence"] = [{"code": [{"text": clock.stage}]}]
    return [Save(issue)]


def _stages(issue: Resource) -> list[str]:
    return [str(code.get("text", "")) for entry in issue.get("evidence", []) for code in entry.get("code", [])]


def _key(exam: str) -> str:
    return f"{TIMER}:{exam}"

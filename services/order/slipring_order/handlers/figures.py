"""`Organization/$staffing` and `Task/$complaints`: figures of a period with verdict and reasons; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import CANONICAL, Call, Changes, Desk, Resource
from slipring.rules.finding import Finding
from slipring.rules.limits import Limits, UnknownLimit
from slipring.rules.rulebook import check

from slipring_order.asked_day import asked_period
from slipring_order.review.complaints import complaint_facts, complaint_figures
from slipring_order.review.gathering import complaints_of, exams_performed, staff_at, work_done
from slipring_order.review.measured import Measured, as_report
from slipring_order.review.rules import COMPLAINT_RULES, STAFFING_RULES
from slipring_order.review.staffing import staffing, staffing_figures
from slipring_order.rooms.booking import scanners_in_service
from slipring_order.rooms.day import usual_week


async def staffing_told(call: Call, desk: Desk) -> Changes:
    """Whether the people fit the work of a period (5.1.3); people as they stand at its end, days up to today."""
    start, end = _past(call, desk)
    staff, work = await staff_at(end, desk), await work_done(start, end, desk)
    scanners = await scanners_in_service(desk)
    open_days = {day for day, hours in usual_week().items() if hours}
    open_days |= {day for one in scanners for day, hours in one.hours.week.items() if hours}
    limits = _limits(end, "staffing.physicians", call, desk)
    facts = staffing(staff, len(scanners), work, (start, end), open_days)
    findings = check(facts, STAFFING_RULES, limits, desk.now)
    return _told("staffing", staffing_figures(facts, staff, work, limits), findings, (start, end), desk)


async def complaints_told(call: Call, desk: Desk) -> Changes:
    """Complaints of a period for the exams performed, the time to their answers, and which are still open (4.8)."""
    start, end = _past(call, desk)
    found = await complaints_of(start, end, desk)
    exams = len(await exams_performed(start, end, desk))
    limits = _limits(end, "complaints.answer-days", call, desk)
    today = desk.now.astimezone(desk.settings.zone).date()
    facts = complaint_facts(found, exams, start, today, limits.limit("complaints.answer-days"))
    findings = check(facts, COMPLAINT_RULES, limits, desk.now)
    return _told("complaints", complaint_figures(facts, found, start, today, limits), findings, (start, end), desk)


def _past(call: Call, desk: Desk) -> tuple[date, date]:
    """The period up to today: days to come have no work in them yet."""
    start, end = asked_period(call)
    today = desk.now.astimezone(desk.settings.zone).date()
    if start > today:
        raise unprocessable(
            "The period has not begun yet.",
            "时段尚未开始。",
            at=call.at("periodStart"),
            code="value",
            detail="order.review-period-ahead",
        )
    return start, min(end, today)


def _limits(on: date, one: str, call: Call, desk: Desk) -> Limits:
    limits: Limits = desk.settings.limits.on(on)
    try:
        limits.limit(one)
    except UnknownLimit:
        raise unprocessable(
            "No limits for these figures are in force on that day yet.",
            "该日期尚无生效的指标限值。",
            at=call.at("periodEnd"),
            code="value",
            detail="order.review-before-limits",
        ) from None
    return limits


def _told(
    measure: str, figures: list[Measured], findings: Iterable[Finding], period: tuple[date, date], desk: Desk
) -> Changes:
    found = list(findings)
    report = as_report(measure, figures, found, period, desk.now, desk.new_id())
    about = f"{CANONICAL}/Measure/{measure}"
    answer: list[Resource] = [{"name": "report", "resource": report}]
    answer += [
        {"name": "issue", "resource": as_detected_issue(one, id=f"issue-{n}", subject="", about=about, now=desk.now)}
        for n, one in enumerate(found, 1)
    ]
    return Changes(answer={"resourceType": "Parameters", "parameter": answer})

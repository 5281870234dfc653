"""5.1.3: the number of people fits the work, by what one of them does on a day on duty."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Limit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.review.facts import StaffingFacts, per


@rule("order.technologist-load", clause="CL02-A011:5.1.3", weight="warn")
def technologists_bear_their_load(staff: StaffingFacts, limits: Limits, now: datetime) -> Hit | None:
    """A technologist performs no more exams on a day on duty than the department holds to be safe."""
    limit = limits.limit("staffing.exams-per-technologist-day")
    return _load(staff.exams, staff.technologist_days, limit, ("技师", "检查", "technologist", "exams"))


@rule("order.physician-load", clause="CL02-A011:5.1.3", weight="warn")
def physicians_bear_their_load(staff: StaffingFacts, limits: Limits, now: datetime) -> Hit | None:
    """A physician reports no more exams on a day on duty than the department holds to be safe."""
    limit = limits.limit("staffing.reports-per-physician-day")
    return _load(staff.reports, staff.physician_days, limit, ("医师", "报告", "physician", "reports"))


@rule("order.nurse-load", clause="CL02-A011:5.1.3", weight="warn")
def nurses_bear_their_load(staff: StaffingFacts, limits: Limits, now: datetime) -> Hit | None:
    """A nurse looks after no more exams with contrast on a day on duty than the department holds to be safe."""
    limit = limits.limit("staffing.contrast-exams-per-nurse-day")
    return _load(staff.contrast_exams, staff.nurse_days, limit, ("护士", "增强检查", "nurse", "exams with contrast"))


def _load(done: int, days: int, limit: Limit, words: tuple[str, str, str, str]) -> Hit | None:
    share = per(done, days)
    if not done or (share is not None and share <= limit.value):
        return None
    who_zh, what_zh, who_en, what_en = words
    found = {"done": done, "days-on-duty": days}
    if share is None:
        return Hit(
            f"完成{what_zh} {done} 例，而期内无在岗{who_zh}登记。",
            f"{done} {what_en}, and no {who_en} on duty on record.",
            at="PractitionerRole.period",
            inputs=found,
            limit=limit,
        )
    return Hit(
        f"每名{who_zh}每在岗日{what_zh} {share:.1f} 例，超过 {limit.value} 例。",
        f"{share:.1f} {what_en} for each {who_en} and day on duty, more than {limit.value}.",
        at="PractitionerRole.code",
        inputs=found,
        limit=limit,
    )

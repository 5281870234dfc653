"""J10: many examinations, or much dose, within a year are pointed out."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts


@rule("order.cumulative-exposure", clause="GB18871", weight="warn", domain="J10")
def points_out_cumulative_exposure(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """Who was scanned often within the last months, or received much dose, is pointed out before the next scan.

    The examinations of all institutions count, each once whatever carries it; dose is the sum of effective doses in mSv.
    """
    months = limits.limit("cumulative.months").value
    since = _months_before(now, months)
    exams = [exam for exam in order.earlier if exam.done_at >= since]
    dose = sum(received.effective_msv for received in order.doses if since <= received.at <= now)
    most, highest = limits.limit("cumulative.exams"), limits.limit("cumulative.effective-dose")
    if len(exams) < most.value and dose < highest.value:
        return None
    return Hit(
        f"近 {months} 个月已做 CT {len(exams)} 次，有效剂量合计 {dose:.1f} mSv。",
        f"{len(exams)} CT examinations and {dose:.1f} mSv of effective dose within the last {months} months.",
        at="ServiceRequest.subject",
        inputs={"exams": len(exams), "effective-dose-msv": round(dose, 3), "months": months},
        limit=highest if dose >= highest.value else most,
        weight=Weight.INFO if order.stat else None,
    )


def _months_before(now: datetime, months: int) -> datetime:
    """The same day so many calendar months ago, or the last day of that month."""
    count = now.year * 12 + now.month - 1 - months
    year, month = divmod(count, 12)
    return now.replace(year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1]))

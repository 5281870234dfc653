"""Contrast is given where a crash cart stands that was checked in time and is whole."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Limit
from slipring.rules.limits import Limits
from slipring.rules.months import months_later
from slipring.rules.rulebook import rule

from slipring_consent.readiness.facts import ReadinessFacts


@rule("consent.crash-cart", clause="CL02-A011:5.2.5", weight="warn")
def a_crash_cart_is_ready(facts: ReadinessFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is given where a crash cart stands that was checked in time and is whole.

    Whether one that is not blocks or warns is the department's policy; where an interval that nobody has confirmed decides, a
    block only asks.
    """
    interval = limits.limit("readiness.check_months")
    if not facts.cart:
        return _hit(facts, facts.policy, "没有登记抢救车。", "No crash cart is on record.")
    if facts.checked_on is None:
        return _hit(facts, facts.policy, "抢救车没有检查记录。", "The crash cart was never checked.")
    if facts.faults:
        named = ", ".join(facts.faults)
        zh, en = f"抢救车最近一次检查不合格：{named}。", f"The crash cart failed its last check: {named}."
        return _hit(facts, facts.policy, zh, en)
    due = months_later(facts.checked_on, int(interval.value))
    if limits.day <= due:
        return None
    zh, en = f"抢救车检查已于 {due} 到期。", f"The check of the crash cart was due on {due}."
    return _hit(facts, interval, zh, en)


def _hit(facts: ReadinessFacts, limit: Limit | None, zh: str, en: str) -> Hit:
    checked_on = facts.checked_on.isoformat() if facts.checked_on else ""
    inputs = {"cart": facts.cart, "at-the-room": facts.at_the_room, "checked-on": checked_on}
    return Hit(zh, en, at="MedicationAdministration", inputs=inputs, limit=limit, weight=facts.weight)

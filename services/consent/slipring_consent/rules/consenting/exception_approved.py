"""The head of the institution, or whom it authorised, approves contrast without consent."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule
from slipring.signing.policy import clock_tolerance

from slipring_consent.consenting.exception_facts import ExceptionFacts, part_of_exception


@rule("consent.exception-approver", clause="CL02-A011:5.4.1", weight="stop")
def the_head_approves(facts: ExceptionFacts, limits: Limits, now: datetime) -> Hit | None:
    """The head of the institution, or whom it authorised, approves contrast without consent."""
    at = part_of_exception("approver")
    if not facts.approver:
        return Hit("紧急例外须有批准人。", "The exception names who approved it.", at=at)
    if facts.approver_en:
        return Hit(
            f"批准人未获授权：{facts.approver_zh}",
            f"Who approved it may not: {facts.approver_en}",
            at=at,
        )
    if facts.approved_at is None or facts.approved_at > now + clock_tolerance():
        at = part_of_exception("approved-at")
        return Hit("须注明批准时间，且不晚于现在。", "It says when it was approved, not in the future.", at=at)
    return None

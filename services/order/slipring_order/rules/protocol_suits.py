"""A booked exam has an approved protocol that is meant for it and for its scanner."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.facts import ProtocolFacts


@rule("order.protocol-suits", clause="CL02-A011:5.5.3", weight="warn")
def is_scanned_by_an_approved_protocol(booked: ProtocolFacts, limits: Limits, now: datetime) -> Hit | None:
    """Every exam is scanned by a protocol that the department approved for it on its scanner.

    Whoever scans without one sets the parameters himself, so it is said when the exam gets its time.
    """
    if not booked.found:
        zh, en = "该检查在该 CT 上没有已批准的扫描方案。", "No approved protocol is for this exam on this scanner."
    elif not booked.approved:
        zh, en = "所指扫描方案未经批准。", "The protocol that was named is not approved."
    elif not booked.suits:
        zh, en = (
            "所指扫描方案不适用于该检查、该患者年龄或该 CT。",
            "The protocol that was named is for another exam, age or scanner.",
        )
    else:
        return None
    return Hit(zh, en, at="Task.input")

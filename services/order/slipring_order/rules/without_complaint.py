"""J14: an adult without complaints is not scanned whole or on his own request without approval."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts

_ASYMPTOMATIC = frozenset({"health-check", "screening"})


@rule("order.without-complaint", clause="CL02-A011:5.4.1", weight="warn", domain="J14")
def approves_ct_without_complaint(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """A CT of the whole body, or one that a person asks for himself, without complaint needs a physician's approval.

    A health check is asked for by the person examined; screening is a programme that somebody justified, unless it
    is of the whole body.
    """
    child = limits.limit("child.age-below").value
    if order.surely_below(child):
        return None
    by_himself = order.self_referred or order.purpose == "health-check"
    if not by_himself and not (order.purpose in _ASYMPTOMATIC and order.whole_body):
        return None
    return Hit(
        "无症状者全身或自行要求的 CT 检查，须经医师批准。",
        "A CT of the whole body or on the person's own request, without complaint, needs a physician's approval.",
        at="ServiceRequest.reasonCode",
        inputs={"purpose": order.purpose, "whole-body": order.whole_body, "self-referred": order.self_referred},
    )

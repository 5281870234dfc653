"""J02: only an authorised person requests a CT."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts


@rule("order.requester-authorised", clause="CL02:5.4.3 b", weight="stop", domain="J02")
def comes_from_an_authorised_requester(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """A CT is requested by a person of the staff register who holds one of the roles that may.

    A request without any requester is incomplete, which is another finding.
    """
    if not order.requester_named or not order.requester_lacks:
        return None
    limit = limits.limit("requester.authorised")
    return Hit(
        "申请人未获授权申请 CT 检查。",
        "The requester is not authorised to request CT.",
        at="ServiceRequest.requester",
        inputs={"lacks": list(order.requester_lacks), "roles": sorted(order.requester_roles)},
        limit=limit,
    )

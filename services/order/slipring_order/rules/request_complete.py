"""The request carries what the standard asks for; what is missing is a coded list."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.catalogue import Item, items
from slipring_order.facts import OrderFacts


@rule("order.request-complete", clause="CL02-A011:5.4.3", weight="stop")
def carries_what_the_standard_asks(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """A request states every item of 5.4.3 a to g and the additions for CT.

    "None" and "unknown" are answers: an item is missing only when nothing is said. Examination time and
    receipt are written by the department itself.
    """
    missing = missing_items(order)
    if not missing:
        return None
    return Hit(
        f"申请缺少：{'、'.join(item.zh for item in missing)}。",
        f"The request lacks {', '.join(item.en for item in missing)}.",
        at=missing[0].at,
        inputs={"missing": [item.code for item in missing]},
    )


def missing_items(order: OrderFacts) -> list[Item]:
    """The items nothing is said about, in the order they are asked for."""
    said = {
        "patient-identity": order.patient_identified,
        "patient-sex": bool(order.sex),
        "patient-birth-date": bool(order.birth_date),
        "patient-contact": order.patient_reachable,
        "requester": order.requester_named,
        "requester-contact": order.requester_reachable,
        "body-site": order.site_named,
        "examination": order.exam_named,
        "examination-code": order.exam_coded,
    }
    return [item for code, item in items().items() if not said.get(code, code in order.statements)]

"""J18: an exam of a patient who is recorded as deceased is of the wrong patient, or has its reason."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts

_AFTER_DEATH = "legal"  # a forensic examination says so


@rule("order.patient-alive", clause="CL02-A011:5.4.1", weight="ask", domain="J18")
def asks_about_a_deceased_patient(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """An exam of a patient who is recorded as deceased waits for a physician, who finds the record wrong or the exam meant.

    A forensic examination says what it is for, and an emergency is not held up by a record: there it is shown.
    """
    if not order.deceased:
        return None
    return Hit(
        "患者档案记录为已死亡：请核对患者身份与档案，或说明检查理由。",
        "The patient is recorded as deceased: check the identity and the record, or say why the exam is meant.",
        at="ServiceRequest.subject",
        inputs={"purpose": order.purpose},
        weight=Weight.INFO if order.stat or order.purpose == _AFTER_DEATH else None,
    )

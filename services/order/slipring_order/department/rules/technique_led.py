"""4.1.2.5: who may lead the technique."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.department.facts import DepartmentFacts


@rule("order.technique-led", clause="CL02-A011:4.1.2.5", weight="warn")
def has_somebody_to_lead_technique(department: DepartmentFacts, limits: Limits, now: datetime) -> Hit | None:
    """The department has an associate-chief technologist, or a supervising one of five years at CT, to lead technique."""
    if department.technical_leads:
        return None
    return Hit(
        "没有副主任技师，或从事 CT 操作五年以上的主管技师负责技术管理。",
        "There is no associate-chief technologist, nor a supervising one of five years, to lead the technique.",
        at="Practitioner.qualification",
    )

"""4.1.2.5: who may lead the diagnosis."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.department.facts import DepartmentFacts


@rule("order.diagnosis-led", clause="CL02-A011:4.1.2.5", weight="warn")
def has_somebody_to_lead_diagnosis(department: DepartmentFacts, limits: Limits, now: datetime) -> Hit | None:
    """The department has a chief imaging physician, or an associate chief of ten years, to lead the diagnosis."""
    if department.diagnosis_leads:
        return None
    return Hit(
        "没有主任医师，或从事影像诊断十年以上的副主任医师负责诊断管理。",
        "There is no chief physician, nor an associate chief of ten years, to lead the diagnosis.",
        at="Practitioner.qualification",
    )

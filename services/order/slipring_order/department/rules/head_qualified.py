"""4.1.1.4: who heads the CT room."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.department.facts import DepartmentFacts


@rule("order.head-qualified", clause="CL02-A011:4.1.1.4", weight="warn")
def is_headed_by_a_qualified_physician(department: DepartmentFacts, limits: Limits, now: datetime) -> Hit | None:
    """The CT room is headed by an imaging physician of associate-chief rank or higher with ten years of diagnosis."""
    if not department.heads:
        return Hit("未登记 CT 室负责人。", "Nobody is named head of the CT room.", at="PractitionerRole.code")
    if department.head_lacks:
        return Hit(
            "CT 室负责人不符合职称或年限要求。",
            "The head of the CT room lacks the title or the years.",
            at="Practitioner.qualification",
            inputs={"lacks": list(department.head_lacks)},
        )
    return None

"""4.1.1.2: the practice licence."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.department.facts import DepartmentFacts


@rule("order.licence-names-imaging", clause="CL02-A011:4.1.1.2", weight="warn")
def is_licensed_for_imaging(department: DepartmentFacts, limits: Limits, now: datetime) -> Hit | None:
    """The practice licence in force names a specialty of medical imaging.

    A licence that is missing altogether is another line of the due list.
    """
    if not department.licensed or department.licence_names_imaging:
        return None
    return Hit(
        "执业许可证的诊疗科目未注明医学影像相关专业。",
        "The practice licence names no specialty of medical imaging.",
        at="DocumentReference.context.event",
    )

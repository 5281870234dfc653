"""4.1.1.2: how long CT has been practised."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.department.facts import DepartmentFacts


@rule("order.years-of-ct", clause="CL02-A011:4.1.1.2", weight="warn")
def has_practised_ct_long_enough(department: DepartmentFacts, limits: Limits, now: datetime) -> Hit | None:
    """CT has been practised for at least two years since the licence was granted."""
    limit = limits.limit("documents.years-of-ct")
    if not department.licensed or department.years_of_ct >= limit.value:
        return None
    return Hit(
        f"自获准执业起开展 CT 检查未满 {limit.value} 年。",
        f"CT has been practised for fewer than {limit.value} years since the licence.",
        at="DocumentReference.context.period.start",
        inputs={"years": department.years_of_ct},
        limit=limit,
    )

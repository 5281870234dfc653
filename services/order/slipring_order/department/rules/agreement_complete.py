"""4.4.1: what the service agreement covers."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.department.facts import DepartmentFacts


@rule("order.agreement-complete", clause="CL02-A011:4.4.1", weight="warn")
def covers_what_an_agreement_must(department: DepartmentFacts, limits: Limits, now: datetime) -> Hit | None:
    """The service agreement covers its seven parts.

    Notices, items, methods, the consent form for contrast, unexpected results, special cases, the report.
    """
    if not department.agreed or not department.agreement_lacks:
        return None
    lacks = ", ".join(department.agreement_lacks)
    return Hit(
        f"服务协议缺少以下内容：{lacks}。",
        f"The service agreement does not cover: {lacks}.",
        at="DocumentReference.context.event",
        inputs={"lacks": list(department.agreement_lacks)},
    )

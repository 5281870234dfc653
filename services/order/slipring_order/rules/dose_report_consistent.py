"""A dose report agrees with itself: what it states in total is what its events say."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.dose.report import DoseReport

DOSE_IN_DOUBT = "order.dose-report-consistent"


@rule(DOSE_IN_DOUBT, clause="CL02-A011:5.6.2.3", weight="warn")
def agrees_with_itself(report: DoseReport, limits: Limits, now: datetime) -> Hit | None:
    """A dose report whose total, events and numbers contradict one another is kept, and looked at by a person.

    The figures stay as the scanner stated them: which of them is wrong is not for a rule to say.
    """
    tolerance = limits.limit("dose.total-tolerance")
    found = report.doubts(Decimal(str(tolerance.value)))
    if not found:
        return None
    return Hit(
        f"剂量报告自相矛盾，请核对：{'；'.join(doubt.zh for doubt in found)}。",
        f"The dose report contradicts itself, please check it: {'; '.join(doubt.en for doubt in found)}.",
        at="Observation.component",
        inputs={"report": report.sop_instance_uid},
        limit=tolerance if any(doubt.by_tolerance for doubt in found) else None,
    )

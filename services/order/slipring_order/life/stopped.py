"""An exam that was stopped as wrong stands again: what is told later of the wrong scan is no scan of it."""

from __future__ import annotations

from datetime import UTC, datetime

from slipring.fhir.findings import rule_of
from slipring.fhir.service import Desk, Stored

from slipring_order.images.mismatch import is_mismatch
from slipring_order.reading import moment

# What was wrong -> event of the table, Chinese, English.
WRONG = {
    "wrong-part": ("stop-wrong-part", "检查部位错误", "the wrong part was examined"),
    "wrong-side": ("stop-wrong-part", "检查侧别错误", "the wrong side was examined"),
    "wrong-examination": ("stop-wrong-part", "检查项目错误", "another examination was done"),
    "wrong-patient": ("stop-wrong-patient", "检查对象错误", "another patient was examined"),
}


def rule(what: str) -> str:
    """The rule id of the finding that an exam was stopped for this."""
    return f"order.{what}"


_RULES = frozenset(map(rule, WRONG))


async def stopped_at(exam: Stored, desk: Desk) -> datetime | None:
    """When an exam was last stopped as wrong, settled since or not; None where it never was."""
    found = [one.resource for one in await desk.search(f"DetectedIssue?implicated={exam.reference}") if not one.source]
    told = [moment(one.get("identifiedDateTime"), UTC) for one in found if is_mismatch(one) and rule_of(one) in _RULES]
    return max((at for at in told if at is not None), default=None)

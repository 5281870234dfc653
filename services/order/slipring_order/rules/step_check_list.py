"""What belongs to every scan is confirmed item by item."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.facts import StartFacts

_ITEMS = {
    "identity-confirmed": ("核对身份", "identity"),
    "item-confirmed": ("核对检查项目", "examination"),
    "parameters-set": ("设定扫描参数", "parameters"),
    "exam-done": ("检查完成", "completion"),
}


@rule("order.step-check-list", clause="CL02-A011:5.5.1.1", weight="warn")
def every_step_of_the_exam_is_confirmed(start: StartFacts, limits: Limits, now: datetime) -> Hit | None:
    """Identity, examination, parameters and completion of a scan are each confirmed by a named person."""
    lacking = [item for item in _ITEMS if item not in start.confirmed]
    if not lacking:
        return None
    return Hit(
        f"检查步骤未全部确认：{'、'.join(_ITEMS[item][0] for item in lacking)}。",
        f"Steps of the exam were not confirmed: {', '.join(_ITEMS[item][1] for item in lacking)}.",
        at="Task.input",
        inputs={"lacking": lacking},
    )

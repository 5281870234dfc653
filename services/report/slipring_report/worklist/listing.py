"""The reading list: what waits, the most urgent first, each with its clock in figures. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from slipring.fhir.service import Resource

from slipring_report.reading import reference_of
from slipring_report.resources import written
from slipring_report.worklist.life import clock_of, state_of
from slipring_report.worklist.reading_task import clock_named, due_at, holder_of, lease_of, since

_SINCE = {
    "acquired": ("自检查结束起", "from the end of the exam"),
    "started": ("自检查开始起", "from the start of the exam"),
    "requested": ("自申请起", "from the request"),
}
_HOURS = {"always": ("分钟", "min"), "working": ("工作分钟", "working min")}


def by_urgency(tasks: Iterable[Resource]) -> list[Resource]:
    """The readings by their deadline; those that wait for images come last."""
    return sorted(tasks, key=lambda task: (state_of(task) == "awaiting-images", due_at(task), task["id"]))


def as_entry(task: Resource, now: datetime) -> Resource:
    """One line of the list, as a parameter with parts."""
    clock = clock_named(task)
    zh, en = figure(clock)
    parts: list[Resource] = [
        {"name": "task", "resource": task},
        {"name": "state", "valueCode": state_of(task)},
        {"name": "clockState", "valueCode": clock_of(task)},
        {"name": "dueAt", "valueInstant": written(due_at(task))},
        {"name": "since", "valueInstant": written(since(task))},
        {"name": "minutesLeft", "valueInteger": int((due_at(task) - now).total_seconds() // 60)},
        {"name": "clock", "valueCode": clock["clock"]},
        {"name": "clockMinutes", "valueInteger": clock["clock-minutes"]},
        {"name": "clockZh", "valueString": zh},
        {"name": "clockEn", "valueString": en},
        {"name": "clockSource", "valueString": clock["clock-source"]},
        {"name": "clockConfirmed", "valueBoolean": clock["clock-confirmed"]},
    ]
    parts += [{"name": "yearNotCovered", "valueInteger": year} for year in clock["year-not-covered"]]
    if holder := holder_of(task):
        parts += [{"name": "holder", "valueReference": {"reference": holder}}]
        parts += [{"name": "leaseUntil", "valueInstant": lease_of(task)}]
    if request := reference_of(task.get("focus")):
        parts.append({"name": "request", "valueReference": {"reference": request}})
    return {"name": "reading", "part": parts}


def figure(clock: dict[str, Any]) -> tuple[str, str]:
    """The clock in words, with its figure: never a colour without a number."""
    (since_zh, since_en), (unit_zh, unit_en) = _SINCE[clock["clock-since"]], _HOURS[clock["clock-hours"]]
    minutes = clock["clock-minutes"]
    years = ", ".join(map(str, clock["year-not-covered"]))
    zh = f"{since_zh} {minutes} {unit_zh}" + ("" if clock["clock-confirmed"] else "（默认值，待确认）")
    en = f"{minutes} {unit_en} {since_en}" + ("" if clock["clock-confirmed"] else " (unconfirmed default)")
    if years:
        zh += f"；{years} 年节假日未录入，仅按周计算"
        en += f"; holidays of {years} are not known, the week alone counts"
    return zh, en

"""How the green channel is used, per requester and period, and what waits longer than it should."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Stored

from slipring_order import resources
from slipring_order.judging import follow_ups
from slipring_order.life import overdue
from slipring_order.reading import instant, moment, reference_of

_LONGEST = timedelta(days=366)


async def emergency_use(call: Call, desk: Desk) -> Changes:
    """`Task/$emergency-use`: requests, stat requests, emergency passes and late answers per requester (4.14.2)."""
    start, end = _period(call, desk)
    counts: dict[str, Counter[str]] = {}
    day = start
    while day < end:
        for task in await _tasks(day, min(day + timedelta(days=1), end), desk):
            _count(task.resource, counts, desk)
        day += timedelta(days=1)
    rows = [_row(who, counted) for who, counted in sorted(counts.items())]
    return Changes(answer={"resourceType": "Parameters", "parameter": rows})


async def what_is_overdue(call: Call, desk: Desk) -> Changes:
    """`Task/$overdue`: everything of the requests' life that waits past its time, the longest overdue first."""
    found = sorted(await overdue.waiting(desk), key=lambda item: item.due_at)
    rows = [_item(one, desk.now) for one in found]
    return Changes(answer={"resourceType": "Parameters", "parameter": rows})


def _period(call: Call, desk: Desk) -> tuple[datetime, datetime]:
    given = call.value("period") or {}
    zone = desk.settings.zone
    start = moment(given.get("start"), zone) or desk.now - timedelta(days=30)
    end = moment(given.get("end"), zone, end_of_day=True) or desk.now
    if end <= start or end - start > _LONGEST:
        raise unprocessable(
            "The period ends after its start, within a year.",
            "时间段的结束须晚于开始，且不超过一年。",
            at=call.at("period"),
            detail="order.period-unusable",
        )
    return start, end


async def _tasks(start: datetime, end: datetime, desk: Desk) -> list[Stored]:
    """The exams and follow-ups made within a span, both a day long at most."""
    kinds = ",".join(f"{resources.TASK_CODE_SYSTEM}|{code}" for code in ("exam", follow_ups.CODE))
    asked = f"Task?code={kinds}&authored-on=ge{instant(start)}&authored-on=lt{instant(end)}"
    return [one for one in await desk.search(asked) if not one.source]


def _count(task: Resource, counts: dict[str, Counter[str]], desk: Desk) -> None:
    if resources.is_exam(task):
        counted = counts.setdefault(reference_of(task.get("requester")), Counter())
        counted["requests"] += 1
        counted["stat"] += task.get("priority") == "stat"
        return
    counted = counts.setdefault(reference_of(task.get("owner")), Counter())
    counted["passes"] += 1
    counted["answeredLate"] += follow_ups.was_late(task, desk)
    counted["open"] += task.get("status") == "requested"


def _row(who: str, counted: Counter[str]) -> Resource:
    parts: list[dict[str, Any]] = [{"name": "requester", "valueReference": {"reference": who}}] if who else []
    names = ("requests", "stat", "passes", "answeredLate", "open")
    parts += [{"name": name, "valueInteger": counted[name]} for name in names]
    return {"name": "use", "part": parts}


def _item(item: overdue.Overdue, now: datetime) -> Resource:
    return {
        "name": "item",
        "part": [
            {"name": "what", "valueCode": item.what},
            {"name": "exam", "valueReference": {"reference": item.exam}},
            {"name": "task", "valueReference": {"reference": item.task}},
            {"name": "dueAt", "valueInstant": instant(item.due_at)},
            {"name": "minutes", "valueInteger": int((now - item.due_at).total_seconds() // 60)},
            {"name": "zh", "valueString": item.zh},
            {"name": "en", "valueString": item.en},
        ],
    }

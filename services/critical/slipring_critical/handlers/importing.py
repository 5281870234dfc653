"""A calendar file (RFC 5545) becomes the shifts of a roster: all of it or nothing, and first, if asked so, on paper only."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from slipring.fhir.outcome import FhirError, Issue, unprocessable
from slipring.fhir.service import Ahead, Call, Changes, Desk, Resource, Stored

from slipring_critical.cases.facts import reference_of
from slipring_critical.cases.resources import instant
from slipring_critical.directory.ical import Asked, Occurrence, Read
from slipring_critical.directory.ical_apart import read_apart
from slipring_critical.directory.ical_lines import Bounds, Fault
from slipring_critical.directory.ical_people import Register, register
from slipring_critical.directory.ical_shifts import UNCHANGED, Planned, planned
from slipring_critical.directory.people import demand_keeper, names_ahead, routes_in_force
from slipring_critical.directory.roster import Turn, policy
from slipring_critical.directory.schedules import with_shifts
from slipring_critical.directory.watching import gaps_of, look
from slipring_critical.handlers.import_words import issue_of
from slipring_critical.handlers.rosters import known_roster, unfit

_STAFF = "Practitioner?"
_FILES = ("text", "file", "binary")


async def calendar_imported(call: Call, desk: Desk) -> Changes:
    """Read a calendar into the shifts of a roster; `dryRun` tells what would be stored, and the gaps that it leaves."""
    schedule = known_roster(call.target, "Schedule.serviceType")
    await demand_keeper(desk, "Slot")
    bounds: Bounds = desk.settings.import_bounds
    at, text = _text(call, bounds["longest-bytes"])
    until = desk.now + timedelta(days=bounds["horizon-days"])
    read = await read_apart(text, Asked(desk.now, until, desk.settings.zone, _all_day_from(call), bounds))
    most = bounds["most-faults"]
    if read.faults:
        raise _refused([issue_of(one, at) for one in read.faults], most)
    standing = await _standing(desk, schedule, until)
    known = register(
        [one.resource for one in await desk.search(_STAFF)], _table(call), shortest_number=bounds["shortest-number"]
    )
    meant = await _fit(_meant(read, known, at, most), at, desk)
    plan = planned(
        meant, standing, read.uids, schedule=schedule.reference, now=desk.now, complete=call.value("complete") is True,
        new_id=desk.new_id,
    )  # fmt: skip
    stored = call.value("dryRun") is not True
    answer = await _told(plan, read, schedule, until, desk, stored=stored)
    saves = [save for one in plan if (save := one.save)]
    if not stored or not saves:
        return Changes(answer=answer)
    return Changes(save=saves, wake=[look(schedule.reference)], answer=answer)


def _text(call: Call, longest: int) -> tuple[str, str]:
    """Where the file stands in the call, and what it says."""
    given = [name for name in _FILES if call.value(name) is not None]
    if len(given) != 1:
        raise unprocessable(
            f"A calendar is given once: as {', '.join(_FILES)}.", f"日历文件须且仅须以下列参数之一给出：{'、'.join(_FILES)}。",
            at=call.at(given[1] if given else "text"), detail="critical.import-file",
        )  # fmt: skip
    [name] = given
    at, value = call.at(name), call.value(name)
    try:
        if name == "text":
            content = str(value).encode()
        else:
            content = base64.b64decode(
                "".join(str(value if name == "file" else value.get("data", "")).split()), validate=True
            )
        text = content.decode("utf-8-sig")
    except (binascii.Error, ValueError):
        raise unprocessable(
            "The file is text in UTF-8, base64 where the parameter is binary.", "文件须为 UTF-8 文本；二进制参数须为 base64。",
            at=at, detail="critical.import-encoding",
        ) from None  # fmt: skip
    if len(content) > longest:
        raise unprocessable(
            f"The file is longer than {longest} bytes.",
            f"文件超过 {longest} 字节。",
            at=at,
            detail="critical.import-size",
        )
    return at, text


def _all_day_from(call: Call) -> time:
    told = call.value("allDayFrom")
    try:
        return time.fromisoformat(str(told)) if told is not None else time()
    except ValueError:
        raise unprocessable(
            "allDayFrom is an hour of the day, such as 08:00:00.", "allDayFrom 须为时刻，例如 08:00:00。",
            at=call.at("allDayFrom"), detail="critical.import-all-day",
        ) from None  # fmt: skip


def _table(call: Call) -> list[tuple[str, str]]:
    """Who is meant by which words; a role or a place is nobody."""
    found = []
    for place, one in enumerate(call.parameters.get("parameter", [])):
        if one.get("name") != "person":
            continue
        parts = {part["name"]: part for part in one["part"]}
        text, who = str(parts["named"].get("valueString", "")), reference_of(parts["is"].get("valueReference"))
        if not who.startswith("Practitioner/") or not text.strip():
            raise unprocessable(
                "Words of the calendar stand for a Practitioner.", "日历中的文字须对应一名人员（Practitioner）。",
                at=f"Parameters.parameter[{place}]", detail="critical.import-person",
            )  # fmt: skip
        found.append((text, who))
    return found


def _meant(read: Read, known: Register, at: str, most: int) -> list[tuple[Occurrence, str]]:
    """Every occurrence with each of its people; 422 with every event whose people are not known."""
    found: list[tuple[Occurrence, str]] = []
    unknown: dict[tuple[int, str], Fault] = {}
    for one in read.occurrences:
        people, why = known.meant(one)
        if why:
            unknown.setdefault((one.line, why), Fault(why, one.line, one.uid))
        found += [(one, person) for person in people]
    if unknown:
        raise _refused([issue_of(fault, at) for fault in unknown.values()], most)
    return found


async def _fit(meant: Sequence[tuple[Occurrence, str]], at: str, desk: Desk) -> Sequence[tuple[Occurrence, str]]:
    """422 with everybody who can be put on no roster, at his first shift."""
    first: dict[str, Occurrence] = {}
    for one, person in sorted(meant, key=lambda pair: pair[0].start):
        first.setdefault(person, one)
    await desk.foresee(Ahead(list(first), names_ahead(first).queries))
    endpoints, issues = await routes_in_force(desk), list[Issue]()
    for person, one in first.items():
        for issue in await unfit(desk, person, endpoints, at, Turn(one.start, one.end, ())):
            issues.append(
                replace(
                    issue,
                    zh=f"第 {one.line} 行（UID {one.uid}）：{issue.zh}",
                    en=f"Line {one.line} (UID {one.uid}): {issue.en}",
                )
            )
    if issues:
        raise _refused(issues, desk.settings.import_bounds["most-faults"])
    return meant


async def _standing(desk: Desk, schedule: Stored, until: datetime) -> list[Stored]:
    """Every Slot of the roster that may still matter, withdrawn ones too."""
    earliest = desk.now - timedelta(days=policy()["longest-shift-days"])
    since, before = (at.isoformat(timespec="seconds").replace("+00:00", "Z") for at in (earliest, until))
    found = await desk.search(f"Slot?schedule={schedule.reference}&start=ge{since}&start=lt{before}")
    return [one for one in found if not one.source]


def _refused(issues: Sequence[Issue], most: int) -> FhirError:
    """All that is wrong at once, up to a bound."""
    return FhirError(422, [*issues[:most], *([issue_of(Fault("more"), issues[0].at)] if len(issues) > most else [])])


async def _told(
    plan: Sequence[Planned], read: Read, schedule: Stored, until: datetime, desk: Desk, *, stored: bool
) -> Resource:
    last = max((one.end for one in plan), default=desk.now + timedelta(days=policy()["look-ahead-days"]))
    roster = await with_shifts(desk, schedule, desk.now, last)
    changed = {f"Slot/{one.slot['id']}" for one in plan if one.action != UNCHANGED}
    shifts = [one for one in roster.shifts if one.slot not in changed]
    shifts += [one.shift(desk.now) for one in plan if one.counts]
    gaps = await gaps_of(desk, replace(roster, shifts=tuple(shifts)), desk.now, last)
    head: list[Resource] = [
        {"name": "stored", "valueBoolean": stored},
        {"name": "from", "valueInstant": instant(desk.now)},
        {"name": "until", "valueInstant": instant(until)},
        {"name": "cancelled", "valueInteger": read.cancelled},
        {"name": "later", "valueInteger": read.later},
    ]
    told = [{"name": "shift", "part": list(_shift(one))} for one in plan]
    missing = [
        {
            "name": "gap",
            "part": [*_hours(one.start, one.end), {"name": "reason", "valueCode": one.reason}, *_people(one.people)],
        }
        for one in gaps
    ]
    return {"resourceType": "Parameters", "parameter": [*head, *told, *missing]}


def _shift(one: Planned) -> Iterator[Resource]:
    yield {"name": "action", "valueCode": one.action}
    yield {"name": "event", "valueString": one.event}
    if one.line:
        yield {"name": "line", "valuePositiveInt": one.line}
    yield from _hours(one.start, one.end)
    yield from _people([one.person])


def _hours(start: datetime, end: datetime) -> list[Resource]:
    return [{"name": "start", "valueInstant": instant(start)}, {"name": "end", "valueInstant": instant(end)}]


def _people(people: Sequence[str]) -> list[dict[str, Any]]:
    return [{"name": "person", "valueReference": {"reference": who}} for who in people]

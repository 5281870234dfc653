"""The day as it stands: free slots, a scanner's day, the queue, and who has arrived."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from slipring.fhir.outcome import not_found
from slipring.fhir.service import Call, Changes, Desk, Resource, Stored

from slipring_order import resources
from slipring_order.asked_day import asked_day
from slipring_order.reading import has_system, instant, reference_of
from slipring_order.rooms.appointments import taken_on
from slipring_order.rooms.arriving import arrived_at, occurred_in
from slipring_order.rooms.booking import demand_a_ct, known_scanner, read_scanner
from slipring_order.rooms.checks import ARRIVAL, KIND_SYSTEM, is_record_of
from slipring_order.rooms.day import Span, Taken, free_slots, slots, span_of_day
from slipring_order.rooms.queue import Waiting, in_order
from slipring_order.rooms.scanner import Scanner
from slipring_order.rooms.step import ENDED, STEP_CODE, read_step

_HERE = "arrived,ready"


async def free(call: Call, desk: Desk) -> Changes:
    """`Device/[id]/$slots`: the free slots of a day; none on a scanner that is out of service."""
    scanner, day, taken = await _day(call, desk)
    found = free_slots(scanner.hours, day, taken, desk.now, desk.settings.zone) if scanner.in_service else []
    return _answer([{"name": "slot", "valuePeriod": _period(span)} for span in found])


async def whole_day(call: Call, desk: Desk) -> Changes:
    """`Device/[id]/$day`: every slot of a day and everything that is booked, in the order of time."""
    scanner, day, taken = await _day(call, desk)
    today = span_of_day(day, desk.settings.zone)
    booked = [(one.span, _booked(one, await _exam(one, desk))) for one in taken if one.span.meets(today)]
    # What has begun is no longer offered, and is shown nevertheless.
    open_ = [one for one in slots(scanner.hours, day, desk.settings.zone) if not any(t.span.meets(one) for t in taken)]
    state = "free" if scanner.in_service else "blocked"
    offered = [(one, [{"name": "state", "valueCode": state}]) for one in open_ if one.ends_at > desk.now]
    return _answer(
        [
            {"name": "entry", "part": [{"name": "period", "valuePeriod": _period(span)}, *parts]}
            for span, parts in sorted([*booked, *offered], key=lambda entry: entry[0].starts_at)
        ]
    )


async def queue(call: Call, desk: Desk) -> Changes:
    """`Task/$queue`: the patients who are here, in the order in which they are scanned; of one scanner or of all."""
    asked, waiting = call.value("scanner"), list[Waiting]()
    wanted = (await known_scanner(asked, call.at("scanner"), desk)).reference if asked else ""
    for exam in await desk.search(f"Task?code={resources.TASK_CODE_SYSTEM}|exam&business-status={_HERE}"):
        if exam.source:
            continue
        scanner = await _scanner_of(exam, desk)
        if not wanted or scanner in ("", wanted):  # who has no time yet waits for whichever is free
            priority = str(exam.resource.get("priority", "routine"))
            waiting.append(Waiting(exam.reference, priority, await _arrived_at(exam, desk), scanner))
    return _answer(
        [
            {
                "name": "entry",
                "part": [
                    {"name": "number", "valueInteger": place.number},
                    {"name": "exam", "valueReference": {"reference": place.waiting.exam}},
                    {"name": "priority", "valueCode": place.waiting.priority},
                    {"name": "arrived", "valueInstant": instant(place.waiting.arrived_at)},
                    {"name": "waited", "valueInteger": _minutes(desk.now - place.waiting.arrived_at)},
                    {"name": "bumpedBy", "valueInteger": place.bumped_by},
                    *(
                        [{"name": "scanner", "valueReference": {"reference": s}}]
                        if (s := place.waiting.scanner)
                        else []
                    ),
                ],
            }
            for place in in_order(waiting)
        ]
    )


async def arrivals(call: Call, desk: Desk) -> Changes:
    """`Task/$arrivals`: the arrival register of a day (4.13 d): when, who received, by which kinds of identifier."""
    span = span_of_day(_asked(call, desk), desk.settings.zone)
    found = await desk.search(f"Provenance?recorded=ge{instant(span.starts_at)}&recorded=lt{instant(span.ends_at)}")
    records = sorted(
        (one.resource for one in found if not one.source and is_record_of(one.resource, ARRIVAL)),
        key=occurred_in,
    )
    return _answer([await _line(record, desk) for record in records])


async def _line(record: Resource, desk: Desk) -> Resource:
    exam = await desk.read(reference_of(record["target"][0]))
    tree = exam.resource if exam else {}
    parts: list[Resource] = [
        {"name": "exam", "valueReference": {"reference": reference_of(record["target"][0])}},
        {"name": "arrived", "valueInstant": occurred_in(record)},
        {"name": "receivedBy", "valueReference": record["agent"][0]["who"]},
        *(
            {"name": "kind", "valueString": reason["text"]}
            for reason in record.get("reason", [])
            if has_system(reason, KIND_SYSTEM)
        ),
    ]
    if tree.get("for"):
        parts.append({"name": "patient", "valueReference": tree["for"]})
    if number := tree.get("groupIdentifier", {}).get("value"):
        parts.append({"name": "imagingNumber", "valueString": number})
    return {"name": "entry", "part": parts}


async def _day(call: Call, desk: Desk) -> tuple[Scanner, date, list[Taken]]:
    """The scanner, the day, and all that holds the scanner until the last slot that begins on that day is over."""
    if call.target is None:
        raise not_found("Device")
    demand_a_ct(call.target, "Device.type")
    scanner, day = await read_scanner(call.target, desk), _asked(call, desk)
    whole = span_of_day(day, desk.settings.zone)
    span = Span(whole.starts_at, whole.ends_at + scanner.hours.slot)
    return scanner, day, await taken_on(scanner.reference, span, desk)


def _asked(call: Call, desk: Desk) -> date:
    return asked_day(call, "day", desk.now.astimezone(desk.settings.zone).date())


def _booked(one: Taken, exam: Stored | None) -> list[Resource]:
    parts: list[Resource] = [
        {"name": "state", "valueCode": "blocked" if one.blocks else "booked"},
        {"name": "appointment", "valueReference": {"reference": one.appointment}},
    ]
    return [*parts, {"name": "exam", "valueReference": {"reference": exam.reference}}] if exam else parts


async def _exam(one: Taken, desk: Desk) -> Stored | None:
    if one.blocks:
        return None
    found = await desk.search(f"Task?focus={one.request}&code={resources.TASK_CODE_SYSTEM}|exam")
    return next((exam for exam in found if not exam.source), None)


async def _scanner_of(exam: Stored, desk: Desk) -> str:
    if "restriction" not in exam.resource:
        return ""
    for step in await desk.search(f"Task?part-of={exam.reference}&code={resources.TASK_CODE_SYSTEM}|{STEP_CODE}"):
        if step.resource["status"] not in ENDED:
            return read_step(step.resource).scanner
    return ""


async def _arrived_at(exam: Stored, desk: Desk) -> datetime:
    """When he was received; where nobody recorded it, when the exam last changed."""
    return await arrived_at(exam, desk) or datetime.fromisoformat(exam.resource["lastModified"])


def _minutes(waited: timedelta) -> int:
    return max(0, waited // timedelta(minutes=1))


def _period(span: Span) -> Resource:
    return {"start": instant(span.starts_at), "end": instant(span.ends_at)}


def _answer(parameters: list[Any]) -> Changes:
    return Changes(answer={"resourceType": "Parameters"} | ({"parameter": parameters} if parameters else {}))

"""The scheduled time of the scanners in a period, with what took them out of use: reads only."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from slipring.fhir.service import Desk, Stored
from slipring.measuring.asking import Question
from slipring.qc.indicators.asked import Counting

from slipring_order.asked_day import found_by_day
from slipring_order.availability.stretches import Reckoned, Stretch, cut
from slipring_order.rooms.appointments import MAINTENANCE, given_back, is_block, longest, scanner_in, span_of
from slipring_order.rooms.booking import read_scanner
from slipring_order.rooms.scanner import CT_TYPES, in_service

_A_DAY = timedelta(days=1)


async def scanner_time(desk: Desk, question: Question) -> Counting:
    """Every CT known here, by the hours it keeps now; maintenance and the states of its Device over time take it out."""
    asked = question.asked("scanner-time")
    scheduled: list[Stretch] = []
    down: list[Stretch] = []
    for device in await desk.search(f"Device?type={','.join(sorted(CT_TYPES))}"):
        known_at, outages = await _states(device, asked.end, desk)
        scanner = await read_scanner(device, desk)
        begins = max(asked.start, known_at)
        day = asked.start.astimezone(question.zone).date() - _A_DAY  # a night shift reaches into the period
        while day <= question.end:
            for span in scanner.hours.on(day, question.zone):
                start, end = max(span.starts_at, begins), min(span.ends_at, asked.end)
                if start < end:
                    scheduled.append(Stretch(device.reference, start, end))
            day += _A_DAY
        down += outages
    down += await _maintenance(asked.start.astimezone(question.zone).date(), question.end, desk)
    return Reckoned(cut(scheduled, down), question.zone)


async def _states(device: Stored, until: datetime, desk: Desk) -> tuple[datetime, list[Stretch]]:
    """Since when a scanner is known, and when its Device said that it was out of service."""
    versions = [
        device if number == device.version else await desk.read_version(device.reference, number)
        for number in range(1, device.version + 1)
    ]
    known = [one for one in versions if one is not None]
    ends = [*(one.updated_at for one in known[1:]), until]
    out = [
        Stretch(device.reference, one.updated_at, end, device.reference)
        for one, end in zip(known, ends, strict=True)
        if not in_service(one.resource) and one.updated_at < end
    ]
    return known[0].updated_at, out


async def _maintenance(first: date, last: date, desk: Desk) -> list[Stretch]:
    began = first - timedelta(days=longest(block=True).days + 1)
    found = await found_by_day(f"Appointment?service-type={MAINTENANCE}", "date", (began, last), desk)
    stretches = []
    for one in found:
        span, scanner = span_of(one.resource), scanner_in(one.resource)
        if span and scanner and is_block(one.resource) and not given_back(one.resource):
            stretches.append(Stretch(scanner, span.starts_at, span.ends_at, one.reference))
    return stretches

"""`Medication/$reaction-rates`: how often contrast was followed by a reaction, per agent or lot; nothing is stored (4.13)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from slipring.fhir.outcome import FhirError, unprocessable
from slipring.fhir.service import Call, Changes, Desk

from slipring_consent.department import limits_of, settings_of
from slipring_consent.reactions.grades import GRADES
from slipring_consent.reactions.timing import between, bounds
from slipring_consent.reading import moment
from slipring_consent.surveillance.gathering import given_in, reactions_since
from slipring_consent.surveillance.given import rates
from slipring_consent.surveillance.report import as_parameters, as_report

BY = ("agent", "lot")
_LONGEST = timedelta(days=3 * 366)
_A_SECOND = timedelta(seconds=1)
_USUAL = timedelta(days=365)


async def rates_told(call: Call, desk: Desk) -> Changes:
    """The rates of a period by when the contrast was given; without one, of the last year."""
    by, least = _one_of("by", BY, call) or "agent", _one_of("severity", GRADES, call)
    start, end = _period(call, desk)
    given = await given_in(start, end, desk)
    limits = limits_of(desk)
    found = rates(given, await reactions_since(start, desk), by, least, timed=partial(between, limits=limits))
    report = as_report(found, start, end, by, now=desk.now, id=desk.new_id())
    return Changes(answer=as_parameters(found, start, end, report, bounds(limits)))


def _one_of(name: str, known: tuple[str, ...], call: Call) -> str:
    value = str(call.value(name) or "")
    if value and value not in known:
        raise unprocessable(
            f"{name} is one of {', '.join(known)}.",
            f"{name} 须为以下之一：{'、'.join(known)}。",
            at=call.at(name),
            code="code-invalid",
            detail="consent.rates-code",
        )
    return value


def _period(call: Call, desk: Desk) -> tuple[datetime, datetime]:
    period, zone = call.value("period") or {}, settings_of(desk).time_zone
    asked = (moment(period.get("start"), zone), moment(period.get("end"), zone, end_of_day=True))
    end = min(asked[1] or desk.now, desk.now)
    start = asked[0] or end - _USUAL
    if start > end or end - start > _LONGEST or _unread(period, asked):
        raise _odd_period(call)
    return start, end + _A_SECOND  # a Period's end belongs to it


def _unread(period: dict[str, str], asked: tuple[datetime | None, datetime | None]) -> bool:
    return any(period.get(name) and read is None for name, read in zip(("start", "end"), asked, strict=True))


def _odd_period(call: Call) -> FhirError:
    return unprocessable(
        "The period begins in the past, before it ends, and is three years at most, in days or moments.",
        "时段须在过去开始、先始后止、不超过三年，并写到日或时刻。",
        at=call.at("period"),
        code="value",
        detail="consent.rates-period",
    )

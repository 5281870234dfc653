"""What learning reads from the desk: the reports released in a period, and what was said of reports: reads only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from slipring.fhir.outcome import FhirError, forbidden, unprocessable
from slipring.fhir.search.moment import interval
from slipring.fhir.service import Ahead, Call, Desk, Resource, Stored

from slipring_report.amending.amendment import amends
from slipring_report.department import zone_of
from slipring_report.learning.answers import form_of
from slipring_report.learning.systems import UNKNOWN, systems_of
from slipring_report.lifecycle import RELEASED
from slipring_report.reading import request_of
from slipring_report.rendering.release import RELEASE_SEAL
from slipring_report.resources import written

_A_DAY = timedelta(days=1)
_LONGEST = timedelta(days=3 * 366)
_AT_ONCE = 500  # resources or searches by one look
_TOO_MANY = "kernel.too-many-matches-decide"


def demand_department(desk: Desk) -> None:
    """403 for whoever is not shown the department's own records: what is learnt is the department's."""
    if desk.caller.audiences is not None:
        raise forbidden(
            "What the reading room learns from is shown to the department only.",
            "阅片学习资料仅供本科室使用。",
            at="Parameters",
            detail="report.learning-department",
        )


def period_asked(call: Call, desk: Desk, name: str = "period") -> tuple[datetime, datetime]:
    """From a moment until before another one; the quarter of today when nothing is said. 422 for an odd one."""
    said, zone = call.value(name), zone_of(desk)
    if said is None:
        today = desk.now.astimezone(zone)
        start = today.replace(
            month=today.month - (today.month - 1) % 3, day=1, hour=0, minute=0, second=0, microsecond=0
        )
        return start, desk.now + _A_DAY
    ends = [interval(str(said.get(one, "")), zone) for one in ("start", "end")] if isinstance(said, dict) else [None]
    if any(one is None for one in ends) or ends[0].low >= ends[1].high or ends[1].high - ends[0].low > _LONGEST:  # type: ignore[union-attr]
        raise unprocessable(
            "The period has a start and a later end, three years apart at most, in days or moments.",
            "时段须有开始和之后的结束，不超过三年，并写到日或时刻。",
            at=call.at(name),
            code="value",
            detail="report.learning-period",
        )
    return ends[0].low, ends[1].high  # type: ignore[union-attr]


async def looked_ahead(desk: Desk, *, references: Iterable[str] = (), queries: Iterable[str] = ()) -> None:
    """Many reports are looked at by the hundred, not one after the other; whoever then reads and searches finds them here."""
    named, sought = list(dict.fromkeys(references)), list(dict.fromkeys(queries))
    for at in range(0, max(len(named), len(sought)), _AT_ONCE):
        await desk.foresee(Ahead(named[at : at + _AT_ONCE], sought[at : at + _AT_ONCE]))


async def found_within(query: str, name: str, start: datetime, end: datetime, desk: Desk) -> list[Stored]:
    """The matches of a span; halved as long as there are more than the desk gives at once."""
    try:
        return await desk.search(f"{query}{name}=ge{written(start)}&{name}=lt{written(end)}")
    except FhirError as refused:
        if end - start <= _A_DAY or refused.issues[0].detail != _TOO_MANY:
            raise
    middle = start + (end - start) / 2
    found = [await found_within(query, name, *span, desk) for span in ((start, middle), (middle, end))]
    return [*found[0], *found[1]]


async def released_in(start: datetime, end: datetime, desk: Desk) -> list[Stored]:
    """The reports that were released here in a period; those made elsewhere are not ours."""
    found = await found_within(f"DiagnosticReport?status={','.join(sorted(RELEASED))}&", "issued", start, end, desk)
    return [one for one in found if not one.source and released_here(one.resource)]


def released_here(report: Resource) -> bool:
    """Whether it is released under our own seal."""
    seals = [each.get("url") for form in report.get("presentedForm", []) for each in form.get("extension", [])]
    return report.get("status") in RELEASED and not amends(report) and RELEASE_SEAL in seals


async def systems_shown(report: Resource, desk: Desk) -> tuple[str, ...]:
    """The body systems of a report's exam, by its request where that is known, else by its own words."""
    request = await desk.read(request_of(report)) if request_of(report) else None
    return (systems_of(request.resource) if request else ()) or systems_of(report)


async def by_system(reports: list[Stored], desk: Desk) -> dict[str, list[Stored]]:
    """Reports by body system; one that shows several is in each, one that does not tell under `unknown`."""
    found: dict[str, list[Stored]] = {}
    await looked_ahead(desk, references=(request_of(one.resource) for one in reports))
    for one in reports:
        for system in await systems_shown(one.resource, desk) or (UNKNOWN,):
            found.setdefault(system, []).append(one)
    return found


async def said_in(form: str, start: datetime, end: datetime, desk: Desk) -> list[Resource]:
    """The answers to one of our questionnaires that were given in a period and stand."""
    found = await found_within("QuestionnaireResponse?status=completed&", "authored", start, end, desk)
    return [one.resource for one in found if not one.source and form_of(one.resource) == form]

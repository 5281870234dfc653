"""What an evaluation is asked for: a period of whole days, and a part of the department. 422 at the parameter for anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Desk, Parameter, Resource
from slipring.qc.indicators.asked import Asked
from slipring.qc.indicators.definition import Definition, populations

SPANS = ("month", "week", "day")
MEMBERS = ("numerator", "missed", "denominator", "denominator-exclusion")
_SCOPES = {"scanner": "Device", "department": "Organization"}
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)
_LONGEST = timedelta(days=3 * 366)
_MOST = 1000  # members in one answer
PERIOD = (
    Parameter("periodStart", "date", min=1),
    Parameter("periodEnd", "date", min=1, documentation="the last day that counts; days to come do not"),
)
PARTS = (
    Parameter("scanner", "Reference", documentation="of exams on this Device only"),
    Parameter("department", "Reference", documentation="of what this Organization's people have requested only"),
    Parameter("system", "code", documentation="of one body system only (B1 to B6)"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, as the answer repeats it."""

    start: date
    end: date
    scope: tuple[tuple[str, str], ...]  # scanner, department, system, as far as they are named
    requesters: tuple[str, ...] | None
    now: datetime
    zone: ZoneInfo

    def asked(self, population: str) -> Asked:
        """The same of the rows of a population; what is to come does not count yet."""
        begins = datetime.combine(self.start, time.min, self.zone)
        scope = dict(self.scope)
        newest = bool(populations()[population].get("newest"))
        where = (scope.get("scanner", ""), self.requesters, scope.get("system", ""))
        return Asked(population, begins, self.until, *where, newest)

    @property
    def until(self) -> datetime:
        """The moment that the period ends before; while it lasts, what is written this moment counts already."""
        ends = datetime.combine(self.end + timedelta(days=1), time.min, self.zone)
        return min(ends, self.now + timedelta.resolution)

    @property
    def closed(self) -> bool:
        """Whether the period is over."""
        return datetime.combine(self.end + timedelta(days=1), time.min, self.zone) <= self.now

    @property
    def words(self) -> tuple[str, ...]:
        """What was asked, in words that a hash may rest on."""
        return (self.start.isoformat(), self.end.isoformat(), *(f"{name}={value}" for name, value in self.scope))

    def fits(self, definition: Definition) -> bool:
        """Whether the rows of a definition can tell the named part of the department."""
        return {name for name, _ in self.scope} <= scopes_of(definition)


def scopes_of(definition: Definition) -> set[str]:
    """The parts of the department that the rows of a definition tell apart."""
    return {*populations()[definition.population].get("scopes", ())}


async def question(call: Call, desk: Desk, of: Sequence[Definition], systems: Sequence[str]) -> Question:
    """The question of a call; some of the definitions must be able to tell the part of the department.

    `systems`: the body systems that the records of this service tell apart.
    """
    start, end = _day(call, "periodStart"), _day(call, "periodEnd")
    zone = ZoneInfo(desk.settings.time_zone)
    if not start <= end <= start + _LONGEST:
        raise unprocessable(
            "The period begins before it ends and is three years at most.",
            "时段须先始后止，且不超过三年。",
            at=call.at("periodEnd"),
            code="value",
            detail="measuring.period",
        )
    if start > desk.now.astimezone(zone).date():
        raise unprocessable(
            "The period has not begun yet.",
            "时段尚未开始。",
            at=call.at("periodStart"),
            code="value",
            detail="measuring.period-ahead",
        )
    scope = [(name, _reference(call, name, kind)) for name, kind in _SCOPES.items() if call.value(name)]
    if call.value("system"):
        scope.append(("system", str(call.value("system"))))
    _demand_told(call, [name for name, _ in scope], of)
    chosen(call, "system", tuple(systems))
    await _demand_known(call, scope, desk)
    requesters = await _requesters(dict(scope).get("department", ""), desk)
    return Question(start, end, tuple(scope), requesters, desk.now, zone)


def _demand_told(call: Call, parts: Sequence[str], of: Sequence[Definition]) -> None:
    """A part that no record tells apart would be answered by no figure at all, or by that of everybody."""
    known = [scopes_of(one) for one in of]
    if any(scopes >= {*parts} for scopes in known):
        return
    wrong = next((name for name in parts if not any(name in scopes for scopes in known)), parts[-1])
    raise unprocessable(
        f"The records of this indicator do not tell the {wrong}.",
        f"该指标的记录不区分 {wrong}。",
        at=call.at(wrong),
        code="value",
        detail="measuring.scope-not-told",
    )


async def _demand_known(call: Call, scope: Sequence[tuple[str, str]], desk: Desk) -> None:
    """A scanner or department that nobody has recorded: its figure would read as if it had no exams."""
    for name, reference in scope:
        if name in _SCOPES and await desk.read(reference) is None:
            raise unprocessable(
                f"There is no such {_SCOPES[name]}.",
                f"没有该 {_SCOPES[name]}。",
                at=call.at(name),
                code="not-found",
                detail="measuring.scope-unknown",
            )


def chosen(call: Call, name: str, known: tuple[str, ...], otherwise: str = "") -> str:
    """One of some codes; `otherwise` where nothing is said."""
    said = str(call.value(name) or otherwise)
    if said and said not in known:
        raise unprocessable(
            f"{name} is one of {', '.join(known)}.",
            f"{name} 须为下列之一：{', '.join(known)}。",
            at=call.at(name),
            code="code-invalid",
            detail="measuring.unknown-choice",
        )
    return said


def portion(call: Call) -> tuple[int, int]:
    """How many members are told, and after how many."""
    limit, offset = (call.value(name) for name in ("count", "offset"))
    limit, offset = 200 if limit is None else int(limit), int(offset or 0)
    if not 1 <= limit <= _MOST or not 0 <= offset < 2**31:
        raise unprocessable(
            f"count is from 1 to {_MOST}, and offset is no less than 0.",
            f"count 须为 1 至 {_MOST}，offset 不小于 0。",
            at=call.at("count"),
            code="value",
            detail="measuring.portion",
        )
    return limit, offset


def _day(call: Call, name: str) -> date:
    try:
        day = date.fromisoformat(str(call.value(name) or ""))
    except ValueError:
        day = date.min
    if not _FIRST <= day <= _LAST:
        raise unprocessable(
            f"{name} is a whole day, such as 2026-03-01, from {_FIRST.year} to {_LAST.year}.",
            f"{name} 须为完整日期（如 2026-03-01），年份为 {_FIRST.year} 至 {_LAST.year}。",
            at=call.at(name),
            code="value",
            detail="measuring.whole-day",
        )
    return day


def _reference(call: Call, name: str, kind: str) -> str:
    said = call.value(name)
    text = str(said.get("reference", "")) if isinstance(said, dict) else ""
    found = "/".join(text.partition("/_history/")[0].split("/")[-2:])
    if not found.startswith(f"{kind}/"):
        raise unprocessable(
            f"{name} is a reference to a {kind}.",
            f"{name} 须为对 {kind} 的引用。",
            at=call.at(name),
            code="value",
            detail="measuring.scope-reference",
        )
    return found


async def _requesters(department: str, desk: Desk) -> tuple[str, ...] | None:
    """Everybody whose requests are the department's: the roles in it and their holders."""
    if not department:
        return None
    roles = await desk.search(f"PractitionerRole?organization={department}")
    people: list[Resource] = [one.resource.get("practitioner") or {} for one in roles]
    named = {one.reference for one in roles} | {str(one.get("reference", "")) for one in people}
    return tuple(sorted(named - {""}))

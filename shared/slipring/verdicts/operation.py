"""`Measure/$clause-check`: a service's verdict on each clause it answers for, over its own records, at any moment.

It stores nothing and is answered from one snapshot. The front asks every service and lays the answers together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from slipring.clauses.register import Clause, is_known, named_by, register
from slipring.fhir.outcome import FhirError, unprocessable
from slipring.fhir.search.moment import zoned
from slipring.fhir.service import Call, Changes, Desk, Operation, Parameter, Resource, Stored
from slipring.rules.finding import Limit
from slipring.verdicts.checking import carried_out, nonconformities
from slipring.verdicts.declared import Check
from slipring.verdicts.looking import Judge, Look
from slipring.verdicts.period import Period, quarter_of
from slipring.verdicts.verdict import Outcome
from slipring.verdicts.wire import as_clause

NAME = "clause-check"
_EARLIEST, _LATEST = 1900, 2999  # years whose ends can be reckoned with in every zone
_EXCEPTION = (
    Parameter(
        "kind", "code", "out", 1, documentation="broken | incomplete | altered | absent | nonconformity | unconfirmed"
    ),
    Parameter("record", "Reference", "out", documentation="none: what is missing"),
    Parameter("zh", "string", "out", 1),
    Parameter("en", "string", "out", 1),
)
_CHECK = (
    Parameter("service", "code", "out", 1),
    Parameter("code", "code", "out", 1),
    Parameter("zh", "string", "out", 1, documentation="what must hold"),
    Parameter("en", "string", "out", 1),
    Parameter("verdict", "code", "out", 1),
    Parameter("population", "integer", "out", 1, documentation="records looked at"),
    Parameter("exceptions", "integer", "out", 1, documentation="all of them; at most 200 are listed"),
    Parameter("evidence", "uri", "out", 0, "*", "a search that finds the records"),
    Parameter("unconfirmed", "string", "out", 0, "*", "a figure it relies on that nobody has confirmed"),
    Parameter(
        "notThen",
        "Reference",
        "out",
        0,
        "*",
        "a copy of another service's record that was read as it is today, because its history is kept elsewhere",
    ),
    Parameter("exception", "", "out", 0, "*", parts=_EXCEPTION),
)
_CLAUSE = (
    Parameter("id", "string", "out", 1, documentation="the row of the register"),
    Parameter("verdict", "code", "out", 1, documentation="met | not-met | unconfirmed | no-data | procedure"),
    Parameter("population", "integer", "out", 1),
    Parameter("exceptions", "integer", "out", 1),
    Parameter("sha256", "string", "out", 1, documentation="of every version it rests on"),
    Parameter("check", "", "out", 0, "*", parts=_CHECK),
)
PARAMETERS = (
    Parameter("clause", "code", max="*", documentation="a clause's number or row; all when nothing is said"),
    Parameter("periodStart", "date", documentation="the current quarter when nothing is said"),
    Parameter("periodEnd", "date", documentation="the last day that counts"),
    Parameter("at", "dateTime", documentation="as the records stood at this moment; now when nothing is said"),
    Parameter("periodStart", "date", "out", 1),
    Parameter("periodEnd", "date", "out", 1),
    Parameter("at", "instant", "out", 1),
    Parameter("clause", "", "out", 0, "*", parts=_CLAUSE),
)


@dataclass(frozen=True, slots=True)
class Answering:
    """What a service answers with: its checks, its own judges, its figures that wait to be confirmed."""

    service: str
    checks: Sequence[Check]
    judges: Mapping[str, Judge] = field(default_factory=dict)
    unconfirmed: Callable[[datetime, Sequence[Stored]], Sequence[Limit]] = lambda now, approved: ()
    plans: bool = False  # whether it has the sets (PlanDefinition), its own or copied, by which figures are confirmed

    def operation(self) -> Operation:
        """The operation as the service declares it."""
        looked_at = frozenset(kind for check in self.checks for kind in check.types) | {"Task"}
        return Operation(
            "Measure",
            NAME,
            self.told,
            level="type",
            title="Tell how each clause stands, with its exceptions and a hash of its inputs",
            tells=tuple(sorted(looked_at)),
            affects_state=False,
            parameters=PARAMETERS,
        )

    async def told(self, call: Call, desk: Desk) -> Changes:
        """Every row that this service answers for, or those asked for."""
        look = self.look(call, desk)
        rows = _rows(call, self.service)
        outcomes = await self._outcomes(rows, look)
        answer: list[Resource] = look.head
        for row in rows:
            if self._answers(row, outcomes):  # the hash of what very many exams rest on takes its time
                answer.append(await asyncio.to_thread(as_clause, row, outcomes[row.id], self.service, look))
        return Changes(answer={"resourceType": "Parameters", "parameter": answer})

    def look(self, call: Call, desk: Desk) -> Look:
        """The period and the moment that a call asks about; 422 at the parameter that says neither."""
        zone = ZoneInfo(desk.settings.time_zone)
        at = _moment(call, desk.now)
        return Look(desk, _period(call, at.astimezone(zone).date()), at, zone)

    def _answers(self, row: Clause, outcomes: Mapping[str, Sequence[Outcome]]) -> bool:
        return bool(outcomes[row.id]) or row.kinds == ("procedure",)

    async def _outcomes(self, rows: Sequence[Clause], look: Look) -> dict[str, list[Outcome]]:
        approved = await look.then.search("PlanDefinition?status=active") if self.plans else []
        waiting = [limit.id for limit in self.unconfirmed(look.at.astimezone(look.zone), approved)]
        found: dict[str, list[Outcome]] = {row.id: [] for row in rows}
        for check in self.checks:
            if check.clause in found:
                found[check.clause].append(await carried_out(check, self.judges, waiting, look))
        for outcome in await nonconformities(list(found), self.service, look):
            found[outcome.check.clause].append(outcome)
        return found


def _rows(call: Call, service: str) -> list[Clause]:
    asked = [str(one) for one in call.values("clause")]
    unknown = [one for one in asked if not (is_known(one) and named_by(one))]
    if unknown:
        raise unprocessable(
            "No such clause in the register of CNAS-CL02-A011:2018.",
            "CNAS-CL02-A011:2018 条款登记表中没有该条款。",
            at=call.at("clause"),
            code="not-found",
            detail="kernel.no-such-clause",
        )
    wanted = {row.id for one in asked for row in named_by(one)}
    return [row for row in register().clauses if not asked or row.id in wanted]


def _period(call: Call, today: date) -> Period:
    first, last = call.value("periodStart"), call.value("periodEnd")
    usual = quarter_of(today)
    try:
        period = Period(_day(first, usual.first), _day(last, usual.last))
        if period.first.year < _EARLIEST or period.last.year > _LATEST:
            raise ValueError(period)
    except ValueError:
        raise _wrong(
            call,
            "periodStart" if first else "periodEnd",
            "A period is whole days, begins before it ends and is no longer than 400 days.",
            "时间段须为完整日期，起点不晚于终点，且不超过 400 天。",
            "kernel.clause-period",
        ) from None
    if period.first > today:  # "no data" would read as if somebody had looked
        raise _wrong(
            call,
            "periodStart",
            "The period had not begun at the moment asked about.",
            "所问时刻该时间段尚未开始。",
            "kernel.clause-period-ahead",
        )
    return period


def _day(said: Any, usual: date) -> date:
    return date.fromisoformat(str(said)) if said is not None else usual


def _moment(call: Call, now: datetime) -> datetime:
    said = call.value("at")
    if said is None:
        return now
    at = zoned(said)
    if at is None or at > now:
        raise _wrong(
            call,
            "at",
            "`at` is a moment with its time, not in the future.",
            "at 须为精确到时间且不晚于现在的时刻。",
            "kernel.clause-moment",
        )
    return at


def _wrong(call: Call, name: str, en: str, zh: str, detail: str) -> FhirError:
    return unprocessable(en, zh, at=call.at(name), code="value", detail=detail)

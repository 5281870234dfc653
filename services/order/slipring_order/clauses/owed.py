"""Clauses about what the department must have and renew, judged by the due list and by the rules about the department."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from slipring.clauses.register import Words, named_by
from slipring.fhir.service import Evidence
from slipring.rules.finding import Finding
from slipring.rules.limits import Limits
from slipring.verdicts.looking import Judged, Look
from slipring.verdicts.verdict import Breach

from slipring_order.department.due import DEPARTMENT, Standing, State, standings
from slipring_order.department.gathering import OnRecord, department_on_record
from slipring_order.department.obligations import obligations
from slipring_order.department.standing import at_fault, department_findings
from slipring_order.judging.rule_set import in_force

_HOW = {
    State.FAILED: Words("不合格", "failed"),
    State.MISSING: Words("缺失", "missing"),
    State.OVERDUE: Words("逾期", "overdue"),
}
_OF_HEALTH = frozenset({"personal-dose", "health-examination"})


async def owed(look: Look, counted: Sequence[Evidence]) -> Judged:
    """What falls under the clause at work stands: nothing is missing, failed or overdue at the end of the period."""
    row = look.check.clause if look.check else ""
    mine = [one for one in await _standings(look) if row in {c.id for c in named_by(one.obligation.clause, "order")}]
    return _judged(mine, await limits_then(look))


async def occupational(look: Look, counted: Sequence[Evidence]) -> Judged:
    """The occupational health of radiation workers: dose and health examinations (4.1.1.4 e by 5.1.9)."""
    return _judged(
        [one for one in await _standings(look) if one.obligation.code in _OF_HEALTH], await limits_then(look)
    )


async def department(look: Look, counted: Sequence[Evidence]) -> Judged:
    """What the rules say of the department as a whole."""
    row = look.check.clause if look.check else ""
    found = await _department(look)
    limits = await limits_then(look)
    findings = department_findings(found.staff, found.documents, limits, look.until)
    mine = [one for one in findings if row in {c.id for c in named_by(one.clause, "order")}]
    known = len(found.staff) + len(found.documents)
    named = {one.rule: at_fault(one.rule, found.staff, found.documents, limits.day) for one in mine}
    return by_rules(mine, max(known, 1), named)


def by_rules(findings: Sequence[Finding], population: int, named: Mapping[str, str] | None = None) -> Judged:
    """What rules about the department found; `named`: the record that a rule is about, where it is about one."""
    places = named or {}
    breaches = [
        Breach(places.get(one.rule, ""), Words(one.zh, one.en), figure=one.limit.id if one.limit else "")
        for one in findings
    ]
    waiting = {one.limit.id for one in findings if one.limit and not one.limit.confirmed}
    return Judged(breaches, population, sorted(waiting))


def _judged(mine: Sequence[Standing], limits: Limits) -> Judged:
    breaches = [_breach(one, limits.day) for one in mine if one.state in _HOW]
    waiting = {one.limit.id for one in mine if one.limit is not None and not one.limit.confirmed}
    return Judged(breaches, len(mine), sorted(waiting))


def _breach(one: Standing, day: date) -> Breach:
    how, said = _HOW[one.state], one.obligation
    until = f" ({one.due.isoformat()})" if one.due else ""
    named = one.record.source if one.record and one.record.source else one.subject.reference
    kind = "absent" if one.state is State.MISSING else "broken"
    reference = "" if named == DEPARTMENT else named
    over = one.record is not None and one.record.until is not None and one.record.until < day  # by its own end
    figure = one.limit.id if one.limit and one.state is State.OVERDUE and not over else ""
    return Breach(reference, Words(f"{said.zh}：{how.zh}{until}", f"{said.en}: {how.en}{until}"), kind, figure)


async def _standings(look: Look) -> list[Standing]:
    found = await _department(look)
    return standings(found.subjects, found.records, obligations(), await limits_then(look))


async def _department(look: Look) -> OnRecord:
    return await look.once("department", lambda: department_on_record(look.then, look.until))


async def limits_then(look: Look) -> Limits:
    """The limits at the end of the period: what was shipped for that day, and the set that the department had in force then."""
    plans = await look.stood("PlanDefinition?status=active", look.until)
    book = in_force([one.stored for one in plans], look.desk.settings.limits, look.until, look.zone).book
    return book.on(look.until.astimezone(look.zone).date())

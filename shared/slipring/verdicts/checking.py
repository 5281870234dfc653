"""A service's checks carried out over its own records: an outcome for each."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Mapping, Sequence

from slipring.clauses.register import Words, named_by
from slipring.fhir.service import CANONICAL, Evidence
from slipring.quality.life import kind_of, state_of
from slipring.rules.limits import UnknownLimit
from slipring.verdicts.declared import Check
from slipring.verdicts.elements import bears
from slipring.verdicts.looking import Judge, Judged, Look
from slipring.verdicts.verdict import Breach, Outcome

CLAUSE_SYSTEM = f"{CANONICAL}/CodeSystem/clause"
_OPENED = "Task?code={C}/CodeSystem/task-code|nonconformity&authored-on={period}"
_SETTLED = ("closed", "dismissed")
_OPEN = Words("不符合项尚未关闭", "a nonconformity is not closed")
_ABSENT = Words("没有任何记录", "nothing is on record")


async def carried_out(check: Check, judges: Mapping[str, Judge], waiting: Sequence[str], look: Look) -> Outcome:
    """One check's outcome. `waiting`: ids of the figures that nobody has confirmed."""
    look.begin(check)
    found_by = [one for query in check.of for one in await look.stood(query)]
    counted = list({one.stored.reference: one async for one in look.spread(found_by)}.values())
    breaches = [_incomplete(one, check) async for one in look.spread(counted)] if check.needs else []
    for query in check.breaks:
        figure = check.relies[0] if check.relies else ""
        breaches += [Breach(one.stored.reference, check.says, figure=figure) for one in await look.stood(query)]
    judged = await _judged(check, judges, look, counted)
    population = len(counted) if judged.population is None else judged.population
    found = [*look.altered, *(one for one in breaches if one), *judged.breaches]
    if not population and (check.wanted or await _asked_for(check, look)):
        found.append(Breach("", _ABSENT, "absent"))
    unconfirmed = [one for one in waiting if any(fnmatch.fnmatchcase(one, like) for like in check.relies)]
    unconfirmed = list(dict.fromkeys([*unconfirmed, *judged.unconfirmed]))
    return Outcome(
        check,
        population,
        tuple({one.by(unconfirmed): None async for one in look.spread(found)}),
        tuple(unconfirmed),
        await asyncio.to_thread(_lines, look, judged),
        look.not_then,
    )


async def nonconformities(clauses: Sequence[str], service: str, look: Look) -> list[Outcome]:
    """For each of these rows under which a nonconformity was opened in the period: those that are not settled."""
    look.begin()
    asked = look.spread(await look.stood(_OPENED))
    opened = [one async for one in asked if kind_of(one.stored.resource) == "nonconformity"]
    by_row: dict[str, list[Evidence]] = {}
    for one in opened:
        for row in _rows_of(one, service):
            by_row.setdefault(row, []).append(one)
    return [_settled(row, by_row[row]) for row in clauses if row in by_row]


async def _judged(check: Check, judges: Mapping[str, Judge], look: Look, counted: Sequence[Evidence]) -> Judged:
    if not check.judge:
        return Judged()
    try:
        return await judges[check.judge](look, counted)
    except UnknownLimit:  # before the first figures came into force nothing was demanded
        return Judged(population=0)


async def _asked_for(check: Check, look: Look) -> bool:
    """Whether work of a period that is over asks for what the check counts."""
    return look.over and any([bool(await look.stood(query)) for query in check.after])


def _settled(row: str, opened: Sequence[Evidence]) -> Outcome:
    says = Words(
        "该条款下的不符合项已关闭并验证效果", "nonconformities under the clause are closed, their effect verified"
    )
    still = [one for one in opened if state_of(one.stored.resource) not in _SETTLED]
    breaches = tuple(Breach(one.stored.reference, _OPEN, "nonconformity") for one in still)
    return Outcome(
        Check(row, "nonconformities", says), len(opened), breaches, inputs=tuple(sorted(one.line for one in opened))
    )


def _rows_of(one: Evidence, service: str) -> set[str]:
    codings = one.stored.resource.get("reasonCode", {}).get("coding", [])
    labels = [str(coding.get("code", "")) for coding in codings if coding.get("system") == CLAUSE_SYSTEM]
    return {row.id for label in labels for row in named_by(label, service)}


def _incomplete(one: Evidence, check: Check) -> Breach | None:
    lacking = [need for need in check.needs if not bears(one.stored.resource, need)]
    if not lacking:
        return None
    said = ", ".join(lacking)
    return Breach(one.stored.reference, Words(f"缺少：{said}", f"missing: {said}"), "incomplete")


def _lines(look: Look, judged: Judged) -> tuple[str, ...]:
    return tuple(sorted(dict.fromkeys((*look.inputs, *judged.inputs))))

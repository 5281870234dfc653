"""Clauses about what is offered and on what: guidance, scope, scanners within limits, staff for the work."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.clauses.register import Words
from slipring.fhir.service import Evidence, Resource
from slipring.qc.equipment.comparing import Outcome
from slipring.rules.rulebook import check
from slipring.verdicts.looking import Judged, Look, broken
from slipring.verdicts.verdict import Breach

from slipring_order.clauses.owed import by_rules, limits_then
from slipring_order.equipment.comparability import pairs, samples
from slipring_order.offer.activity import PREPARATION
from slipring_order.offer.coverage import coverage
from slipring_order.offer.preparation import PARTS, VIEWS
from slipring_order.offer.words import words
from slipring_order.review.gathering import staff_at, work_done
from slipring_order.review.rules import STAFFING_RULES
from slipring_order.review.staffing import staffing
from slipring_order.rooms.booking import scanners_in_service
from slipring_order.rooms.day import usual_week
from slipring_order.rooms.scanner import is_ct
from slipring_order.rooms.scanner_standard import tests
from slipring_order.rooms.scanners import measured_on
from slipring_order.rooms.testing import Result, result_of, standing

_UNAPPROVED = Words("测得值在本时段内未获批准", "what was measured was not approved by a second person in the period")


async def prepared(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Each exam tells how to prepare, in each of the five parts, to patient or clinician (5.4.4.1, 5.4.4.2)."""
    faults = []
    for one in counted:
        lacking = [part for part in PARTS if part not in _parts_of(one.stored.resource)]
        if lacking:
            faults.append(broken(one, f"检查须知缺少：{'、'.join(lacking)}", f"guidance lacks {', '.join(lacking)}"))
    return Judged(faults)


async def scope(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Each of the six systems is offered, and every scanner in use is in the scope for it (Annex B)."""
    found = [one.stored.resource for one in counted]
    definitions = [one for one in found if one["resourceType"] == "ActivityDefinition"]
    scanners = [one for one in found if one["resourceType"] == "Device" and is_ct(one)]
    faults = []
    for one in coverage(definitions, scanners):
        named = words()["body-system"]["codes"][one.system]
        zh, en = named["zh"], named["en"]
        if not one.exams:
            faults.append(Breach("", Words(f"{zh}：无检查项目", f"{en}: no exam is offered"), "absent"))
        elif not (one.scanners_in_scope or one.scanners_missing):
            faults.append(Breach("", Words(f"{zh}：无在用CT", f"{en}: no scanner is in use"), "absent"))
        outside = Words(f"{zh}：该CT不在认可范围内", f"{en}: the scanner is not in the scope")
        faults += [Breach(name, outside) for name in one.scanners_missing]
    return Judged(faults, len(definitions))


async def constancy(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Each scanner in use passes each of its tests, and none of them is overdue (5.6.2.3)."""
    settings, on = look.desk.settings, look.until
    since, _ = look.period.span(look.zone)
    today = on.astimezone(look.zone).date()
    limits = settings.scanner_limits.on(today)
    faults, waiting, looked = [], set(), 0
    for scanner, results in (await _results(look, counted)).items():
        stands = standing(results, on, limits, settings.scanner_edition, look.zone)
        looked += len(stands)
        faults += [
            Breach(one.reference, _UNAPPROVED)
            for one in results
            if look.over and one.preliminary and since <= one.at <= on
        ]
        for test in stands:
            named = test.last.reference if test.last else scanner
            if test.passes is False:
                own = test.last is not None and test.last.abnormal  # whoever tested says so, by no figure of ours
                limit = "" if own or test.limit is None else test.limit.id
                faults.append(Breach(named, Words(f"{test.zh}：不合格", f"{test.en}: out of limits"), figure=limit))
            elif test.interval and test.last is None:
                faults.append(Breach(named, Words(f"{test.zh}：从未检测", f"{test.en}: never tested"), "absent"))
            elif test.due_on and test.due_on < today:
                overdue = Words(f"{test.zh}：逾期（{test.due_on}）", f"{test.en}: overdue ({test.due_on})")
                faults.append(Breach(named, overdue, figure=test.interval.id if test.interval else ""))
            waiting |= {each.id for each in (test.limit, test.interval) if each and not each.confirmed}
    return Judged(faults, looked, sorted(waiting))


async def compared(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Each two scanners in use agree in each test that was measured on both in the period (5.6.4)."""
    since, _ = look.period.span(look.zone)
    results = await _results(look, counted)
    faults, waiting, looked = [], set(), 0
    for test, names in tests().items():
        for pair in pairs(samples(results, test, since, look.until), test, look.until.astimezone(look.zone).date()):
            looked += 1
            if pair.limit and not pair.limit.confirmed:
                waiting.add(pair.limit.id)
            if pair.outcome is Outcome.DIFFERENT:
                one, other = pair.scanners
                apart = Words(f"{names['zh']}：与 {other} 的差异超出允许值", f"{names['en']}: differs from {other}")
                faults.append(Breach(one, apart, figure=pair.limit.id if pair.limit else ""))
    return Judged(faults, looked, sorted(waiting))


async def staffed(look: Look, counted: Sequence[Evidence]) -> Judged:
    """The staff fit the work of the period by the rules about staffing (5.1.3)."""
    desk = look.then
    first, last = look.period.first, look.until.astimezone(look.zone).date()
    if last < first:
        return Judged((), 0)
    staff, work = await staff_at(last, desk), await work_done(first, last, desk)
    if not work.exams:
        return Judged((), 0)
    scanners = await scanners_in_service(desk)
    open_days = {day for day, hours in usual_week().items() if hours}
    open_days |= {day for one in scanners for day, hours in one.hours.week.items() if hours}
    limits = await limits_then(look)
    findings = check(staffing(staff, len(scanners), work, (first, last), open_days), STAFFING_RULES, limits, desk.now)
    return by_rules(findings, work.exams)


async def _results(look: Look, counted: Sequence[Evidence]) -> dict[str, list[Result]]:
    """What was measured on each scanner among these devices."""
    scanners = [one.stored.reference for one in counted if is_ct(one.stored.resource)]
    measured = {one: await measured_on(one, look.then) for one in scanners}
    return {
        one: [result for each in found if (result := result_of(each.resource, look.zone))]
        for one, found in measured.items()
    }


def _parts_of(definition: Resource) -> set[str]:
    """The parts of the guidance that are said to some reader."""
    found: set[str] = set()
    for extension in definition.get("extension", []):
        if extension.get("url") == PREPARATION:
            parts = {one["url"]: one for one in extension.get("extension", [])}
            if parts.get("view", {}).get("valueCode") in VIEWS and parts.get("text", {}).get("valueString"):
                found.add(str(parts.get("part", {}).get("valueCode")))
    return found

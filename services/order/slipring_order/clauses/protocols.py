"""The clause about procedures: each exam that is made has a protocol on the scanner it is made on (CL02-A011:5.5.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from slipring.clauses.register import Words
from slipring.fhir.service import Evidence, Resource
from slipring.verdicts.looking import Judged, Look
from slipring.verdicts.verdict import Breach

from slipring_order.clauses.made import Made, exams_made
from slipring_order.facts import age_on
from slipring_order.offer.defined import exam_number
from slipring_order.offer.protocol_choice import age_group, age_groups, covered, is_protocol
from slipring_order.reading import reference_of
from slipring_order.rooms.scanner import is_ct
from slipring_order.rooms.step import is_step

_NEVER = frozenset({"cancelled", "entered-in-error"})
_PLANS = "PlanDefinition?status=active"


async def protocols(look: Look, counted: Sequence[Evidence]) -> Judged:
    """An approved protocol is there for each kind of exam, on its scanner and for the patient's age.

    Where no scheduled step says which scanner it was, one of those in use must have the protocol. A protocol counts that
    stands at the moment of the verdict, or that stood when the last of those exams began.
    """
    made = await exams_made(look, counted)
    steps = await _scanners_of(look, made)
    alike: dict[tuple[str, str], list[Made]] = {}
    async for one in look.spread(made):
        alike.setdefault((one.exam.code, steps.get(one.task, "")), []).append(one)
    scanners, names = await _scanners(look, steps), await _names(look)
    faults = []
    for (code, scanner), those in sorted(alike.items(), key=lambda group: group[0]):
        there = [scanners[scanner]] if scanner in scanners else [*scanners.values()] or [{}]
        lacking = await _lacking(look, those, there, look.at)
        lacking = await _lacking(look, lacking, there, lacking[-1].at) if lacking else []
        if lacking:
            number, exam = len(lacking), lacking[-1].exam
            on = f" ({scanner})" if scanner else ""
            zh = f"{exam.zh}：所用CT{on}无已批准的扫描方案（{number}例检查）"
            en = f"{exam.en}: no approved protocol on its scanner{on}, exams: {number}"
            faults.append(Breach(names.get(code, lacking[-1].task), Words(zh, en)))
    return Judged(faults, len(made))


async def _lacking(look: Look, those: Sequence[Made], scanners: Sequence[Resource], at: datetime) -> list[Made]:
    """Those of some exams of one kind whose patients no protocol is for."""
    plans = [plan for one in await look.stood(_PLANS, at) if is_protocol(plan := one.stored.resource)]
    has = covered(those[0].exam, scanners, plans)
    if not has or has == age_groups():
        return [] if has else list(those)
    asked = (one.patient.partition("/")[2] for one in those if one.patient)
    born = {
        one.stored.reference: str(one.stored.resource.get("birthDate", ""))
        async for one in look.spread(await look.each("Patient?_id", asked))
    }
    groups = (age_group(age_on(born.get(one.patient, ""), one.at.astimezone(look.zone).date())) for one in those)
    return [one for one, group in zip(those, groups, strict=True) if group and group not in has]


async def _scanners_of(look: Look, made: Sequence[Made]) -> Mapping[str, str]:
    """The scanner on which an exam was made, where its scheduled step says so."""
    parts = await look.each("Task?part-of", (one.task for one in made))
    return {
        reference_of(step["partOf"][0]): reference_of(step.get("owner"))
        async for one in look.spread(parts)
        if is_step(step := one.stored.resource) and step.get("status") not in _NEVER
    }


async def _scanners(look: Look, steps: Mapping[str, str]) -> dict[str, Resource]:
    """The CTs in use, and those on which exams were made, by reference."""
    used = await look.each("Device?_id", (one.partition("/")[2] for one in steps.values() if one))
    found = [*await look.stood("Device?status=active"), *used]
    return {one.stored.reference: one.stored.resource for one in found if is_ct(one.stored.resource)}


async def _names(look: Look) -> dict[str, str]:
    """The definitions of the exams on offer, by the exam's code."""
    offered = [one.stored for one in await look.stood("ActivityDefinition?status=active")]
    return {exam_number(one.resource): one.reference for one in offered}

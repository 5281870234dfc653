"""What patients are given beside the diagnostic reference levels, of which the row on images asks (5.6.2.3 images)."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.clauses.register import Words
from slipring.fhir.service import Evidence
from slipring.measuring.spelling import measure_id
from slipring.qc.indicators.definition import definitions
from slipring.qc.indicators.dose import BANDS, population_of
from slipring.rules.limits import Limits
from slipring.verdicts.looking import Judged, Look
from slipring.verdicts.verdict import Breach

from slipring_order.clauses.owed import limits_then
from slipring_order.dose.compared import compared
from slipring_order.dose.groups import QUANTITIES, UNITS, VERDICTS, ExamMeasure, Group, groups
from slipring_order.dose.levels import Level, level_for
from slipring_order.dose.measuring import scanner_of
from slipring_order.dose.stored import counts

_ADULT = BANDS[0]
_ABOVE = "above"


async def doses(look: Look, counted: Sequence[Evidence]) -> Judged:
    """No median of the adults of one kind of exam on one scanner is above its level, where the group is large enough.

    A group is named by the Measure that counts its members; no patient is judged (ICRP 135, 2.3).
    """
    limits = await limits_then(look)
    observations = [one async for one in look.spread(counted) if counts(one.stored.resource)]
    measures = [one async for each in look.spread(observations) if (one := _measure(each, limits)) is not None]
    found = groups(measures, limits)
    faults = [_above(group, group.level) for group in found if group.verdict == _ABOVE and group.level]
    return Judged(faults, len(observations))


def _measure(one: Evidence, limits: Limits) -> ExamMeasure | None:
    said = compared(one.stored.resource)
    if said is None or said.band != _ADULT:
        return None
    level = level_for(said.exam, int(limits.limit("dose.adult-from").value), None, limits)
    ctdivol, dlp = (said.values.get(quantity) for quantity in QUANTITIES)
    return ExamMeasure(one.stored.reference, said.exam, scanner_of(one.stored.resource), level, said.band, ctdivol, dlp)


def _above(group: Group, level: Level) -> Breach:
    definition = definitions("order").get(population_of(group.key, group.quantity))
    unit, highest = UNITS[group.quantity], level.of(group.quantity)[-1]
    zh, en = (definition.name.zh, definition.name.en) if definition else (group.key, group.key)
    told = f"{group.median} > {highest} {unit}, n = {len(group.members)}, {group.scanner}"
    says = Words(f"{zh}：{VERDICTS[_ABOVE][0]}（{told}）", f"{en}: {VERDICTS[_ABOVE][1]} ({told})")
    place = f"Measure/{measure_id(definition, 'o')}" if definition else ""
    return Breach(place, says, figure=level.chosen.id)

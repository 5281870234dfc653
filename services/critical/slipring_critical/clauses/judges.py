"""What the cases of critical findings prove: told in time to somebody who read back, and acted on (5.9.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from slipring.clauses.register import Words
from slipring.fhir.service import Evidence
from slipring.verdicts.looking import Judged, Look, broken

from slipring_critical.cases.facts import CaseFacts, case_facts
from slipring_critical.cases.marks import is_drill
from slipring_critical.indicators.counting import figures, recognised_at, told_at
from slipring_critical.ringing.climbing import ACTED_OVERDUE

_OVER = "retracted"
_DONE = ("acted", "closed")
_TO_ACT = "ladder.*"
_IN_TIME = "indicators.told-in-time"


async def told(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Each finding was read back within the time; what is within it still and not told yet is no exception."""
    limit = figures()["told-in-time"]
    within = timedelta(minutes=limit["minutes"])
    faults, cases = [], await _cases(look, counted)
    async for one, case in look.spread(cases):
        at = told_at(case)
        if at is None and case.state != _OVER and look.at - recognised_at(case) > within:
            faults.append(broken(one, "无人复述确认", "nobody read it back"))
        elif at is not None and at - recognised_at(case) > within:
            late = Words(f"超过 {limit['minutes']} 分钟才通知到", f"told after more than {limit['minutes']} minutes")
            faults.append(broken(one, late.zh, late.en, figure=_IN_TIME))
    unconfirmed = [] if limit["confidence"].startswith("S") else [_IN_TIME]
    return Judged(faults, len(cases), unconfirmed)


async def acted(look: Look, counted: Sequence[Evidence]) -> Judged:
    """A case that is said to be acted on or closed says what was done; nobody who has one is past his time to act."""
    faults, cases = [], await _cases(look, counted)
    async for one, case in look.spread(cases):
        if any(event.what == "acted" for event in case.events):
            continue
        if case.state in _DONE:
            faults.append(broken(one, "没有处置记录", "nothing that was done is on record"))
        elif case.state != _OVER and any(event.what == ACTED_OVERDUE for event in case.events):
            late = Words("逾期没有处置记录", "nothing that was done is on record, past the time to act")
            faults.append(broken(one, late.zh, late.en, figure=_TO_ACT))
    return Judged(faults, len(cases))


async def _cases(look: Look, counted: Sequence[Evidence]) -> list[tuple[Evidence, CaseFacts]]:
    real = [one for one in counted if not is_drill(one.stored.resource)]
    return [(one, case_facts(one.stored.resource)) async for one in look.spread(real)]

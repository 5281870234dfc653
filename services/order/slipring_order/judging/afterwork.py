"""What one physician's word let pass in an emergency is made up for after the exam, and it is seen whether in time."""

from __future__ import annotations

from slipring.fhir.merged import merge_set
from slipring.fhir.service import Desk, Resource, Save, Stored, successor
from slipring.rules.finding import Weight

from slipring_order.judgement import Judgement
from slipring_order.judging.follow_ups import open_follow_ups, passed_in
from slipring_order.judging.judge import judged
from slipring_order.reading import instant, reference_of
from slipring_order.rooms.identity import is_unidentified

IDENTITY = "patient-identity"
_IDENTITY = (IDENTITY, "患者身份", "who the patient is")

Passed = list[tuple[str, str, str]]  # code, zh, en


async def open_points(request: Resource, judgement: Judgement, desk: Desk) -> Passed:
    """What is missing or asked on a request: items first, then rules, then who the patient is."""
    missing = [(item.code, item.zh, item.en) for item in judgement.missing]
    asked = [f for f in judgement.findings if f.weight is not Weight.INFO and f.rule != "order.request-complete"]
    found = [*missing, *((f.domain or f.rule, f.zh, f.en) for f in asked)]
    return [*found, _IDENTITY] if await _nobody_knows_who(request, desk) else found


async def answered(request: Resource, exam: Stored, desk: Desk) -> list[Save]:
    """The follow-up Tasks of an exam of which nothing is left open are completed; when is on record."""
    waiting = await open_follow_ups(exam.reference, desk)
    if not waiting:
        return []
    left = {code for code, _, _ in await open_points(request, await judged(request, desk), desk)}
    period = {"end": instant(desk.now)}
    ended = {"status": "completed", "executionPeriod": period, "lastModified": instant(desk.now)}
    return [successor(one, **ended) for one in waiting if not left & passed_in(one.resource)]


async def _nobody_knows_who(request: Resource, desk: Desk) -> bool:
    """Whether every record of the person is one of somebody unknown."""
    subject = reference_of(request.get("subject"))
    own = await desk.read(subject) if subject.startswith("Patient/") else None
    if own is None or not is_unidentified(own.resource):
        return False
    records = [await desk.read(one) for one in await merge_set(subject, desk)]
    return all(is_unidentified(one.resource) for one in records if one)

"""Several findings of one exam ring as one call: a route that rings for one of them need not be rung for the next.

Every case keeps its own ladder, deadlines and read-back. Only the message is shared: the page that it leads to asks for
each of them. Once the other case is answered, or its call reaches nobody, this one rings by itself again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Desk, Stored

from slipring_critical.cases.facts import TASK_CODE, CaseFacts, attempt_route, case_facts, is_case
from slipring_critical.lifecycle import RINGING
from slipring_critical.ringing.attempts import is_failing, tells_a_finding


@dataclass(frozen=True, slots=True)
class Call:
    """A route that was rung for another finding of the same exam."""

    case: str  # Task/...
    route: str  # Endpoint/..., '' for the fallback route
    at: datetime
    works: bool = True  # False: it failed and is tried again


async def calls_of_the_exam(case: CaseFacts, desk: Desk) -> list[Call]:
    """What rings now for the other findings of the exam, as urgent as this one or more."""
    calls = []
    others = [other for other in await _others(case, desk) if other.policy.level <= case.policy.level]
    told = await desk.searches(
        [f"Communication?part-of={other.reference}&status=preparation,completed" for other in others]
    )
    for other, attempts in zip(others, told, strict=True):
        for attempt in attempts:
            if tells_a_finding(attempt.resource):
                sent = attempt.resource.get("sent")
                at = datetime.fromisoformat(sent) if sent else attempt.updated_at
                works = not is_failing(attempt.resource)
                calls.append(Call(other.reference, attempt_route(attempt.resource), at, works))
    return calls


async def riding_along(case: CaseFacts, desk: Desk) -> list[str]:
    """The cases whose last step counted on the ringing of this one: when that reaches nobody, they ring by themselves."""
    return [other.reference for other in await _others(case, desk) if _rode(other) == case.reference]


def rings_already(calls: Sequence[Call], route: str, since: datetime) -> str:
    """The case for which a route was rung after a moment, or ''."""
    return next((call.case for call in calls if call.works and call.route == route and call.at > since), "")


def cases_of(patient: str) -> str:
    """The search for all cases of a patient (Patient/...)."""
    return f"Task?patient={patient}&code={TASK_CODE}|critical-case"


async def others_of_the_exam(case: CaseFacts, desk: Desk) -> list[tuple[Stored, CaseFacts]]:
    """The other findings of the exam, whatever their state."""
    if not (case.request and case.patient):
        return []
    cases = [
        (one, case_facts(one.resource)) for one in await desk.search(cases_of(case.patient)) if is_case(one.resource)
    ]
    return [
        (one, facts)
        for one, facts in cases
        if facts.reference != case.reference
        and (facts.request, facts.patient, facts.drill) == (case.request, case.patient, case.drill)
    ]


async def _others(case: CaseFacts, desk: Desk) -> list[CaseFacts]:
    """The other findings of the exam that ring."""
    try:
        others = await others_of_the_exam(case, desk)
    except FhirError:  # more than can be looked at: to ring once more is better than not to ring
        return []
    return [facts for _, facts in others if facts.state in RINGING]


def _rode(case: CaseFacts) -> str:
    """Which case the last step rang with, '' when it rang by itself."""
    steps = [event for event in case.events if event.what in ("step", "rings-with")]
    return steps[-2].who if len(steps) > 1 and steps[-2].what == "rings-with" else ""

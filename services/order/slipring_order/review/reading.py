"""The requests of a period with how they were judged, read in batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from slipring.fhir.findings import RULE_RESULT, rule_of
from slipring.fhir.service import Desk, Resource, Stored

from slipring_order import resources
from slipring_order.asked_day import found_by_day
from slipring_order.judging.advice import CARD_SYSTEM
from slipring_order.reading import codes, reference_of
from slipring_order.review.figures import Figure, Reviewed

_BATCH = 200  # references in one search
_ASKING = frozenset({"stop", "ask", "warn"})


async def reviewed(start: date, end: date, desk: Desk) -> list[Reviewed]:
    """Every CT request received in a period, both days included."""
    found = await found_by_day(f"Task?code={resources.TASK_CODE_SYSTEM}|exam", "authored-on", (start, end), desk)
    exams = [one for one in found if not one.source]
    requests = [reference_of(exam.resource.get("focus")) for exam in exams]
    issues = await _by(desk, "DetectedIssue?implicated=", requests, "implicated")
    records = await _by(desk, "Provenance?target=", requests, "target")
    owed = await _by(desk, f"Task?code={resources.TASK_CODE_SYSTEM}|follow-up&based-on=", requests, "basedOn")
    firsts = await _first_outcomes(exams, desk)
    roles = await _roles([exam.resource for exam in exams], desk)
    return [_case(exam.resource, issues, records, owed, firsts.get(exam.reference, ""), roles) for exam in exams]


async def advice_told(start: date, end: date, desk: Desk) -> Figure:
    """Of the cards of advice that somebody answered, those that were overridden."""
    cards = await found_by_day(f"DetectedIssue?identifier={CARD_SYSTEM}|", "identified", (start, end), desk)
    done = {card.reference: _outcomes(card.resource) for card in cards}
    overridden = tuple(sorted(card for card, outcomes in done.items() if "overridden" in outcomes))
    return Figure("advice-overridden", "开单提示未采纳", "advice at ordering overridden", overridden, len(done))


def _outcomes(card: Resource) -> set[str]:
    return {code for done in card.get("mitigation", []) for code in codes(done.get("action"))}


def _case(
    exam: Resource,
    issues: dict[str, list[Resource]],
    records: dict[str, list[Resource]],
    owed: dict[str, list[Resource]],
    outcome: str,
    roles: dict[str, tuple[str, str]],
) -> Reviewed:
    request = reference_of(exam.get("focus"))
    requester, department = roles.get(reference_of(exam.get("requester")), ("", ""))
    found = [issue for issue in issues.get(request, []) if rule_of(issue).startswith("order.")]
    reasons = {
        code for record in records.get(request, []) for reason in record.get("reason", []) for code in codes(reason)
    }
    mitigated = {code for issue in found for done in issue.get("mitigation", []) for code in codes(done.get("action"))}
    return Reviewed(
        request=request,
        requester=requester,
        department=department,
        stat=exam.get("priority") == "stat",
        outcome=outcome,
        rules=frozenset(rule_of(issue) for issue in found if _weight(issue) in _ASKING),
        overridden="decided" in mitigated,
        emergency=bool(owed.get(request)) or "emergency" in reasons,
        late=any(task.get("status") not in ("completed", "cancelled") for task in owed.get(request, [])),
    )


async def _by(desk: Desk, query: str, requests: Sequence[str], member: str) -> dict[str, list[Resource]]:
    """What points at these requests, by request."""
    found: dict[str, list[Resource]] = {}
    for stored in await _all([query + ",".join(batch) for batch in _batches(requests)], desk):
        for element in stored.resource.get(member, []):
            found.setdefault(reference_of(element), []).append(stored.resource)
    return found


async def _first_outcomes(exams: Sequence[Stored], desk: Desk) -> dict[str, str]:
    """The outcome of the first judgement of each exam, by its Task."""
    numbers = {str(exam.resource.get("groupIdentifier", {}).get("value", "")): exam.reference for exam in exams}
    first: dict[str, tuple[str, str]] = {}
    batches = _batches([number for number in numbers if number])
    for stored in await _all([f"GuidanceResponse?request={','.join(batch)}" for batch in batches], desk):
        response = stored.resource
        exam = numbers.get(str(response.get("requestIdentifier", {}).get("value", "")), "")
        when = str(response.get("occurrenceDateTime", ""))
        if exam and (exam not in first or when < first[exam][0]):
            first[exam] = (when, resources.outcome_in(response))
    return {exam: outcome for exam, (_, outcome) in first.items()}


async def _roles(exams: Sequence[Resource], desk: Desk) -> dict[str, tuple[str, str]]:
    """Who each requester is in person, and of which department; by the reference that the exam carries."""
    named = {reference_of(exam.get("requester")) for exam in exams} - {""}
    found: dict[str, tuple[str, str]] = {one: (one, "") for one in named if one.startswith("Practitioner/")}
    for batch in _batches([one.partition("/")[2] for one in sorted(named) if one.startswith("PractitionerRole/")]):
        for role in await desk.search(f"PractitionerRole?_id={','.join(batch)}"):
            found[role.reference] = (
                reference_of(role.resource.get("practitioner")),
                reference_of(role.resource.get("organization")),
            )
    for batch in _batches([one for one in sorted(named) if one.startswith("Practitioner/")]):
        for role in await desk.search(f"PractitionerRole?practitioner={','.join(batch)}"):
            person, place = reference_of(role.resource.get("practitioner")), role.resource.get("organization")
            if place and not found[person][1]:
                found[person] = (person, reference_of(place))
    return found


def _weight(issue: Resource) -> str:
    result: Resource = next((e for e in issue.get("extension", []) if e.get("url") == RULE_RESULT), {})
    parts: Iterable[Resource] = result.get("extension", [])
    return next((str(part.get("valueCode")) for part in parts if part.get("url") == "weight"), "")


async def _all(queries: Sequence[str], desk: Desk) -> list[Stored]:
    """What these searches find, asked of the store at once."""
    return [one for found in await desk.searches(queries) for one in found]


def _batches(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[start : start + _BATCH] for start in range(0, len(values), _BATCH)]

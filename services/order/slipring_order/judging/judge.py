"""The shell around the judgement: fetch what surrounds a request, judge, and say what changes."""

from __future__ import annotations

from collections.abc import Iterable

from slipring.fhir.findings import as_detected_issue, rule_of
from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, Write

from slipring_order import resources
from slipring_order.gathering.request import order_facts
from slipring_order.judgement import Judgement, judge, severity
from slipring_order.judging.contrast import contrast_of
from slipring_order.judging.follow_ups import follow_ups_follow
from slipring_order.judging.surroundings import rules_in_force, surroundings
from slipring_order.lifecycle import BEFORE_THE_SCAN, OPEN_QUESTIONS
from slipring_order.lifecycle import judged as move_by_rules
from slipring_order.mapping_record import exam_input
from slipring_order.reading import codes, reference_of
from slipring_order.rooms.checks import for_another_exam
from slipring_order.rooms.following import step_follows
from slipring_order.rules import ORDER_RULES

_RULES = frozenset(rule.id for rule in ORDER_RULES)


async def judged(request: Resource, desk: Desk, also: Iterable[Resource] = ()) -> Judgement:
    """What the rules say about a request as it stands on the desk; `also`: what the same act is about to store."""
    pool = await surroundings(request, desk)
    pool.add(*also)
    rules, settings = await rules_in_force(desk), desk.settings
    facts = order_facts(request, pool, desk.now, settings.zone, settings.institution)
    return judge(facts, rules.book, desk.now, settings.zone, rules.off)


def evidence(
    request: Resource, number: str, judgement: Judgement, desk: Desk, standing: Iterable[Stored] = ()
) -> list[Save]:
    """A judgement's record: one GuidanceResponse, and one DetectedIssue per finding that is not on record yet."""
    saves = [Save(resources.guidance(request, number, judgement, id=desk.new_id(), now=desk.now))]
    known = {_same(issue.resource) for issue in standing}
    return saves + [Save(issue) for issue in _found(request, judgement, desk) if _same(issue) not in known]


def _found(request: Resource, judgement: Judgement, desk: Desk) -> list[Resource]:
    about, subject = f"ServiceRequest/{request['id']}", reference_of(request.get("subject"))
    return [
        as_detected_issue(finding, id=desk.new_id(), subject=subject, about=about, now=desk.now)
        for finding in judgement.findings
    ]


async def exam_of(request_reference: str, desk: Desk) -> Stored | None:
    """The exam Task of a request."""
    for found in await desk.search(f"Task?focus={request_reference}&code={resources.TASK_CODE_SYSTEM}|exam"):
        if not found.source and resources.is_exam(found.resource):
            return found
    return None


async def pregnancy_changed(old: Resource, new: Resource, desk: Desk) -> bool:
    """Whether the pregnancy status that counts for a request is another one than before."""
    zone = desk.settings.zone
    before, after = [
        order_facts(one, await surroundings(one, desk), desk.now, zone, desk.settings.institution).pregnancy
        for one in (old, new)
    ]
    return before != after


async def status_changed_by(write: Write, request: Resource, desk: Desk) -> bool:
    """Whether an observation that is being written changes the pregnancy status that counts for a request."""
    pool, zone = await surroundings(request, desk), desk.settings.zone
    after = order_facts(request, pool, desk.now, zone).pregnancy
    pool.by_reference.pop(write.reference, None)
    pool.add(write.before.resource if write.before else None)
    return order_facts(request, pool, desk.now, zone).pregnancy not in ("", after)


async def judged_again(
    request: Resource,
    exam: Stored,
    desk: Desk,
    *,
    void: bool,
    keep: bool = False,
    unbook: bool = False,
    also: Iterable[Resource] = (),
) -> Changes:
    """Run the rules anew.

    `void`: what was decided no longer holds; `keep`: it holds whatever they say; otherwise it falls only if the
    outcome is worse. `unbook`: the time it had was for another examination, and is given back.
    """
    state = resources.state_of(exam.resource)
    if state not in BEFORE_THE_SCAN:
        return Changes.none()
    judgement = await judged(request, desk, also)
    number = resources.number_of(request) or str(exam.resource.get("groupIdentifier", {}).get("value", ""))
    issues, before = await _on_record(request, number, desk)
    standing = [issue for issue in issues if not issue.resource.get("mitigation")]
    target = _target(state, before, judgement, void=void, keep=keep)
    if target != state:
        move_by_rules(state, target)
    members = await contrast_of(request, exam.resource, target, judgement.facts, desk)
    members["priority"] = request.get("priority", "routine")
    members["for"] = request.get("subject")  # after a merge the placer may name the other record of the same person
    members["input"] = exam_input(for_another_exam(exam.resource) if unbook else exam.resource, judgement)
    if unbook:
        members["restriction"] = None
    if target == state and state not in OPEN_QUESTIONS:  # why it was rejected stays said
        members["statusReason"] = exam.resource.get("statusReason")
    saves = [resources.moved(exam, target, desk.now, judgement.missing, **members)]
    passed = [] if void else [issue for issue in issues if _was_decided(issue)]
    record = _replaced(request, number, judgement, standing, passed, desk)
    nothing_new = target == state and before == judgement.outcome and len(record) == 1
    if nothing_new and _shows_the_same(exam.resource, saves[0].resource):
        return Changes.none()
    steps = await step_follows(exam, "cancelled" if unbook else target, desk)
    return Changes(save=[*saves, *steps, *record, *await follow_ups_follow(exam, target, desk.now, desk)])


def _shows_the_same(before: Resource, after: Resource) -> bool:
    return all(
        before.get(name) == after.get(name) for name in ("statusReason", "extension", "priority", "input", "for")
    )


def _target(state: str, before: str, judgement: Judgement, *, void: bool, keep: bool) -> str:
    if keep and state not in OPEN_QUESTIONS:
        return state
    if void or state in OPEN_QUESTIONS or state == "rejected" == before:
        return judgement.outcome
    worse = severity(judgement.outcome) > severity(before or "justified")
    return judgement.outcome if worse else state


def _replaced(
    request: Resource, number: str, judgement: Judgement, standing: list[Stored], passed: list[Stored], desk: Desk
) -> list[Save]:
    """New evidence; findings that no longer stand keep their record and say so, and what was passed is not found anew."""
    saves = evidence(request, number, judgement, desk, [*standing, *passed])
    now_found = {_same(issue) for issue in _found(request, judgement, desk)}
    for issue in standing:
        if _same(issue.resource) not in now_found:
            saves.append(resources.mitigated(issue, "answered", "已补充，不再成立。", "Answered.", desk.now))
    return saves


def _same(issue: Resource) -> tuple[str, str, str]:
    """What a finding says and how much it weighs: another priority gives the same words another weight."""
    return rule_of(issue), str(issue.get("detail", "")), str(issue.get("severity", ""))


async def open_issues(request: Resource, desk: Desk) -> list[Stored]:
    """The findings on a request that nobody has answered."""
    return [issue for issue in await _issues(request, desk) if not issue.resource.get("mitigation")]


def _was_decided(issue: Stored) -> bool:
    return any("decided" in codes(done.get("action")) for done in issue.resource.get("mitigation", []))


async def _issues(request: Resource, desk: Desk) -> list[Stored]:
    return _of_judgement(await desk.search(_issues_of(request)))


def _issues_of(request: Resource) -> str:
    return f"DetectedIssue?implicated=ServiceRequest/{request['id']}"


def _of_judgement(issues: Iterable[Stored]) -> list[Stored]:
    """What the rules of justification found: neither a decision nor an answer settles what images show, or a record."""
    return [issue for issue in issues if not issue.source and rule_of(issue.resource) in _RULES]


async def _on_record(request: Resource, number: str, desk: Desk) -> tuple[list[Stored], str]:
    """The findings on a request, and what came of its last judgement."""
    asked = [_issues_of(request), *([f"GuidanceResponse?request={number}"] if number else [])]
    issues, *guidance = await desk.searches(asked)
    told = [stored for found in guidance for stored in found]
    newest = max(told, key=lambda stored: str(stored.resource.get("occurrenceDateTime", "")), default=None)
    return _of_judgement(issues), resources.outcome_in(newest.resource) if newest else ""

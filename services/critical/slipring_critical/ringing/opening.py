"""A case opens, by a flag that arrived or by hand; one that stands already for its exam and finding takes the flag on."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from slipring.fhir.service import Changes, Desk, Resource, Stored, successor
from slipring.rules.rulebook import check

from slipring_critical.cases.facts import CASE_KEY, Event, case_facts, is_case, reference_of
from slipring_critical.cases.flag import FlaggedFinding
from slipring_critical.cases.marks import is_drill
from slipring_critical.cases.resources import as_case, in_state, with_event, with_note, with_policy
from slipring_critical.directory.policy import flag_facts, ladder_for
from slipring_critical.directory.routes import places_of
from slipring_critical.ladders.ladder import Ladder
from slipring_critical.lifecycle import OPEN, RINGING, TOLD, move
from slipring_critical.ringing.climbing import act_key, climb, ringing
from slipring_critical.ringing.one_call import cases_of
from slipring_critical.rules import FLAG_RULES, NO_LIMITS
from slipring_critical.rules.what_is_critical import level_of


async def standing(flag: FlaggedFinding, desk: Desk) -> tuple[list[Stored], int]:
    """The cases of this exam and finding, and how many ever bore its key.

    A case of another patient is never among them: an exam whose patient was corrected or merged since is told anew.
    """
    found = await desk.search(f"Task?identifier={quote(f'{CASE_KEY}|{flag.case_key}', safe='')}")
    return [case for case in found if _same_patient(case, flag) and is_drill(case.resource) == flag.drill], len(found)


async def told_before(flag: FlaggedFinding, desk: Desk) -> Stored | None:
    """The case in which an unchanged finding of this patient was told, at least as urgently; None when it must be rung.

    Its author may ask for it to be rung all the same.
    """
    if not flag.unchanged or flag.ring or flag.drill or not flag.patient:
        return None
    level = level_of(await flag_facts(desk, flag.finding, flag.level))
    cases = await desk.search(cases_of(flag.patient))
    told = [
        case
        for case in cases
        if is_case(case.resource) and _same_patient(case, flag, strictly=True) and _tells(case, flag.finding, level)
    ]
    return max(told, key=lambda case: str(case.resource["authoredOn"]), default=None)


async def opened(
    flag: FlaggedFinding, code: Resource | None, basis: str, desk: Desk, *, before: int
) -> tuple[Resource, Changes]:
    """A new case that rings the first step of its ladder, and all that goes with it into the commit."""
    facts, policy = await flag_facts(desk, flag.finding, flag.level), await _policy(flag, desk)
    case = as_case(desk.new_id(), flag, code, basis, policy, now=desk.now)
    case = with_note(case, flag.note, flag.author, now=desk.now)
    for finding in check(facts, FLAG_RULES, NO_LIMITS.on(desk.now.date()), desk.now):
        case = with_event(case, Event("rule-finding", desk.now, finding.rule))
    rung = await ringing(case, desk)
    await climb(rung, desk)
    again = f"#{before + 1}" if before else ""
    return rung.case, rung.changes(0).plus(Changes(keys=[f"case:{flag.case_key}{again}"]))


async def joined(case: Stored, bases: Sequence[str], flag: FlaggedFinding, desk: Desk, what: str) -> Changes:
    """The case stands already: what it does not know yet is taken on with it; at a more urgent level it rings anew."""
    known = {reference_of(basis) for basis in case.resource.get("basedOn", [])}
    fresh = [{"reference": basis} for basis in bases if basis not in known]
    rises = await _rises(case, flag, desk)
    news = flag.note not in ("", *(one.get("text") for one in case.resource.get("note", [])))
    if not fresh and not rises and not news:
        return Changes.none()
    tree = with_note(case.resource, flag.note if news else "", flag.author, now=desk.now)
    if fresh:
        tree = with_event(tree, Event(what, desk.now, flag.author))
        tree = {**tree, "basedOn": [*tree.get("basedOn", []), *fresh]}
    if not rises:
        return Changes(save=[successor(case, **tree)])
    return await _risen(case, tree, flag, desk)


async def _risen(case: Stored, tree: Resource, flag: FlaggedFinding, desk: Desk) -> Changes:
    """Whoever answered, answered to something less urgent: the case reopens and is read back anew."""
    facts = case_facts(case.resource)
    if facts.state in TOLD:
        tree = in_state(tree, move(facts.state, "rise"))
    tree = with_event(with_policy(tree, await _policy(flag, desk)), Event("severity-rose", desk.now, flag.author))
    rung = await ringing(tree, desk)
    await climb(rung, desk)
    rung.cancel.append(act_key(facts.reference))
    return rung.changes(case.version)


async def _rises(case: Stored, flag: FlaggedFinding, desk: Desk) -> bool:
    facts = case_facts(case.resource)
    level = level_of(await flag_facts(desk, flag.finding, flag.level))
    return facts.state in RINGING | TOLD and level < facts.policy.level


async def _policy(flag: FlaggedFinding, desk: Desk) -> Ladder:
    level = level_of(await flag_facts(desk, flag.finding, flag.level))
    return await ladder_for(desk, level, flag.finding, await places_of(desk, flag.request), desk.now)


def _tells(case: Stored, finding: str, level: str) -> bool:
    facts = case_facts(case.resource)
    return facts.finding == finding and facts.state in TOLD and facts.policy.level <= level and not facts.drill


def _same_patient(case: Stored, flag: FlaggedFinding, *, strictly: bool = False) -> bool:
    patient = reference_of(case.resource.get("for"))
    return patient == flag.patient or (not strictly and not (patient and flag.patient))


def still_open(cases: Sequence[Stored]) -> list[Stored]:
    """Of these cases those that are not over."""
    return [case for case in cases if case_facts(case.resource).state in OPEN]

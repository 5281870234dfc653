"""Clauses about exams: justified before they began, complete, attended, numbered, with images that match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial

from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Evidence, Resource
from slipring.staff import may
from slipring.verdicts.looking import Judged, Look, broken

from slipring_order.people import person_and_roles
from slipring_order.reading import codes, has_system, moment, reference_of
from slipring_order.resources import ACSN_SYSTEM, outcome_in
from slipring_order.rooms.checks import ATTENDANT, CRITICAL, input_of
from slipring_order.rules import DOSE_IN_DOUBT

_DECIDED = f"{CANONICAL}/CodeSystem/justification-decision"
_COMPLETE = "order.request-complete"
_BY_NUMBER = frozenset({"order.image-accession", "order.image-exam-known"})
_MISMATCH = f"{CANONICAL}/CodeSystem/department-rule|image-mismatch"


@dataclass(frozen=True, slots=True)
class ToldOfExam:
    """What the checks of exams read from a Task."""

    number: str  # the imaging number, '' without one
    request: str  # ServiceRequest/...
    patient: str  # Patient/..., '' when nobody is named
    operator: str  # likewise
    began: datetime | None
    critical: bool  # or by the green channel
    attended: bool


def told_of_exam(exam: Resource, zone: tzinfo) -> ToldOfExam:
    """That of one Task."""
    marked = input_of(exam, CRITICAL) or {}
    return ToldOfExam(
        str(exam.get("groupIdentifier", {}).get("value", "")),
        reference_of(exam.get("focus")),
        reference_of(exam.get("for")),
        reference_of(exam.get("owner")),
        moment(exam.get("executionPeriod", {}).get("start"), zone),
        exam.get("priority") == "stat" or marked.get("valueBoolean") is True,
        bool(input_of(exam, ATTENDANT)),
    )


async def justified(look: Look, counted: Sequence[Evidence]) -> Judged:
    """The last thing said before the exam began, by the rules or by a person, was that it is justified (5.4.1)."""
    by_number = await _guidance(look, counted)
    by_task = await _decisions(look, counted)
    faults = []
    async for one in look.spread(counted):
        exam = look.told(one, told_of_exam)
        said = [*by_number.get(exam.number, []), *by_task.get(one.stored.reference, [])]
        before = [(at, outcome) for at, outcome in said if exam.began is None or at <= exam.began]
        if not before or max(before)[1] != "justified":
            faults.append(broken(one, "开始前没有正当性判断的许可", "not justified before it began"))
    return Judged(faults)


async def complete(look: Look, counted: Sequence[Evidence]) -> Judged:
    """What the request lacked was supplied, or a named physician answered for it (5.4.3 e)."""
    about = {look.told(one, told_of_exam).request: one async for one in look.spread(counted)}
    standing = await _standing(look, _COMPLETE, about)
    return Judged([broken(one, "申请资料不全", "the request is not complete") for one in standing])


async def doubted(look: Look, counted: Sequence[Evidence]) -> Judged:
    """A dose report that contradicts itself was dealt with (5.6.2.3): patient dose is judged by what it states."""
    about = {one.stored.reference: one for one in counted}
    standing = await _standing(look, DOSE_IN_DOUBT, about)
    return Judged([broken(one, "剂量报告自相矛盾", "the dose report contradicts itself") for one in standing])


async def attended(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Whoever was critical, or came by the green channel, had a clinician named who attended him (5.4.4.1)."""
    critical = [one async for one in look.spread(counted) if look.told(one, told_of_exam).critical]
    alone = [one for one in critical if not look.told(one, told_of_exam).attended]
    said = [broken(one, "未注明陪同的临床人员", "no attending clinician is named") for one in alone]
    return Judged(said, len(critical))


async def operated(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Whoever performed an exam might operate the scanner at that moment (5.1.2)."""
    faults, told = [], 0
    async for one in look.spread(counted):
        exam = look.told(one, told_of_exam)
        who, began = exam.operator, exam.began
        if not who or began is None:
            continue
        told += 1
        person, roles = await look.once(f"person {who}", partial(person_and_roles, who, look.then))
        lacks = may("operate-ct", person, roles, began, zone=look.desk.settings.time_zone)
        if lacks:
            faults.append(broken(one, f"操作者：{lacks[0].zh}", f"operator: {lacks[0].en}"))
    return Judged(faults, told)


async def numbered(look: Look, counted: Sequence[Evidence]) -> Judged:
    """No two exams bear one imaging number (5.4.6)."""
    numbers = [look.told(one, told_of_exam).number async for one in look.spread(counted)]
    times = Counter(numbers)
    twice = [one for one, number in zip(counted, numbers, strict=True) if number and times[number] > 1]
    return Judged([broken(one, "影像检查号重复", "another exam bears the same imaging number") for one in twice])


async def mismatches(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Images that did not agree with the order were dealt with by a named person (5.6.2.3)."""
    found = await look.stood(f"DetectedIssue?code={_MISMATCH}&identified={{period}}")
    standing = [one async for one in look.spread(found) if not one.stored.resource.get("mitigation")]
    return Judged([broken(one, "影像与申请不一致", "images do not agree with the order") for one in standing])


async def misnumbered(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Images that came under another imaging number than an exam's were dealt with by a named person (5.4.6)."""
    found = await look.stood(f"DetectedIssue?code={_MISMATCH}&identified={{period}}")
    standing = [
        one
        async for one in look.spread(found)
        if rule_of(one.stored.resource) in _BY_NUMBER and not one.stored.resource.get("mitigation")
    ]
    return Judged([broken(one, "影像的检查号与申请不符", "images bear another imaging number") for one in standing])


async def _standing(look: Look, rule: str, about: Mapping[str, Evidence]) -> list[Evidence]:
    """Those of the named records that a rule found something on which nobody has answered."""
    issues = await look.each(f"DetectedIssue?code={rule}&implicated", about)
    found = {
        reference_of(place)
        async for one in look.spread(issues)
        if rule_of(one.stored.resource) == rule and not one.stored.resource.get("mitigation")
        for place in one.stored.resource.get("implicated", [])
    }
    return [about[name] for name in sorted(found & set(about))]


async def _guidance(look: Look, counted: Sequence[Evidence]) -> dict[str, list[tuple[datetime, str]]]:
    found: dict[str, list[tuple[datetime, str]]] = {}
    numbers = [look.told(one, told_of_exam).number async for one in look.spread(counted)]
    asked = (f"{ACSN_SYSTEM}|{number}" for number in numbers if number)
    async for one in look.spread(await look.each("GuidanceResponse?request", asked)):
        said = one.stored.resource
        at = moment(said.get("occurrenceDateTime"), look.zone)
        if at is not None:
            found.setdefault(str(said["requestIdentifier"]["value"]), []).append((at, outcome_in(said)))
    return found


async def _decisions(look: Look, counted: Sequence[Evidence]) -> dict[str, list[tuple[datetime, str]]]:
    found: dict[str, list[tuple[datetime, str]]] = {}
    asked = (one.stored.reference for one in counted)
    async for one in look.spread(await look.each("Provenance?target", asked)):
        said = one.stored.resource
        at, activity = moment(said.get("recorded"), look.zone), said.get("activity", {})
        if at is not None and has_system(activity, _DECIDED):
            for target in said.get("target", []):
                found.setdefault(reference_of(target), []).append((at, codes(activity)[0]))
    return found

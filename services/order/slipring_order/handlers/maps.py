"""A map of local exam codes is a draft until a second person makes it active; the one before it retires."""

from __future__ import annotations

import difflib
from urllib.parse import quote

from slipring.fhir.outcome import FhirError, Issue, conflict, forbidden, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, Write, successor
from slipring.staff.two_people import content, drafter, signed, who

from slipring_order import catalogue
from slipring_order.offer.defined import EXAM_NUMBER, exam_number
from slipring_order.offer.mapping import EXAM_SYSTEM, TARGETS, is_own_map


async def map_written(write: Write, desk: Desk) -> Changes:
    """Check a map of exams or parts of the body; other maps are plain records."""
    before = write.before.resource if write.before else None
    if write.method == "delete" or not (is_own_map(write.resource) or (before and is_own_map(before))):
        return Changes.none()
    concept_map = write.resource
    await _check_content(concept_map, desk)
    if concept_map.get("status") != "active":
        return Changes(members={"extension": signed(concept_map, who(desk))})
    if before is None or before.get("status") not in ("draft", "active"):
        raise unprocessable(
            "A map of exam codes begins as a draft; a second person makes it active.",
            "检查代码对照表须先以草稿（draft）提交，再由第二人生效（active）。",
            at="ConceptMap.status",
            detail="order.map-draft-first",
        )
    if content(concept_map) != content(before):
        raise unprocessable(
            "What is made active must be what was drafted: change the draft first, or post a new one.",
            "生效内容须与草稿一致：请先修改草稿，或另提交新草稿。",
            at="ConceptMap.group",
            detail="order.map-changed-on-approval",
        )
    if before["status"] == "draft" and drafter(before) in ("", who(desk)):
        raise forbidden(
            "The person who drafted a map does not approve it.",
            "起草人不得自行批准对照表。",
            at="ConceptMap.status",
            detail="order.map-second-person",
        )
    retired = [Save(_retired(one).resource, one.version) for one in await _current(concept_map, desk)]
    await _refuse_ambiguous(concept_map, desk)
    return Changes(save=retired, members={"extension": signed(concept_map, drafter(before))})


async def _check_content(concept_map: Resource, desk: Desk) -> None:
    """Every target is an exam of the catalogue or of the department, or a part of the body, and no code stands twice."""
    exams = {*catalogue.own_codes(), *await _own_exams(concept_map, desk)}
    issues: list[Issue] = []
    seen: dict[tuple[str, str], str] = {}
    for g, group in enumerate(concept_map.get("group", [])):
        if group.get("target") not in TARGETS:
            continue
        known = exams if group["target"] == EXAM_SYSTEM else set(catalogue.places())
        if not group.get("source"):
            issues.append(
                _issue(
                    f"ConceptMap.group[{g}].source", "map-source", "来源编码体系缺失。", "The source system is missing."
                )
            )
        for e, element in enumerate(group.get("element", [])):
            place = f"ConceptMap.group[{g}].element[{e}]"
            key = (str(group.get("source", "")), str(element.get("code", "")))
            if key in seen:
                issues.append(
                    _issue(place, "map-twice", "该代码重复出现。", f"This code stands at {seen[key]} already.")
                )
            seen[key] = place
            issues += _targets(element, place, known)
    if issues:
        raise FhirError(422, issues)


async def _own_exams(concept_map: Resource, desk: Desk) -> set[str]:
    """Of the exams that the map names and that are not shipped, those that the department offers."""
    named = {
        str(target["code"])
        for group in concept_map.get("group", [])
        if group.get("target") == EXAM_SYSTEM
        for element in group.get("element", [])
        for target in element.get("target", [])
        if target.get("code")
    } - set(catalogue.own_codes())
    if not named:
        return set()
    wanted = ",".join(f"{EXAM_NUMBER}|{quote(code, safe='')}" for code in sorted(named))
    found = await desk.search(f"ActivityDefinition?identifier={wanted}&status=active")
    return {exam_number(one.resource) for one in found}


def _targets(element: Resource, place: str, known: set[str]) -> list[Issue]:
    found = []
    for t, target in enumerate(element.get("target", [])):
        code = str(target.get("code", ""))
        if code and code not in known:
            near = difflib.get_close_matches(code, sorted(known), n=2)
            hint_zh, hint_en = (f"相近的有：{'、'.join(near)}。", f" Near it: {', '.join(near)}.") if near else ("", "")
            found.append(
                _issue(
                    f"{place}.target[{t}].code",
                    "map-target",
                    f"目录中没有该检查或部位代码。{hint_zh}",
                    f"The catalogue has no such exam or part of the body.{hint_en}",
                )
            )
    return found


def _issue(at: str, detail: str, zh: str, en: str) -> Issue:
    return Issue("business-rule", zh=zh, en=en, at=at, detail=f"order.{detail}")


async def _current(concept_map: Resource, desk: Desk) -> list[Stored]:
    """The active versions of the same map, which this one takes over from."""
    url = concept_map.get("url")
    found = await desk.search(f"ConceptMap?status=active&url={quote(str(url), safe='')}") if url else []
    return [one for one in found if one.resource["id"] != concept_map["id"] and not one.source]


async def _refuse_ambiguous(concept_map: Resource, desk: Desk) -> None:
    """Two current maps never say different things about one code."""
    ours = dict(_pairs(concept_map))
    for system in sorted({system for system, _ in ours}):
        for other in await desk.search(f"ConceptMap?status=active&source-system={quote(system, safe='')}"):
            same = other.resource["id"] == concept_map["id"] or other.resource.get("url") == concept_map.get("url")
            if same or not is_own_map(other.resource):
                continue
            if any(ours.get(key, target) != target for key, target in _pairs(other.resource)):
                raise conflict(
                    f"{other.reference} is active and maps a code of this system otherwise.",
                    f"已生效的 {other.reference} 对同一代码有不同对照。",
                    at="ConceptMap.group",
                    detail="order.map-ambiguous",
                )


def _pairs(concept_map: Resource) -> list[tuple[tuple[str, str], str]]:
    return [
        (
            (str(group.get("source", "")), str(element.get("code", ""))),
            str([t.get("code") for t in element.get("target", [])]),
        )
        for group in concept_map.get("group", [])
        if group.get("target") in TARGETS
        for element in group.get("element", [])
    ]


def _retired(standing: Stored) -> Save:
    return successor(standing, status="retired")

"""Findings that one section states and the other denies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from slipring.qc.report.anatomy import BOTH, covers
from slipring.qc.report.assertion import ABSENT, PRESENT
from slipring.qc.report.critical import GENERAL_BLEED
from slipring.qc.report.facts import FINDINGS, IMPRESSION, Fault, ReportText
from slipring.qc.report.mentions import Mention, Section
from slipring.qc.report.wellness import called_normal, exam_called_normal
from slipring.qc.report.words import any_of, listed

_WHOLE = "any"
_EVERY_BONE = "skeleton"
# Organs whose words hold more than one thing: skull and brain, heart and pericardium, lung and pleura in one breath.
_LOOSE = frozenset({"brain", "heart", "bones", "skeleton", "spine", "pleura", "mediastinum", "bowel", "aorta"})


def contradiction(report: ReportText, sections: Sequence[Section]) -> Iterator[Fault]:
    """What the impression says against the findings; each finding once, no place twice."""
    read = {section.name: section for section in sections}
    if FINDINGS not in read or IMPRESSION not in read:
        return
    findings, impression = read[FINDINGS], read[IMPRESSION]
    told = [
        *_denied_and_stated(findings, impression),
        *_stated_of_what_is_normal(findings, impression),
        *_normal_of_what_is_stated(findings, impression),
        *_nothing_at_all(findings, impression),
    ]
    passed = -1
    for fault in sorted(told, key=lambda one: (one.start, one.end)):
        if fault.start > passed:
            yield fault
        passed = max(passed, fault.end - 1)


def _denied_and_stated(findings: Section, impression: Section) -> Iterator[Fault]:
    """A finding that one section states and the other denies."""
    names = _compared()
    marked: set[str] = set()
    for mention in impression.mentions:
        if mention.name not in names or mention.name in marked:
            continue
        same = [one for one in findings.mentions if _of_one(mention, one) and _alike(one, mention, names)]
        if _against(mention, impression, same, findings):
            marked.add(mention.name)
            yield Fault("contradiction", IMPRESSION, _beginning(mention), mention.end)


def _beginning(mention: Mention) -> int:
    return mention.side_at[0] if mention.side_at and mention.side_at[0] < mention.start else mention.start


def _stated_of_what_is_normal(findings: Section, impression: Section) -> Iterator[Fault]:
    """Something in an organ of which the findings say only that it is normal."""
    normal, present = called_normal(findings), _present_in(findings)
    places = {organ.start for organ, _ in normal}
    for mention in impression.mentions:
        if mention.said.state != PRESENT or mention.organ in _LOOSE or not mention.organ:
            continue
        sides = {side for organ, side in normal if covers(organ.name, mention.organ)}
        if not sides & {mention.side, BOTH}:
            continue
        if any(covers(one.organ, mention.organ) or covers(mention.organ, one.organ) for one in present):
            continue
        if all(one.start in places for one in findings.organs if covers(mention.organ, one.name)):
            yield Fault("contradiction", IMPRESSION, _beginning(mention), mention.end)
            return


def _normal_of_what_is_stated(findings: Section, impression: Section) -> Iterator[Fault]:
    """An organ that the impression calls normal, though the findings state something in it."""
    there, here = _present_in(findings), _present_in(impression)
    for organ, side in called_normal(impression):
        if organ.name in _LOOSE or any(covers(organ.name, one.organ) for one in here):
            continue
        if any(covers(organ.name, one.organ) and (side == BOTH or one.side in (side, BOTH)) for one in there):
            yield Fault("contradiction", IMPRESSION, organ.start, organ.end)


def _nothing_at_all(findings: Section, impression: Section) -> Iterator[Fault]:
    """An impression of a normal examination, or of nothing acute, after findings that are none."""
    told = exam_called_normal(impression)
    if told is None:
        return
    start, end, kind = told
    grave = _grave() if kind == "exam-in-order" else frozenset()
    fresh = [one for one in _present_in(findings) if one.said.change != "unchanged"]
    if any((one.critical and not one.sign) or one.name in grave for one in fresh):
        yield Fault("contradiction", IMPRESSION, start, end)


def _present_in(section: Section) -> list[Mention]:
    return [one for one in section.mentions if one.said.state == PRESENT and not one.weak]


@cache
def _grave() -> frozenset[str]:
    return frozenset(entry["name"] for entry in listed("lesions")["lesion"] if entry.get("grave"))


def _against(mention: Mention, where: Section, same: Sequence[Mention], there: Section) -> bool:
    others = [one for one in _elsewhere(where, mention) if one.said.state != mention.said.state]
    if mention.said.state == PRESENT and mention.said.change != "worse":
        old = mention.said.change == "unchanged"
        denied = [
            one
            for one in same
            if one.said.state == ABSENT and not _of_the_rest(one, there) and not (old and _of_the_fresh(one, there))
        ]
        return bool(denied) and not others and all(one.said.state == ABSENT for one in same)
    if mention.said.state == PRESENT:
        return bool(same) and all(one.said.state == ABSENT and not _of_the_rest(one, there) for one in same)
    if mention.said.state == ABSENT and not _of_the_rest(mention, where):
        fresh = _of_the_fresh(mention, where)
        stated = [one for one in same if _present(one) or (one.said.state == PRESENT and not fresh)]
        return (
            bool(stated)
            and not others
            and not any(one.said.state == ABSENT for one in same if one.side == mention.side)
        )
    return False


def _elsewhere(section: Section, mention: Mention) -> list[Mention]:
    """The other mentions of this finding in the same section."""
    return [one for one in section.mentions if _of_one(mention, one) and one.start != mention.start]


def _of_one(mention: Mention, one: Mention) -> bool:
    """The same finding; who denies any bleed within the skull denies each fresh kind of it."""
    if one.name == mention.name:
        return True
    denied = mention.name == GENERAL_BLEED and mention.said.state == ABSENT
    return denied and one.name.startswith(GENERAL_BLEED) and not one.sign and _present(one)


def _present(one: Mention) -> bool:
    return one.said.state == PRESENT and one.said.change != "unchanged"


@cache
def _compared() -> dict[str, bool]:
    lesions = {
        entry["name"]: entry.get("organ", False) for entry in listed("lesions")["lesion"] if entry.get("compare")
    }
    return lesions | {entry["code"]: False for entry in listed("critical")["term"]}


def _alike(one: Mention, other: Mention, names: dict[str, bool]) -> bool:
    if (one.sign and one.weak) or (other.sign and other.weak) or one.yields != other.yields:
        return False
    if one.side and other.side and one.side != other.side and BOTH not in (one.side, other.side):
        return False
    if not names[one.name] or not one.organ or not other.organ:
        return True
    if other.said.state == ABSENT:  # what is denied of a whole part is denied of each organ of it
        return one.region == other.region or _WHOLE in (one.region, other.region)
    if one.said.state == ABSENT:
        return covers(one.organ, other.organ) or one.organ == _EVERY_BONE
    return one.organ == other.organ


def _of_the_rest(mention: Mention, section: Section) -> bool:
    if mention.sentence is None or mention.outright:
        return False
    left, _ = mention.sentence.clause(mention.start, mention.end)
    return _rest().search(section.plain, left, mention.end) is not None


def _of_the_fresh(mention: Mention, section: Section) -> bool:
    """A denial of what is acute does not deny what is old."""
    if mention.sentence is None:
        return False
    left, _ = mention.sentence.clause(mention.start, mention.end)
    return _fresh().search(section.plain, left, mention.end) is not None


@cache
def _fresh() -> re.Pattern[str]:
    return any_of(listed("contexts")["of-the-fresh"])


@cache
def _rest() -> re.Pattern[str]:
    """A denial of the rest, or of new things, does not deny what was told before."""
    return any_of(listed("contexts")["of-the-rest"])

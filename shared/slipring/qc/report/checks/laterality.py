"""Sides: the limb that was asked for, and the same finding on one side in the findings and on the other in the impression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slipring.qc.report.anatomy import BOTH, LEFT, OTHER_SIDE, RIGHT, side_of, sides_in
from slipring.qc.report.assertion import ABSENT
from slipring.qc.report.facts import COMPARISON, FINDINGS, IMPRESSION, Fault, ReportText
from slipring.qc.report.mentions import Mention, Section
from slipring.qc.report.parts import parts_of
from slipring.qc.report.passages import sentence_at
from slipring.qc.report.sites import spoken_of, spoken_of_one
from slipring.qc.report.words import listed


def laterality(report: ReportText, sections: Sequence[Section]) -> Iterator[Fault]:
    """The wrong limb in a section that never names the right one, and findings that change sides in the impression."""
    asked = report.laterality.strip().lower()
    if asked in (LEFT, RIGHT):
        for section in sections:
            yield from _against_request(report, section, asked)
    read = {section.name: section for section in sections}
    if FINDINGS in read and IMPRESSION in read:
        told = [
            *_between_findings(read[FINDINGS], read[IMPRESSION]),
            *_between_places(read[FINDINGS], read[IMPRESSION]),
        ]
        passed = -1
        for fault in sorted(told, key=lambda one: (one.start, one.end)):
            if fault.start > passed:
                yield fault
            passed = max(passed, fault.end - 1)


def _against_request(report: ReportText, section: Section, asked: str) -> Iterator[Fault]:
    limbs = listed("regions")["sided"]
    regions = {region for part in parts_of(report.body_part) for region in limbs.get(part, ())}
    if section.name == COMPARISON:
        return
    sided: list[tuple[str, int, int]] = []
    for organ in section.organs:
        sentence = sentence_at(section.sentences, organ.start)
        if organ.region not in regions or sentence is None:
            continue
        side = side_of(sentence, section.plain, organ.start, organ.end)
        if side is not None:
            sided.append((side[2], min(side[0], organ.start), max(side[1], organ.end)))
    sided = sided or list(_sides_of_nothing_else(section)) if regions else sided
    sides = {side for side, _, _ in sided}
    if OTHER_SIDE[asked] in sides and not sides & {asked, BOTH}:
        _, start, end = next(one for one in sided if one[0] == OTHER_SIDE[asked])
        yield Fault("laterality", section.name, start, end)


def _sides_of_nothing_else(section: Section) -> Iterator[tuple[str, int, int]]:
    """The sides that a section names without an organ, as of the limb that is spoken of."""
    for sentence in section.sentences:
        for start, end, side in sides_in(section.plain, sentence.start, sentence.end):
            left, right = sentence.clause(start, end)
            if not any(left <= organ.start < right for organ in section.organs):
                yield side, start, end


def _between_places(findings: Section, impression: Section) -> Iterator[Fault]:
    """A place of which the impression speaks on one side and the findings on the other only, whatever lies there."""
    sides: dict[str, set[str]] = {}
    for place in spoken_of(impression):
        if not place.amiss or place.side not in OTHER_SIDE:
            continue
        if place.site not in sides:
            sides[place.site] = {one.side for one in spoken_of_one(findings, place.site) if one.amiss}
        amiss = sides[place.site]
        if OTHER_SIDE[place.side] in amiss and not amiss & {place.side, BOTH, ""}:
            yield Fault("laterality", IMPRESSION, place.start, place.end)


def _between_findings(findings: Section, impression: Section) -> Iterator[Fault]:
    """A finding that changes sides in the impression."""
    names = _sided_lesions()
    described = [one for one in findings.mentions if _counts(one, names)]
    marked: set[int] = set()
    for mention in impression.mentions:
        if not _counts(mention, names) or mention.side not in OTHER_SIDE or mention.side_at is None:
            continue
        same = [one for one in described if _same(one, mention, names)]
        sides = {one.side for one in same}
        if (
            OTHER_SIDE[mention.side] in sides
            and not sides & {mention.side, BOTH, ""}
            and mention.side_at[0] not in marked
        ):
            marked.add(mention.side_at[0])
            start, end = min(mention.side_at[0], mention.start), max(mention.side_at[1], mention.end)
            yield Fault("laterality", IMPRESSION, start, end)


def _sided_lesions() -> dict[str, bool]:
    """Findings whose side counts, and whether they are the same only in the same organ."""
    lesions = {entry["name"]: entry.get("organ", False) for entry in listed("lesions")["lesion"] if entry.get("sided")}
    return lesions | {"CV-CT-07": False, "CV-CT-02c": False, "CV-CT-02d": False, "CV-CT-02a": False, "CV-CT-01": False}


def _counts(mention: Mention, names: dict[str, bool]) -> bool:
    return mention.name in names and mention.said.state != ABSENT  # what is gone had a side too


def _same(one: Mention, other: Mention, names: dict[str, bool]) -> bool:
    if one.name != other.name:
        return False
    if not names[one.name]:
        return True
    return bool(one.organ) and _unsided(one.organ) == _unsided(other.organ)


def _unsided(organ: str) -> str:
    return organ.removeprefix(f"{LEFT}-").removeprefix(f"{RIGHT}-")

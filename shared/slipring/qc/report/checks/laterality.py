"""Sides: the limb that was asked for, and the same finding on one side in the findings and on the other in the impression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from slipring.qc.report.anatomy import BOTH, LEFT, OTHER_SIDE, RIGHT, side_of, sides_in
from slipring.qc.report.assertion import ABSENT, PRESENT
from slipring.qc.report.facts import COMPARISON, FINDINGS, IMPRESSION, Fault, ReportText
from slipring.qc.report.mentions import Mention, Section
from slipring.qc.report.parts import parts_of
from slipring.qc.report.passages import sentence_at
from slipring.qc.report.sites import Spoken, spoken_of, with_sides
from slipring.qc.report.words import listed

# Names under which one finding may stand for another, so that they neither bear it out nor speak against it.
_VAGUE = frozenset({"other", "mass", "nodule", "focal-lesion", "bleed", "infarct"})


def laterality(report: ReportText, sections: Sequence[Section]) -> Iterator[Fault]:
    """The wrong limb in a section that never names the right one, and findings that change sides in the impression."""
    asked = report.laterality.strip().lower()
    if asked in (LEFT, RIGHT):
        for section in sections:
            yield from _against_request(report, section, asked)
    read = {section.name: section for section in sections}
    if FINDINGS in read and IMPRESSION in read:
        yield from _between(read[FINDINGS], read[IMPRESSION])


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


def _between(findings: Section, impression: Section) -> Iterator[Fault]:
    """Places and findings that change sides; what the findings have on that side under another name is no fault."""
    places = [one for one in spoken_of(impression) if one.amiss and one.side in OTHER_SIDE]
    described: dict[str, list[Spoken]] = {place.site: [] for place in places}
    for one in with_sides(findings, spoken_of(findings, described)) if places else ():
        if one.amiss:
            described[one.site].append(one)
    told = [
        *_findings_moved(findings, impression, places, described),
        *((place.start, place.end) for place in places if _moved(place, described[place.site], findings)),
    ]
    passed = -1
    for start, end in sorted(told):
        if start > passed:
            yield Fault("laterality", IMPRESSION, start, end)
        passed = max(passed, end - 1)


def _moved(place: Spoken, described: Sequence[Spoken], findings: Section) -> bool:
    """A place of which the findings speak on the other side only, or where the other side alone has this finding."""
    there = [one for one in described if one.side == OTHER_SIDE[place.side]]
    here = [one for one in described if one.side in (place.side, BOTH, "")]
    told = place.findings - _VAGUE
    if here and not (told and any(one.findings & told for one in there)):
        return False
    if not there or any(_may_be(one, told) for one in here):
        return False
    return not any(one.name in told and one.side == place.side and not one.organ for one in findings.mentions)


def _may_be(described: Spoken, told: frozenset[str]) -> bool:
    """Whether what is described at a place may be what is told of it: by the same name, by none, or by a vague one."""
    return not described.findings or bool(described.findings & (told | _VAGUE))


def _findings_moved(
    findings: Section, impression: Section, places: Sequence[Spoken], described: Mapping[str, Sequence[Spoken]]
) -> Iterator[tuple[int, int]]:
    """A finding that changes sides."""
    names = _sided_lesions()
    known = [one for one in findings.mentions if _counts(one, names)]
    marked: set[int] = set()
    for mention in impression.mentions:
        if not _counts(mention, names) or mention.side not in OTHER_SIDE or mention.side_at is None:
            continue
        told = frozenset({mention.name})
        around = [one for one in places if one.side == mention.side and _within(mention, one)]
        if any(one.side == mention.side and _may_be(one, told) for place in around for one in described[place.site]):
            continue
        sides = {one.side for one in known if _same(one, mention, names) and (one.side or one.said.state == PRESENT)}
        if OTHER_SIDE[mention.side] in sides and not sides & {mention.side, BOTH, ""}:
            if mention.side_at[0] not in marked:
                yield min(mention.side_at[0], mention.start), max(mention.side_at[1], mention.end)
            marked.add(mention.side_at[0])


def _within(mention: Mention, place: Spoken) -> bool:
    """Whether the place is named in the clause of the finding."""
    if mention.sentence is None:
        return False
    left, right = mention.sentence.clause(mention.start, mention.end)
    return left <= place.start < right


@cache
def _sided_lesions() -> dict[str, bool]:
    """Findings whose side counts, and whether they are the same only in the same organ."""
    lesions = {entry["name"]: entry.get("organ", False) for entry in listed("lesions")["lesion"] if entry.get("sided")}
    return lesions | {
        "CV-CT-07": False, "CV-CT-02c": False, "CV-CT-02d": False, "CV-CT-02a": False, "CV-CT-01": False,
        "CV-CT-06": False, "CV-CT-13": False, "CV-CT-11": True,
    }  # fmt: skip


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

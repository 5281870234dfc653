"""Findings that one section states and the other denies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from slipring.qc.report.anatomy import BOTH
from slipring.qc.report.assertion import ABSENT, PRESENT
from slipring.qc.report.critical import GENERAL_BLEED
from slipring.qc.report.facts import FINDINGS, IMPRESSION, Fault, ReportText
from slipring.qc.report.mentions import Mention, Section
from slipring.qc.report.words import any_of, listed

_WHOLE = "any"


def contradiction(report: ReportText, sections: Sequence[Section]) -> Iterator[Fault]:
    """What the impression says against the findings; each finding once."""
    read = {section.name: section for section in sections}
    if FINDINGS not in read or IMPRESSION not in read:
        return
    names = _compared()
    marked: set[str] = set()
    for mention in read[IMPRESSION].mentions:
        if mention.name not in names or mention.name in marked:
            continue
        same = [one for one in read[FINDINGS].mentions if _of_one(mention, one) and _alike(one, mention, names)]
        if _against(mention, read[IMPRESSION], same, read[FINDINGS]):
            marked.add(mention.name)
            left = mention.side_at[0] if mention.side_at and mention.side_at[0] < mention.start else mention.start
            yield Fault("contradiction", IMPRESSION, left, mention.end)


def _against(mention: Mention, where: Section, same: Sequence[Mention], there: Section) -> bool:
    others = [one for one in _elsewhere(where, mention) if one.said.state != mention.said.state]
    if mention.said.state == PRESENT and mention.said.change != "worse":
        denied = [one for one in same if one.said.state == ABSENT and not _of_the_rest(one, there)]
        return bool(denied) and not others and all(one.said.state == ABSENT for one in same)
    if mention.said.state == PRESENT:
        return bool(same) and all(one.said.state == ABSENT and not _of_the_rest(one, there) for one in same)
    if mention.said.state == ABSENT and not _of_the_rest(mention, where):
        stated = [one for one in same if one.said.state == PRESENT]
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


def _compared() -> dict[str, bool]:
    lesions = {
        entry["name"]: entry.get("organ", False) for entry in listed("lesions")["lesion"] if entry.get("compare")
    }
    return lesions | {entry["code"]: False for entry in listed("critical")["term"]}


def _alike(one: Mention, other: Mention, names: dict[str, bool]) -> bool:
    if (one.sign and one.weak) or (other.sign and other.weak):
        return False
    if one.side and other.side and one.side != other.side and BOTH not in (one.side, other.side):
        return False
    if not names[one.name] or not one.organ or not other.organ:
        return True
    if other.said.state == ABSENT:  # what is denied of a whole part is denied of each organ of it
        return one.region == other.region or _WHOLE in (one.region, other.region)
    return one.organ == other.organ


def _of_the_rest(mention: Mention, section: Section) -> bool:
    if mention.sentence is None:
        return False
    left, _ = mention.sentence.clause(mention.start, mention.end)
    return _rest().search(section.plain, left, mention.end) is not None


@cache
def _rest() -> re.Pattern[str]:
    """A denial of the rest, or of new things, does not deny what was told before."""
    return any_of(listed("contexts")["of-the-rest"])

"""Organs that were taken out, described as if they were there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from slipring.qc.report.anatomy import BOTH, LEFT, RIGHT, OrganMention, organs_in, side_of
from slipring.qc.report.assertion import ABSENT
from slipring.qc.report.facts import COMPARISON, Fault, ReportText
from slipring.qc.report.mentions import Mention, Section
from slipring.qc.report.passages import Sentence, sentence_at
from slipring.qc.report.words import any_of, listed

_PAIRED = frozenset({"kidney", "breast", "adrenal", "ovary", "testis", "parotid", "lung"})

_BOTH_OF_THEM = re.compile(r"(?:kidneys|adrenals|adrenal glands|breasts|ovaries|lungs|testes|testicles)$")


@cache
def _touching() -> tuple[re.Pattern[str], re.Pattern[str]]:
    data = listed("organs")["not-the-organ"]
    after = re.compile("|".join(data["after"]).replace(" ", r"\s+"))
    before = re.compile("(?:" + "|".join(data["before"]).replace(" ", r"\s+") + ")$")
    return after, before


@cache
def _taken_out() -> re.Pattern[str]:
    return any_of(listed("contexts")["taken-out"])


def removed_organ(report: ReportText, sections: Sequence[Section]) -> Iterator[Fault]:
    """A removed organ that a sentence describes, the first wording in each section; told as removed it is no fault."""
    for removed in report.removed_organs:
        side, name = _named(removed)
        for section in sections:
            if section.name == COMPARISON or not name:
                continue
            told = (organ for organ in section.organs if organ.name == name and _described(organ, side, section))
            first = next(told, None)
            if first is not None:
                yield Fault("removed-organ", section.name, first.start, first.end)


def _named(removed: str) -> tuple[str, str]:
    """The side and our name of an organ as the request writes it.

    >>> _named("right-kidney"), _named("脾"), _named("left-lower-lobe"), _named("uterus")
    (('right', 'kidney'), ('', 'spleen'), ('', 'left-lower-lobe'), ('', 'uterus'))
    """
    words = removed.strip().lower().replace("_", "-")
    names = {entry["name"] for entry in listed("organs")["organ"]}
    if words in names:
        return "", words
    side = LEFT if re.match("左|left", words) else RIGHT if re.match("右|right", words) else ""
    rest = re.sub(r"^(?:左|右|left-?|right-?)侧?", "", words)
    if rest in names:
        return side, rest
    known = next(organs_in(words.replace("-", " ")), None) or next(organs_in(rest), None)
    return (side if known and known.name in _PAIRED else "", known.name) if known else (side, "")


def _described(organ: OrganMention, side: str, section: Section) -> bool:
    sentence = sentence_at(section.sentences, organ.start)
    if sentence is None:
        return False
    after, before = _touching()
    if after.match(section.plain, organ.end) or before.search(section.plain, max(0, organ.start - 24), organ.start):
        return False
    left, right = sentence.clause(organ.start, organ.end)
    if _taken_out().search(section.plain, left, right) or _denied_as_ill(organ, section.said_in(sentence)):
        return False
    return _this_side(organ, side, sentence, section)


def _denied_as_ill(organ: OrganMention, said: Sequence[Mention]) -> bool:
    """No appendicitis: the name of a disease of the organ, denied, describes no organ."""
    return any((one.start, one.end, one.said.state) == (organ.start, organ.end, ABSENT) for one in said)


def _this_side(organ: OrganMention, side: str, sentence: Sentence, section: Section) -> bool:
    """Of paired organs only the removed side is missed; where the request names no side, only both together are."""
    if organ.name not in _PAIRED:
        return True
    said = side_of(sentence, section.plain, organ.start, organ.end)
    stated = said[2] if said else ""
    named = section.plain[organ.start : organ.end]
    if "双" in named or (not stated and _BOTH_OF_THEM.search(named)):
        stated = BOTH
    return stated in (side, BOTH) if side else stated == BOTH and organ.name == "breast"

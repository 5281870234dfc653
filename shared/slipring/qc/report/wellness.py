"""Organs, and whole examinations, that a section calls normal."""

from __future__ import annotations

import re
from functools import cache

from slipring.qc.report.anatomy import BOTH, OrganMention, side_of
from slipring.qc.report.assertion import ABSENT
from slipring.qc.report.mentions import Section
from slipring.qc.report.passages import Sentence, sentence_at
from slipring.qc.report.words import any_of, listed

_KINDS = ("exam-in-order", "nothing-acute")
_BRACKETED = re.compile(r"^\s*\d{1,2}\s*[.、)]|\W+")


@cache
def _whole() -> re.Pattern[str]:
    return any_of(listed("contexts")["wholly-in-order"])


@cache
def _partial() -> re.Pattern[str]:
    return any_of(listed("contexts")["in-part"])


@cache
def _of_the_exam(kind: str) -> re.Pattern[str]:
    return any_of(listed("contexts")[kind])


def called_normal(section: Section) -> list[tuple[OrganMention, str]]:
    """The organs that a clause calls normal as a whole, each with its side ('' where none is said).

    Not those of which only size, shape or a part is in order, and not the rest of something.
    """
    found = []
    for organ in section.organs:
        sentence = sentence_at(section.sentences, organ.start)
        if sentence is not None and _in_order(organ, sentence, section):
            side = side_of(sentence, section.plain, organ.start, organ.end)
            found.append((organ, side[2] if side else BOTH))
    return found


def _in_order(organ: OrganMention, sentence: Sentence, section: Section) -> bool:
    left, right = sentence.clause(organ.start, organ.end)
    if not _whole().search(section.plain, left, right) or _partial().search(section.plain, left, right):
        return False
    return not any(left <= one.start < right for one in section.said_in(sentence) if one.said.state != ABSENT)


def exam_called_normal(section: Section) -> tuple[int, int, str] | None:
    """Where a section says that nothing at all ("exam-in-order"), or nothing acute ("nothing-acute"), is wrong, and nothing else."""
    spoken = [sentence for sentence in section.sentences if _BRACKETED.sub("", sentence.text)]
    if len(spoken) != 1 or any(one.critical for one in section.mentions):
        return None
    start, end = spoken[0].start, spoken[0].end
    told = section.plain[start:end].strip(" .。;\n")
    return next(((start, end, kind) for kind in _KINDS if _of_the_exam(kind).fullmatch(told)), None)

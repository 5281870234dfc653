"""Places with two sides, as a section speaks of them: on which side, and whether something is amiss there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from slipring.qc.report.anatomy import side_of
from slipring.qc.report.assertion import ABSENT
from slipring.qc.report.finder import Finder
from slipring.qc.report.mentions import Section
from slipring.qc.report.passages import Sentence, sentence_at
from slipring.qc.report.words import any_of, as_pattern, listed


@dataclass(frozen=True, slots=True)
class Spoken:
    """A place named in a section.

    Its side ('' where none is said), the words from side to place, whether something is amiss there, and which listed findings.
    """

    site: str
    side: str
    start: int
    end: int
    amiss: bool
    findings: frozenset[str]


@cache
def _sites() -> Finder[str]:
    words = listed("sites")["words"]
    return Finder((as_pattern(word), name) for name, some in words.items() for word in some)


@cache
def in_order() -> re.Pattern[str]:
    """Words by which a clause says that all is well."""
    return any_of(listed("contexts")["in-order"])


@cache
def _words_of(site: str) -> re.Pattern[str]:
    return any_of(listed("sites")["words"][site])


def spoken_of(section: Section) -> Iterator[Spoken]:
    """Every place with two sides that a section names, but those it only asks or advises about."""
    for sentence in section.sentences:
        for site, start, end in _sites()(section.plain, sentence.start, sentence.end):
            yield from _spoken(section, sentence, site, start, end)


def spoken_of_one(section: Section, site: str) -> Iterator[Spoken]:
    """Each time that a section names this one place."""
    for hit in _words_of(site).finditer(section.plain):
        sentence = sentence_at(section.sentences, hit.start())
        if sentence is not None:
            yield from _spoken(section, sentence, site, hit.start(), hit.end())


def _spoken(section: Section, sentence: Sentence, site: str, start: int, end: int) -> Iterator[Spoken]:
    left, right = sentence.clause(start, end)
    if _only_asked(sentence, left, start):
        return
    side = side_of(sentence, section.plain, start, end)
    yield Spoken(
        site,
        side[2] if side else "",
        min(start, side[0]) if side else start,
        max(end, side[1]) if side else end,
        *_told(section, sentence, left, right),
    )


def _only_asked(sentence: Sentence, left: int, start: int) -> bool:
    return any(
        word.effect in ("asked", "other") and left <= word.start < start and word.reach == "after"
        for word in sentence.words
    )


def _told(section: Section, sentence: Sentence, left: int, right: int) -> tuple[bool, frozenset[str]]:
    """Whether something is or was amiss in this clause, and the findings that it names."""
    named = frozenset(
        one.name for one in section.mentions if left <= one.start < right and one.said.state != ABSENT and not one.weak
    )
    gone = any(word.effect in ("gone", "resolved") and left <= word.start < right for word in sentence.words)
    return bool(named) or gone or in_order().search(section.plain, left, right) is None, named

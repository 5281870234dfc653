"""Places with two sides, as a section speaks of them: on which side, and whether something is amiss there."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
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


def spoken_of(section: Section, only: Container[str] | None = None) -> Iterator[Spoken]:
    """Every place with two sides that a section names, or each time it names one of these, but not what it only asks or advises."""
    for sentence in section.sentences:
        for site, start, end in _sites()(section.plain, sentence.start, sentence.end):
            if only is None or site in only:
                yield from _spoken(section, sentence, site, start, end)


def with_sides(section: Section, spoken: Iterable[Spoken]) -> Iterator[Spoken]:
    """The same, a place named again in its sentence without a side being on the side that it was said to be on."""
    said: dict[str, tuple[Sentence | None, str]] = {}
    for one in spoken:
        sentence = sentence_at(section.sentences, one.start)
        before, side = said.get(one.site, (None, ""))
        if not one.side and side and before is sentence:
            yield replace(one, side=side)
            continue
        said[one.site] = sentence, one.side
        yield one


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
        one.name
        for one in section.said_in(sentence)
        if left <= one.start < right and one.said.state != ABSENT and not one.weak
    )
    gone = any(word.effect in ("gone", "resolved") and left <= word.start < right for word in sentence.words)
    return bool(named) or gone or in_order().search(section.plain, left, right) is None, named

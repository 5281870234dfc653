"""Sentences and clauses of a section, with their places."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from slipring.qc.report.finder import OneByOne
from slipring.qc.report.words import as_pattern, listed

_ENDS = re.compile(
    r"[。!;\n]|\?(?![^。!?;.\n]{0,24}\?)|(?<=[\u3400-\u9fff)\]%a-z])\.(?=[\u3400-\u9fff\s\d(]|$)|(?<=\d)\.(?=[\u3400-\u9fff]|\s|$)"
)
_LONGEST = 500  # characters; work on a sentence grows with the square of its length
_ABBREVIATED = re.compile(
    r"(?:\b(?:dr|mr|mrs|vs|approx|no|fig|ser|im|st|ca|e\.g|i\.e|resp|incl|max|min|prof|cf|al)|^\s*\d{1,2})$"
)
_ASKED_AHEAD = re.compile(r"(?:^|[:,(/])\s*$|(?<=[a-z])\s$")
_PARTS = re.compile(
    r"[,?]|(?<!\d)\s-+\s|—|(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])|"
    r":(?!\s*(?:none|no\b|nil|negative|absent|not seen|无|未见|阴性|没有|否))"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the lists that bears on findings: what it does, which way it reaches, how far, and where it stands."""

    effect: str
    reach: str
    near: int
    start: int
    end: int
    chinese: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: where it stands in the section, its folded text, its clauses' ends and the words that bear on findings."""

    start: int
    end: int
    text: str
    parts: tuple[int, ...]
    words: tuple[Word, ...]
    stops: tuple[Word, ...]  # those of the words that end the reach of others

    def clause(self, start: int, end: int) -> tuple[int, int]:
        """The clause, or the clauses, around these places; within brackets the bracket.

        >>> passages("无出血,左侧骨折")[0].clause(5, 7)
        (4, 8)
        """
        left, right = self.start, self.end
        for place in self.parts:
            if place < start:
                left = place + 1
            elif place >= end:
                right = place
                break
        opened = self.text.rfind("(", left - self.start, start - self.start)
        if opened >= 0 and self.text.find(")", opened, start - self.start) < 0:
            closed = self.text.find(")", end - self.start)
            return max(left, self.start + opened + 1), min(right, self.start + closed if closed >= 0 else right)
        return left, right


@dataclass(frozen=True, slots=True)
class _Role:
    effect: str
    reach: str
    near: int
    chinese: bool


@cache
def _lexicon() -> OneByOne[tuple[_Role, ...]]:
    roles: dict[str, list[_Role]] = {}
    for group in listed("assertion")["words"]:
        for language in ("zh", "en"):
            role = _Role(group["effect"], group.get("reach", ""), group.get("near", 0), language == "zh")
            for word in group.get(language, ()):
                roles.setdefault(word, []).append(role)
    return OneByOne((as_pattern(word), tuple(some)) for word, some in roles.items())


def passages(plain: str) -> tuple[Sentence, ...]:
    """The sentences of a section, given as folded text.

    >>> [s.text for s in passages("肺清晰。1.8cm结节.左肾囊肿. l4. no")]
    ['肺清晰。', '1.8cm结节.', '左肾囊肿.', ' l4.', ' no']
    """
    found: list[Sentence] = []
    start = 0
    for mark in _ENDS.finditer(plain):
        if mark[0] == "." and _ABBREVIATED.search(plain, start, mark.start()) and mark.start() - start > 0:
            continue
        if mark[0] == "?" and _ASKED_AHEAD.search(plain[start : mark.start()]):
            continue
        found += _sentences(plain, start, mark.end())
        start = mark.end()
    if start < len(plain):
        found += _sentences(plain, start, len(plain))
    return tuple(one for one in found if one.text.strip())


def _sentences(plain: str, start: int, end: int) -> Iterator[Sentence]:
    """One sentence, or what nobody has ended in lengths that a reader could take in, cut at a comma or a space."""
    while end - start > _LONGEST:
        cut = max(plain.rfind(mark, start + 1, start + _LONGEST) for mark in ", ")
        cut = cut + 1 if cut > start else start + _LONGEST
        yield _sentence(plain, start, cut)
        start = cut
    yield _sentence(plain, start, end)


def _sentence(plain: str, start: int, end: int) -> Sentence:
    words = tuple(
        Word(role.effect, role.reach, role.near, first, last, role.chinese)
        for roles, first, last in _lexicon()(plain, start, end)
        for role in roles
        if role.effect != "plain"
    )
    parts = tuple(mark.start() for mark in _PARTS.finditer(plain, start, end))
    return Sentence(start, end, plain[start:end], parts, words, tuple(word for word in words if word.effect == "stop"))


def sentence_at(sentences: Sequence[Sentence], place: int) -> Sentence | None:
    """The sentence that holds this place."""
    at = bisect_right(sentences, place, key=lambda one: one.start) - 1
    return sentences[at] if at >= 0 and place < sentences[at].end else None

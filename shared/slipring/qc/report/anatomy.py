"""Organs and sides in a text: which organ a word names, and on which side a finding lies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from slipring.qc.report.finder import OneByOne
from slipring.qc.report.passages import Sentence
from slipring.qc.report.words import any_of, as_pattern, listed

LEFT, RIGHT, BOTH = "left", "right", "both"
OTHER_SIDE = {LEFT: RIGHT, RIGHT: LEFT}
_SIDE = re.compile(
    r"双|两侧|两肺|两肾|左右|左|右|(?<![a-z])(?:bilateral(?:ly)?|both|left|right|lt\.?|rt\.?)(?![a-z])|"
    r"(?<![a-z0-9./'-])[lr](?=(?:-sided)?\s(?!spine)[a-z]{2}|[ul]l(?![a-z]))|(?<![a-z0-9./'-])r(?=ml(?![a-z]))"
)
_LEFT_WORDS = ("左", "l")
_RIGHT_WORDS = ("右", "r")

_ON_THE = re.compile(r"\s+on (?:the )?(left|right|both)(?![a-z])(?! (?:\w+ )?(?:lobe|lung|kidney))")


@cache
def _no_side() -> re.Pattern[str]:
    return any_of(listed("contexts")["no-side"])


@dataclass(frozen=True, slots=True)
class OrganMention:
    """An organ named in a text."""

    name: str
    region: str
    sex: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Organ:
    name: str
    region: str
    sex: str


@cache
def _organs() -> OneByOne[_Organ]:
    return OneByOne(
        (as_pattern(word), organ)
        for entry in listed("organs")["organ"]
        for organ in [_Organ(entry["name"], entry["region"], entry.get("sex", ""))]
        for word in entry["words"]
    )


def organs_in(plain: str) -> Iterator[OrganMention]:
    """Every organ named in folded text, in order.

    >>> [one.name for one in organs_in("右肾上腺、胆囊 and spleen")]
    ['adrenal', 'gallbladder', 'spleen']
    """
    for organ, start, end in _organs()(plain, 0, len(plain)):
        yield OrganMention(organ.name, organ.region, organ.sex, start, end)


def covers(whole: str, part: str) -> bool:
    """Whether who speaks of the first organ speaks of the second too.

    >>> covers("lung", "left-upper-lobe"), covers("left-upper-lobe", "lung"), covers("liver", "liver")
    (True, False, True)
    """
    return whole == part or (whole == "lung" and part.endswith("-lobe"))


def sides_in(plain: str, left: int, right: int) -> list[tuple[int, int, str]]:
    """The words for sides between these places, as (start, end, side)."""
    masked = {
        hit.start() + found.start()
        for hit in _no_side().finditer(plain, left, right)
        for found in _SIDE.finditer(hit[0])
    }
    return [
        (hit.start(), hit.end(), _side(hit[0]))
        for hit in _SIDE.finditer(plain, left, right)
        if hit.start() not in masked
    ]


def _side(word: str) -> str:
    if word == "左右":
        return BOTH
    return LEFT if word.startswith(_LEFT_WORDS) else RIGHT if word.startswith(_RIGHT_WORDS) else BOTH


def side_of(sentence: Sentence, plain: str, start: int, end: int) -> tuple[int, int, str] | None:
    """The side that a finding or organ at these places is said to lie on: the nearest before it in its clause, else after it."""
    left, right = sentence.clause(start, end)
    after = _ON_THE.match(plain, end, right)
    if after:
        return after.start(1), after.end(1), _side(after[1])
    sides = sides_in(plain, left, right)
    before = [one for one in sides if one[0] < end]
    if before:
        return before[-1]
    return sides[0] if sides else None

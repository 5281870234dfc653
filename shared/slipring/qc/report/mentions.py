"""Sections read once: their sentences, the organs they name and the findings they mention with what is said of each."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from itertools import chain
from typing import Any

from slipring.qc.report.anatomy import OrganMention, organs_in, side_of, sides_in
from slipring.qc.report.assertion import ABSENT, Assertion, asserted
from slipring.qc.report.facts import OwnWords
from slipring.qc.report.finder import Finder
from slipring.qc.report.folding import folded
from slipring.qc.report.passages import Sentence, passages
from slipring.qc.report.words import any_of, as_pattern, listed

_BARE_LEAD = 4
_BREATH = 200  # characters that are still of one breath
_FULL_STOPS = ("。", ". ", "\n")
_LAST = 1_000_000  # behind every shipped term


@dataclass(frozen=True, slots=True)
class Mention:
    """A finding named in a text: which, where, what is said of it, and its organ and side as far as the clause tells."""

    name: str
    start: int
    end: int
    said: Assertion
    organ: str = ""
    region: str = ""
    side: str = ""
    side_at: tuple[int, int] | None = None
    sign: bool = False
    critical: bool = False
    weak: bool = False
    yields: bool = False  # it may lead to the finding, and is none where the report denies the finding itself
    outright: bool = False  # denied by its own words: the midline is central
    sentence: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One section, read."""

    name: str
    text: str
    plain: str
    sentences: tuple[Sentence, ...]
    organs: tuple[OrganMention, ...]
    mentions: tuple[Mention, ...] = ()
    by_sentence: Mapping[int, tuple[Mention, ...]] = field(default_factory=dict)  # by where their sentence starts

    def said_in(self, sentence: Sentence) -> tuple[Mention, ...]:
        """The findings that one of its sentences mentions."""
        return self.by_sentence.get(sentence.start, ())


@dataclass(frozen=True, slots=True)
class _Term:
    number: int
    name: str
    never: re.Pattern[str] | None
    needs: re.Pattern[str] | None
    within: frozenset[str]
    out: frozenset[str]
    sign: bool
    critical: bool
    weak: bool
    yields: bool
    kin: frozenset[str]
    of: str  # the organ that it is of, where none is named
    denied: bool  # the words themselves say that it is not there


@cache
def _terms() -> Finder[_Term]:
    entries = [*listed("critical")["term"], *listed("lesions")["lesion"]]
    terms = [(_term(number, entry), entry["words"]) for number, entry in enumerate(entries)]
    terms += [
        (_term(number, entry, denied=True), entry["denials"])
        for number, entry in enumerate(entries, len(entries))
        if "denials" in entry
    ]
    return Finder((as_pattern(word), term) for term, words in terms for word in words)


@lru_cache(maxsize=4)  # the edition in force, and the one before it
def _own_terms(own: tuple[OwnWords, ...]) -> Finder[_Term]:
    """Behind the shipped terms, whose words win where both name the same finding."""
    terms = [(_term(_LAST + number, {"code": one.code}), one.words) for number, one in enumerate(own)]
    return Finder((_as_written(word), term) for term, words in terms for word in words if folded(word).strip())


def _as_written(word: str) -> str:
    """A word of the department as a pattern: letters for letters, any number of blanks for a blank."""
    return as_pattern(" ".join(re.escape(part) for part in folded(word).split()))


def _term(number: int, entry: dict[str, Any], *, denied: bool = False) -> _Term:
    return _Term(
        number=number,
        name=entry.get("code") or entry["name"],
        never=any_of(entry["never"]) if "never" in entry else None,
        needs=any_of(entry["needs"]) if "needs" in entry else None,
        within=frozenset(entry.get("in", ())),
        out=frozenset(entry.get("out", ())),
        sign=entry.get("sign", False),
        critical="code" in entry,
        weak=entry.get("weak", False),
        yields=entry.get("yields", False),
        kin=frozenset({entry.get("code") or entry["name"], *entry.get("kin", ())}),
        of=entry.get("of", ""),
        denied=denied,
    )


def read_section(name: str, text: str, parts: frozenset[str], own: tuple[OwnWords, ...] = ()) -> Section:
    """Read one section of an exam of these parts of the body; none where they are not known. `own`: the department's words."""
    plain = folded(text)
    sentences, organs = passages(plain), tuple(organs_in(plain))
    starts = [one.start for one in organs]
    found: dict[int, tuple[Mention, ...]] = {}
    for sentence in sentences:
        hits = _hits(sentence, plain, parts, own)
        if not hits:
            continue
        inside = organs[bisect_left(starts, sentence.start) : bisect_left(starts, sentence.end)]
        again = cache(partial(_named_again, sentence, plain))
        mentions = []
        for term, start, end in hits:
            others = [
                (left, right)
                for other, left, right in hits
                if (right <= start or left >= end) and not (term.name in other.kin and again(left, right))
            ]
            said = Assertion(ABSENT) if term.denied else asserted(sentence, start, end, others)
            mentions.append(_mention(term, start, end, said, sentence, plain, inside))
        found[sentence.start] = tuple(mentions)
    return Section(name, text, plain, sentences, organs, tuple(chain.from_iterable(found.values())), found)


def _named_again(sentence: Sentence, plain: str, start: int, end: int) -> bool:
    """The finding by its bare name, without a side or an organ of its own: 血肿, the clot."""
    left, right = sentence.clause(start, end)
    return (
        not sides_in(plain, left, right)
        and start - left <= _BARE_LEAD
        and next(organs_in(plain[left:end]), None) is None
    )


def _hits(
    sentence: Sentence, plain: str, parts: frozenset[str], own: tuple[OwnWords, ...]
) -> list[tuple[_Term, int, int]]:
    """The terms in a sentence; of one finding the first listed words win where two overlap."""
    hits: list[tuple[_Term, int, int]] = []
    places = (plain, sentence.start, sentence.end)
    found = sorted(
        [*_terms()(*places), *(_own_terms(own)(*places) if own else ())], key=lambda hit: (hit[0].number, hit[1])
    )
    for term, start, end in found:
        if parts and ((term.within and not parts & term.within) or parts <= term.out):
            continue
        if any(known.name == term.name and first < end and start < last for known, first, last in hits):
            continue
        left, right = sentence.clause(start, end)
        if term.never and term.never.search(plain, left, right):
            continue
        if term.needs and not term.needs.search(plain, _lead(sentence, plain), sentence.end):
            continue
        hits.append((term, start, end))
    return hits


def _lead(sentence: Sentence, plain: str) -> int:
    """Where what the sentence goes on from begins: what stands before its semicolon is of one breath with it."""
    if sentence.start == 0 or plain[sentence.start - 1] != ";":
        return sentence.start
    furthest = max(0, sentence.start - _BREATH)
    return max(furthest, *(plain.rfind(mark, furthest, sentence.start) + 1 for mark in _FULL_STOPS))


def _mention(
    term: _Term, start: int, end: int, said: Assertion, sentence: Sentence, plain: str, organs: Sequence[OrganMention]
) -> Mention:
    left, right = sentence.clause(start, end)
    inside = [one for one in organs if left <= one.start < right]
    before = [one for one in inside if one.start < end]
    organ = before[-1] if before else inside[0] if inside else None
    side = side_of(sentence, plain, start, end)
    return Mention(
        term.name,
        start,
        end,
        said,
        organ=organ.name if organ else term.of,
        region=organ.region if organ else "",
        side=side[2] if side else "",
        side_at=side[:2] if side else None,
        sign=term.sign,
        critical=term.critical,
        weak=term.weak,
        yields=term.yields,
        outright=term.denied,
        sentence=sentence,
    )

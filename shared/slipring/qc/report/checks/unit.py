"""Measured numbers without a unit, or with one that cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from slipring.qc.report.facts import COMPARISON, Fault, ReportText
from slipring.qc.report.mentions import Section
from slipring.qc.report.words import is_chinese, listed

_NUMBER = r"\d+(?:[.,]\d+)?"
_PRODUCT = rf"{_NUMBER}(?:\s*[×x*✕]\s*{_NUMBER}){{0,3}}"
_MEASURED = re.compile(rf"(?<![\w.+/#^])-?{_PRODUCT}|(?<=[\u3400-\u9fff])-?{_PRODUCT}")
_GOES_ON = re.compile(
    rf"(?:\s*(?:-|–|—|~|～|至|到|to|and|、|和|及|/|±|->|→|vs\.?|with|,)\s*(?:约|about\s)?-?{_PRODUCT}){{1,20}}"
)
_SEVERAL = re.compile(r"\d\s*[×x*✕]\s*\d")
_FRACTION = re.compile(r"\s*/\s*\d+(?!\d|\s*(?:mm|cm))")
_ENDS = re.compile(r"\s*(?:[,。;)、!?]|\.(?!\d)|$|\n)")
_ABOUT = re.compile(r"(?:约|(?<![a-z])(?:about|approximately|approx\.?|around))\s*$")
_FILLERS = (
    r"(?:分别|各|均|最大|最小|约为|约|大约|可达|达|为|是|处|测得|"
    r"(?<![a-z])(?:approximately|approx\.?|about|up to|of|is|are|at|now)(?![a-z])|=|:|<|>|≤|≥|\s)*$"
)
_RATIO = re.compile(r"/[^,。;]{0,10}$|比(?:值|例)?[^,。;\d]{0,4}$")
_GOES_TO_A_PLACE = re.compile(r"\s+(?:in|within|at) (?:the|segment|both|its)(?![a-z])")
_BACK = 28
_LISTED = re.compile(r"\s*([)、.])\s*(?=[^\s\d])")
_ENTRIES = 20


@dataclass(frozen=True, slots=True)
class _Units:
    length: re.Pattern[str]
    density: re.Pattern[str]
    other: re.Pattern[str]
    impossible: re.Pattern[str]
    measures: re.Pattern[str]
    lesions: re.Pattern[str]
    one_lesion_of: re.Pattern[str]
    near_measure: re.Pattern[str]
    density_words: re.Pattern[str]
    adjectives: re.Pattern[str]
    bare: re.Pattern[str]
    strict: re.Pattern[str]
    no_length: re.Pattern[str]
    of_lesion: re.Pattern[str]
    no_lesion: re.Pattern[str]


def _any(name: str) -> str:
    words = sorted(listed("units")[name], key=len, reverse=True)
    return "|".join(word if is_chinese(word) else rf"(?<![a-z]){word}".replace(" ", r"\s+") for word in words)


def _after(name: str) -> str:
    return "|".join(sorted(listed("units")[name], key=len, reverse=True)).replace(" ", r"\s+")


@cache
def _units() -> _Units:
    either = f"{_any('measures')}|{_any('lesions')}"
    return _Units(
        length=re.compile(rf"\s*-?(?:{_after('lengths')})(?![a-z\d²³])"),
        density=re.compile(rf"\s*(?:{_after('densities')})(?![a-z])"),
        other=re.compile(rf"\s*-?(?:{_after('others')})(?![a-z])"),
        impossible=re.compile(rf"\s*(?:{_after('impossible')})(?![a-z\d])"),
        measures=re.compile(rf"(?:{_any('measures')}){_FILLERS}"),
        lesions=re.compile(rf"(?:{_any('lesions')})(?:约|,? of)?\s*$"),
        one_lesion_of=re.compile(rf"(?:{_any('lesions')})(?<!s) of\s+(?:about\s+|approximately\s+)?$"),
        near_measure=re.compile(rf"(?:(?:{either})[^\d,;。()]{{0,16}}|^|[\s,约(])$"),
        density_words=re.compile(rf"(?:{_any('density-words')}){_FILLERS}"),
        adjectives=re.compile(rf"\s+(?:{_after('adjectives')})(?![a-z])"),
        bare=re.compile(rf"(?:{_any('bare')})[\s:=约为]*(?:(?:of|is|about)\s)?$"),
        strict=re.compile(rf"(?:{_any('strict')}){_FILLERS}"),
        no_length=re.compile(rf"\s*-?(?:{_after('no-length')})(?![a-z\d²³])"),
        of_lesion=re.compile(rf"(?:{_any('lesions')})(?:,?\s+(?:which\s+)?measur(?:es|ing|ed))?{_FILLERS}"),
        no_lesion=re.compile(rf"\s*-?(?:{_after('no-lesion')})(?![a-z\d])"),
    )


def unit(report: ReportText, sections: Sequence[Section]) -> Iterator[Fault]:
    """A length or a CT number without its unit, or with a unit that no such number has; each place once."""
    for section in sections:
        if section.name == COMPARISON:
            continue
        passed = 0
        for hit in _MEASURED.finditer(section.plain):
            if hit.start() < passed:
                continue
            end = _fault(section.plain, hit)
            if end:
                yield Fault("unit", section.name, hit.start(), end)
                passed = end


def _fault(plain: str, hit: re.Match[str]) -> int:
    """Where the fault of this number ends, or 0."""
    units, start, end = _units(), hit.start(), hit.end()
    window = max(0, start - _BACK)
    long = units.length.match(plain, end)
    if long:
        return long.end() if units.density_words.search(plain, window, start) else 0
    dense = units.density.match(plain, end)
    if dense:
        wrong = dense[0].strip() != "h" and units.measures.search(plain, window, start)
        return dense.end() if wrong and not units.density_words.search(plain, window, start) else 0
    another = units.no_length.match(plain, end)
    if another and (units.strict.search(plain, window, start) or units.adjectives.match(plain, another.end())):
        return another.end()
    another = units.no_lesion.match(plain, end)
    if another and units.of_lesion.search(plain, window, start):
        return another.end()
    if units.other.match(plain, end):
        return 0
    wrong_unit = units.impossible.match(plain, end)
    if wrong_unit:
        return wrong_unit.end() if _SEVERAL.search(hit[0]) or units.near_measure.search(plain, window, start) else 0
    return end if _without(plain, hit, units) else 0


def _without(plain: str, hit: re.Match[str], units: _Units) -> bool:
    start, end = hit.span()
    if _FRACTION.match(plain, end):
        return False
    more = _GOES_ON.match(plain, end)
    several = _SEVERAL.search(hit[0]) is not None  # a product of lengths is not mended by the CT number after it
    mending = (units.length,) if several else (units.length, units.density, units.other)
    if more and any(one.match(plain, more.end()) for one in mending):
        return False
    if _numbers_a_list(plain, hit):
        return False
    window = max(0, start - _BACK)
    if units.bare.search(plain, window, start) or _RATIO.search(plain, window, start):
        return False
    if several or units.measures.search(plain, window, start) or units.density_words.search(plain, window, start):
        return True
    if units.adjectives.match(plain, end):
        return True
    if _GOES_TO_A_PLACE.match(plain, end) and units.one_lesion_of.search(plain, window, start):
        return True
    return _ENDS.match(plain, end) is not None and bool(
        _ABOUT.search(plain, window, start) or units.lesions.search(plain, window, start)
    )


def _numbers_a_list(plain: str, hit: re.Match[str]) -> bool:
    """1)肝囊肿 2)左肾囊肿: the number of an entry, the first or one after its forerunner."""
    mark = _LISTED.match(plain, hit.end())
    if mark is None or not hit[0].isdecimal() or int(hit[0]) > _ENTRIES:
        return False
    before = str(int(hit[0]) - 1)
    return before == "0" or re.search(rf"(?<![\d.]){before}\s*{re.escape(mark[1])}", plain[: hit.start()]) is not None

"""Whether a mentioned finding is there: denied, suspected, known and unchanged, gone, or only spoken of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from slipring.qc.report.passages import Sentence, Word

PRESENT, SUSPECTED, ABSENT, NOT_HERE = "present", "suspected", "absent", "not-here"

_VERB = re.compile(
    r"(?<![a-z])(?:is|are|was|were|shows?|demonstrates?|measures?|measuring|has|have|seen|noted|identified|present|contains?|extends?|"
    r"fills?|consistent|compatible|representing|reaching|compressing|causing)(?![a-z])"
)
_FRESH_START = re.compile(
    r"\s*(?:(?:an?|the|there|large|small|tiny|moderate|minimal|mild|trace|extensive|acute|subtle|thin|possible|probable|known|stable|"
    r"unchanged|left|right|bilateral|both|multiple|several|new|\d)(?![a-z]))"
)
_LISTS_ON = re.compile(r"(?<![a-z])(?:or|nor|and/or)(?![a-z])")
_MORE_THAN_A_NAME = re.compile(r"[左右双两大小少多见示有伴呈为约可疑考似\d]")
_MEASURED = re.compile(r"\d")
_ONE_SIDE = re.compile("[左右上下]")
_REMAINS = re.compile("残[余留存]|遗留|residual|remain")
_BARE = 12
_FEW_WORDS = 2
_LEAD = 30
_OF_COURSE = ("worse", "unchanged")


@dataclass(frozen=True, slots=True)
class Assertion:
    """What is said of a finding: its state, and whether it is `unchanged`, `worse` or neither ('')."""

    state: str
    change: str = ""


def asserted(sentence: Sentence, start: int, end: int, others: Sequence[tuple[int, int]] = ()) -> Assertion:
    """What the sentence says of the finding at these places; `others` are the places of the other findings in it."""
    reaching = [
        word
        for word in sentence.words
        if _reaches(word, sentence, start, end, others)
        and not (word.effect in _OF_COURSE and _governed(word, sentence))
    ]
    effects = {word.effect for word in reaching}
    change = _change(sentence, reaching, start, end)
    if effects & {"other", "asked"}:
        return Assertion(NOT_HERE, change)
    if "doubted" in effects:
        return Assertion(SUSPECTED, change)
    if "absent" in effects:
        return Assertion(ABSENT, change)
    if "gone" in effects:
        return Assertion(NOT_HERE, change)
    if "resolved" in effects and not _still_there(sentence, reaching, start):
        return Assertion(PRESENT, "unchanged") if _left_over(sentence, start, end) else Assertion(NOT_HERE, change)
    if "past" in effects and not change and "suspected" not in effects:
        return Assertion(NOT_HERE, change)
    return Assertion(SUSPECTED if "suspected" in effects else PRESENT, change)


def _governed(word: Word, sentence: Sentence) -> bool:
    """A word of course that is itself denied or only advised says nothing: 未见新发出血, 建议稳定后复查."""
    left, _ = sentence.clause(word.start, word.end)
    return any(
        one.effect in ("absent", "asked") and one.reach == "after" and left <= one.start and one.end <= word.start
        for one in sentence.words
    )


def _left_over(sentence: Sentence, start: int, end: int) -> bool:
    """血肿清除术后……残留少量血肿: what remains is named again by the end of its name."""
    name = re.escape(sentence.text[max(start, end - 2) - sentence.start : end - sentence.start])
    return (
        re.compile(rf"(?<![见无及显])(?:残留|残余|残存|遗留|仍[有见])[^,。;]{{0,8}}{name}").search(
            sentence.text, end - sentence.start
        )
        is not None
    )


def _still_there(sentence: Sentence, reaching: Sequence[Word], start: int) -> bool:
    """A word right before the finding, or one of what remains, outweighs one of what was done about it."""
    return any(
        word.effect == "unchanged"
        and (_REMAINS.match(sentence.text, word.start - sentence.start) or 0 <= start - word.end <= 2)
        for word in reaching
    )


def _change(sentence: Sentence, reaching: Sequence[Word], start: int, end: int) -> str:
    effects = {word.effect for word in reaching}
    if "worse" in effects:
        return "worse"
    return "unchanged" if "unchanged" in effects else ""


def _reaches(word: Word, sentence: Sentence, start: int, end: int, others: Sequence[tuple[int, int]]) -> bool:
    if word.effect == "stop":
        return False
    if start <= word.start and word.end <= end:  # inside the finding's own words
        return word.reach != "before" or word.effect in ("absent", "gone", "resolved")
    if word.end <= start:
        return word.reach in ("after", "around") and _reaches_on(word, sentence, start, others)
    if word.start >= end:
        return word.reach in ("before", "around") and _reaches_back(word, sentence, start, end, others)
    return word.reach == "after" and word.start <= start


def _reaches_on(word: Word, sentence: Sentence, start: int, others: Sequence[tuple[int, int]]) -> bool:
    if word.near and start - word.end > word.near:
        return False
    if _stopped(sentence, word.end, start, through=word.effect == "asked"):
        return False
    crossed = [place for place in sentence.parts if word.end <= place < start]
    if word.effect in ("other", "asked", "past") and not word.near:
        return word.effect != "past" or not crossed
    if word.effect in ("unchanged", "worse"):
        if word.near:
            return not crossed and not _between(others, word.end, start)
        return not crossed or not _between(others, word.end, start)
    if word.chinese:
        return all(_bare(sentence, place, start) for place in crossed)
    between = sentence.text[word.end - sentence.start : start - sentence.start]
    if _VERB.search(between) or (crossed and _MEASURED.search(between)):
        return False
    return not crossed or _a_list(sentence, crossed, start)


def _bare(sentence: Sentence, place: int, start: int) -> bool:
    """A Chinese list goes on over a comma when its next member is a bare name: 未见出血，梗死."""
    left, right = sentence.clause(start, start + 1)
    clause = sentence.text[left - sentence.start : right - sentence.start].strip("。 ;.、")
    return len(clause) <= _BARE and not _MORE_THAN_A_NAME.search(clause)


def _a_list(sentence: Sentence, crossed: Sequence[int], start: int) -> bool:
    """An English list goes on over commas when it ends in "or", or while its members are bare nouns."""
    rest = sentence.text[crossed[0] - sentence.start :]
    ends = _VERB.search(rest)
    if _LISTS_ON.search(rest, 0, ends.start() if ends else len(rest)):
        return True
    return all(_bare_noun(sentence, place, start) for place in crossed)


def _bare_noun(sentence: Sentence, place: int, start: int) -> bool:
    head = sentence.text[place + 1 - sentence.start : start - sentence.start].split(",")[0]
    return len(head.split()) <= _FEW_WORDS and not _FRESH_START.match(head + " ")


def _reaches_back(word: Word, sentence: Sentence, start: int, end: int, others: Sequence[tuple[int, int]]) -> bool:
    if word.near and word.start - end > word.near:
        return False
    crossed = [place for place in sentence.parts if end <= place < word.start]
    if word.effect == "doubted" and crossed:
        return not _between(others, end, sentence.end) and _speaks_of_the_former(sentence, word)
    if _stopped(sentence, end, word.start):
        return False
    if word.effect in ("unchanged", "worse"):
        return not crossed or not _between(others, crossed[0], word.start)
    if word.effect in ("gone", "resolved") and crossed:
        return (
            word.chinese
            and not _own_side(sentence, word)
            and not _between(others, end, word.start)
            and word.end - crossed[-1] < _BARE
            and len(crossed) == 1
        )
    if word.reach == "around" and word.effect != "doubted":
        return not crossed and not _between(others, word.end, sentence.end)
    if word.effect == "absent" and word.reach == "before":
        return not crossed and _ends_there(sentence, word)
    return not crossed


def _ends_there(sentence: Sentence, word: Word) -> bool:
    """未见 after a finding denies it only when nothing else follows that it could deny."""
    if not word.chinese:
        return True
    _, right = sentence.clause(word.start, word.end)
    rest = sentence.text[word.end - sentence.start : right - sentence.start].strip("。;. ")
    return rest in ("", "征象", "表现", "显示", "依据", "证据", "异常", "诊断", "可能")


def _speaks_of_the_former(sentence: Sentence, word: Word) -> bool:
    left, _ = sentence.clause(word.start, word.end)
    lead = sentence.text[left - sentence.start : word.start - sentence.start].strip()
    return len(lead) <= (_BARE if word.chinese else _LEAD)


def _own_side(sentence: Sentence, word: Word) -> bool:
    """左侧已吸收: only that side is gone."""
    left, _ = sentence.clause(word.start, word.end)
    return _ONE_SIDE.search(sentence.text, left - sentence.start, word.start - sentence.start) is not None


def _stopped(sentence: Sentence, left: int, right: int, *, through: bool = False) -> bool:
    """Whether a word ends the reach; a condition goes on through "there is": if there is concern for ..."""
    return any(
        left <= word.start < right and not (through and sentence.text.startswith("there", word.start - sentence.start))
        for word in sentence.stops
    )


def _between(others: Sequence[tuple[int, int]], left: int, right: int) -> bool:
    return any(left <= start < right for start, _ in others)

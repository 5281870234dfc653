"""Words of the dated lists as patterns: Chinese as written, Latin script at word boundaries, gaps that stay in a clause."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from slipring.qc.report.beginnings import beginnings

_DATA = Path(__file__).with_name("data")
_CJK = re.compile("[\u3400-\u9fff]")
_ANY = r"(?:[^,;:。.\n?]|\.\d)"
_WORD = r"[^\s,;:()]*[^\s,;:().]"


@cache
def listed(name: str) -> dict[str, Any]:
    """One data file of this room.

    >>> listed("assertion")["confidence"]
    'U'
    """
    return tomllib.loads((_DATA / f"{name}.toml").read_text("utf-8"))


def is_chinese(text: str) -> bool:
    """Whether there is a Chinese character in it.

    >>> is_chinese("CT值"), is_chinese("HU")
    (True, False)
    """
    return _CJK.search(text) is not None


def as_pattern(word: str) -> str:
    """One listed word as a regular expression over folded text.

    >>> re.search(as_pattern("free air"), "no free  air.").group()
    'free  air'
    >>> re.search(as_pattern("主动脉…夹层"), "主动脉弓部夹层").group()
    '主动脉弓部夹层'
    >>> re.search(as_pattern("pe"), "open")
    """
    gaps = word.replace("……", _ANY + "{0,32}?").replace("…", _ANY + "{0,14}?")
    if is_chinese(word):
        return gaps
    latin = gaps.replace(r"\S+", _WORD).replace(" ", r"\s+").replace(r"\s+?", r"\s*")
    before = "" if not latin[0].isalnum() and latin[0] != "(" else "(?<![a-z0-9])"
    after = "" if latin[-1] == "*" or not (latin[-1].isalnum() or latin[-1] in "?)}+") else "(?![a-z])"
    return f"{before}(?:{latin}){after}"


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds any of these words; where two begin together, the one listed with more letters wins."""
    patterns = [as_pattern(word) for word in sorted(words, key=len, reverse=True)]
    return re.compile(f"{_ahead(patterns)}(?:{'|'.join(patterns)})" if patterns else r"(?!)")


def _ahead(patterns: Iterable[str]) -> str:
    """What rules most places out by their first letter, before any word is tried there; '' where not all begin with a letter."""
    try:
        first = {letters[0] for pattern in patterns for letters in beginnings(pattern)}
    except ValueError:
        return ""
    return f"(?=[{''.join(sorted(first))}])" if all(map(str.isalpha, first)) else ""

"""The parts of the body that an exam is of, however the request writes them."""

from __future__ import annotations

import re
from functools import cache

from slipring.qc.report.words import listed

_JOINED = re.compile(r"\s*(?:[+,;/&、，及和与]|(?<![a-z])(?:and|with)(?![a-z]))\s*")
_ADDED = re.compile(
    r"(?<![a-z])(?:ct|cta|ctpa|cte|ctu|hrct|w/?o?|wo|contrast|plain|left|right)(?![a-z])|左侧?|右侧?|双侧?|平扫|增强|扫描|检查"
)


@cache
def parts_of(body_part: str) -> frozenset[str]:
    """Our names of the parts; none where a word is not known, so that nothing is held against it.

    >>> sorted(parts_of("Chest_Abdomen")), sorted(parts_of("CHEST,NECK")), sorted(parts_of("左膝关节")), parts_of("tail")
    (['chest-abdomen'], ['chest', 'neck'], ['knee'], frozenset())
    """
    plain = body_part.strip().lower().replace("_", "-")
    whole = _named(plain)
    if whole:
        return frozenset({whole})
    named = [_named(word) for word in _JOINED.split(plain) if word]
    return frozenset(named) if all(named) else frozenset()


def _named(words: str) -> str:
    regions = listed("regions")
    plain = re.sub(r"[\s-]+", "-", _ADDED.sub(" ", words).strip())
    for name in (words, plain, plain.replace("-", "")):
        if name in regions["covers"]:
            return name
        for part, others in regions["called"].items():
            if name in others:
                return str(part)
    return ""

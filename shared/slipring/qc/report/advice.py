"""Advice on wording and on stages by their systems (5.8.3): shown to whoever writes, and in nobody's way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from slipring.qc.report.facts import FINDINGS, IMPRESSION, Fault
from slipring.qc.report.finder import OneByOne
from slipring.qc.report.folding import folded
from slipring.qc.report.words import as_pattern, listed

WORDING, STAGING = "wording", "staging"
ADVICE = (WORDING, STAGING)
_LINK = r"[\s:：为是约(]*(?:category\s|score\s|grade\s|type\s|class\s|分级|分期|评分|分类)?[\s:为是(]*"


def advised(sections: Mapping[str, str]) -> Iterator[Fault]:
    """Words that the norm says otherwise, and stages that their system does not have.

    >>> [(one.check, one.start, one.end) for one in advised({"impression": "脑梗塞。Bosniak VI。"})]
    [('wording', 0, 3), ('staging', 4, 14)]
    """
    for name in (FINDINGS, IMPRESSION):
        plain = folded(sections.get(name, ""))
        for _, start, end in _words()(plain, 0, len(plain)):
            yield Fault(WORDING, name, start, end)
        for system, allowed in _systems():
            for hit in system.finditer(plain):
                if hit["value"] and not allowed.match(hit["value"]):
                    yield Fault(STAGING, name, hit.start(), hit.end())


def instead_of(wording: str) -> tuple[str, str]:
    """What the norm says instead of a wording, in Chinese and English; '' where it has no word."""
    plain = folded(wording)
    for term in listed("wording")["term"]:
        if any(re.fullmatch(as_pattern(word), plain) for word in term["words"]):
            return str(term.get("zh", "")), str(term.get("en", ""))
    return "", ""


@cache
def _words() -> OneByOne[str]:
    return OneByOne((as_pattern(word), word) for term in listed("wording")["term"] for word in term["words"])


@cache
def _systems() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    return tuple(
        (re.compile(rf"(?:{one['words']}){_LINK}(?P<value>[a-z\d][\w-]*)?"), re.compile(one["allowed"]))
        for one in listed("staging")["system"]
    )

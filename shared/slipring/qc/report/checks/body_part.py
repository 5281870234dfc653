"""Organs far from the part of the body that was scanned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from slipring.qc.report.facts import COMPARISON, Fault, ReportText
from slipring.qc.report.mentions import Section
from slipring.qc.report.parts import parts_of
from slipring.qc.report.passages import Sentence, sentence_at
from slipring.qc.report.words import any_of, listed

_ANYWHERE = "any"


def body_part(report: ReportText, sections: Sequence[Section]) -> Iterator[Fault]:
    """An organ that a scan of this part cannot show: the first of each sentence part."""
    covers = listed("regions")["covers"]
    covered = {region for part in parts_of(report.body_part) for region in covers[part]}
    if not covered:
        return
    for section in sections:
        if section.name == COMPARISON:
            continue
        passed = 0  # the end of the last sentence that was looked at
        for organ in section.organs:
            if organ.region == _ANYWHERE or organ.region in covered or organ.start < passed:
                continue
            sentence = sentence_at(section.sentences, organ.start)
            if sentence is None:
                continue
            passed = sentence.end
            if not _only_spoken_of(sentence):
                yield Fault("body-part", section.name, organ.start, organ.end)


def _only_spoken_of(sentence: Sentence) -> bool:
    asked = any(word.effect in ("asked", "other") for word in sentence.words)
    return asked or _elsewhere().search(sentence.text) is not None


@cache
def _elsewhere() -> re.Pattern[str]:
    return any_of(listed("contexts")["elsewhere"])

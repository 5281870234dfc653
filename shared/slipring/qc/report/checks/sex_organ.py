"""Organs that a patient of this sex does not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slipring.qc.report.facts import COMPARISON, Fault, ReportText
from slipring.qc.report.mentions import Section
from slipring.qc.report.passages import sentence_at

_OTHER = {"male": "female", "female": "male"}


def sex_organ(report: ReportText, sections: Sequence[Section]) -> Iterator[Fault]:
    """An organ of the other sex, each once a section; not what is said of relatives."""
    wrong = _OTHER.get(report.sex)
    if wrong is None:
        return
    for section in sections:
        named: set[str] = set()
        for organ in section.organs:
            if organ.sex != wrong or organ.name in named or section.name == COMPARISON:
                continue
            sentence = sentence_at(section.sentences, organ.start)
            if sentence and any(word.effect == "other" for word in sentence.words):
                continue
            named.add(organ.name)
            yield Fault("sex-organ", section.name, organ.start, organ.end)

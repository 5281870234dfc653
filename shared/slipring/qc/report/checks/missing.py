"""Sections that are empty: no findings, no impression, or no comparison though earlier examinations exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from slipring.qc.report.facts import COMPARISON, FINDINGS, IMPRESSION, Fault, ReportText
from slipring.qc.report.mentions import Section
from slipring.qc.report.words import any_of, listed

_WORDS = re.compile(r"[^\W_]")
_NOTHING = re.compile(
    r"\W*(?:(?:无|没有|none|no|nil|n/?a)(?:\s*(?:可|既往|前|对照|比较|相关|priors?|previous|comparisons?|available|检查|片|资料|影像|studies|study|for)[^.。]*)?)?\W*"
)
_ADVICE = re.compile(r"建议[^。;]*|(?:recommend|suggest|advise|follow-?up)[^.;\n]*")


def missing_sections(report: ReportText, sections: Sequence[Section]) -> Iterator[Fault]:
    """Findings and impression are never empty; a comparison is due when there are priors and nobody compares."""
    texts = {section.name: section.plain.strip() for section in sections}
    for name, check in ((FINDINGS, "missing-findings"), (IMPRESSION, "missing-impression")):
        if not _WORDS.search(texts.get(name, "")):
            yield Fault(check, name)
    if report.priors > 0 and _NOTHING.fullmatch(texts.get(COMPARISON, "")):
        said = " ".join(_ADVICE.sub("", texts.get(name, "")) for name in (FINDINGS, IMPRESSION))
        if not _compares().search(said):
            yield Fault("missing-comparison", COMPARISON)


@cache
def _compares() -> re.Pattern[str]:
    return any_of(listed("contexts")["compares"])

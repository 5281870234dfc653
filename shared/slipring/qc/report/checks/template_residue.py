"""Template residue: blanks, placeholders and choices that nobody filled in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from slipring.qc.report.facts import Fault, ReportText
from slipring.qc.report.finder import OneByOne
from slipring.qc.report.mentions import Section
from slipring.qc.report.words import as_pattern, listed


@cache
def _residue() -> OneByOne[str]:
    data = listed("residues")
    slots = "|".join(data["slots"])
    slot = rf"[\[【<〔]\s*(?:{slots}|x+)\s*[\]】>〕]"
    words = [as_pattern(word) for word in (*data["words"], *data["choices"])]
    return OneByOne((pattern, pattern) for pattern in (slot, *data["blank"], *words))


def template_residue(report: ReportText, sections: Sequence[Section]) -> Iterator[Fault]:
    """Every blank, placeholder or standing choice, wherever it is."""
    for section in sections:
        for _, start, end in _residue()(section.plain, 0, len(section.plain)):
            yield Fault("template-residue", section.name, start, end)

"""Critical findings that the words of a report state, one certainty for each code (CL02-A011:5.9.1 b)."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.qc.report.assertion import ABSENT, PRESENT, SUSPECTED
from slipring.qc.report.facts import IMPRESSION, Critical
from slipring.qc.report.mentions import Mention, Section

GENERAL_BLEED = "CV-CT-02"


def criticals(sections: Sequence[Section]) -> tuple[Critical, ...]:
    """The critical findings, by code; a general bleed yields to its kind."""
    denied = denied_outright(sections)
    stated: dict[str, list[tuple[Section, Mention]]] = {}
    for section in sections:
        for mention in section.mentions:
            if mention.yields and mention.name in denied:
                continue
            if mention.critical and mention.said.state in (PRESENT, SUSPECTED):
                stated.setdefault(mention.name, []).append((section, mention))
    found = [_resolved(code, mentions) for code, mentions in sorted(stated.items())]
    kinds = {one.code for one in found if one.code != GENERAL_BLEED and one.code.startswith(GENERAL_BLEED)}
    return tuple(one for one in found if not (one.code == GENERAL_BLEED and kinds))


def denied_outright(sections: Sequence[Section]) -> frozenset[str]:
    """The critical findings that the report denies by their own name and states nowhere by it: no tamponade."""
    named = [
        one for section in sections for one in section.mentions if one.critical and not one.sign and not one.yields
    ]
    stated = {one.name for one in named if one.said.state in (PRESENT, SUSPECTED)}
    return frozenset(one.name for one in named if one.said.state == ABSENT) - stated


def _resolved(code: str, mentions: Sequence[tuple[Section, Mention]]) -> Critical:
    certainty = _certainty(mentions)
    state = SUSPECTED if certainty == "suspected" else PRESENT
    fitting = [one for one in mentions if one[1].said.state == state] or list(mentions)
    section, best = min(fitting, key=lambda one: (one[1].sign, one[0].name != IMPRESSION))
    return Critical(code, certainty, section.name, best.start, best.end)


def _certainty(mentions: Sequence[tuple[Section, Mention]]) -> str:
    """Grown or new is definite; known wherever it is said to be known; a sign that the impression doubts is suspected."""
    named = [mention for _, mention in mentions if not mention.sign]
    weighed = named or [mention for _, mention in mentions]
    present = [mention.said.change for mention in weighed if mention.said.state == PRESENT]
    every = [mention.said.change for _, mention in mentions if mention.said.state == PRESENT]
    if not present:
        return "suspected"
    if "worse" in every:
        return "definite"
    return "unchanged" if "unchanged" in every else "definite"

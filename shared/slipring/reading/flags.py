"""Critical findings on the reading room's pages: which can be flagged, as the department's catalogue says, and what each is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipring.clauses.critical_findings import critical_finding, critical_findings
from slipring.department import names
from slipring.department.answered import groups_of, values_of
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError

FINDING = "critical-finding"
_AWAY = 500  # and above: whoever keeps the catalogue does not answer


@dataclass(frozen=True, slots=True)
class Finding:
    """One entry of the catalogue; `level` from 1 to 3."""

    code: str
    words: Pair
    level: int


async def findings_in_force(hand: Hand) -> list[Finding]:
    """What can be flagged: the department's catalogue, or the shipped one where that is not told; a flag waits for nothing."""
    try:
        told = await hand.called_if_allowed("PlanDefinition/$critical-catalogue")
    except FhirError as refused:
        if refused.status < _AWAY:
            raise
        told = None
    found = [_entry(parts) for parts in groups_of(told or [], "entry")]
    return found or [Finding(one.code, (one.zh, one.en), one.level) for one in critical_findings().values()]


def finding_words(concept: Tree | None) -> Pair:
    """What a flagged finding is called: by the shipped list, else by the words that were written down with it."""
    if entry := critical_finding(names.code_in(concept, FINDING)):
        return (entry.zh, entry.en)
    both = str((concept or {}).get("text", ""))  # of the department's own, both names as one text
    return (both, both) if both else names.concept_words(concept)


def _entry(parts: Sequence[Tree]) -> Finding:
    said = values_of(parts)
    return Finding(str(said["code"]), (str(said["zh"]), str(said["en"])), int(said["level"]))

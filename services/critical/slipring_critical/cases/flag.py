"""A flag as facts: which finding of which exam somebody wants told, and how urgently."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.fhir.search.moment import zoned
from slipring.fhir.service import Resource

from slipring_critical.cases.facts import CRITICAL_FINDING, FINDING_LEVEL, code_of, first_reference, reference_of
from slipring_critical.cases.marks import RING_ALL_THE_SAME, UNCHANGED, is_marked


@dataclass(frozen=True, slots=True)
class FlaggedFinding:
    """What the flag says: which finding, of which exam, by whom."""

    observation: str
    finding: str  # catalogue code, "" when none is given
    level: str  # "" when the flag names none
    request: str  # ServiceRequest/..., "" when unknown
    patient: str
    author: str
    reaction: str = ""  # AdverseEvent/..., of what happened in the room; "" for a finding of a report
    recognised_at: datetime | None = None  # when somebody saw it; the clock of the indicators starts then
    unchanged: bool = False  # its author says that it is as it was when it was told before
    ring: bool = False  # he wants it rung all the same
    drill: bool = False
    note: str = ""  # more about it, in words

    @property
    def case_key(self) -> str:
        """One case per exam and finding, and per reaction; a flag without an exam stands for itself.

        A second reaction during one exam is another one to run for, also when the first case is closed.
        """
        about = f"{self.reaction or self.request or self.observation}+{self.finding or self.observation}"
        return f"drill:{about}" if self.drill else about


def flagged_finding(observation: Resource, handover: Resource, report: Resource | None) -> FlaggedFinding:
    """The flag as facts; the exam comes from the Observation, else from the report."""
    request = first_reference(observation.get("basedOn"), "ServiceRequest")
    if not request and report:
        request = first_reference(report.get("basedOn"), "ServiceRequest")
    author = reference_of(handover.get("requester")) or next(
        (reference_of(performer) for performer in observation.get("performer", [])), ""
    )
    return FlaggedFinding(
        observation=f"Observation/{observation['id']}",
        finding=code_of(observation.get("code"), CRITICAL_FINDING),
        level=stated_level(observation, handover),
        request=request,
        patient=reference_of(observation.get("subject")) or reference_of(handover.get("for")),
        author=author,
        reaction=first_reference(observation.get("focus"), "AdverseEvent"),
        recognised_at=zoned(observation.get("effectiveDateTime")),
        unchanged=is_marked(observation, UNCHANGED),
        ring=is_marked(observation, RING_ALL_THE_SAME),
        note="\n".join(str(one.get("text", "")) for one in observation.get("note", [])),
    )


def stated_level(observation: Resource, handover: Resource) -> str:
    """The level that a flag names, '' when it names none."""
    carriers = _level_carriers(observation, handover)
    levels = (code_of(part.get(name), FINDING_LEVEL) for part in carriers for name in part)
    return next((level for level in levels if level), "")


def _level_carriers(observation: Resource, handover: Resource) -> list[dict[str, Any]]:
    """Where a level may stand: a component of the finding, an input or extension of the hand-over."""
    return [
        *observation.get("component", []),
        *handover.get("input", []),
        *observation.get("extension", []),
        *handover.get("extension", []),
        {"interpretation": {"coding": [c for i in observation.get("interpretation", []) for c in i.get("coding", [])]}},
    ]

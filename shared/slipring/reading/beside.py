"""What is looked at beside a report while it is written: what was reported before, the images taken now, what was flagged.

Whoever finds an earlier report counts as somebody who was shown it: he is told of its amendments, and is not blind when he
reads it again. So only a page that shows it looks for it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.department import names
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree
from slipring.reading.draft import SIGNED
from slipring.reading.flags import FINDING, finding_words
from slipring.reading.one_report import OneReport
from slipring.reading.versions import drafts

_MOST_PRIORS = 20
_MOST_FLAGS = 50
_OF_A_PRIOR = "status,code,conclusion,effective,issued,extension"  # its renderings are looked at on a page of their own


@dataclass(frozen=True, slots=True)
class Flag:
    """A critical finding that was flagged; `taken`: the critical service has it."""

    words: Pair
    level: Pair
    at: datetime | None
    taken: bool


async def studies_of(hand: Hand, one: OneReport) -> list[Tree]:
    """The images of the exam, in the order in which they were taken."""
    asked = [("basedon", f"ServiceRequest/{one.exam.id}"), ("_sort", "started")]
    return await hand.if_allowed("ImagingStudy", asked) or []


async def priors_of(hand: Hand, one: OneReport) -> list[Tree]:
    """What was reported of this patient before and elsewhere, the newest first."""
    asked = [
        ("subject", names.reference_in(one.exam.task.get("for"))),
        ("status", ",".join(SIGNED)),
        ("_sort", "-date"),
        ("_count", str(_MOST_PRIORS)),
        ("_elements", _OF_A_PRIOR),
    ]
    sheet = await hand.sheet("DiagnosticReport", asked)
    itself = ((one.report or {}).get("id"), one.change.report if one.change else "")
    return [each for each in sheet.resources if each["id"] not in itself and not drafts(each)]


async def flags_of(hand: Hand, one: OneReport) -> list[Flag]:
    """The critical findings of a report, each with whether it was taken over."""
    if not one.report:
        return []
    most = ("_count", str(_MOST_FLAGS))
    flagged, handovers = await asyncio.gather(
        hand.if_allowed("Observation", [("focus", one.reference), most]),
        hand.if_allowed("Task", [("based-on", one.reference), ("code", "hand-over"), most]),
    )
    states = {
        names.reference_in(each.get("focus")): names.code_in(each.get("businessStatus"), "handover-state")
        for each in handovers or []
    }
    found = [each for each in flagged or [] if names.code_in(each.get("code"), FINDING)]
    return [
        Flag(
            finding_words(each.get("code")),
            _level(each),
            names.moment(each.get("effectiveDateTime")),
            states.get(f"Observation/{each['id']}") == "taken-over",
        )
        for each in found
    ]


def _level(flag: Tree) -> Pair:
    valued: list[Any] = [one.get("valueCodeableConcept") for one in flag.get("component", [])]
    return next((names.concept_words(one) for one in valued if one), ("", ""))

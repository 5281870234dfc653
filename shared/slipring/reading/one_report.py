"""One report with all that is read beside it: its exam, its text, what was reported before, what was flagged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slipring.department import names
from slipring.department.exams import Exam, exam_of
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError, not_found
from slipring.reading.draft import DRAFT, SIGNED, STANDING, composition_in
from slipring.reading.flags import FINDING, finding_words
from slipring.reading.sections import Section, sections_of
from slipring.reading.versions import Change, Withdrawal, change_of, drafts, in_emergency, released, withdrawal_of

_MOST_PRIORS = 20
_MOST_FLAGS = 50
_GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Flag:
    """A critical finding that was flagged; `taken`: the critical service has it."""

    words: Pair
    level: Pair
    at: datetime | None
    taken: bool


@dataclass(frozen=True, slots=True)
class Before:
    """The released report that a draft changes, as it stands now."""

    change: Change
    report: Tree
    text: Tree | None

    @property
    def sections(self) -> list[Section]:
        """What is released, section by section."""
        return [one for one in sections_of(self.text) if one.text]

    @property
    def conclusion(self) -> str:
        """Its conclusion in one line."""
        return str(self.report.get("conclusion", ""))

    @property
    def moved(self) -> bool:
        """Whether it was changed or withdrawn since the draft was begun: then nobody can sign the draft."""
        since = change_of(self.report)
        return not released(self.report) or (since is not None and since.version >= self.change.version)


@dataclass(frozen=True, slots=True)
class OneReport:
    """A report and its surroundings; `report` is None of an exam whose report nobody has begun."""

    exam: Exam
    report: Tree | None = None
    text: Tree | None = None
    priors: Sequence[Tree] = field(default_factory=list)
    studies: Sequence[Tree] = field(default_factory=list)
    flags: Sequence[Flag] = field(default_factory=list)
    before: Before | None = None  # of the draft of a next version: what it changes

    @property
    def reference(self) -> str:
        """The report, or ''."""
        return f"DiagnosticReport/{self.report['id']}" if self.report else ""

    @property
    def status(self) -> str:
        """Where the report stands, '' before it is begun."""
        return str(self.report["status"]) if self.report else ""

    @property
    def signed(self) -> bool:
        """Whether somebody signed what is kept: a change takes the signatures away."""
        return self.status in SIGNED

    @property
    def open(self) -> bool:
        """Whether it is written in the editor."""
        return self.status in ("", *DRAFT, "preliminary") and not in_emergency(self.report)

    @property
    def change(self) -> Change | None:
        """What this report, draft or released, changes; None of a first version."""
        return change_of(self.report)

    @property
    def withdrawal(self) -> Withdrawal | None:
        """That it was taken back."""
        return withdrawal_of(self.report)

    @property
    def gone(self) -> bool:
        """Whether there is nothing left to discuss: it was withdrawn, or given up as a draft."""
        return self.withdrawal is not None or self.status == "cancelled"

    @property
    def emergency(self) -> bool:
        """Whether it was released by one signature and waits for the second."""
        return in_emergency(self.report)

    @property
    def released(self) -> bool:
        """Whether others read it, and it can be changed or withdrawn."""
        return released(self.report) and self.before is None

    @property
    def sections(self) -> list[Section]:
        """What is kept, section by section."""
        return sections_of(self.text)

    @property
    def conclusion(self) -> str:
        """The conclusion in one line, as it is kept."""
        return str((self.report or {}).get("conclusion", ""))

    @property
    def versions(self) -> tuple[str, str]:
        """The versions of report and text that a form is made from."""
        return tuple(str((one or {}).get("meta", {}).get("versionId", "")) for one in (self.report, self.text))  # type: ignore[return-value]

    @property
    def saved_at(self) -> datetime | None:
        """When report or text was last saved."""
        moments = [names.moment((one or {}).get("meta", {}).get("lastUpdated")) for one in (self.report, self.text)]
        return max((one for one in moments if one), default=None)


async def of_exam(hand: Hand, request_id: str) -> OneReport:
    """The report of an exam, begun or not; the newest when there are several."""
    found = await hand.found(
        "DiagnosticReport",
        [("based-on", f"ServiceRequest/{request_id}"), ("status", ",".join(STANDING)), ("_sort", "-_lastUpdated")],
    )
    return await _around(hand, request_id, found[0] if found else None)


async def of_report(hand: Hand, report_id: str) -> OneReport:
    """A report by its id."""
    report = await hand.read(f"DiagnosticReport/{report_id}")
    based = [names.reference_in(one) for one in report.get("basedOn", [])]
    request = next((one for one in based if one.startswith("ServiceRequest/")), "")
    return await _around(hand, request.rpartition("/")[2], report)


async def _around(hand: Hand, request_id: str, report: Tree | None) -> OneReport:
    if not names.ID.fullmatch(request_id):
        raise not_found("ServiceRequest")
    exam = await exam_of(hand, request_id)
    if exam is None:
        raise not_found("ServiceRequest")
    subject = names.reference_in(exam.task.get("for"))
    text, priors, studies, flags, before = await asyncio.gather(
        _text(hand, report),
        _priors(hand, subject, report),
        hand.if_allowed("ImagingStudy", [("basedon", f"ServiceRequest/{request_id}"), ("_sort", "started")]),
        _flags(hand, report),
        _before(hand, report),
    )
    return OneReport(exam, report, text, priors, studies or [], flags, before)


async def _before(hand: Hand, report: Tree | None) -> Before | None:
    change = change_of(report)
    if change is None or not names.ID.fullmatch(change.report) or change.report == (report or {}).get("id"):
        return None
    standing = await hand.read(f"DiagnosticReport/{change.report}")
    return Before(change, standing, await _text(hand, standing))


async def _text(hand: Hand, report: Tree | None) -> Tree | None:
    named = composition_in(report or {})
    if not named:
        return None
    try:
        return await hand.read(named)
    except FhirError as refused:
        if refused.status in _GONE:
            return None
        raise


async def _priors(hand: Hand, subject: str, report: Tree | None) -> list[Tree]:
    """What was reported of this patient before and elsewhere, the newest first."""
    asked = [("subject", subject), ("status", ",".join(SIGNED)), ("_sort", "-date"), ("_count", str(_MOST_PRIORS))]
    sheet = await hand.sheet("DiagnosticReport", asked)
    change = change_of(report)
    itself = ((report or {}).get("id"), change.report if change else "")
    return [one for one in sheet.resources if one["id"] not in itself and not drafts(one)]


async def _flags(hand: Hand, report: Tree | None) -> list[Flag]:
    """The critical findings of a report, each with whether it was taken over."""
    if not report:
        return []
    reference, most = f"DiagnosticReport/{report['id']}", ("_count", str(_MOST_FLAGS))
    flagged, handovers = await asyncio.gather(
        hand.if_allowed("Observation", [("focus", reference), most]),
        hand.if_allowed("Task", [("based-on", reference), ("code", "hand-over"), most]),
    )
    states = {
        names.reference_in(one.get("focus")): names.code_in(one.get("businessStatus"), "handover-state")
        for one in handovers or []
    }
    found = [one for one in flagged or [] if names.code_in(one.get("code"), FINDING)]
    return [
        Flag(
            finding_words(one.get("code")),
            _level(one),
            names.moment(one.get("effectiveDateTime")),
            states.get(f"Observation/{one['id']}") == "taken-over",
        )
        for one in found
    ]


def _level(flag: Tree) -> Pair:
    valued: list[Any] = [one.get("valueCodeableConcept") for one in flag.get("component", [])]
    return next((names.concept_words(one) for one in valued if one), ("", ""))

"""One report with its exam, its text, and the released report that it changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from slipring.department import names
from slipring.department.exams import Exam, exam_of
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError, not_found
from slipring.reading.draft import DRAFT, SIGNED, STANDING, composition_in
from slipring.reading.sections import Section, sections_of
from slipring.reading.versions import Change, Withdrawal, change_of, in_emergency, released, withdrawal_of

_GONE = (404, 410)


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
    """A report with its exam and text; `report` is None of an exam whose report nobody has begun."""

    exam: Exam
    report: Tree | None = None
    text: Tree | None = None
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
    text, before = await asyncio.gather(_text(hand, report), _before(hand, report))
    return OneReport(exam, report, text, before)


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

"""The CT of a ward doctor's own patients: where each exam stands, how to prepare, the released report, and what rings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.exams import OPEN, Exam, exams_of
from slipring.department.names import Pair
from slipring.department.place import Place, may_search, named_in
from slipring.department.road import Hand, Tree, in_portions
from slipring.department.worklist import coded
from slipring.fhir.outcome import not_found
from slipring.identity.people.sessions import Session
from slipring.reading.flags import finding_words
from slipring.reading.previewing import words_in_page
from slipring.reading.taking import proof_taken
from slipring.reading.versions import Change, Withdrawal, change_of, in_emergency, released, withdrawal_of
from slipring.reading.workplace import reading_page

WARD = "/ward"
WARD_LIVE = f"{WARD}/live"
# What an open page asks about.
WARD_WATCHED: Mapping[str, Sequence[tuple[str, str]]] = {
    "Task": [("code", "exam,critical-case")],
    "DiagnosticReport": [],
}
_SHOWN_FOR = timedelta(days=14)
_MOST = 100
_OVER = ("closed", "retracted", "cancelled")


@dataclass(frozen=True, slots=True)
class Alert:
    """A critical finding that the department tells of."""

    words: Pair
    state: Pair
    at: datetime | None
    over: bool


@dataclass(frozen=True, slots=True)
class Ordered:
    """One exam of a ward's patient."""

    exam: Exam
    report: Tree | None = None
    alerts: Sequence[Alert] = field(default_factory=list)

    @property
    def ahead(self) -> bool:
        """Whether the exam is still to come: then the patient is prepared."""
        return self.exam.state in OPEN and self.exam.state != "in-progress"

    @property
    def emergency(self) -> bool:
        """Whether the report was released by one signature, in an emergency; the second is still to come."""
        return in_emergency(self.report)

    @property
    def change(self) -> Change | None:
        """What this version of the report changed; None of the first."""
        return change_of(self.report)

    @property
    def withdrawn(self) -> Withdrawal | None:
        """That the report was taken back."""
        return withdrawal_of(self.report)

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """What comes first: what rings, then what waits for the ward, then the newest."""
        rings = any(not alert.over for alert in self.alerts)
        return not rings, not (self.exam.missing or self.exam.waits_for), -self.exam.since.timestamp()


@dataclass(frozen=True, slots=True)
class WardPages:
    """The list, and one released report."""

    place: Place

    def routes(self) -> list[Route]:
        """`/ward`, `/ward/reports/{id}`, and the proof of a report to take along."""
        one = f"{WARD}/reports/{{id}}"
        return self.place.routes(
            [(WARD, self.shown, ["GET"]), (one, self.report, ["GET"]), (f"{one}/proof", self.proof, ["GET"])]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """What this person ordered of late."""
        since = self.place.now() - _SHOWN_FOR
        ordered = await ordered_by(await self.place.hand(session), session.account.practitioner, since)
        return reading_page(self.place, request, session, "ward.html", live=WARD_LIVE, ordered=ordered)

    async def proof(self, request: Request, session: Session) -> Response:
        """`$proof`, as a file."""
        return await proof_taken(await self.place.hand(session), named_in(request, "DiagnosticReport"))

    async def report(self, request: Request, session: Session) -> Response:
        """A report as it was released; one that is not is not here. One that was withdrawn says so."""
        hand = await self.place.hand(session)
        report = await hand.read(f"DiagnosticReport/{named_in(request, 'DiagnosticReport')}")
        withdrawal = withdrawal_of(report)
        if not _shown(report):
            raise not_found("DiagnosticReport")
        based = [names.reference_in(one) for one in report.get("basedOn", [])]
        exams = await exams_of(hand, "focus", [one for one in based if one.startswith("ServiceRequest/")])
        return reading_page(
            self.place, request, session, "ward_report.html", live=WARD_LIVE, report=report, exam=next(iter(exams), None),
            words=[] if withdrawal else words_in_page(report), emergency=in_emergency(report), withdrawal=withdrawal,
            change=change_of(report), issued=names.moment(report.get("issued")),
            may_prove=may_search(session, "Provenance", "Composition", "Observation"),
        )  # fmt: skip


async def ordered_by(hand: Hand, person: str, since: datetime) -> list[Ordered]:
    """The exams that somebody asked for since then, with what is released and what rings about them."""
    asked = [
        ("requester", person),
        ("authored", f"ge{since.date().isoformat()}"),
        ("_elements", "id"),
        ("_count", str(_MOST)),
    ]
    requests = [f"ServiceRequest/{one['id']}" for one in (await hand.sheet("ServiceRequest", asked)).resources]
    exams, reports, states = await asyncio.gather(
        exams_of(hand, "focus", requests), _reports(hand, requests), coded(hand, "case-state")
    )
    alerts = await _alerts(hand, sorted({names.reference_in(exam.task.get("for")) for exam in exams}), dict(states))
    found = [
        Ordered(exam, reports.get(f"ServiceRequest/{exam.id}"), alerts.get(f"ServiceRequest/{exam.id}", []))
        for exam in exams
    ]
    return sorted(found, key=lambda one: one.rank)


async def _reports(hand: Hand, requests: Sequence[str]) -> dict[str, Tree]:
    ways = [[("based-on", ",".join(portion)), ("_sort", "issued")] for portion in in_portions(requests)]
    told = await asyncio.gather(*(hand.if_allowed("DiagnosticReport", way) for way in ways))
    every = [report for reports in told for report in reports or [] if _shown(report)]
    return {names.reference_in(report.get("basedOn")): report for report in every}


async def _alerts(hand: Hand, patients: Sequence[str], states: Mapping[str, Pair]) -> dict[str, list[Alert]]:
    """Critical cases of these patients, by the request of their exam."""
    ways = [
        [("code", "critical-case"), ("patient", ",".join(portion)), ("_include", "Task:focus")]
        for portion in in_portions(patients)
    ]
    told = await asyncio.gather(*(hand.if_allowed("Task", way) for way in ways))
    known: dict[str, Tree] = {f"{one['resourceType']}/{one['id']}": one for some in told for one in some or []}
    found: dict[str, list[Alert]] = {}
    for case in (one for one in known.values() if one["resourceType"] == "Task"):
        flag: Any = known.get(names.reference_in(case.get("focus")), {})
        code = names.code_in(case.get("businessStatus"), "case-state")
        alert = Alert(
            finding_words(flag.get("code")),
            states.get(code, (code, code)),
            names.moment(case.get("authoredOn")),
            code in _OVER,
        )
        for request in (names.reference_in(one) for one in flag.get("basedOn", [])):
            found.setdefault(request, []).append(alert)
    return found


def _shown(report: Tree) -> bool:
    """Whether the ward reads it, or read it until it was withdrawn."""
    return released(report) or (withdrawal_of(report) is not None and "issued" in report)

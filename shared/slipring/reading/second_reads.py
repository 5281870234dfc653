"""Emergency releases that wait for their second reader: which, until when, the grade of the discrepancy, and what follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.exams import Exam, exams_of
from slipring.department.place import Place, may, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.department.worklist import coded
from slipring.fhir.outcome import FhirError, not_found
from slipring.identity.people.sessions import Session
from slipring.reading.amending import draft_of
from slipring.reading.one_report import of_report
from slipring.reading.previewing import rendering_of
from slipring.reading.workplace import READING, reading_page

GRADES = "discrepancy-grade"
_OPEN = "requested,in-progress"
_FIELDS = {"grade": "grade", "note": "note", "by": ""}
_SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SecondRead:
    """One release that waits; `exam` is None where the person's roles do not open it."""

    task: Tree
    exam: Exam | None
    signer: Tree | None
    now: datetime

    @property
    def id(self) -> str:
        """Its Task."""
        return str(self.task["id"])

    @property
    def report(self) -> str:
        """The id of the report."""
        return names.reference_in(self.task.get("focus")).rpartition("/")[2]

    @property
    def due(self) -> datetime | None:
        """Until when the second reader must have signed."""
        return names.moment(self.task.get("restriction", {}).get("period", {}).get("end"))

    @property
    def left(self) -> timedelta:
        """How long until then; negative once it is overdue."""
        return self.due - self.now if self.due else timedelta()

    @property
    def shape(self) -> str:
        """How its mark looks."""
        return "bad" if self.left < timedelta() else "warn" if self.left < _SOON else "good"

    @property
    def grade(self) -> str:
        """How the second reader graded it, or ''."""
        outputs: list[Any] = self.task.get("output", [])
        return next(filter(None, (names.code_in(one.get("valueCodeableConcept"), GRADES) for one in outputs)), "")


@dataclass(frozen=True, slots=True)
class SecondReadPages:
    """The second read of one release."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/second-reads/{id}`."""
        one = f"{READING}/second-reads/{{id}}"
        return self.place.routes([(one, self.shown, ["GET"]), (one, self.graded, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """What was released by one signature, and the grade that is asked for."""
        return await self._page(request, session, await self.place.hand(session))

    async def graded(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$second-read`; then the page says what ends the read."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        task, note = named_in(request, "Task"), form.get("note", "").strip()
        call: list[Tree] = [
            *([{"name": "grade", "valueCode": form["grade"]}] if form.get("grade") else []),
            *([{"name": "note", "valueString": note}] if note else []),
        ]
        try:
            await hand.called(f"Task/{task}/$second-read", call)
        except FhirError as refused:
            beside = wrong(refused, request, call, _FIELDS)
            return await self._page(request, session, hand, form=form, beside=beside, status=refused.status)
        return RedirectResponse(request.url.path, 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Mapping[str, str] | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        task = await hand.read(f"Task/{named_in(request, 'Task')}")
        if names.code_in(task.get("code"), "task-code") != "second-read":
            raise not_found("Task")
        one = await of_report(hand, names.reference_in(task.get("focus")).rpartition("/")[2])
        signer = names.reference_in(task.get("requester"))
        people, grades, draft, words = await asyncio.gather(
            people_named(hand, [signer]), coded(hand, GRADES), draft_of(hand, one), rendering_of(hand, one)
        )
        read = SecondRead(task, one.exam, people.get(signer), self.place.now())
        return reading_page(
            self.place,
            request,
            session,
            "second_read.html",
            status=status,
            one=one,
            exam=one.exam,
            read=read,
            done=task.get("status") not in _OPEN.split(","),
            words=words,
            draft=draft,
            grades=grades,
            names=names,
            form=form or {"grade": read.grade},
            beside=beside or {},
            may_read=may(session, "Task", "u") and signer != session.account.practitioner,
        )


async def second_reads(hand: Hand, now: datetime) -> list[SecondRead]:
    """What waits for a second reader, what is due first stands first; nothing where the person's roles do not open it."""
    tasks = await hand.if_allowed("Task", [("code", "second-read"), ("status", _OPEN)]) or []
    exams, people = await asyncio.gather(
        exams_of(hand, "focus", [names.reference_in(one) for task in tasks for one in task.get("basedOn", [])]),
        people_named(hand, [names.reference_in(task.get("requester")) for task in tasks]),
    )
    by_request = {f"ServiceRequest/{exam.id}": exam for exam in exams}
    found = [
        SecondRead(
            task,
            next(
                (by_request[at] for one in task.get("basedOn", []) if (at := names.reference_in(one)) in by_request),
                None,
            ),
            people.get(names.reference_in(task.get("requester"))),
            now,
        )
        for task in tasks
    ]
    return sorted(found, key=lambda one: (one.left, one.id))

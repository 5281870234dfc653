"""Exams in doubt after a failed test: handed out to be looked at, and what each look came to (4.9, 5.6.2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.answered import values_of
from slipring.department.bookings import Scanner
from slipring.department.exams import exams_of
from slipring.department.names import Pair
from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.qc_reading import ADDRESS, programme_of
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.fhir.outcome import FhirError, not_found
from slipring.identity.people.sessions import Session

CONCLUSIONS = ("unaffected", "report-to-amend", "exam-to-repeat")
_OPEN = "requested,received,accepted,in-progress,on-hold"
_LONGEST = 500
_AT_ONCE = 100  # exams handed out by one press
_GONE_BY = 409  # the failure was corrected since


@dataclass(frozen=True, slots=True)
class Failure:
    """The nonconformity that a failed test opened."""

    task: Tree
    tests: Mapping[str, Pair] = field(default_factory=dict)  # their names by code

    @property
    def address(self) -> str:
        """Its page."""
        return f"{ADDRESS}/failures/{self.task['id']}"

    @property
    def scanner(self) -> str:
        """`Device/id`."""
        return names.reference_in(self.task.get("focus"))

    @property
    def words(self) -> Pair:
        """The test that failed."""
        concept = self.task.get("reasonCode")
        return self.tests.get(names.code_in(concept, "scanner-test")) or names.concept_words(concept)

    @property
    def at(self) -> datetime | None:
        """When it was opened."""
        return names.moment(self.task.get("authoredOn"))


@dataclass(frozen=True, slots=True)
class Look:
    """One exam that is looked at, as its Task states it."""

    task: Tree

    @property
    def address(self) -> str:
        """Its page."""
        return f"{ADDRESS}/verifications/{self.task['id']}"

    @property
    def exam(self) -> str:
        """`Task/id` of the exam."""
        return names.reference_in(self.task.get("focus"))

    @property
    def conclusion(self) -> str:
        """What it came to; '' as long as nobody has concluded."""
        concept = self._output("conclusion").get("valueCodeableConcept")
        return names.code_in(concept, "exam-verification-result")

    @property
    def verifier(self) -> str:
        """Who concluded; '' as long as nobody has."""
        return names.reference_in(self._output("verifier").get("valueReference"))

    def _output(self, name: str) -> Tree:
        every: Sequence[Tree] = self.task.get("output", [])
        return next((one for one in every if name in names.codes(one.get("type"))), {})


@dataclass(frozen=True, slots=True)
class QcVerifyingPages:
    """`/department/qc/failures/{id}` and `/department/qc/verifications/{id}`."""

    place: Place

    def routes(self) -> list[Route]:
        """Two pages, each with its form."""
        failure, look = f"{ADDRESS}/failures/{{id}}", f"{ADDRESS}/verifications/{{id}}"
        return self.place.routes(
            [
                (failure, self.failure, ["GET"]),
                (failure, self.handed_out, ["POST"]),
                (look, self.look, ["GET"]),
                (look, self.concluded, ["POST"]),
            ]
        )

    async def failure(self, request: Request, session: Session) -> Response:
        """Which exams are in doubt, and how far the look at them has come."""
        return await self._failure(request, session, await self.place.hand(session), {})

    async def handed_out(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$verify-exams`."""
        await self.place.posted(request, session)
        hand, id = await self.place.hand(session), named_in(request, "Task")
        given: list[Tree] = [{"name": "most", "valueInteger": _AT_ONCE}]
        try:
            await hand.called(f"Task/{id}/$verify-exams", given)
        except FhirError as refused:
            beside = wrong(refused, request, given, {})
            return await self._failure(request, session, hand, beside, status=refused.status)
        return RedirectResponse(f"{ADDRESS}/failures/{id}", 303)

    async def look(self, request: Request, session: Session) -> Response:
        """The exam, why it is in doubt, and the form or the conclusion."""
        return await self._look(request, session, await self.place.hand(session), {}, {})

    async def concluded(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$conclude-verification`."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        id, said, note = named_in(request, "Task"), form.get("conclusion", ""), form.get("note", "").strip()[:_LONGEST]
        given: list[Tree] = [{"name": "conclusion", "valueCode": said if said in CONCLUSIONS else "none"}]
        given += [{"name": "note", "valueString": note}] if note else []
        try:
            await hand.called(f"Task/{id}/$conclude-verification", given)
        except FhirError as refused:
            beside = wrong(refused, request, given, {"conclusion": "conclusion", "note": "note"})
            return await self._look(request, session, hand, form, beside, status=refused.status)
        return RedirectResponse(f"{ADDRESS}/verifications/{id}", 303)

    async def _failure(
        self, request: Request, session: Session, hand: Hand, beside: Words, *, status: int = 200
    ) -> Response:
        task = await hand.read(f"Task/{named_in(request, 'Task')}")
        if not _of_a_test(task):
            raise not_found("Task")
        failure, scanner = await _named(hand, task)
        looks = [Look(one) for one in await hand.found("Task", _looks_of(task))]
        told, closed = await _previewed(hand, task)
        doubted = [names.reference_in(one["valueReference"]) for one in told or [] if one["name"] == "exam"]
        known = {one.exam: one for one in looks}
        ids = [one.rpartition("/")[2] for one in dict.fromkeys([*doubted, *known])]
        exams = await exams_of(hand, "_id", ids)
        return self.place.page(
            request, session, "qc_failure.html", status=status, failure=failure, beside=beside, exams=exams, looks=known,
            scanner=scanner, told=_when(values_of(told or [])), may_trace=told is not None,
            none=closed, most=_AT_ONCE, waiting=sum(not one.conclusion for one in looks), address=ADDRESS,
        )  # fmt: skip

    async def _look(
        self,
        request: Request,
        session: Session,
        hand: Hand,
        form: Mapping[str, str],
        beside: Words,
        *,
        status: int = 200,
    ) -> Response:
        task = await hand.read(f"Task/{named_in(request, 'Task')}")
        if names.code_in(task.get("code"), "task-code") != "exam-verification":
            raise not_found("Task")
        look = Look(task)
        failure, _ = await _named(hand, await hand.read(names.reference_in(task.get("partOf"))))
        exams = await exams_of(hand, "_id", [look.exam.rpartition("/")[2]])
        people = await people_named(hand, [look.verifier] if look.verifier else [])
        return self.place.page(
            request, session, "qc_look.html", status=status, look=look, failure=failure, exams=exams, people=people,
            form=form, beside=beside, conclusions=CONCLUSIONS, may_conclude=may(session, "Task", "u"), address=ADDRESS,
        )  # fmt: skip


async def failures_of(hand: Hand) -> list[Failure]:
    """Failures of tests whose nonconformity is not closed, the newest first."""
    asked = [("code", "nonconformity"), ("status", _OPEN), ("_sort", "-authored-on"), ("_count", "200")]
    return [Failure(one) for one in await hand.found("Task", asked) if _of_a_test(one)]


async def _named(hand: Hand, task: Tree) -> tuple[Failure, Scanner]:
    """A failure with the names of the tests as the programme of its scanner says them, and that scanner."""
    scanner = Scanner(await hand.read(names.reference_in(task.get("focus"))))
    programme = await programme_of(hand, scanner)
    return Failure(task, {one.code: one.words for one in programme.tests} if programme else {}), scanner


async def _previewed(hand: Hand, task: Tree) -> tuple[list[Tree] | None, bool]:
    """What `$verify-exams` would do; None when this person may not call it. True: no failure stands any more."""
    try:
        asked = [{"name": "preview", "valueBoolean": True}]
        return await hand.called_if_allowed(f"Task/{task['id']}/$verify-exams", asked), False
    except FhirError as refused:
        if refused.status != _GONE_BY:
            raise
        return None, True


def _when(told: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with its moments as moments."""
    moments = {name: names.moment(told[name]) for name in ("lastGood", "failed", "nextGood") if name in told}
    return {**told, **moments}


def _looks_of(task: Tree) -> list[tuple[str, str]]:
    return [("code", "exam-verification"), ("part-of", f"Task/{task['id']}"), ("_count", "200")]


def _of_a_test(task: Tree) -> bool:
    return names.code_in(task.get("code"), "task-code") == "nonconformity" and bool(
        names.code_in(task.get("reasonCode"), "scanner-test")
    )

"""A case is read again: first what is seen, blind, then, told of the first reading, the grade (5.6.2.3).

Until the first answer is kept nothing of the report is read, neither here nor for any link: the trail of who was shown a
report decides whether a reading was blind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.answered import groups_of, values_of
from slipring.department.exams import exams_of
from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.department.told import told
from slipring.department.worklist import coded
from slipring.fhir.outcome import FhirError, not_found
from slipring.identity.people.sessions import Session
from slipring.reading.again import AGAIN, Again, to_read_again, with_exams
from slipring.reading.sections import tidy
from slipring.review.workplace import review_page

_FIRST, _SECOND = ("impression", "category"), ("grade", "firstCategory", "note")


@dataclass(frozen=True, slots=True)
class ReReadingPages:
    """The cases of the sample that a reader has, and one of them."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/again` and `/reading/again/{id}`."""
        at = f"{AGAIN}/{{id}}"
        return self.place.routes(
            [(AGAIN, self.listed, ["GET"]), (at, self.shown, ["GET"]), (at, self.answered, ["POST"])]
        )

    async def listed(self, request: Request, session: Session) -> Response:
        """His open cases, what is due first first."""
        hand = await self.place.hand(session)
        cases = await with_exams(hand, await to_read_again(hand, session.account.practitioner or ""))
        return review_page(self.place, request, session, "again.html", address=AGAIN, cases=cases)

    async def shown(self, request: Request, session: Session) -> Response:
        """One case as it stands."""
        return await self._page(request, session, await self.place.hand(session))

    async def answered(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$re-read`, its first or its second call."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        case = Again(await hand.read(f"Task/{named_in(request, 'Task')}"))
        given = _said(form, _SECOND if case.begun else _FIRST)
        try:
            await hand.called(f"Task/{case.id}/$re-read", given)
        except FhirError as refused:
            beside = wrong(refused, request, given, {name: name for name in (*_FIRST, *_SECOND)})
            return await self._page(request, session, hand, form=form, beside=beside, status=refused.status)
        return RedirectResponse(AGAIN if case.begun else case.address, 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Words | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        case = Again(await hand.read(f"Task/{named_in(request, 'Task')}"))
        if names.code_in(case.task.get("code"), "task-code") != "re-reading":
            raise not_found("Task")
        exams, studies, categories, grades, first = await asyncio.gather(
            exams_of(hand, "focus", [case.request]),
            _studies(hand, case.request),
            coded(hand, "reading-category"),
            coded(hand, "discrepancy-grade"),
            _first_reading(hand, case),
        )
        if not exams:
            raise not_found("ServiceRequest")
        mine = names.reference_in(case.task.get("owner")) == session.account.practitioner
        return review_page(
            self.place, request, session, "re_reading.html", status=status, case=case, exam=exams[0],
            told=told(exams[0].request), studies=studies, categories=categories, grades=grades, first=first,
            form=form or {}, beside=beside or {}, mine=mine and may(session, "Task", "u"),
            is_open=case.task.get("status") in ("requested", "in-progress"), address=AGAIN,
        )  # fmt: skip


def _said(form: Mapping[str, str], fields: Sequence[str]) -> list[Tree]:
    kinds = {"impression": "valueString", "note": "valueString"}
    told = ((name, tidy(form.get(name, ""))) for name in fields)
    return [{"name": name, kinds.get(name, "valueCode"): words} for name, words in told if words]


async def _studies(hand: Hand, request: str) -> list[dict[str, Any]]:
    """The images of the exam with their links to the viewer; what was reported of it is left aside unread."""
    readings = await hand.if_allowed("Task", [("code", "reading"), ("focus", request)]) or []
    if not readings:
        return []
    answer = await hand.called_if_allowed(f"Task/{readings[0]['id']}/$priors") or []
    return [values_of(study) for part in groups_of(answer, "current") for study in groups_of(part, "study")]


async def _first_reading(hand: Hand, case: Again) -> dict[str, Any]:
    """What was seen the second time and the first, once the second reading is kept; empty before."""
    if not case.answer:
        return {}
    response = await hand.read(case.answer)
    said: dict[str, Any] = {
        one["linkId"]: next((answer[name] for answer in one["answer"] for name in answer), None)
        for one in response.get("item", [])
    }
    report = await hand.read(names.reference_in(response.get("subject")).partition("/_history/")[0])
    signers = [names.reference_in(one) for one in report.get("resultsInterpreter", [])]
    people = await people_named(hand, signers)
    return {
        "said": said,
        "report": report,
        "signers": [names.person(people.get(one)) or one for one in signers],
        "blind": said.get("shown-before") == "no",
    }

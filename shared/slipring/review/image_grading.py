"""Images are graded, blind: what the sheets of a quarter come to, a draw, and the cases that somebody has to grade (5.6.2.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
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
from slipring.fhir.outcome import FhirError, not_found
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.reading.again import Again
from slipring.review.quarters import Quarter, quarter_named
from slipring.review.staff import people_as
from slipring.review.workplace import review_page

IMAGES = "/reading/images"
SHEET = f"{CANONICAL}/Questionnaire/image-grading"
_GRADERS = "technologist,radiologist,level-b,level-c,level-d,level-e"  # who is offered, by the staff register
_GRADER = "grader."
_OFFERED = 4  # quarters
_DIGITS = 4  # of a number that is typed
RATES = ("excellent", "identity", "partAndLabel", "agreement")


@dataclass(frozen=True, slots=True)
class ImageGradingPages:
    """`/reading/images`, and one case with its sheet."""

    place: Place

    def routes(self) -> list[Route]:
        """The figures with the form of a draw and one's own cases; the sheet of one."""
        one = f"{IMAGES}/{{id}}"
        return self.place.routes(
            [
                (IMAGES, self.shown, ["GET"]),
                (IMAGES, self.drawn, ["POST"]),
                (one, self.case, ["GET"]),
                (one, self.graded, ["POST"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """`Task/$image-grading` of a quarter, and the cases of whoever looks."""
        return await self._page(request, session, await self.place.hand(session), {}, {})

    async def drawn(self, request: Request, session: Session) -> Response:
        """`Task/$draw-images`, in the name of whoever is signed in."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        quarter = self._quarter(form.get("quarter", ""))
        given = _days(quarter)
        for name in ("size", "double"):
            said = form.get(name, "").strip()
            given += [{"name": name, "valueInteger": int(said)}] if said.isdecimal() and len(said) <= _DIGITS else []
        given += [{"name": "seed", "valueString": seed}] if (seed := form.get("seed", "").strip()) else []
        ids = [name.removeprefix(_GRADER) for name in form if name.startswith(_GRADER)]
        given += [
            {"name": "grader", "valueReference": {"reference": f"Practitioner/{one}"}}
            for one in ids
            if names.ID.fullmatch(one)
        ]
        try:
            await hand.called("Task/$draw-images", given)
        except FhirError as refused:
            fields = {"size": "size", "double": "double", "seed": "seed", "grader": "graders", "periodEnd": "quarter"}
            beside = wrong(refused, request, given, fields)
            return await self._page(request, session, hand, form, beside, status=refused.status)
        return RedirectResponse(IMAGES, 303)

    async def case(self, request: Request, session: Session) -> Response:
        """The empty sheet of a case."""
        return await self._sheet(request, session, await self.place.hand(session), {}, {})

    async def graded(self, request: Request, session: Session) -> Response:
        """The sheet as a QuestionnaireResponse, written by whoever is signed in; it ends the case."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        case = await _case(request, hand)
        said = {"yes": True, "no": False}
        items = [
            {"linkId": one["linkId"], "answer": [{"valueBoolean": said[form[one["linkId"]]]}]}
            for one in (await _questionnaire(hand))["item"]
            if form.get(one["linkId"]) in said
        ]
        sheet: Tree = {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": SHEET,
            "status": "completed",
            "authored": self.place.now().isoformat(timespec="seconds"),
            "subject": {"reference": case.request},
            "author": {"reference": session.account.practitioner},
            "item": items,
        }
        try:
            await hand.made(sheet)
        except FhirError as refused:
            beside = wrong(refused, request, [], {})
            return await self._sheet(request, session, hand, form, beside, status=refused.status)
        return RedirectResponse(IMAGES, 303)

    async def _page(
        self,
        request: Request,
        session: Session,
        hand: Hand,
        form: Mapping[str, str],
        beside: Words,
        *,
        status: int = 200,
    ) -> Response:
        quarter = self._quarter(request.query_params.get("quarter", ""))
        me = session.account.practitioner or ""
        told, cases = await asyncio.gather(hand.called("Task/$image-grading", _days(quarter)), _mine(hand, me))
        parts = told.get("parameter", [])
        people = await people_as(hand, _GRADERS) if may(session, "Task", "c") else []
        latest = self._quarter("")
        rates: dict[str, dict[str, Any]] = {name: values_of(next(iter(groups_of(parts, name)))) for name in RATES}
        return review_page(
            self.place, request, session, "images.html", status=status, quarter=quarter, told=values_of(parts), rates=rates,
            cases=cases, quarters=[latest.before(back) for back in range(_OFFERED)], form=form, beside=beside,
            people=[one for one in people if f"Practitioner/{one.id}" != me], address=IMAGES,
            may_draw=may(session, "Task", "c"),
        )  # fmt: skip

    async def _sheet(
        self,
        request: Request,
        session: Session,
        hand: Hand,
        form: Mapping[str, str],
        beside: Words,
        *,
        status: int = 200,
    ) -> Response:
        case, form_asked = await asyncio.gather(_case(request, hand), _questionnaire(hand))
        questions = [(str(one["linkId"]), names.text_words(one, "text")) for one in form_asked["item"]]
        return review_page(
            self.place, request, session, "image_sheet.html", status=status, case=case, questions=questions, form=form,
            beside=beside, address=IMAGES,
            own=names.reference_in(case.task.get("owner")) == session.account.practitioner,
        )  # fmt: skip

    def _quarter(self, name: str) -> Quarter:
        return quarter_named(name, self.place.now().astimezone(self.place.zone).date())


def _days(quarter: Quarter) -> list[Tree]:
    first, last = quarter.first.isoformat(), quarter.last.isoformat()
    return [{"name": "periodStart", "valueDate": first}, {"name": "periodEnd", "valueDate": last}]


async def _mine(hand: Hand, grader: str) -> list[Again]:
    """The open cases of one grader, what is due first first."""
    if not grader:
        return []
    asked = [("code", "image-grading"), ("owner", grader), ("status", "requested")]
    found = [Again(one) for one in await hand.if_allowed("Task", asked) or []]
    known = {f"ServiceRequest/{one.id}": one for one in await exams_of(hand, "focus", [one.request for one in found])}
    return sorted((Again(one.task, known.get(one.request)) for one in found), key=lambda one: str(one.due))


async def _case(request: Request, hand: Hand) -> Again:
    task = await hand.read(f"Task/{named_in(request, 'Task')}")
    if names.code_in(task.get("code"), "task-code") != "image-grading":
        raise not_found("Task")
    exams = await exams_of(hand, "focus", [names.reference_in(task.get("focus"))])
    return Again(task, next(iter(exams), None))


async def _questionnaire(hand: Hand) -> Tree:
    found = await hand.found("Questionnaire", [("url", SHEET), ("status", "active")])
    if not found:
        raise not_found("Questionnaire")
    return found[-1]

"""Screening before contrast: the questionnaire as a form, and what its assessment found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.bedside.answers import MOST_ANSWERS, filled
from slipring.bedside.bed import BEDSIDE, bedside_page
from slipring.bedside.contrast_exams import contrast_exam
from slipring.bedside.origins import origins
from slipring.bedside.questions import every
from slipring.bedside.saying import beside_questions
from slipring.bedside.sheet import WHO, Sheet, response_of, sheet_of
from slipring.bedside.standing import ContrastExam
from slipring.department.names import Pair
from slipring.department.place import Place, Words, may, named_in
from slipring.department.road import Hand
from slipring.department.seen import changed_meanwhile
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.pages.language import LANGUAGES, language_of, said


def screening_address(exam_id: str) -> str:
    """Where an exam is screened."""
    return f"{BEDSIDE}/exams/{exam_id}/screening"


@dataclass(frozen=True, slots=True)
class ScreeningPages:
    """The form and what was found."""

    place: Place

    def routes(self) -> list[Route]:
        """`/bedside/exams/{id}/screening`."""
        one = screening_address("{id}")
        return self.place.routes([(one, self.shown, ["GET"]), (one, self.answer, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """What was found, or the form; with `change`, the form of what was answered before."""
        one, sheet = await self._sheet(request, await self.place.hand(session))
        drawn = not sheet.answered or "change" in request.query_params
        return self._page(request, session, one, sheet, drawn=drawn)

    async def answer(self, request: Request, session: Session) -> Response:
        """Keep what is answered so far, or all of it; what is wrong stands beside its question."""
        form = await self.place.posted(request, session)
        hand = await self.place.hand(session)
        one, sheet = await self._sheet(request, hand)
        told = filled(sheet.questions, form, self.place.zone)
        beside: Words = {name: said(words, language_of(request)) for name, words in told.beside.items()}
        done = form.get("act") == "complete"
        try:
            if not beside and form.get("seen") != sheet.seen:
                raise changed_meanwhile()
            if not beside:
                response = response_of(
                    sheet,
                    one,
                    told,
                    status="amended" if sheet.answered else "completed" if done else "in-progress",
                    authored=self.place.now().isoformat(timespec="seconds"),
                    author=session.account.practitioner,
                    who=form.get("who", ""),
                )
                await (hand.replaced(response) if sheet.kept else hand.made(response))
        except FhirError as refused:
            beside = beside_questions(refused, request, told, _asked(sheet))
            return self._page(request, session, one, sheet, form=form, beside=beside, status=refused.status)
        if beside:
            return self._page(request, session, one, sheet, form=form, beside=beside, status=422)
        address = screening_address(one.exam.id)
        language = form.get("act", "")
        return RedirectResponse(f"/language/{language}?to={address}" if language in LANGUAGES else address, 303)

    async def _sheet(self, request: Request, hand: Hand) -> tuple[ContrastExam, Sheet]:
        one = await contrast_exam(hand, named_in(request, "ServiceRequest"), self.place.now())
        return one, await sheet_of(hand, one)

    def _page(
        self, request: Request, session: Session, one: ContrastExam, sheet: Sheet, *, drawn: bool = True,
        form: Mapping[str, str] | None = None, beside: Words | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        stands = sheet.form if form is None else form
        may_answer = may(session, "QuestionnaireResponse", "u" if sheet.kept else "c")
        return bedside_page(
            self.place,
            request,
            session,
            "screening.html",
            status=status,
            one=one,
            exam=one.exam,
            sheet=sheet,
            drawn=drawn and may_answer,
            may_answer=may_answer,
            origins=origins(sheet.questions, sheet.response.get("item", [])),
            form=stands,
            beside=beside or {},
            words=_asked(sheet),
            who=WHO,
            most=MOST_ANSWERS,
            may_decide=may(session, "DetectedIssue", "u"),
        )


def _asked(sheet: Sheet) -> dict[str, Pair]:
    return {question.link: question.words for question in every(sheet.questions)}

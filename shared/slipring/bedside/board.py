"""The observation board: who is watched, how long is left, one tap to release; and the calls that are due (5.4.4.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.bedside.bed import BEDSIDE, bedside_page
from slipring.bedside.saying import beside as said_beside
from slipring.bedside.taken import vital_signs
from slipring.bedside.watched import calls_due, everybody_watched, one_watched
from slipring.department import names
from slipring.department.place import Place, Words, named_in
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.pages.language import language_of

BOARD = f"{BEDSIDE}/board"
OUTCOMES = ("released", "against-advice", "physician-decision", "handed-over")
REASONS = ("refuses-to-wait", "left-without-notice", "other-treatment", "other")
_REASON = f"{CANONICAL}/CodeSystem/early-leave-reason"


@dataclass(frozen=True, slots=True)
class BoardPages:
    """The board, one observation, and what is done from them."""

    place: Place

    def routes(self) -> list[Route]:
        """`/bedside/board`, one observation with its release and vital signs, and the result of a call."""
        one = f"{BEDSIDE}/observations/{{id}}"
        return self.place.routes(
            [
                (BOARD, self.shown, ["GET"]),
                (one, self.one, ["GET"]),
                (f"{one}/release", self.release, ["POST"]),
                (f"{one}/signs", self.signs, ["POST"]),
                (f"{BEDSIDE}/follow-ups/{{id}}", self.called, ["POST"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """The board; `?wall`: for a wall, with initials and the tail of the imaging number only."""
        hand = await self.place.hand(session)
        return await self._board(request, session, hand, {}, wall="wall" in request.query_params)

    async def _board(
        self, request: Request, session: Session, hand: Hand, beside: Words, *, wall: bool = False, status: int = 200
    ) -> Response:
        """Who is watched, and on a tablet the calls that are due: asked for side by side."""
        watching = everybody_watched(hand, self.place.now())
        watched, due = (await watching, []) if wall else await asyncio.gather(watching, calls_due(hand))
        return bedside_page(
            self.place, request, session, "board.html", status=status, watched=watched, due=due, wall=wall,
            board=BOARD, beside=beside,
        )  # fmt: skip

    async def one(self, request: Request, session: Session) -> Response:
        """One observation: vital signs, and every way in which it may end."""
        return await self._one(request, session, {}, {})

    async def _one(
        self, request: Request, session: Session, form: Mapping[str, str], beside: Words, *, status: int = 200
    ) -> Response:
        one = await one_watched(await self.place.hand(session), named_in(request, "Task"))
        return bedside_page(
            self.place, request, session, "observation.html", status=status, one=one, form=form, beside=beside,
            outcomes=OUTCOMES, reasons=REASONS, board=BOARD,
        )  # fmt: skip

    async def release(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$release` in the person's name; then what the patient is told, to be printed or read out."""
        form = await self.place.posted(request, session)
        hand, task_id = await self.place.hand(session), named_in(request, "Task")
        given = _release(form)
        try:
            answer = await hand.called(f"Task/{task_id}/$release", given)
        except FhirError as refused:
            beside = said_beside(refused, request, _field_at)
            return await self._one(request, session, form, beside, status=refused.status)
        told = {one["name"]: one for one in answer["parameter"] if one["name"].startswith("instructions")}
        language = language_of(request)
        words = {name: str(told[f"instructions{name.title()}"]["valueString"]).splitlines() for name in ("zh", "en")}
        issues = [names.text_words(one["resource"], "detail") for one in answer["parameter"] if one["name"] == "issue"]
        one = await one_watched(hand, task_id)
        first, second = ("en", "zh") if language == "en" else ("zh", "en")
        return bedside_page(
            self.place, request, session, "released.html", one=one, issues=issues, board=BOARD,
            told=[(first, words[first]), (second, words[second])],
        )  # fmt: skip

    async def signs(self, request: Request, session: Session) -> Response:
        """Vital signs of now, in one record; back to the board."""
        form = await self.place.posted(request, session)
        hand = await self.place.hand(session)
        one = await one_watched(hand, named_in(request, "Task"))
        who = session.account.practitioner or ""
        taken, beside = vital_signs(form, one.task, who, self.place.now(), language_of(request))
        if taken is None:
            return await self._one(request, session, form, beside, status=422)
        try:
            await hand.made(taken)
        except FhirError as refused:
            return await self._one(
                request, session, form, said_beside(refused, request, _field_at), status=refused.status
            )
        return RedirectResponse(BOARD, 303)

    async def called(self, request: Request, session: Session) -> Response:
        """What a call brought, by one tap; a late reaction leads on to its form."""
        form = await self.place.posted(request, session)
        hand, task_id = await self.place.hand(session), named_in(request, "Task")
        given: list[Tree] = [{"name": "result", "valueCode": form.get("result", "")}]
        note = form.get("note", "").strip()
        given += [{"name": "note", "valueString": note}] if note else []
        try:
            answer = await hand.called(f"Task/{task_id}/$called", given)
        except FhirError as refused:
            beside = said_beside(refused, request, lambda at: "")
            return await self._board(request, session, hand, beside, status=refused.status)
        if form.get("result") == "late-reaction":
            exam = names.reference_in(answer["parameter"][0]["resource"].get("basedOn")).rpartition("/")[2]
            return RedirectResponse(f"{BEDSIDE}/exams/{exam}/reaction" if exam else BOARD, 303)
        return RedirectResponse(BOARD, 303)


def _release(form: Mapping[str, str]) -> list[Tree]:
    """The parameters of `$release` that a form stands for."""
    outcome, reason = form.get("outcome", "released"), form.get("reason", "")
    given: list[dict[str, Any]] = [{"name": "outcome", "valueCode": outcome if outcome in OUTCOMES else "released"}]
    if form.get("cannula") in ("out", "in"):
        given.append({"name": "cannulaRemoved", "valueBoolean": form["cannula"] == "out"})
    if reason in REASONS and outcome == "against-advice":
        given.append({"name": "reason", "valueCodeableConcept": {"coding": [{"system": _REASON, "code": reason}]}})
    if (to := form.get("to", "").strip()[:200]) and outcome == "handed-over":
        given.append({"name": "to", "valueReference": {"display": to}})
    if note := form.get("note", "").strip()[:2000]:
        given.append({"name": "note", "valueString": note})
    return given


def _field_at(at: str) -> str:
    if at == "Task.statusReason":
        return "reason"
    return "to" if "receiver" in at else ""

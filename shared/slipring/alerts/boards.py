"""The boards: every open case, the same for a wall, and one case from top to bottom with what is written down about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.alerts.open_cases import Case, Together, by_exam, one_case, open_cases
from slipring.alerts.receiver import Door, by_staff_number
from slipring.alerts.timeline import happened
from slipring.alerts.told import told
from slipring.department import names
from slipring.department.place import Place, named_in
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.pages.language import language_of, said

ALERTS = "/alerts"
LIVE = f"{ALERTS}/live"
WATCHED = {"Task": [("code", "critical-case")]}
_LONGEST = 2000
# So many cards find room on a wall of 1920 x 1080 at full size, in one line each, and in small lines beyond that.
_ROOM_FOR = ((6, ""), (42, "dense"))


@dataclass(frozen=True, slots=True)
class BoardPages:
    """`/alerts`, and one case."""

    door: Door

    @property
    def place(self) -> Place:
        """The department."""
        return self.door.place

    def routes(self) -> list[Route]:
        """The board, the case with what is done about it, and the PIN of whoever is rung."""
        case = f"{ALERTS}/cases/{{id}}"
        return self.place.routes(
            [
                (ALERTS, self.board, ["GET"]),
                (case, self.case, ["GET"]),
                (f"{case}/phone", self.phoned, ["POST"]),
                (f"{case}/act", self.act, ["POST"]),
                (f"{case}/hand-over", self.hand_over, ["POST"]),
                (f"{ALERTS}/pin", self.pin, ["GET", "POST"]),
            ]
        )

    async def board(self, request: Request, session: Session) -> Response:
        """Every open case; `?wall`: with initials and number tails only, and audible; `&ward=`: of one ward."""
        ward = request.query_params.get("ward", "")
        hand = await self.place.hand(session)
        cases = await open_cases(hand, ward if names.ID.fullmatch(ward) else "")
        no_desk = bool(await hand.if_allowed("Task", names.NO_DESK))
        wall = "wall" in request.query_params
        rows = by_exam(cases or []) if wall else [Together(case) for case in cases or []]
        return self._page(
            request, session, "board.html", cases=cases, rows=rows, wall=wall, crowd=_crowd(len(rows)) if wall else "",
            ringing=sum(case.rings for case in cases or []), no_desk=no_desk,
        )  # fmt: skip

    async def case(self, request: Request, session: Session) -> Response:
        """One case from top to bottom."""
        return await self._case(request, session, await self.place.hand(session))

    async def phoned(self, request: Request, session: Session) -> Response:
        """A call, written down by the caller: who was spoken to under which number, and what he read back."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        receiver = form.get("receiver", "").strip()
        person = await by_staff_number(hand, receiver)
        call: list[Tree] = [
            {"name": "patientCheck", "valueString": form.get("tail", "").strip()[:_LONGEST] or "-"},
            {"name": "finding", "valueCode": form.get("choice", "").strip()[:64] or "none"},
            {"name": "medium", "valueCode": "phone"},
        ]
        if number := form.get("number", "").strip()[:64]:
            call.append({"name": "number", "valueString": number})
        if person:
            call.append({"name": "receiver", "valueReference": {"reference": person}})
        elif receiver:
            return await self._nobody(request, session, hand)
        return await self._done(request, session, hand, "$acknowledge", call)

    async def act(self, request: Request, session: Session) -> Response:
        """What was done for the patient."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        action = form.get("text", "").strip()[:_LONGEST]
        call: list[Tree] = [{"name": "action", "valueCodeableConcept": {"text": action} if action else {}}]
        return await self._done(request, session, hand, "$act", call)

    async def hand_over(self, request: Request, session: Session) -> Response:
        """Offer a case to somebody, take an offered one on, or do not."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        if form.get("answer") in ("accept", "decline"):
            return await self._done(request, session, hand, f"${form['answer']}", [])
        person = await by_staff_number(hand, form.get("to", "").strip())
        if not person:
            return await self._nobody(request, session, hand)
        call: list[Tree] = [{"name": "to", "valueReference": {"reference": person}}]
        return await self._done(request, session, hand, "$hand-over", call)

    async def pin(self, request: Request, session: Session) -> Response:
        """Choose the PIN by which one answers a message on a telephone."""
        beside, done = "", False
        if request.method == "POST":
            form = await self.place.posted(request, session)
            issue = await self.door.pins.choose(session.account, form.get("pin", "").strip())
            beside, done = (said((issue.zh, issue.en), language_of(request)), False) if issue else ("", True)
        chosen = await self.door.pins.chosen_at(session.account.name)
        status = 422 if beside else 200
        return self._page(
            request, session, "pin.html", status=status, beside=beside, done=done, chosen=chosen,
            shortest=self.door.pins.figures.pin_shortest, name=session.account.name,
        )  # fmt: skip

    async def _done(self, request: Request, session: Session, hand: Hand, what: str, call: list[Tree]) -> Response:
        case = named_in(request, "Task")
        try:
            await hand.called(f"Task/{case}/{what}", call)
        except FhirError as refused:
            if refused.status not in (400, 403, 409, 422):
                raise
            says = [said((issue.zh, issue.en), language_of(request)) for issue in refused.issues]
            return await self._case(request, session, hand, says=says, status=refused.status)
        return RedirectResponse(f"{ALERTS}/cases/{case}", 303)

    async def _nobody(self, request: Request, session: Session, hand: Hand) -> Response:
        words = ("没有人使用该工号。", "Nobody has this staff number.")
        return await self._case(request, session, hand, says=[said(words, language_of(request))], status=422)

    async def _case(
        self, request: Request, session: Session, hand: Hand, *, says: list[str] | None = None, status: int = 200
    ) -> Response:
        one: Case = await one_case(hand, named_in(request, "Task"))
        try:
            finding = (await told(hand, one.id)).of(one.id)
        except FhirError as refused:
            if refused.status != 403:
                raise
            finding = None  # who may not receive it sees how it goes, and what is to be read back is not his
        return self._page(
            request, session, "case.html", status=status, case=one, lines=await happened(hand, one.id), says=says or [],
            finding=finding, me=session.account.practitioner,
        )  # fmt: skip

    def _page(self, request: Request, session: Session, template: str, **values: Any) -> Response:
        return self.place.page(request, session, f"alerts/{template}", live=LIVE, board=ALERTS, **values)


def _crowd(cards: int) -> str:
    """How a wall makes room, as a class: nobody scrolls it, and what is not on it is not seen."""
    return next((name for most, name in _ROOM_FOR if cards <= most), "crowded")

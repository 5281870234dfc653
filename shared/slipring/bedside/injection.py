"""At the injector: may contrast be given now, who is it, what is given by whom; start, end, or leave it; and the alarm."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.bedside.bed import AT_THE_INJECTOR, BEDSIDE, bedside_page
from slipring.bedside.contrast_exams import contrast_exam
from slipring.bedside.ending import ROUTES, ended, ending_field_at
from slipring.bedside.injecting import People, asked_for, field_at, left
from slipring.bedside.saying import beside as said_beside
from slipring.bedside.standing import ContrastExam
from slipring.bedside.verdict import Verdict, verdict_on
from slipring.department import names
from slipring.department.performing import done_items
from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.department.seen import changed_meanwhile
from slipring.department.shown import FIELDS, Shown, check_call, shown_call, staff_numbered
from slipring.department.worklist import coded
from slipring.fhir.outcome import FhirError, not_found, unprocessable
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session

RUNNING = ("in-progress", "on-hold")
_AGENTS = f"{CANONICAL}/ValueSet/contrast-agents"


@dataclass(frozen=True, slots=True)
class InjectionPages:
    """The check, and the steps of one injection."""

    place: Place

    def routes(self) -> list[Route]:
        """`/bedside/exams/{id}/injection` and its steps."""
        one = f"{BEDSIDE}/exams/{{id}}/injection"
        steps = {"identity": self.identity, "ask": self.ask, "end": self.end, "leave": self.leave, "seen": self.seen}
        table: list[tuple[str, Any, list[str]]] = [(one, self.shown, ["GET"]), (f"{one}/{{step}}", self.back, ["GET"])]
        return self.place.routes([*table, *((f"{one}/{step}", act, ["POST"]) for step, act in steps.items())])

    async def shown(self, request: Request, session: Session) -> Response:
        """The verdict with what is known now, and the next step."""
        hand = await self.place.hand(session)
        return await self._page(request, session, hand, await self._exam(request, hand))

    async def back(self, request: Request, session: Session) -> Response:
        """Where a step was refused and somebody comes back, by the language switch say."""
        return RedirectResponse(_address(named_in(request, "ServiceRequest")), 303)

    async def identity(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$check`: who it is, by two identifiers of different kinds, on the exam's record."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        one, call = await self._exam(request, hand), list[Tree]()
        try:
            given = Shown.of(form)
            call = check_call(given, await shown_call(hand, given))
            await hand.called(f"{one.exam.reference}/$check", call)
        except FhirError as refused:
            beside = wrong(refused, request, call, FIELDS)
            return await self._page(request, session, hand, one, form=form, beside=beside, status=refused.status)
        return RedirectResponse(_address(one.exam.id), 303)

    async def ask(self, request: Request, session: Session) -> Response:
        """Weigh what is typed (`act` = check), or ask for permission and begin."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        one, agents = await asyncio.gather(self._exam(request, hand), agents_of(hand))
        verdict: Verdict | None = None
        try:
            asked = await self._asked(hand, session, one, form, agents)
            verdict = await verdict_on(hand, asked)
            if form.get("act") == "check":
                return await self._page(request, session, hand, one, form=form, verdict=verdict)
            if one.injection and one.injection["status"] in RUNNING:
                raise changed_meanwhile()
            await hand.made(asked)
        except FhirError as refused:
            beside = said_beside(refused, request, field_at)
            return await self._page(
                request, session, hand, one, form=form, beside=beside, verdict=verdict, status=refused.status
            )
        return RedirectResponse(_address(one.exam.id), 303)

    async def end(self, request: Request, session: Session) -> Response:
        """How an injection that runs ended: given with its volume and time, stopped, or not done."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        one = await self._exam(request, hand)
        try:
            if one.injection is None or one.injection["meta"]["versionId"] != form.get("seen"):
                raise changed_meanwhile()
            await hand.replaced(ended(one.injection, form, self.place.now(), self.place.zone))
        except FhirError as refused:
            beside = said_beside(refused, request, ending_field_at)
            return await self._page(request, session, hand, one, form=form, beside=beside, status=refused.status)
        return RedirectResponse(_address(one.exam.id), 303)

    async def leave(self, request: Request, session: Session) -> Response:
        """Contrast is not given: why, on record."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        one, agents = await asyncio.gather(self._exam(request, hand), agents_of(hand))
        try:
            await hand.made(left(one, form, session.account.practitioner, agents, self.place.now()))
        except FhirError as refused:
            beside = said_beside(refused, request, lambda at: "left" if "statusReason" in at else field_at(at))
            return await self._page(request, session, hand, one, form=form, beside=beside, status=refused.status)
        return RedirectResponse(_address(one.exam.id), 303)

    async def seen(self, request: Request, session: Session) -> Response:
        """A notice was read by who is at the injector."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        one = await self._exam(request, hand)
        notice = next((each for each in one.notices if each["id"] == form.get("notice")), None)
        if notice is None:
            raise not_found("Task")
        await hand.patched(notice, [{"op": "replace", "path": "/status", "value": "completed"}])
        return RedirectResponse(_address(one.exam.id), 303)

    async def _exam(self, request: Request, hand: Hand) -> ContrastExam:
        return await contrast_exam(hand, named_in(request, "ServiceRequest"), self.place.now())

    async def _asked(
        self, hand: Hand, session: Session, one: ContrastExam, form: Mapping[str, str], agents: Mapping[str, Tree]
    ) -> Tree:
        """What is asked for; a blank staff number is the person who is signed in."""
        me, lot = session.account.practitioner, form.get("lot", "").strip()
        people = People(*[await staff_in(hand, form, field, me) for field in ("performer", "observer")])
        lots = await hand.found("Medication", [("lot-number", names.plain(lot))]) if lot else []
        reasons = dict(await coded(hand, "override-reason")) if form.get("override") else {}
        said = reasons.get(form.get("override", ""), ("", ""))
        form = {
            **form,
            "override_by": me,
            "override_zh": said[0],
            "override_en": said[1],
            "agent": form.get("agent") or agent_asked(one, agents),
        }
        return asked_for(one, form, agents, lots, people, self.place.now())

    async def _page(
        self, request: Request, session: Session, hand: Hand, one: ContrastExam, *,
        form: Mapping[str, str] | None = None, beside: Words | None = None, verdict: Verdict | None = None,
        status: int = 200,
    ) -> Response:  # fmt: skip
        agents, reasons = await asyncio.gather(agents_of(hand), coded(hand, "override-reason"))
        runs = one.injection is not None and one.injection["status"] in RUNNING
        if verdict is None and not runs:
            verdict = await verdict_on(hand, await self._asked(hand, session, one, {}, agents))
        return bedside_page(
            self.place,
            request,
            session,
            "injection.html",
            live=AT_THE_INJECTOR,
            status=status,
            one=one,
            exam=one.exam,
            runs=runs,
            verdict=verdict,
            form=form or {},
            given=Shown.of(form or {}),
            beside=beside or {},
            agents={code: names.coding_words(coding) for code, coding in agents.items()},
            agent=agent_asked(one, agents),
            reasons=dict(reasons),
            routes=ROUTES,
            identified="identity-confirmed" in done_items(one.exam.task),
            may_give=may(session, "MedicationAdministration", "c"),
        )


async def staff_in(hand: Hand, form: Mapping[str, str], field: str, me: str) -> str:
    """The member of staff whose number was typed; `me` when none was."""
    number = form.get(field, "").strip()
    if not number:
        return me
    try:
        return await staff_numbered(hand, number)
    except FhirError as refused:
        issue = refused.issues[0]
        raise unprocessable(issue.en, issue.zh, at=field, detail="department.no-such-staff-number") from None


async def agents_of(hand: Hand) -> dict[str, Tree]:
    """The contrast agents by code, as consent's value set lists them."""
    answer = await hand.called("ValueSet/$expand", [{"name": "url", "valueUri": _AGENTS}])
    every: Sequence[Tree] = answer.get("expansion", {}).get("contains", [])
    return {str(one["code"]): {k: v for k, v in one.items() if k in ("system", "code", "display")} for one in every}


def agent_asked(one: ContrastExam, agents: Mapping[str, Tree]) -> str:
    """The agent that the request names; '' when it names none."""
    details = [code for detail in one.exam.request.get("orderDetail", []) for code in names.codes(detail)]
    return next((code for code in details if code in agents), "")


def _address(exam_id: str) -> str:
    return f"{BEDSIDE}/exams/{exam_id}/injection"

"""A released report is changed from a page: its next version is begun here, written in the editor, and signed anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department.place import Place, may, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.department.worklist import coded
from slipring.fhir.outcome import FhirError, not_found
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.reading.one_report import OneReport, of_report
from slipring.reading.previewing import rendering_of
from slipring.reading.versions import change_of, drafts, released
from slipring.reading.workplace import READING, reading_page

REASONS = "amendment-reason"
_FIELDS = {"kind": "kind", "reason": "reason", "note": "note", "author": ""}
_DRAFTED = "partial,preliminary"


@dataclass(frozen=True, slots=True)
class AmendPage:
    """The beginning of a report's next version."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/reports/{id}/amend` of a released report, and `/reading/reports/{id}/give-up` of the draft."""
        one = f"{READING}/reports/{{id}}"
        return self.place.routes(
            [
                (f"{one}/amend", self.shown, ["GET"]),
                (f"{one}/amend", self.begun, ["POST"]),
                (f"{one}/give-up", self.back, ["GET"]),
                (f"{one}/give-up", self.given_up, ["POST"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """What is released, in which way it is to be changed, and why."""
        return await self._page(request, session, await self.place.hand(session))

    async def begun(self, request: Request, session: Session) -> Response:
        """`$amend`, and on to the draft in the editor."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        call = amend_call(form)
        try:
            answer = await hand.called(f"DiagnosticReport/{named_in(request, 'DiagnosticReport')}/$amend", call)
        except FhirError as refused:
            beside = wrong(refused, request, call, _FIELDS)
            return await self._page(request, session, hand, form=form, beside=beside, status=refused.status)
        draft = next(one["valueReference"]["reference"] for one in answer["parameter"] if one["name"] == "draft")
        return RedirectResponse(f"{READING}/reports/{str(draft).rpartition('/')[2]}", 303)

    async def given_up(self, request: Request, session: Session) -> Response:
        """The draft of a next version is cancelled, as any client cancels one; what is released stays as it is."""
        await self.place.posted(request, session)
        hand = await self.place.hand(session)
        draft = await hand.read(f"DiagnosticReport/{named_in(request, 'DiagnosticReport')}")
        change = change_of(draft)
        if change is None or not drafts(draft):
            raise not_found("DiagnosticReport")
        await hand.replaced({**draft, "status": "cancelled"})
        return RedirectResponse(f"{READING}/reports/{change.report}", 303)

    async def back(self, request: Request, session: Session) -> Response:
        """Where that was refused and somebody comes back, by the language switch say."""
        return RedirectResponse(f"{READING}/reports/{named_in(request, 'DiagnosticReport')}", 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Mapping[str, str] | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        one = await of_report(hand, named_in(request, "DiagnosticReport"))
        return reading_page(
            self.place,
            request,
            session,
            "amend.html",
            status=status,
            one=one,
            exam=one.exam,
            words=await rendering_of(hand, one) if released(one.report) else [],
            amendable=released(one.report) and not drafts(one.report or {}),
            begun=await draft_of(hand, one),
            reasons=await coded(hand, REASONS),
            form=form or {"reason": request.query_params.get("reason", "")},
            beside=beside or {},
            may_write=may(session, "DiagnosticReport", "u"),
        )


async def draft_of(hand: Hand, one: OneReport) -> str:
    """The id of the next version that somebody has begun already, or ''."""
    asked = [("based-on", f"ServiceRequest/{one.exam.id}"), ("status", _DRAFTED)]
    for report in await hand.found("DiagnosticReport", asked):
        change = change_of(report)
        if drafts(report) and change and change.report == (one.report or {}).get("id"):
            return str(report["id"])
    return ""


def amend_call(form: Mapping[str, str]) -> list[Tree]:
    """The parameters of `$amend`; what was not chosen is left for the operation to ask."""
    kind, note = form.get("kind", ""), form.get("note", "").strip()
    return [
        *([{"name": "kind", "valueCode": kind}] if kind else []),
        *([reason_of(REASONS, form["reason"])] if form.get("reason") else []),
        *([{"name": "note", "valueString": note}] if note else []),
    ]


def reason_of(system: str, code: str) -> Tree:
    """A chosen reason as the parameter `reason`."""
    coding = {"system": f"{CANONICAL}/CodeSystem/{system}", "code": code}
    return {"name": "reason", "valueCodeableConcept": {"coding": [coding]}}

"""A report that should never have been is taken back from a page: what will happen is said first, then who and why."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department.place import Place, may, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.department.worklist import coded
from slipring.fhir.outcome import FhirError, unprocessable
from slipring.identity.people.sessions import Session
from slipring.reading.amending import draft_of, reason_of
from slipring.reading.beside import flags_of
from slipring.reading.one_report import of_report
from slipring.reading.versions import drafts, released
from slipring.reading.workplace import READING, reading_page

REASONS = "withdrawal-reason"
_FIELDS = {"reason": "reason", "note": "note", "confirmed": "confirmed", "by": ""}


@dataclass(frozen=True, slots=True)
class WithdrawPage:
    """The withdrawal of a report."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/reports/{id}/withdraw`."""
        one = f"{READING}/reports/{{id}}/withdraw"
        return self.place.routes([(one, self.shown, ["GET"]), (one, self.withdrawn, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """Whose report it is and what its withdrawal will do."""
        return await self._page(request, session, await self.place.hand(session))

    async def withdrawn(self, request: Request, session: Session) -> Response:
        """`$withdraw`; only with the word that it is this patient's report."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        report, note = named_in(request, "DiagnosticReport"), form.get("note", "").strip()
        call: list[Tree] = [
            *([reason_of(REASONS, form["reason"])] if form.get("reason") else []),
            *([{"name": "note", "valueString": note}] if note else []),
        ]
        try:
            if form.get("confirmed") != report:
                raise _not_confirmed()
            await hand.called(f"DiagnosticReport/{report}/$withdraw", call)
        except FhirError as refused:
            beside = wrong(refused, request, call, _FIELDS)
            return await self._page(request, session, hand, form=form, beside=beside, status=refused.status)
        return RedirectResponse(f"{READING}/reports/{report}", 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Mapping[str, str] | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        one = await of_report(hand, named_in(request, "DiagnosticReport"))
        draft, reasons, flags = await asyncio.gather(draft_of(hand, one), coded(hand, REASONS), flags_of(hand, one))
        return reading_page(
            self.place,
            request,
            session,
            "withdraw.html",
            status=status,
            one=one,
            exam=one.exam,
            stands=released(one.report) and not drafts(one.report or {}),
            draft=draft,
            flags=flags,
            reasons=reasons,
            form=form or {},
            beside=beside or {},
            may_write=may(session, "DiagnosticReport", "u"),
        )


def _not_confirmed() -> FhirError:
    return unprocessable(
        "Say that it is the report of this patient.",
        "请确认这是该患者的报告。",
        at="Parameters.parameter.where(name='confirmed')",
        detail="reading.withdrawal-not-confirmed",
    )

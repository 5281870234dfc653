"""A physician's decision on one finding: what is done about it, in his name, kept with the finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.bedside.bed import BEDSIDE, bedside_page
from slipring.bedside.contrast_exams import contrast_exam
from slipring.bedside.mitigations import actions, mitigation
from slipring.bedside.saying import beside as said_beside
from slipring.bedside.standing import ContrastExam
from slipring.department.findings import Found
from slipring.department.place import Place, Words, named_in
from slipring.department.road import Hand
from slipring.fhir.outcome import FhirError, not_found, unprocessable
from slipring.identity.people.sessions import Session


@dataclass(frozen=True, slots=True)
class DecidingPages:
    """The page of one finding."""

    place: Place

    def routes(self) -> list[Route]:
        """`/bedside/exams/{id}/findings/{issue}`."""
        one = f"{BEDSIDE}/exams/{{id}}/findings/{{issue}}"
        return self.place.routes([(one, self.shown, ["GET"]), (one, self.decide, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """The finding with all that it saw, and the form."""
        one, found = await self._found(request, await self.place.hand(session))
        return self._page(request, session, one, found, {}, {})

    async def decide(self, request: Request, session: Session) -> Response:
        """Put the decision on record; who may decide is judged where the finding is kept."""
        form = await self.place.posted(request, session)
        hand = await self.place.hand(session)
        one, found = await self._found(request, hand)
        note = form.get("note", "").strip()
        try:
            said = mitigation(form.get("action", ""), note, session.account.practitioner, self.place.now())
            if said is None:
                en, zh = "Choose what is done about it.", "请选择采取的措施。"
                raise unprocessable(en, zh, at="action", detail="bedside.no-action")
            issue = await hand.read(f"DetectedIssue/{found.id}")
            held = issue.get("mitigation")
            added = {"op": "add", "path": "/mitigation/-" if held else "/mitigation", "value": said if held else [said]}
            await hand.patched(issue, [added])
        except FhirError as refused:
            beside = said_beside(refused, request, lambda at: at if at == "action" else "")
            return self._page(request, session, one, found, form, beside, status=refused.status)
        return RedirectResponse(f"{BEDSIDE}/exams/{one.exam.id}/screening", 303)

    async def _found(self, request: Request, hand: Hand) -> tuple[ContrastExam, Found]:
        one = await contrast_exam(hand, named_in(request, "ServiceRequest"), self.place.now())
        found = next((each for each in one.findings or [] if each.id == request.path_params["issue"]), None)
        if found is None:
            raise not_found("DetectedIssue")
        return one, found

    def _page(
        self, request: Request, session: Session, one: ContrastExam, found: Found, form: Mapping[str, str],
        beside: Words, *, status: int = 200,
    ) -> Response:  # fmt: skip
        return bedside_page(
            self.place,
            request,
            session,
            "deciding.html",
            status=status,
            exam=one.exam,
            found=found,
            form=form,
            beside=beside,
            actions=actions(),
        )

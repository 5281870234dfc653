"""One conference: who is there, which cases, what each came to and whether it goes into the report; a sheet to print."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError, not_found, unprocessable
from slipring.identity.people.sessions import Session
from slipring.reading.sections import tidy
from slipring.review.meetings import CONFERENCES, cases_on, meeting_of
from slipring.review.staff import people_as
from slipring.review.workplace import review_page

# Whose role lets one expect him at the table; anybody else is named by the number on his badge.
_ROLES = "radiologist,level-a,level-b,level-c,level-d,level-e,technologist,ct-nurse"
_PERSON, _NUMBER = "person.", "number"


@dataclass(frozen=True, slots=True)
class OneConferencePages:
    """A conference before, during and after it is held."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/conferences/{id}`, and its steps `attend`, `close` and `cases/{case}`."""
        at = f"{CONFERENCES}/{{id}}"
        return self.place.routes(
            [
                (at, self.shown, ["GET"]),
                (f"{at}/attend", self.attend, ["POST"]),
                (f"{at}/close", self.close, ["POST"]),
                (f"{at}/cases/{{case}}", self.conclude, ["POST"]),
                (f"{at}/{{step:path}}", self.back, ["GET"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """The conference as it stands."""
        return await self._page(request, session, await self.place.hand(session))

    async def back(self, request: Request, session: Session) -> Response:
        """Where a step was refused and somebody comes back, by the language switch say."""
        return RedirectResponse(f"{CONFERENCES}/{named_in(request, 'Task')}", 303)

    async def attend(self, request: Request, session: Session) -> Response:
        """`Task/$attend` with everybody who was ticked, and one more by the number on the badge."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        try:
            there = await _there(hand, form)
        except FhirError as refused:
            beside = wrong(refused, request, [], {"person": "people"})
            return await self._page(request, session, hand, form=form, beside=beside, status=refused.status)
        given: list[Tree] = [{"name": "person", "valueReference": {"reference": one}} for one in there]
        return await self._done(request, session, hand, "$attend", given, {"person": "people"})

    async def close(self, request: Request, session: Session) -> Response:
        """`Task/$close-conference`."""
        await self.place.posted(request, session)
        return await self._done(request, session, await self.place.hand(session), "$close-conference", [], {})

    async def conclude(self, request: Request, session: Session) -> Response:
        """`Task/$conclude-case`: the result, and whether it is folded into the report."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        case = str(request.path_params["case"])
        if not names.ID.fullmatch(case):
            raise not_found("Task")
        given: list[Tree] = [
            {"name": "result", "valueString": tidy(form.get("result", ""))},
            {"name": "fold", "valueCode": "report" if form.get("fold") else "none"},
        ]
        given = [one for one in given if one.get("valueString") != ""]
        fields = {"result": f"result-{case}", "fold": f"result-{case}"}
        return await self._done(request, session, hand, "$conclude-case", given, fields, case=case, form=form)

    async def _done(
        self, request: Request, session: Session, hand: Hand, what: str, given: list[Tree], fields: Mapping[str, str],
        *, case: str = "", form: Mapping[str, str] | None = None,
    ) -> Response:  # fmt: skip
        meeting = named_in(request, "Task")
        try:
            await hand.called(f"Task/{case or meeting}/{what}", given)
        except FhirError as refused:
            beside = wrong(refused, request, given, fields)
            if case and "" in beside:  # a refusal that names the report or the conference stands with its case
                beside[f"result-{case}"] = " ".join(filter(None, [beside.get(f"result-{case}"), beside.pop("")]))
            return await self._page(request, session, hand, form=form, beside=beside, case=case, status=refused.status)
        return RedirectResponse(f"{CONFERENCES}/{meeting}" + (f"#case-{case}" if case else ""), 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Words | None = None, case: str = "", status: int = 200,
    ) -> Response:  # fmt: skip
        meeting_id = named_in(request, "Task")
        meeting, cases, staff = await asyncio.gather(
            meeting_of(hand, meeting_id), cases_on(hand, meeting_id), people_as(hand, _ROLES)
        )
        if names.code_in(meeting.task.get("code"), "task-code") != "conference":
            raise not_found("Task")
        return review_page(
            self.place, request, session, "one_conference.html", status=status, meeting=meeting, cases=cases,
            staff=[one for one in staff if f"Practitioner/{one.id}" not in meeting.attended], form=form or {},
            typed_in=case, beside=beside or {}, may_act=may(session, "Task", "u") and not meeting.held,
        )  # fmt: skip


async def _there(hand: Hand, form: Mapping[str, str]) -> list[str]:
    """Everybody who was ticked, and whoever wears the badge with the number that was typed."""
    ids = [name.removeprefix(_PERSON) for name in form if name.startswith(_PERSON)]
    there = [f"Practitioner/{one}" for one in ids if names.ID.fullmatch(one)]
    if number := form.get(_NUMBER, "").strip():
        found = await hand.found("Practitioner", [("identifier", names.plain(number))])
        if len(found) != 1:
            raise unprocessable(
                "This number names nobody on the staff register, or several people.",
                "该工号未登记，或对应多人。",
                at="Parameters.parameter.where(name='person')",
                detail="review.no-such-number",
            )
        there.append(f"Practitioner/{found[0]['id']}")
    return there

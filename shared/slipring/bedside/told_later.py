"""A reaction without an exam at hand: told by telephone days later, or after contrast that was given elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.bedside.bed import BEDSIDE, bedside_page
from slipring.bedside.reaction_form import began, said
from slipring.bedside.reaction_shown import Shown, choices
from slipring.bedside.reactions import ADDRESS
from slipring.bedside.whose import Whose, fitting, injected
from slipring.department import names
from slipring.department.place import Place, Words, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.department.worklist import too_wide
from slipring.fhir.outcome import FhirError, unprocessable
from slipring.identity.people.sessions import Session

WHOSE = f"{BEDSIDE}/reaction"
_FIELDS = {"at": "began", "elsewhere": "elsewhere"}
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class ToldLaterPages:
    """Whose it is, and the two taps."""

    place: Place

    def routes(self) -> list[Route]:
        """`/bedside/reaction` finds the patient, `/bedside/patients/{id}/reaction` writes one down."""
        tap = f"{BEDSIDE}/patients/{{id}}/reaction"
        return self.place.routes(
            [
                (WHOSE, self.shown, ["GET"]),
                (WHOSE, self.looked_for, ["POST"]),
                (tap, self.asked, ["GET"]),
                (tap, self.noticed, ["POST"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """The field to find a patient by."""
        return self._whose(request, session, "")

    async def looked_for(self, request: Request, session: Session) -> Response:
        """Whom this number or name fits; it stays out of addresses."""
        text = (await self.place.posted(request, session)).get("text", "").strip()[:_LONGEST]
        hand = await self.place.hand(session)
        try:
            found, cut = await fitting(hand, text) if text else ([], False)
        except FhirError as refused:
            return self._whose(request, session, text, problem=too_wide(refused, request), status=422)
        return self._whose(request, session, text, found=found, cut=cut)

    def _whose(
        self, request: Request, session: Session, text: str, *, found: list[Whose] | None = None, cut: bool = False,
        problem: str = "", status: int = 200,
    ) -> Response:  # fmt: skip
        return bedside_page(
            self.place, request, session, "reaction_whose.html", status=status, text=text, found=found, cut=cut,
            problem=problem,
        )  # fmt: skip

    async def asked(self, request: Request, session: Session) -> Response:
        """The second tap: what kind it is, or how bad; above it after which injection, and since when."""
        return await self._tap(request, session, await self.place.hand(session), None, {})

    async def noticed(self, request: Request, session: Session) -> Response:
        """`AdverseEvent/$notice` of a patient, saved with the person of the tap and the time that is told."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        call: list[Tree] = [{"name": "patient", "valueReference": {"reference": f"Patient/{_patient(request)}"}}]
        try:
            call += [*said(form), *self._about(form)]
            answer = await hand.called("AdverseEvent/$notice", call)
        except FhirError as refused:
            found = wrong(refused, request, call, _FIELDS)
            ours = {issue.at: found.get("", "") for issue in refused.issues if issue.at in _FIELDS.values()}
            return await self._tap(request, session, hand, form, ours or found, status=refused.status)
        event = next(part["resource"] for part in answer["parameter"] if part["name"] == "return")
        return RedirectResponse(f"{ADDRESS}/{event['id']}", 303)

    def _about(self, form: Mapping[str, str]) -> list[Tree]:
        """After which injection, and since when."""
        injection, elsewhere = form.get("injection", ""), form.get("elsewhere", "").strip()[:500]
        at = began(form.get("began", ""), self.place.zone)
        found: list[Tree] = []
        if injection and elsewhere:
            raise unprocessable(
                "It belongs to an injection here or to one elsewhere: choose none that is known here, or leave this blank.",
                "只能对应一次注射：请选择“本科室无相关注射记录”，或将此栏留空。",
                at="elsewhere",
                detail="bedside.two-injections",
            )
        if names.ID.fullmatch(injection):
            reference = {"reference": f"MedicationAdministration/{injection}"}
            found.append({"name": "injection", "valueReference": reference})
        elif elsewhere:
            found.append({"name": "elsewhere", "valueString": elsewhere})
        return [*found, *([{"name": "at", "valueDateTime": at.isoformat(timespec="seconds")}] if at else [])]

    async def _tap(
        self, request: Request, session: Session, hand: Hand, form: Mapping[str, str] | None, beside: Words, *,
        status: int = 200,
    ) -> Response:  # fmt: skip
        patient, now = f"Patient/{_patient(request)}", self.place.now()
        whose, given, known = await asyncio.gather(
            hand.read(patient), injected(hand, patient, now), hand.if_allowed("AdverseEvent", [("subject", patient)])
        )
        usual = next((one.id for one in given if one.usual(now)), "")
        return bedside_page(
            self.place,
            request,
            session,
            "reaction_told.html",
            status=status,
            whose=Whose(whose),
            given=given,
            chosen=usual if form is None else form.get("injection", ""),
            standing=[one for one in map(Shown, known or []) if one.open],
            form=form or {},
            beside=beside,
            choices={name: choices(name) for name in ("kind", "grade")},
        )


def _patient(request: Request) -> str:
    return named_in(request, "Patient")

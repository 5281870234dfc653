"""A reaction to contrast, usable with one hand: two taps write it down, one more for each thing that is seen or done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.bedside.bed import BEDSIDE, bedside_page
from slipring.bedside.contrast_exams import contrast_exam
from slipring.bedside.reaction_form import UNITS, VITALS, said
from slipring.bedside.reaction_shown import Shown, choices
from slipring.bedside.standing import ContrastExam
from slipring.bedside.which import injected
from slipring.bedside.whose import Whose
from slipring.department import names
from slipring.department.exams import Exam, exams_of
from slipring.department.place import Place, Words, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session

ADDRESS = f"{BEDSIDE}/reactions"
_FIELDS = {"extravasation": "volume", "reason": "reason", "measure": "dose"}
_CHOICES = ("kind", "grade", "phase", "measure", "sign", "effect", "symptom", "outcome")


@dataclass(frozen=True, slots=True)
class ReactionPages:
    """The two taps, and the page of one reaction."""

    place: Place

    def routes(self) -> list[Route]:
        """`/bedside/exams/{id}/reaction` writes one down, `/bedside/reactions/{id}` is one."""
        tap, one = f"{BEDSIDE}/exams/{{id}}/reaction", f"{ADDRESS}/{{id}}"
        return self.place.routes(
            [
                (tap, self.asked, ["GET"]),
                (tap, self.noticed, ["POST"]),
                (one, self.shown, ["GET"]),
                (one, self.recorded, ["POST"]),
            ]
        )

    async def asked(self, request: Request, session: Session) -> Response:
        """The second tap: what kind it is, or how bad."""
        hand = await self.place.hand(session)
        one = await contrast_exam(hand, named_in(request, "ServiceRequest"), self.place.now())
        return bedside_page(
            self.place,
            request,
            session,
            "reaction_noticed.html",
            exam=one.exam,
            standing=[Shown(each) for each in one.reactions or []],
            injections=injected(one.injections or []),
            chosen=request.query_params.get("injection", ""),
            choices={name: choices(name) for name in _CHOICES},
        )

    async def noticed(self, request: Request, session: Session) -> Response:
        """`AdverseEvent/$notice`: saved, with the time and the person of the tap."""
        form = await self.place.posted(request, session)
        hand = await self.place.hand(session)
        one = await contrast_exam(hand, named_in(request, "ServiceRequest"), self.place.now())
        call = [*said(form), {"name": "exam", "valueReference": {"reference": f"ServiceRequest/{one.exam.id}"}}]
        if suspected := _suspected(one, form.get("injection", "")):
            call.append({"name": "injection", "valueReference": {"reference": suspected}})
        call.append({"name": "patient", "valueReference": {"reference": names.reference_in(one.exam.task.get("for"))}})
        answer = await hand.called("AdverseEvent/$notice", call)
        event = next(part["resource"] for part in answer["parameter"] if part["name"] == "return")
        return RedirectResponse(f"{ADDRESS}/{event['id']}", 303)

    async def shown(self, request: Request, session: Session) -> Response:
        """The reaction as it stands, and the buttons."""
        return await self._page(request, session, await self.place.hand(session), {}, {})

    async def recorded(self, request: Request, session: Session) -> Response:
        """`AdverseEvent/[id]/$record`: what one button says."""
        form = await self.place.posted(request, session)
        hand = await self.place.hand(session)
        reference, call = f"AdverseEvent/{named_in(request, 'AdverseEvent')}", list[Tree]()
        try:
            call = said(form)
            if call:
                await hand.called(f"{reference}/$record", call)
        except FhirError as refused:
            beside = _beside(refused, request, call)
            return await self._page(request, session, hand, form, beside, status=refused.status)
        return RedirectResponse(f"{ADDRESS}/{named_in(request, 'AdverseEvent')}", 303)

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
        event = await hand.read(f"AdverseEvent/{named_in(request, 'AdverseEvent')}")
        told, people, exam, patient = await asyncio.gather(
            _told(hand, event), _people(hand, event), _exam(hand, Shown(event).exam), _patient(hand, event)
        )
        return bedside_page(
            self.place,
            request,
            session,
            "reaction.html",
            status=status,
            one=told,
            people=people,
            exam=exam,
            whose=Whose(patient) if patient else None,
            elsewhere=told.elsewhere,
            form=form,
            beside=beside,
            units=UNITS,
            vitals=VITALS,
            choices={name: choices(name) for name in _CHOICES},
        )


def _suspected(one: ContrastExam, chosen: str) -> str:
    """The injection that was chosen; without a choice the newest."""
    given = [each.reference for each in injected(one.injections or [])]
    if chosen in given:
        return chosen
    newest = [f"MedicationAdministration/{one.injection['id']}"] if one.injection is not None else []
    return next(iter([*given, *newest]), "")


def _beside(refused: FhirError, request: Request, call: list[Tree]) -> Words:
    """A refusal beside the field it names; what the form itself could not read names its field."""
    found = wrong(refused, request, call, _FIELDS)
    fields = {issue.at for issue in refused.issues if issue.at in (*VITALS, "dose", "volume")}
    return {field: found.get("", "") for field in fields} or found


async def _told(hand: Hand, event: Tree) -> Shown:
    """The reaction with what was handed over of it, and its vital signs, as far as the roles open them."""
    ids = ",".join(Shown(event).observations)
    handovers, vitals = await asyncio.gather(
        hand.if_allowed("Task", [("based-on", f"AdverseEvent/{event['id']}"), ("code", "hand-over")]),
        hand.if_allowed("Observation", [("_id", ids), ("_count", "200")]) if ids else _nothing(),
    )
    opened = [names.reference_in(out.get("valueReference")) for one in handovers or [] for out in one.get("output", [])]
    cases = ",".join(one.removeprefix("Task/") for one in opened if one.startswith("Task/"))
    found = await hand.if_allowed("Task", [("_id", cases)]) if cases else []
    return Shown(event, handovers or (), vitals or (), found or ())


async def _nothing() -> list[Tree]:
    return []


async def _people(hand: Hand, event: Tree) -> dict[str, str]:
    """The names of those who did something, by reference."""
    every = [*(one.by for one in Shown(event).done), names.reference_in(event.get("recorder"))]
    return {reference: names.person(one) for reference, one in (await people_named(hand, every)).items()}


async def _exam(hand: Hand, request_id: str) -> Exam | None:
    """The exam during which it happened, where that is known and the roles open it."""
    found = await exams_of(hand, "focus", [f"ServiceRequest/{request_id}"]) if request_id else []
    return found[0] if found else None


async def _patient(hand: Hand, event: Tree) -> Tree | None:
    """Whose it is, where the roles open it."""
    patient = names.reference_in(event.get("subject")).removeprefix("Patient/")
    return next(iter(await hand.if_allowed("Patient", [("_id", patient)]) or []), None) if patient else None

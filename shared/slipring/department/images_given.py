"""Images of an exam that are handed out or made available: on what, to whom, by whom and when (5.8.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.exams import MADE
from slipring.department.names import Pair
from slipring.department.one_request import exam_named
from slipring.department.place import Place, Words, wrong
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.department.worklist import ADDRESS, coded
from slipring.fhir.outcome import FhirError, unprocessable
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session

_MEDIA = "image-medium"
_GIVEN = f"{CANONICAL}/CodeSystem/communication-category|images-handed-out"
_READING = f"{CANONICAL}/CodeSystem/task-code|reading"
_FIELDS = ("medium", "to", "note")


@dataclass(frozen=True, slots=True)
class Given:
    """One handing out, as it is on record."""

    at: datetime | None
    medium: Pair
    to: str
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class ImagesGivenPage:
    """The list of what was handed out, and the form for the next."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department/requests/{id}/images`."""
        address = f"{ADDRESS}/{{id}}/images"
        return self.place.routes([(address, self.shown, ["GET"]), (address, self.record, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """What was handed out so far."""
        return await self._page(request, session, await self.place.hand(session), dict.fromkeys(_FIELDS, ""), {})

    async def record(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$hand-out-images` on the exam's reading, in the person's name."""
        form = await self.place.posted(request, session)
        typed = {name: form.get(name, "").strip() for name in _FIELDS}
        hand = await self.place.hand(session)
        exam = await exam_named(hand, request)
        call = _call(typed)
        try:
            await hand.called(f"{await _reading(hand, exam.id)}/$hand-out-images", call)
        except FhirError as refused:
            beside = wrong(refused, request, call, {name: name for name in _FIELDS})
            return await self._page(request, session, hand, typed, beside, status=refused.status)
        return RedirectResponse(f"{ADDRESS}/{exam.id}/images", 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, typed: Words, beside: Words, *, status: int = 200
    ) -> Response:
        exam, media = await exam_named(hand, request), await coded(hand, _MEDIA)
        return self.place.page(
            request,
            session,
            "images_given.html",
            status=status,
            exam=exam,
            media=media,
            given=await _given(hand, exam.id, dict(media)),
            typed=typed,
            beside=beside,
            may_record=exam.state in MADE,
        )


def _call(typed: Words) -> list[Tree]:
    """The parameters of `$hand-out-images`; what was not said is left for the operation to ask."""
    said: list[Tree] = []
    if typed["medium"]:
        said.append({"name": "medium", "valueCode": typed["medium"]})
    if typed["to"]:
        said.append({"name": "to", "valueReference": {"display": typed["to"]}})
    if typed["note"]:
        said.append({"name": "note", "valueString": typed["note"]})
    return said


async def _reading(hand: Hand, exam: str) -> str:
    found = await hand.found("Task", [("code", _READING), ("focus", f"ServiceRequest/{exam}")])
    if not found:
        raise unprocessable(
            "The reading of this exam has not begun yet: wait a moment and send it again.",
            "该检查的阅片任务尚未建立：请稍候重试。",
            at="Task.focus",
            detail="department.no-reading-yet",
        )
    return f"Task/{found[0]['id']}"


async def _given(hand: Hand, exam: str, media: dict[str, Pair]) -> list[Given] | None:
    """What is on record, the newest first; None when the person's roles do not open it."""
    found = await hand.about("Communication", "based-on", [f"ServiceRequest/{exam}"], ("category", _GIVEN))
    if found is None:
        return None
    people = await people_named(hand, [names.reference_in(one.get("sender")) for one in found])
    told = [_as_given(one, people, media) for one in found]
    return sorted(told, key=lambda one: one.at.timestamp() if one.at else 0.0, reverse=True)


def _as_given(one: Tree, people: dict[str, Tree], media: dict[str, Pair]) -> Given:
    medium = next((code for reason in one.get("reasonCode", []) for code in names.codes(reason)), "")
    receivers = one.get("recipient", [{}])
    return Given(
        at=names.moment(one.get("sent")),
        medium=media.get(medium, (medium, medium)),
        to=str(receivers[0].get("display") or receivers[0].get("reference", "")),
        by=names.person(people.get(names.reference_in(one.get("sender")))),
        note=next((text for part in one.get("payload", []) if (text := str(part.get("contentString", ""))) != "-"), ""),
    )

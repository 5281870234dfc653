"""Comparison with others: each body system with what is owed of it, the rounds of a year, a new one, and what became of one (5.6.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.answered import groups_of, values_of
from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.qc_reading import ADDRESS as QC
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError, not_found
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session

ADDRESS = f"{QC}/eqa"
FORM = f"{CANONICAL}/Questionnaire/eqa-round"
KINDS = ("proficiency-testing", "other-departments", "case-meeting", "concordance")
CRITERIA = ("percent", "z-score")
_TARGET = "QuestionnaireResponse"
_LONGEST = 500
_YEAR = 4  # digits
_WORDS = ("scheme", "partner", "material", "note")


@dataclass(frozen=True, slots=True)
class Line:
    """One parameter of the answer that has parts: its values by name, and the systems that it names."""

    told: Mapping[str, Any]
    systems: Sequence[str]

    @property
    def id(self) -> str:
        """Of the round's record."""
        return names.reference_in(self.told.get("record")).rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class EqaPages:
    """`/department/qc/eqa` and its rounds."""

    place: Place

    def routes(self) -> list[Route]:
        """The programme with the form of a new round, and one round with the form of what became of it."""
        one = f"{ADDRESS}/rounds/{{id}}"
        return self.place.routes(
            [
                (ADDRESS, self.shown, ["GET"]),
                (ADDRESS, self.planned, ["POST"]),
                (one, self.round, ["GET"]),
                (one, self.recorded, ["POST"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """`QuestionnaireResponse/$eqa-programme` of a year."""
        return await self._programme(request, session, await self.place.hand(session), {}, {})

    async def planned(self, request: Request, session: Session) -> Response:
        """`QuestionnaireResponse/$plan-eqa`."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        given: list[Tree] = [{"name": "kind", "valueCode": form.get("kind", "")}]
        given += [{"name": name, "valueString": said} for name in _WORDS if (said := _text(form, name))]
        given += [{"name": "system", "valueCode": name[7:]} for name in form if name.startswith("system.")]
        exams = [line.strip() for line in form.get("exam", "").splitlines() if line.strip()]
        given += [{"name": "exam", "valueString": one} for one in exams]
        given += [{"name": "due", "valueDate": form["due"]}] if form.get("due") else []
        try:
            made = await hand.called(f"{_TARGET}/$plan-eqa", given)
        except FhirError as refused:
            fields = {name: name for name in ("kind", "system", "exam", "due", *_WORDS)}
            beside = wrong(refused, request, given, fields)
            return await self._programme(request, session, hand, form, beside, status=refused.status)
        return RedirectResponse(f"{ADDRESS}/rounds/{made['id']}", 303)

    async def round(self, request: Request, session: Session) -> Response:
        """How one round stands."""
        return await self._round(request, session, await self.place.hand(session), {}, {})

    async def recorded(self, request: Request, session: Session) -> Response:
        """`QuestionnaireResponse/[id]/$record-eqa`."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        id = named_in(request, _TARGET)
        given: list[Tree] = [{"name": name, "valueDate": form[name]} for name in ("sent", "returned") if form.get(name)]
        given += [{"name": name, "valueCode": form[name]} for name in ("criterion", "said") if form.get(name)]
        if said := form.get("score", "").strip():
            number = _number(said)
            given.append(
                {"name": "score", "valueString": said} if number is None else {"name": "score", "valueDecimal": number}
            )
        if named := form.get("certificate", "").strip().removeprefix("DocumentReference/"):
            given.append({"name": "certificate", "valueReference": {"reference": f"DocumentReference/{named}"}})
        given += [{"name": "inError", "valueBoolean": True}] if form.get("inError") else []
        given += [{"name": "note", "valueString": note}] if (note := _text(form, "note")) else []
        try:
            await hand.called(f"{_TARGET}/{id}/$record-eqa", given)
        except FhirError as refused:
            known = ("sent", "returned", "criterion", "said", "score", "certificate", "note")
            beside = wrong(refused, request, given, {name: name for name in known})
            return await self._round(request, session, hand, form, beside, status=refused.status)
        return RedirectResponse(f"{ADDRESS}/rounds/{id}", 303)

    async def _programme(
        self,
        request: Request,
        session: Session,
        hand: Hand,
        form: Mapping[str, str],
        beside: Words,
        *,
        status: int = 200,
    ) -> Response:
        asked = request.query_params.get("year", "")
        year = int(asked) if asked.isascii() and asked.isdigit() and len(asked) == _YEAR else self._today().year
        said = await hand.called(f"{_TARGET}/$eqa-programme", [{"name": "year", "valueInteger": year}])
        parts = said.get("parameter", [])
        return self.place.page(
            request, session, "eqa.html", status=status, told=values_of(parts), systems=_lines(parts, "system"),
            rounds=_lines(parts, "round"), year=year, form=form, beside=beside, kinds=KINDS, address=ADDRESS, qc=QC,
            plan=names.reference_in(values_of(parts).get("plan")), may_plan=may(session, _TARGET, "c"),
        )  # fmt: skip

    async def _round(
        self,
        request: Request,
        session: Session,
        hand: Hand,
        form: Mapping[str, str],
        beside: Words,
        *,
        status: int = 200,
    ) -> Response:
        record = await hand.read(f"{_TARGET}/{named_in(request, _TARGET)}")
        if str(record.get("questionnaire", "")).partition("|")[0] != FORM:
            raise not_found(_TARGET)
        said = {str(item["linkId"]): [_said(one) for one in item.get("answer", [])] for item in record.get("item", [])}
        return self.place.page(
            request, session, "eqa_round.html", status=status, record=record, said=said, state=self._state(record, said),
            form=form, beside=beside, criteria=CRITERIA, address=ADDRESS, may_record=may(session, _TARGET, "u"),
        )  # fmt: skip

    def _state(self, record: Tree, said: Mapping[str, Sequence[str]]) -> str:
        if record["status"] == "entered-in-error":
            return "void"
        if said.get("verdict"):
            return said["verdict"][0]
        if said.get("sent"):
            return "sent"
        late = [one for one in said.get("due", []) if one < self._today().isoformat()]
        return "late" if late else "planned"

    def _today(self) -> date:
        return self.place.now().astimezone(self.place.zone).date()


def _lines(parts: Sequence[Tree], name: str) -> list[Line]:
    groups = groups_of(parts, name)
    return [
        Line(values_of(one), [str(each["valueCode"]) for each in one if each["name"] == "system"]) for one in groups
    ]


def _said(answer: Tree) -> str:
    value = next((value for member, value in answer.items() if member.startswith("value")), "")
    if isinstance(value, Mapping):
        return str(value.get("code") or value.get("reference", ""))
    return str(value)


def _text(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").strip()[:_LONGEST]


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None

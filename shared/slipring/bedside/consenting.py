"""Consent to contrast on the tablet: the exact text, who explained, the signature; refusal and withdrawal; the print."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.bedside.bed import BEDSIDE, bedside_page
from slipring.bedside.consent_form import CAPACITIES, RELATIONSHIPS, REPRESENTATIONS, Signed, a_relative, field_at
from slipring.bedside.contrast_exams import contrast_exam
from slipring.bedside.exception_form import TRIES, Excepted, exception_field_at, rows_filled
from slipring.bedside.injecting import number_in
from slipring.bedside.injection import agent_asked, agents_of, staff_in
from slipring.bedside.saying import beside as said_beside
from slipring.bedside.shown_text import text_of
from slipring.bedside.signing import decided
from slipring.bedside.standing import ContrastExam, consent_state
from slipring.department import names
from slipring.department.place import Place, Words, may, named_in
from slipring.department.road import Hand, Tree
from slipring.department.worklist import coded
from slipring.fhir.outcome import FhirError, not_found
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.pages.language import LANGUAGES, language_of, said

_UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class ConsentPages:
    """The text, the signing, and what became of a consent."""

    place: Place

    def routes(self) -> list[Route]:
        """`/bedside/exams/{id}/consent` and its steps."""
        one = f"{BEDSIDE}/exams/{{id}}/consent"
        steps = {"text": self.make_text, "sign": self.sign, "withdraw": self.withdraw, "except": self.make_exception}
        table: list[tuple[str, Any, list[str]]] = [(one, self.shown, ["GET"]), (f"{one}/{{step}}", self.back, ["GET"])]
        return self.place.routes([*table, *((f"{one}/{step}", act, ["POST"]) for step, act in steps.items())])

    async def shown(self, request: Request, session: Session) -> Response:
        """Where consent stands; with `text`, that text and the form below it."""
        hand = await self.place.hand(session)
        one = await self._exam(request, hand)
        return await self._page(request, session, hand, one, text=request.query_params.get("text", ""))

    async def back(self, request: Request, session: Session) -> Response:
        """Where a step was refused and somebody comes back, by the language switch say."""
        return RedirectResponse(_address(named_in(request, "ServiceRequest")), 303)

    async def make_text(self, request: Request, session: Session) -> Response:
        """`DocumentReference/$consent-text`: the exact text for this exam, kept, in the patient's language."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        one, agents = await asyncio.gather(self._exam(request, hand), agents_of(hand))
        agent, dose = agents.get(form.get("agent") or agent_asked(one, agents)), form.get("dose", "").strip()
        language = form.get("language", "")
        call: list[Tree] = [
            {"name": "request", "valueReference": {"reference": f"ServiceRequest/{one.exam.id}"}},
            {"name": "language", "valueCode": language if language in LANGUAGES else language_of(request)},
            *([{"name": "agent", "valueCodeableConcept": {"coding": [agent]}}] if agent else []),
        ]
        try:
            millilitres = number_in(form, "dose") if dose else None
            if millilitres is not None:
                quantity = {
                    "value": msgspec.Raw(f"{millilitres:f}".encode()),
                    "unit": "mL",
                    "system": _UCUM,
                    "code": "mL",
                }
                call.append({"name": "dose", "valueQuantity": quantity})
            text = await hand.called("DocumentReference/$consent-text", call)
        except FhirError as refused:
            beside = said_beside(refused, request, field_at)
            return await self._page(request, session, hand, one, form=form, beside=beside, status=refused.status)
        return RedirectResponse(f"{_address(one.exam.id)}?text={text['id']}", 303)

    async def sign(self, request: Request, session: Session) -> Response:
        """`Consent/$sign` with the drawn signature, or the consent as it was signed on paper."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        one, text = await self._exam(request, hand), form.get("text", "")
        try:
            explainer = await staff_in(hand, form, "explainer", session.account.practitioner)
            heard = form.get("signer") != "relative" or bool(form.get("related"))
            form = {**form, "related": await self._related(hand, one, form)}
            patient = names.reference_in(one.exam.task.get("for"))
            signed = Signed(
                one, form, f"DocumentReference/{text}", form["related"] or patient, explainer, self.place.now()
            )
            await decided(hand, signed, heard=heard)
        except FhirError as refused:
            beside = said_beside(refused, request, field_at)
            return await self._page(
                request, session, hand, one, text=text, form=form, beside=beside, status=refused.status
            )
        return RedirectResponse(_address(one.exam.id), 303)

    async def make_exception(self, request: Request, session: Session) -> Response:
        """An emergency exception on record: contrast without consent, approved by who may."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        one, me, now = await self._exam(request, hand), session.account.practitioner, self.place.now()
        try:
            approver = await staff_in(hand, form, "approver", "")
            tried_by = {row: await staff_in(hand, form, f"tried_by{row}", me) for row in rows_filled(form)}
            await hand.made(Excepted(one, form, approver, tried_by, now, self.place.zone).consent())
        except FhirError as refused:
            beside = said_beside(refused, request, exception_field_at)
            return await self._page(request, session, hand, one, form=form, beside=beside, status=refused.status)
        return RedirectResponse(_address(one.exam.id), 303)

    async def withdraw(self, request: Request, session: Session) -> Response:
        """`Consent/[id]/$withdraw`: by whom, and why."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        one = await self._exam(request, hand)
        if one.consent is None:
            raise not_found("Consent")
        reason, words = form.get("reason", ""), form.get("note", "").strip()
        system = f"{CANONICAL}/CodeSystem/withdrawal-reason"
        concept = {
            **({"coding": [{"system": system, "code": reason}]} if reason else {}),
            **({"text": words} if words else {}),
        }
        patient = names.reference_in(one.exam.task.get("for"))
        by = {"staff": session.account.practitioner}.get(form.get("by", ""), patient)
        call: list[Tree] = [
            *([{"name": "reason", "valueCodeableConcept": concept}] if concept else []),
            {"name": "by", "valueReference": {"reference": by}},
        ]
        try:
            await hand.called(f"Consent/{one.consent['id']}/$withdraw", call)
        except FhirError as refused:
            beside = said_beside(refused, request, field_at)
            return await self._page(request, session, hand, one, form=form, beside=beside, status=refused.status)
        return RedirectResponse(_address(one.exam.id), 303)

    async def _exam(self, request: Request, hand: Hand) -> ContrastExam:
        return await contrast_exam(hand, named_in(request, "ServiceRequest"), self.place.now())

    async def _related(self, hand: Hand, one: ContrastExam, form: Mapping[str, str]) -> str:
        """The relative or guardian who signs, kept first when he is new; '' when the patient signs himself."""
        if form.get("signer") != "relative":
            return ""
        if named := form.get("related", ""):
            return named
        patient = names.reference_in(one.exam.task.get("for"))
        return f"RelatedPerson/{(await hand.made(a_relative(form, patient)))['id']}"

    async def _page(
        self, request: Request, session: Session, hand: Hand, one: ContrastExam, *, text: str = "",
        form: Mapping[str, str] | None = None, beside: Words | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        patient = names.reference_in(one.exam.task.get("for"))
        agents, relatives, reasons, whys, shown = await asyncio.gather(
            agents_of(hand),
            hand.if_allowed("RelatedPerson", [("patient", patient), ("active:not", "false")]),
            coded(hand, "withdrawal-reason"),
            coded(hand, "emergency-exception-reason"),
            text_of(hand, text, one),
        )
        return bedside_page(
            self.place,
            request,
            session,
            "consent.html",
            status=status,
            one=one,
            exam=one.exam,
            consent=one.consent,
            state=consent_state(one.consent, self.place.now()),
            period=_period(one.consent),
            text=shown,
            text_id=text if shown else "",
            form=form or {},
            beside=beside or {},
            agents={code: names.coding_words(coding) for code, coding in agents.items()},
            agent=agent_asked(one, agents),
            relatives=[
                (f"RelatedPerson/{each['id']}", names.person(each), _relation(each)) for each in relatives or []
            ],
            relationships=RELATIONSHIPS,
            capacities=CAPACITIES,
            representations=REPRESENTATIONS,
            reasons=reasons,
            whys=[(code, said(words, language_of(request))) for code, words in whys],
            tries=TRIES,
            may_sign=may(session, "Consent", "c") and may(session, "DocumentReference", "c"),
            may_except=may(session, "Consent", "c"),
            may_withdraw=may(session, "Consent", "u"),
        )


def _relation(related: Tree) -> names.Pair:
    return names.concept_words(next(iter(related.get("relationship", [])), None))


def _period(consent: Tree | None) -> tuple[Any, Any]:
    period = (consent or {}).get("provision", {}).get("period", {})
    return names.moment(period.get("start") or (consent or {}).get("dateTime")), names.moment(period.get("end"))


def _address(exam_id: str) -> str:
    return f"{BEDSIDE}/exams/{exam_id}/consent"

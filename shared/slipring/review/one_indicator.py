"""One indicator: its figure with the cases behind it, and the targets that the department lays down for it (4.14.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, Words, may, wrong
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.fhir.outcome import FhirError, not_found
from slipring.identity.people.sessions import Session
from slipring.measuring.spelling import TARGET_OF
from slipring.pages.language import language_of, said
from slipring.qc.indicators.definition import Definition, definitions
from slipring.review.indicated import address_of, indicated
from slipring.review.indicators import INDICATORS, LETTERS, given_of, period_of
from slipring.review.own_targets import FIELDS, own_targets, proposal
from slipring.review.workplace import chosen, review_page

MEMBERS = ("missed", "numerator", "denominator-exclusion")
_PORTION = 100  # cases on one page
_DIGITS = 8  # of a place in a list, and more
_NOT_FOR_HIM = 403


@dataclass(frozen=True, slots=True)
class OneIndicatorPages:
    """`/reading/indicators/{indicator}`."""

    place: Place

    def routes(self) -> list[Route]:
        """The page, and what is proposed and approved on it."""
        address = f"{INDICATORS}/{{indicator}}"
        return self.place.routes([(address, self.shown, ["GET"]), (address, self.laid_down, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """`?from=&to=&members=&after=`: the cases, a hundred at a time."""
        return await self._page(request, session, await self.place.hand(session))

    async def laid_down(self, request: Request, session: Session) -> Response:
        """`$approve-target` or `$withdraw-target` of the draft that the form names, else `$propose-target`."""
        form, hand, definition = await self.place.posted(request, session), await self.place.hand(session), _of(request)
        given: list[Tree]
        if form.get("draft"):
            name, problems = (
                "withdraw-target" if form.get("withdraw") else "approve-target",
                dict[str, tuple[str, str]](),
            )
            given = [{"name": "draft", "valueReference": {"reference": f"Measure/{form['draft']}"}}]
        else:
            name = "propose-target"
            given, problems = proposal(form, definition)
        beside: Words = {field: said(words, language_of(request)) for field, words in problems.items()}
        status = 422
        if not beside:
            try:
                await hand.called(f"Measure/{_keeper(definition)}/${name}", given)
            except FhirError as refused:
                beside, status = _refused(refused, request, session, given), refused.status
        if beside:
            return await self._page(request, session, hand, form=form, beside=beside, status=status)
        first, last = period_of(request, self.place)
        return RedirectResponse(f"{INDICATORS}/{definition.id}?from={first}&to={last}#targets", 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Words | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        """`form`, `beside`: a target as it was typed and what is wrong with it."""
        definition, (first, last) = _of(request), period_of(request, self.place)
        of = chosen(request.query_params, "members", MEMBERS)
        typed = request.query_params.get("after", "")
        after = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < _DIGITS else 0
        given = given_of(
            first, last, reportType=("valueCode", "subject-list"), members=("valueCode", of),
            count=("valueInteger", _PORTION), offset=("valueInteger", after),
        )  # fmt: skip
        report, unanswered = dict[str, Any](), Words()
        try:
            report = await hand.called(f"Measure/{_keeper(definition)}/$evaluate-measure", given)
        except FhirError as refused:
            unanswered, status = wrong(refused, request, given, {}), refused.status
        measures = await hand.found("Measure", [("identifier", f"{TARGET_OF}|{definition.id}"), ("_count", "100")])
        targets = own_targets(definition, measures, self.place.now(), self.place.zone)
        return review_page(
            self.place, request, session, "indicator.html", status=status, address=INDICATORS, first=first, last=last,
            definition=definition, figure=indicated(report, LETTERS, first, last) if report else None,
            cases=_cases(report), of=of, ways=MEMBERS, after=after, portion=_PORTION, unanswered=unanswered,
            targets=targets, people=await people_named(hand, targets.people), form=form or {}, beside=beside or {},
            me=session.account.practitioner, may_propose=may(session, "Measure", "u"),
            today=self.place.now().astimezone(self.place.zone).date(),
        )  # fmt: skip


def _of(request: Request) -> Definition:
    definition = definitions().get(request.path_params["indicator"])
    if definition is None:
        raise not_found("Measure")
    return definition


def _keeper(definition: Definition) -> str:
    return f"{LETTERS[definition.service]}-{definition.id}-{definition.version}"


def _refused(refused: FhirError, request: Request, session: Session, given: list[Tree]) -> Words:
    """Whoever the form is open to is told there what he lacks to use it."""
    if refused.status == _NOT_FOR_HIM and may(session, "Measure", "u"):
        language = language_of(request)
        return {"": " ".join(dict.fromkeys(said((one.zh, one.en), language) for one in refused.issues))}
    return wrong(refused, request, given, FIELDS)


def _cases(report: Tree) -> list[dict[str, Any]]:
    found = []
    for listed in report.get("contained", []):
        for entry in listed.get("entry", []):
            reference = names.reference_in(entry["item"])
            found.append({"reference": reference, "address": address_of(reference), "at": names.moment(entry["date"])})
    return found

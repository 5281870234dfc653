"""One round of tests: its values against their limits, the picture, who entered it; a second person settles it here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.bookings import Scanner
from slipring.department.names import Pair
from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.qc_reading import ADDRESS, Round, programme_of
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.fhir.outcome import FhirError, not_found
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.pages.headers import page_headers

_DECISIONS = ("approved", "repeat", "rejected")
_ROUND_SYSTEM = f"{CANONICAL}/sid/qc-round"
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One value of the round."""

    words: Pair
    value: Decimal | None
    unit: str
    nominal: Decimal | None
    low: Decimal | None
    high: Decimal | None
    limit: str  # id and version; '' when none applied
    method: str
    status: str
    passes: bool | None  # by the limit that was applied; None when it could not be held against one


@dataclass(frozen=True, slots=True)
class QcRoundPages:
    """`/department/qc/rounds/{id}` and the pictures of a round."""

    place: Place

    def routes(self) -> list[Route]:
        """The page, its form, and its picture."""
        at = f"{ADDRESS}/rounds/{{id}}"
        return self.place.routes(
            [
                (at, self.shown, ["GET"]),
                (at, self.settled, ["POST"]),
                (f"{ADDRESS}/pictures/{{id}}", self.picture, ["GET"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """How it stands."""
        return await self._page(request, session, await self.place.hand(session), {}, {})

    async def settled(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$review-qc`."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        reference = f"Task/{named_in(request, 'Task')}"
        decision, note = form.get("decision", ""), form.get("note", "").strip()[:_LONGEST]
        given: list[Tree] = [{"name": "decision", "valueCode": decision if decision in _DECISIONS else "none"}]
        given += [{"name": "note", "valueString": note}] if note else []
        try:
            await hand.called(f"{reference}/$review-qc", given)
        except FhirError as refused:
            beside = wrong(refused, request, given, {"decision": "decision", "note": "note"})
            return await self._page(request, session, hand, form, beside, status=refused.status)
        return RedirectResponse(f"{ADDRESS}/rounds/{reference.partition('/')[2]}", 303)

    async def picture(self, request: Request, session: Session) -> Response:
        """The annotated picture as a file."""
        hand = await self.place.hand(session)
        document = await hand.read(f"DocumentReference/{named_in(request, 'DocumentReference')}")
        if not names.has_code(document.get("type"), "qc-document", "annotated-picture"):
            raise not_found("DocumentReference")
        try:
            data = base64.b64decode(document["content"][0]["attachment"]["data"], validate=True)
        except (KeyError, IndexError, binascii.Error):
            raise not_found("DocumentReference") from None
        headers = page_headers(secure=self.place.pages.secure(request))
        return Response(data, media_type="image/png", headers=headers)

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
        round = Round(await hand.read(f"Task/{named_in(request, 'Task')}"))
        if names.code_in(round.task.get("code"), "task-code") != "qc-round":
            raise not_found("Task")
        scanner = Scanner(await hand.read(round.scanner))
        programme = await programme_of(hand, scanner)
        words = {one.code: one.words for one in programme.tests} if programme else {}
        values = await hand.found("Observation", [("identifier", f"{_ROUND_SYSTEM}|{round.id}"), ("_count", "100")])
        said = [names.reference_in(one.get("authorReference")) for one in round.notes]
        people = await people_named(hand, [round.owner, *round.outputs("approver"), *said])
        repeated = names.reference_in(round.input("repeats")).rpartition("/")[2]
        return self.place.page(
            request, session, "qc_round.html", status=status, round=round, scanner=scanner, lines=_lines(values, words),
            people=people, form=form, beside=beside, repeated=repeated, decisions=_DECISIONS,
            own=bool(round.owner) and round.owner == session.account.practitioner,
            may_settle=may(session, "Task", "u"), may_enter=may(session, "Device", "u"), address=ADDRESS,
        )  # fmt: skip


def _lines(values: Sequence[Tree], words: Mapping[str, Pair]) -> list[Line]:
    order = list(words)
    found = [(names.code_in(one.get("code"), "scanner-test"), one) for one in values]
    ranked = sorted(found, key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
    return [_line(one, words.get(code) or names.concept_words(one.get("code"))) for code, one in ranked]


def _line(value: Tree, words: Pair) -> Line:
    quantity, ranges = value.get("valueQuantity", {}), value.get("referenceRange") or [{}]
    sides: list[Any] = [ranges[0].get(name, {}).get("value") for name in ("low", "high")]
    parts = value.get("component") or [{}]
    verdict = next((names.code_in(one, "scanner-test-verdict") for one in value.get("interpretation", [])), "")
    return Line(
        words,
        quantity.get("value"),
        str(quantity.get("unit", "")),
        parts[0].get("valueQuantity", {}).get("value"),
        sides[0],
        sides[1],
        str(ranges[0].get("text", "")),
        str(value.get("method", {}).get("text", "")),
        str(value.get("status", "")),
        {"within": True, "beyond": False}.get(verdict),
    )

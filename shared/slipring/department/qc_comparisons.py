"""Comparisons of scanners that are kept: a new one is made over a period, a second person approves it (5.6.4)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.answered import groups_of, values_of
from slipring.department.bookings import Scanner, scanners
from slipring.department.names import Pair
from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.qc_reading import ADDRESS as QC
from slipring.department.qc_reading import programme_of
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session

ADDRESS = f"{QC}/comparisons"
_TYPE = f"{CANONICAL}/CodeSystem/department-document|scanner-comparison"
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two scanners in one test."""

    test: str
    scanners: Sequence[str]  # references
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """One record."""

    document: Tree
    period: tuple[str, str]
    pairs: Sequence[Pairing]

    @property
    def id(self) -> str:
        """The document's id."""
        return str(self.document["id"])

    @property
    def author(self) -> str:
        """Who made it."""
        return names.reference_in(self.document.get("author"))

    @property
    def approver(self) -> str:
        """Who approved it; '' before."""
        return names.reference_in(self.document.get("authenticator"))

    @property
    def waits(self) -> bool:
        """Whether a second person has to look at it."""
        return str(self.document.get("docStatus")) == "preliminary"


@dataclass(frozen=True, slots=True)
class QcComparisonsPage:
    """`/department/qc/comparisons`."""

    place: Place

    def routes(self) -> list[Route]:
        """The records with the form of a new one, and the approval of one."""
        return self.place.routes(
            [
                (ADDRESS, self.shown, ["GET"]),
                (ADDRESS, self.made, ["POST"]),
                (f"{ADDRESS}/{{id}}", self.approved, ["POST"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """What is kept, the latest first."""
        return await self._page(request, session, await self.place.hand(session), {}, {})

    async def made(self, request: Request, session: Session) -> Response:
        """`Device/$record-comparison` over every scanner in use."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        given: list[Tree] = [
            {"name": "scanner", "valueReference": {"reference": one.reference}} for one in await _in_use(hand)
        ]
        given += [{"name": name, "valueDate": form[name]} for name in ("periodStart", "periodEnd") if form.get(name)]
        given += [{"name": "note", "valueString": note}] if (note := form.get("note", "").strip()[:_LONGEST]) else []
        try:
            await hand.called("Device/$record-comparison", given)
        except FhirError as refused:
            beside = wrong(refused, request, given, {name: name for name in ("periodStart", "periodEnd", "note")})
            return await self._page(request, session, hand, form, beside, status=refused.status)
        return RedirectResponse(ADDRESS, 303)

    async def approved(self, request: Request, session: Session) -> Response:
        """`DocumentReference/[id]/$approve-comparison`."""
        await self.place.posted(request, session)
        hand = await self.place.hand(session)
        try:
            await hand.called(f"DocumentReference/{named_in(request, 'DocumentReference')}/$approve-comparison", [])
        except FhirError as refused:
            beside = wrong(refused, request, [], {})
            return await self._page(request, session, hand, {}, beside, status=refused.status)
        return RedirectResponse(ADDRESS, 303)

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
        every = await scanners(hand) or []
        programme = await programme_of(hand, every[0]) if every else None
        tests: dict[str, Pair] = {one.code: one.words for one in programme.tests} if programme else {}
        found = await hand.found("DocumentReference", [("type", _TYPE), ("_sort", "-date"), ("_count", "50")])
        kept = [_read(one) for one in found]
        people = await people_named(hand, [who for one in kept for who in (one.author, one.approver) if who])
        return self.place.page(
            request, session, "qc_comparisons.html", status=status, kept=kept, people=people, tests=tests, form=form,
            beside=beside, called={one.reference: one.name for one in every}, address=ADDRESS, qc=QC,
            me=session.account.practitioner or "", may_enter=may(session, "Device", "u"),
            may_approve=may(session, "DocumentReference", "u"), several=sum(one.in_use for one in every) > 1,
        )  # fmt: skip


async def _in_use(hand: Hand) -> list[Scanner]:
    return [one for one in await scanners(hand) or [] if one.in_use]


def _read(document: Tree) -> Kept:
    """A record with what its attachment says; one that cannot be read shows no pairs."""
    try:
        data = base64.b64decode(document["content"][0]["attachment"]["data"], validate=True)
        parts: list[Tree] = msgspec.json.decode(data)["parameter"]
    except (KeyError, IndexError, TypeError, binascii.Error, msgspec.DecodeError):
        parts = []
    told = values_of(parts)
    pairs = [
        Pairing(
            str(values_of(one).get("test", "")),
            [names.reference_in(each["valueReference"]) for each in one if each["name"] == "scanner"],
            values_of(one),
        )
        for one in groups_of(parts, "pair")
    ]
    return Kept(document, (str(told.get("periodStart", "")), str(told.get("periodEnd", ""))), pairs)

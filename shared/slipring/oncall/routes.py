"""One's own contact routes: which are proven, the code that came said back; everybody's for whoever keeps the directory.

And the page behind the link of a test: one tap, nobody signs in, and looking at it does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, Words, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError, not_found
from slipring.identity.people.minting import Mint
from slipring.identity.people.sessions import Session
from slipring.oncall.roster import LIVE, ROSTER
from slipring.oncall.said import names_of, values_of
from slipring.pages.frame import Endpoint

ROUTES = f"{ROSTER}/routes"
_TAP = "/r/{id}/{secret}"
_SECRET = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_OWN = ("system/Endpoint.ru",)  # what the page behind a link asks in nobody's name
_NOT_ANSWERED = (404, 409, 422)
# Most dangerous first.
_ORDER = ("failing", "overdue", "unverified", "verified")


@dataclass(frozen=True, slots=True)
class Way:
    """One contact route."""

    id: str
    channel: str
    address: str
    state: str
    mine: bool
    people: tuple[str, ...]
    offices: tuple[str, ...]
    verified: datetime | None
    until: datetime | None  # a code is out so long
    failed: str


@dataclass(frozen=True, slots=True)
class RoutePages:
    """`/alerts/roster/routes`, and the links of tests."""

    place: Place
    mint: Mint

    def routes(self) -> list[Route]:
        """The list, a code asked for and said back, and the one tap."""
        signed_in = self.place.routes(
            [
                (ROUTES, self.listed, ["GET"]),
                (f"{ROUTES}/{{id}}/send", self.send, ["POST"]),
                (f"{ROUTES}/{{id}}/confirm", self.confirm, ["POST"]),
            ]
        )
        taps: list[tuple[Endpoint, str]] = [(self.asked, "GET"), (self.tapped, "POST")]
        pages = self.place.pages
        return [*signed_in, *(Route(_TAP, pages.guarded(one), methods=[method]) for one, method in taps)]

    async def listed(self, request: Request, session: Session) -> Response:
        """The person's own; `?all`: everybody's, those that are wrong first."""
        return await self._listed(request, session, "", {})

    async def send(self, request: Request, session: Session) -> Response:
        """`Endpoint/[id]/$send-code`."""
        await self.place.posted(request, session)
        return await self._done(request, session, "$send-code", [])

    async def confirm(self, request: Request, session: Session) -> Response:
        """`Endpoint/[id]/$confirm`."""
        form = await self.place.posted(request, session)
        code: list[Tree] = [{"name": "code", "valueString": form.get("code", "").strip()[:40] or "-"}]
        return await self._done(request, session, "$confirm", code)

    async def asked(self, request: Request) -> Response:
        """Looks nothing up: previews of links do no harm and learn nothing."""
        named_in(request, "Endpoint")
        _secret(request)
        return self._tap(request, "asked")

    async def tapped(self, request: Request) -> Response:
        """`Endpoint/[id]/$answer-test`."""
        route, secret = named_in(request, "Endpoint"), _secret(request)
        await self.place.pages.form(request, None)
        hand = Hand(self.place.road.client, await self.mint.for_itself(_OWN))
        try:
            await hand.called(f"Endpoint/{route}/$answer-test", [{"name": "link", "valueString": secret}])
        except FhirError as refused:
            if refused.status not in _NOT_ANSWERED:
                raise
            return self._tap(request, "over", status=410)
        return self._tap(request, "done")

    async def _done(self, request: Request, session: Session, act: str, given: Sequence[Tree]) -> Response:
        route, hand = named_in(request, "Endpoint"), await self.place.hand(session)
        try:
            await hand.called(f"Endpoint/{route}/{act}", given)
        except FhirError as refused:
            return await self._listed(request, session, route, wrong(refused, request, given, {}), refused.status)
        return RedirectResponse(f"{ROUTES}{'?all' if 'all' in request.query_params else ''}#r-{route}", 303)

    async def _listed(
        self, request: Request, session: Session, about: str, beside: Words, status: int = 200
    ) -> Response:
        hand, every = await self.place.hand(session), "all" in request.query_params
        whole = await hand.called_if_allowed("Endpoint/$routes", [{"name": "all", "valueBoolean": True}])
        every = every and whole is not None
        told = whole if whole is not None else (await hand.called("Endpoint/$routes", [])).get("parameter", [])
        of_each = [values_of(one["part"]) for one in told if one["name"] == "route"]
        found = [values for values in of_each if every or values["mine"][0] is True]
        called = await names_of(hand, {one["reference"] for values in found for one in values.get("owner", [])})
        ways = sorted((_way(values, called) for values in found), key=lambda one: (_ORDER.index(one.state), one.id))
        return self.place.page(
            request, session, "oncall/routes.html", status=status, ways=ways, every=every,
            may_see_all=whole is not None, about=about, beside=beside, live=LIVE, roster=ROSTER, routes=ROUTES,
        )  # fmt: skip

    def _tap(self, request: Request, how: str, *, status: int = 200) -> Response:
        return self.place.pages.page(
            request, "oncall/tap.html", viewer=None, status=status, how=how, path=request.url.path
        )


def _way(values: dict[str, list[Any]], called: dict[str, str]) -> Way:
    def first(name: str) -> Any:
        return values.get(name, [""])[0]

    return Way(
        id=str(first("endpoint")["reference"]).rpartition("/")[2],
        channel=str(first("channel")),
        address=str(first("address")),
        state=str(first("state")),
        mine=first("mine") is True,
        people=tuple(called.get(one["reference"], one["reference"]) for one in values.get("owner", [])),
        offices=tuple(str(one) for one in values.get("office", [])),
        verified=names.moment(str(first("verified"))),
        until=names.moment(str(first("until"))),
        failed=str(first("failed")),
    )


def _secret(request: Request) -> str:
    found = str(request.path_params["secret"])
    if not _SECRET.fullmatch(found):
        raise not_found("Endpoint")
    return found

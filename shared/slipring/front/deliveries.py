"""The page of all subscriptions of all services: how each stands, what waits or was parked, and what can be done about it.

For administrators. Every button is the same operation that a client calls (`$resume`, `$skip`), in the person's name.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.fhir.outcome import FhirError, forbidden, not_found, refusal
from slipring.front.peers import FHIR_JSON, Ask, Peers
from slipring.identity.people.sessions import Session
from slipring.identity.people.sign_in_pages import Entered, viewer_of
from slipring.pages.frame import Pages
from slipring.pages.language import language_of, said

_ADDRESS = "/deliveries"
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_URGENCY = {"error": 0, "requested": 1, "active": 2, "off": 3}
_PAGE = 50  # deliveries of each state on one page


@dataclass(frozen=True, slots=True)
class DeliveriesPages:
    """What the pages need; `token` makes the token of a signed-in person's inner calls."""

    peers: Peers
    pages: Pages
    entered: Callable[[Entered], Callable[[Request], Awaitable[Response]]]
    token: Callable[[Session], Awaitable[str]]

    def routes(self) -> list[Route]:
        """The list, one subscription, and its buttons."""
        one = f"{_ADDRESS}/{{service}}/{{id}}"
        table: list[tuple[str, Entered, list[str]]] = [
            (_ADDRESS, self.every, ["GET"]),
            (one, self.shown, ["GET"]),
            (f"{one}/resume", self.resume, ["POST"]),
            (f"{one}/skip", self.skip, ["POST"]),
        ]
        return [
            Route(path, self.pages.guarded(self.entered(endpoint)), methods=methods)
            for path, endpoint, methods in table
        ]

    async def every(self, request: Request, session: Session) -> Response:
        """All subscriptions, those in trouble first; a service that is away is named."""
        token, names = await self.token(session), list(self.peers.clients)
        answers = await asyncio.gather(*(self._told(name, "", token) for name in names), return_exceptions=True)
        lanes: list[Lane] = []
        away = []
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, FhirError) and answer.status == 503:
                away.append(name)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                lanes += answer[0]
        lanes.sort(key=lambda lane: (lane.urgency, lane.service, lane.id))
        return self.pages.page(request, "front/deliveries.html", viewer=viewer_of(session), lanes=lanes, away=away)

    async def shown(self, request: Request, session: Session) -> Response:
        """One subscription with what is parked and what waits."""
        return await self._one(request, session)

    async def resume(self, request: Request, session: Session) -> Response:
        """`$resume` of one number, or of all."""
        form = await self.pages.form(request, viewer_of(session))
        await self._do(request, session, "$resume", [("number", form["number"])] if form.get("number") else [])
        return RedirectResponse(_back(request), 303)

    async def skip(self, request: Request, session: Session) -> Response:
        """`$skip` of one number with its reason; what is wrong stands beside the field."""
        form = await self.pages.form(request, viewer_of(session))
        number, reason = form.get("number", ""), form.get("reason", "")
        try:
            await self._do(request, session, "$skip", [("number", number), ("reason", reason)])
        except FhirError as error:
            if error.status not in (400, 409):
                raise
            words = said((error.issues[0].zh, error.issues[0].en), language_of(request))
            return await self._one(request, session, wrong=number, problem=words, reason=reason, status=error.status)
        return RedirectResponse(_back(request), 303)

    async def _one(self, request: Request, session: Session, *, status: int = 200, **told: Any) -> Response:
        service, subscription = _named(request, self.peers)
        lanes, listed = await self._told(service, subscription, await self.token(session))
        values = {"wrong": "", "problem": "", "reason": "", **told}
        return self.pages.page(
            request,
            "front/deliveries_of_one.html",
            viewer=viewer_of(session),
            status=status,
            lane=lanes[0],
            listed=listed,
            **values,
        )

    async def _told(self, service: str, subscription: str, token: str) -> tuple[list[Lane], list[Delivery]]:
        target = (
            f"Subscription/{subscription}/$deliveries?_count={_PAGE}" if subscription else "Subscription/$deliveries"
        )
        tree = await self._asked(service, Ask("GET", target, _headers(token)))
        parameters = tree.get("parameter", [])
        lanes = [_lane(service, one["part"]) for one in parameters if one["name"] == "subscription"]
        return lanes, [_delivery(one["part"]) for one in parameters if one["name"] == "delivery"]

    async def _do(self, request: Request, session: Session, operation: str, given: Sequence[tuple[str, str]]) -> None:
        service, subscription = _named(request, self.peers)
        body = {"resourceType": "Parameters"}
        if given:
            body |= {"parameter": [{"name": name, "valueString": value} for name, value in given if value]}  # type: ignore[dict-item]
        headers = {**_headers(await self.token(session)), "content-type": FHIR_JSON}
        ask = Ask("POST", f"Subscription/{subscription}/{operation}", headers, msgspec.json.encode(body))
        await self._asked(service, ask)

    async def _asked(self, service: str, ask: Ask) -> Mapping[str, Any]:
        """The answer as a tree; a refusal of the service as our own, in its words."""
        reply = await self.peers.ask(service, ask)
        tree: Mapping[str, Any] = msgspec.json.decode(reply.body) if reply.body else {}
        if reply.status == 200:
            return tree
        if reply.status == 403:
            raise forbidden(
                "Deliveries are the business of administrators.",
                "投递情况由系统管理员处理。",
                detail="front.not-an-administrator",
            )
        issue: Mapping[str, Any] = next(iter(tree.get("issue", [])), {})
        zh, en = str(issue.get("details", {}).get("text", "")), str(issue.get("diagnostics", ""))
        raise refusal(
            reply.status,
            str(issue.get("code", "exception")),
            f"The service refused: {en}",
            f"服务未接受：{zh}",
            detail="front.delivery-refused",
        )


@dataclass(frozen=True, slots=True)
class Lane:
    """One subscription as the page shows it."""

    service: str
    id: str
    status: str
    waiting: int
    parked: int
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def urgency(self) -> tuple[int, int]:
        """What needs somebody first: an endpoint in error, then what was parked."""
        return (_URGENCY.get(self.status, 1) if self.waiting or self.status != "active" else 2, -self.parked)

    @property
    def title(self) -> str:
        """What its owner calls it."""
        return str(self.told.get("reason") or self.id)

    @property
    def client(self) -> str:
        """Whose it is."""
        return str(self.told.get("client", ""))

    @property
    def endpoint(self) -> str:
        """Where it leads, without the path."""
        return str(self.told.get("endpoint", ""))

    @property
    def error(self) -> str:
        """The last failure."""
        return str(self.told.get("lastError", ""))

    @property
    def oldest(self) -> datetime | None:
        """When the oldest event that waits happened."""
        return _moment(self.told.get("oldestWaiting"))

    @property
    def next(self) -> datetime | None:
        """When an endpoint in error is tried again."""
        return _moment(self.told.get("nextAttempt"))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event that waits or was parked."""

    number: str
    reference: str
    state: str
    attempts: int
    since: datetime | None
    error: str


def _lane(service: str, parts: Sequence[Mapping[str, Any]]) -> Lane:
    told = _values(parts)
    name = str(told["reference"]["reference"]).rpartition("/")[2]
    return Lane(service, name, told["status"], told["waiting"], told["parked"], told)


def _delivery(parts: Sequence[Mapping[str, Any]]) -> Delivery:
    told = _values(parts)
    reference = str(told["reference"]["reference"])
    error = told.get("lastError", "")
    return Delivery(told["number"], reference, told["state"], told["attempts"], _moment(told["since"]), error)


def _values(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {part["name"]: next(value for name, value in part.items() if name != "name") for part in parts}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _named(request: Request, peers: Peers) -> tuple[str, str]:
    service, subscription = request.path_params["service"], request.path_params["id"]
    if service not in peers.clients or not _ID.fullmatch(subscription):
        raise not_found("Subscription")
    return service, subscription


def _back(request: Request) -> str:
    return f"{_ADDRESS}/{request.path_params['service']}/{request.path_params['id']}"


def _headers(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "accept": "application/fhir+json", "accept-language": "zh-CN"}

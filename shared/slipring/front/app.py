"""The front as an application: one address for FHIR, tokens and health."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from importlib.metadata import version as installed_version
from typing import Any, Protocol

import httpx
import msgspec
import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slipring.fhir.interactions.openapi import openapi
from slipring.fhir.outcome import FhirError, busy, refusal
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.fhir.wire import BODY_SECONDS, read_body
from slipring.front.bounds import the_bounds
from slipring.front.capabilities import united
from slipring.front.conditions import Conditions
from slipring.front.deciding import Deciding
from slipring.front.definitions import Definitions
from slipring.front.describing import method_refused, paths_of
from slipring.front.engines import Engines
from slipring.front.exchange import received, request_id_of
from slipring.front.gate import Gate, Verify
from slipring.front.home import home_page
from slipring.front.hooks.calls import Hooks
from slipring.front.own_trail import FRONT, OwnTrail
from slipring.front.owners import Owners, the_owners
from slipring.front.peers import FHIR_JSON, Ask, Peers, Reply, refused
from slipring.front.presenting import Presentation
from slipring.front.routing import Router
from slipring.front.searching import Searches
from slipring.front.service_keys import ServiceKeys
from slipring.identity.configuration import openid_configuration, smart_configuration
from slipring.identity.token import TokenAnswer
from slipring.identity.verify import LoadKeys
from slipring.pages.forms import LIMIT_BYTES, single_valued
from slipring.pages.frame import Pages
from slipring.runtime.meters import Meters
from slipring.watch.exposition import Exposition, Network, Pool
from slipring.watch.measured import Measured, counted
from slipring.watch.rates import Buckets, Rates
from slipring.watch.words import words_of

_LOG = structlog.get_logger("slipring.front")
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PAGE_ROOMS = ("slipring.pages", "slipring.identity", "slipring.front")  # whose templates and words its pages need
Answer = Callable[[Request], Awaitable[Response]]


class Tokens(Protocol):
    """Who grants tokens: `slipring.identity.token.TokenEndpoint`."""

    @property
    def issuer(self) -> str:
        """The name tokens are issued under."""

    async def answer(self, form: Mapping[str, str], request_url: str) -> TokenAnswer:
        """The answer to a token request that came to this address."""

    async def revocation(self, form: Mapping[str, str], request_url: str) -> TokenAnswer:
        """The answer to a revocation."""

    async def of_hook(self, authorization: str, url: str) -> str:
        """The Authorization of one of our tokens for a CDS client's own JWT."""


@dataclass(frozen=True, slots=True)
class FrontSettings:
    """The front's knobs.

    `base_url`: how clients reach it; empty: as each request says. Set it in real use: then an assertion made for
    another server is refused even if someone passes it on with that server's name in the Host header.
    """

    base_url: str = ""
    demo: bool = False
    max_body_bytes: int = 20_000_000
    max_entries: int = 5000
    body_seconds: float = BODY_SECONDS
    form_seconds: float = 20
    health_seconds: float = 2
    answer_seconds: float = 30  # how long a service may take
    zone: tzinfo = UTC
    watchers: Sequence[Network] = ()  # who may see metrics
    client_rate: float = 0.0  # requests a second; 0: no limit
    client_burst: int = 0
    address_rate: float = 0.0
    address_burst: int = 0


@dataclass(frozen=True, slots=True)
class Front:
    """What the front's routes share."""

    peers: Peers
    tokens: Tokens
    load_keys: LoadKeys
    router: Router
    owners: Owners
    settings: FrontSettings
    pages: Pages
    now: Callable[[], datetime]
    meters: Meters
    version: str = field(default_factory=lambda: installed_version("slipring"))
    statements: dict[str, dict[str, Any]] = field(default_factory=dict)  # last seen, by service

    def url(self, request: Request) -> str:
        """The front's own address as the client knows it."""
        return (self.settings.base_url or str(request.base_url)).rstrip("/")

    async def fhir(self, request: Request) -> Response:
        """Everything below `/fhir`."""
        request_id, settings = request_id_of(request), self.settings
        try:
            base, limits = f"{self.url(request)}/fhir", (settings.max_body_bytes, settings.body_seconds)
            return await self.router.answer(await received(request, self.peers, base, request_id, *limits))
        except FhirError as error:
            told = error
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is there to read it
        except UNAVAILABLE as error:
            _LOG.warning("database unavailable", kind=type(error).__name__, request_id=request_id)
            told = busy(
                "The database of the front is not available right now.",
                "前端数据库暂不可用。",
                detail="front.database-away",
            )
        except Exception as error:
            _LOG.exception("unexpected", kind=type(error).__name__, request_id=request_id)
            en, zh = f"Unexpected fault; error id {request_id}.", f"意外故障；错误编号 {request_id}。"
            told = refusal(500, "exception", en, zh, detail="front.unexpected")
        return refused(told, request.headers.get("accept-language", "zh-CN"), request_id)

    async def metadata(self, request: Request) -> Response:
        """The honest union of the services' statements."""
        base, request_id = f"{self.url(request)}/fhir", request_id_of(request)
        try:
            presentation = Presentation.of(request.headers, request.url.query)
        except FhirError as error:
            return refused(error, request.headers.get("accept-language", "zh-CN"), request_id)
        headers = {"content-type": FHIR_JSON, "x-request-id": request_id}
        return presentation.response(Reply(200, headers, msgspec.json.encode(await self._united(base))), base)

    async def _united(self, base: str) -> dict[str, Any]:
        names = list(self.peers.clients)
        found = await asyncio.gather(*(self._statement(name) for name in names))
        statements = {name: statement for name, statement in zip(names, found, strict=True) if statement is not None}
        away = [name for name in names if name not in statements]
        return united(statements, away, base, self.now(), self.version)

    async def _statement(self, service: str) -> dict[str, Any] | None:
        try:
            reply = await self.peers.ask(service, Ask("GET", "metadata", {"accept": "application/fhir+json"}))
        except FhirError:
            return self.statements.get(service)
        if reply.status == httpx.codes.OK:
            self.statements[service] = msgspec.json.decode(reply.body)
        return self.statements.get(service)

    async def described(self, request: Request) -> Response:
        """The FHIR API as an OpenAPI document: the union of what the services describe."""
        statement = await self._united(f"{self.url(request)}/fhir")
        return JSONResponse(openapi(statement, await paths_of(self.peers)))

    async def token(self, request: Request) -> Response:
        """The token endpoint (form-encoded, RFC 6749)."""
        return await self._oauth(request, self.tokens.answer)

    async def revoke(self, request: Request) -> Response:
        """The revocation endpoint (RFC 7009)."""
        return await self._oauth(request, self.tokens.revocation)

    async def _oauth(self, request: Request, answering: Callable[..., Awaitable[TokenAnswer]]) -> Response:
        try:
            body = await read_body(request, LIMIT_BYTES, self.settings.form_seconds)
        except FhirError as error:
            problem = {"error": "invalid_request", "error_description": error.issues[0].en}
            return JSONResponse(problem, error.status, dict(error.headers))
        form = single_valued(body)
        if form is None:
            problem = {"error": "invalid_request", "error_description": "A parameter is given twice, or too many are."}
            return JSONResponse(problem, 400)
        answer = await answering(form, f"{self.url(request)}/auth/token")
        if answer.status >= httpx.codes.BAD_REQUEST:
            self.meters.token_refusals.labels(str(answer.body["error"])).inc()
        return JSONResponse(dict(answer.body), answer.status, dict(answer.headers))

    async def jwks(self, _: Request) -> Response:
        """The public keys that access tokens are signed with."""
        try:
            keys = await self.load_keys()
        except UNAVAILABLE:
            return JSONResponse({"error": "temporarily_unavailable"}, 503, {"Retry-After": "1"})
        return JSONResponse({"keys": keys}, headers={"Cache-Control": "max-age=60"})

    async def smart(self, request: Request) -> Response:
        """What a SMART client needs to know."""
        return JSONResponse(smart_configuration(self.tokens.issuer, self.url(request)))

    async def openid(self, request: Request) -> Response:
        """What an OpenID Connect client needs to know."""
        return JSONResponse(openid_configuration(self.tokens.issuer, self.url(request)))

    async def live(self, _: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "live", "demo": self.settings.demo})

    async def ready(self, _: Request) -> Response:
        """Whether every service is ready; those that are not are named."""
        up = await self._up()
        down = [name for name, ready in up.items() if not ready]
        answer = {"status": "not ready" if down else "ready", "down": down, "demo": self.settings.demo}
        return JSONResponse(answer, 503 if down else 200)

    async def home(self, request: Request) -> Response:
        """The page that says what runs where."""
        viewer = await self.pages.viewer_of(request) if self.pages.viewer_of else None
        return home_page(self.pages, request, self.owners, await self._up(), viewer)

    async def _up(self) -> dict[str, bool]:
        names = list(self.peers.clients)
        return dict(zip(names, await asyncio.gather(*(self._is_ready(name) for name in names)), strict=True))

    async def _is_ready(self, service: str) -> bool:
        ask = Ask("GET", f"/{service}/health/ready")
        try:
            reply = await asyncio.wait_for(self.peers.ask_path(service, ask), self.settings.health_seconds)
        except (FhirError, TimeoutError):
            return False
        return reply.status == httpx.codes.OK


def create_front(
    peers: Mapping[str, httpx.AsyncClient],
    tokens: Tokens,
    load_keys: LoadKeys,
    cursor_key: bytes,
    deciding: Deciding,
    *,
    now: Callable[[], datetime],
    pages: Pages,
    signing_in: Sequence[Route] = (),
    settings: FrontSettings | None = None,
    owners: Owners | None = None,
    meters: Meters | None = None,
    pools: Mapping[str, Pool] | None = None,
    trail: OwnTrail | None = None,
    verify: Verify | None = None,
) -> Measured:
    """The front over the services' clients (each asked at `/{service}/fhir`), by service name."""
    settings, owners, meters = settings or FrontSettings(), owners or the_owners(), meters or Meters()
    behind = Peers(peers, settings.answer_seconds, {FRONT: trail.client()} if trail else {})
    searches = Searches(owners, cursor_key, the_bounds(), settings.zone)
    conditions = Conditions(owners, the_bounds(), deciding, settings.zone)
    definitions = Definitions(owners, cursor_key, the_bounds(), settings.zone)
    router = Router(owners, searches, conditions, definitions, settings.max_entries)
    front = Front(behind, tokens, load_keys, router, owners, settings, pages, now, meters)
    limits = (settings.max_body_bytes, settings.body_seconds)
    hooks = Hooks(behind, owners, tokens, front.url, *limits)
    exposition = Exposition(meters, pools or {}, None, settings.watchers)
    routes: list[tuple[str, Answer, list[str]]] = [
        ("/", pages.guarded(front.home), ["GET"]),
        ("/auth/token", front.token, ["POST"]),
        ("/auth/revoke", front.revoke, ["POST"]),
        ("/auth/jwks", front.jwks, ["GET"]),
        ("/.well-known/jwks.json", ServiceKeys(behind, trail.keys if trail else None).__call__, ["GET"]),
        ("/.well-known/smart-configuration", front.smart, ["GET"]),
        ("/fhir/.well-known/smart-configuration", front.smart, ["GET"]),
        ("/.well-known/openid-configuration", front.openid, ["GET"]),
        ("/health/live", front.live, ["GET"]),
        ("/health/ready", front.ready, ["GET"]),
        ("/metrics", exposition.__call__, ["GET"]),
        ("/health/engine", Engines(behind, settings.health_seconds, settings.watchers).__call__, ["GET"]),
        ("/openapi.json", front.described, ["GET"]),
        ("/fhir/metadata", front.metadata, ["GET"]),
        ("/fhir/metadata/", front.metadata, ["GET"]),
        ("/fhir", front.fhir, _METHODS),
        ("/fhir/{rest:path}", front.fhir, _METHODS),
    ]
    table = [Route(path, answer, methods=methods) for path, answer, methods in routes]
    starlette = Starlette(
        routes=[*table, *hooks.routes(), *signing_in, *pages.routes()], exception_handlers={405: method_refused}
    )
    clients = Buckets(settings.client_rate, settings.client_burst)
    rates = Rates(clients, Buckets(settings.address_rate, settings.address_burst), meters)
    application = Gate(starlette, counted(verify, meters), rates) if verify else starlette
    return Measured(application, meters, frozenset(owners.types), words=words_of(()))

"""`/cds-services`: discovery, the hooks, and feedback. Nothing is kept here; order judges and keeps what is told back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import msgspec
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slipring.fhir.outcome import FhirError, busy, refusal, unauthorized
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.fhir.wire import read_body
from slipring.front.exchange import request_id_of
from slipring.front.hooks.asked import Asked, asked
from slipring.front.hooks.cards import cards_of, discovery, table
from slipring.front.hooks.told import told
from slipring.front.owners import Owners
from slipring.front.peers import FHIR_JSON, Ask, Peers, Reply, decoded, forwarded_headers, refused

_LOG = structlog.get_logger("slipring.front")
_OK = httpx.codes.OK
_KEPT_HEADERS = ("authorization", "accept-language", "x-request-id", "accept-encoding")


class Passes(Protocol):
    """Who turns a hook client's own signed JWT into one of our tokens (`slipring.identity.token.TokenEndpoint`)."""

    async def of_hook(self, authorization: str, url: str) -> str:
        """The Authorization to ask services with; what is one of ours already is given back as it is."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """The routes of CDS Hooks; calls ask the keeper of requests in the name of whoever calls."""

    peers: Peers
    owners: Owners
    passes: Passes | None
    url_of: Callable[[Request], str]
    max_body_bytes: int
    body_seconds: float

    def routes(self) -> list[Route]:
        """Discovery, one address per service, and the feedback address below each."""
        return [
            Route("/cds-services", self.discovered, methods=["GET"]),
            Route("/cds-services/{service}", self.called, methods=["POST"]),
            Route("/cds-services/{service}/feedback", self.fed_back, methods=["POST"]),
        ]

    async def discovered(self, _: Request) -> Response:
        """What is offered; it holds nothing about anybody and needs no token."""
        return JSONResponse(discovery(), headers={"Cache-Control": "max-age=300"})

    async def called(self, request: Request) -> Response:
        """The cards for the draft orders of a call."""
        return await self._answered(request, self._cards)

    async def fed_back(self, request: Request) -> Response:
        """What became of cards: kept by order, and counted."""
        return await self._answered(request, self._feedback)

    async def _answered(
        self, request: Request, answering: Callable[[Request, str, Any, dict[str, str]], Awaitable[Response]]
    ) -> Response:
        request_id, language = request_id_of(request), request.headers.get("accept-language", "zh-CN")
        try:
            service = _service(str(request.path_params["service"]))
            headers = await self._headers(request, request_id)
            body = decoded(await read_body(request, self.max_body_bytes, self.body_seconds))
            return await answering(request, service, body, headers)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is there to read it
        except FhirError as error:
            return refused(error, language, request_id)
        except UNAVAILABLE:
            away = busy(
                "The database cannot be reached right now; try again shortly.",
                "数据库暂时无法访问，请稍后重试。",
                detail="front.hook-database-away",
            )
            return refused(away, language, request_id)

    async def _headers(self, request: Request, request_id: str) -> dict[str, str]:
        given = forwarded_headers(request.headers, request_id)
        if not given.get("authorization"):
            raise unauthorized("A bearer token is needed.", "需要访问令牌。", detail="identity.bearer-token-needed")
        kept = {name: given[name] for name in _KEPT_HEADERS if name in given}
        if self.passes is not None:
            address = f"{self.url_of(request)}{request.url.path}"
            kept["authorization"] = await self.passes.of_hook(kept["authorization"], address)
        return {**kept, "content-type": "application/fhir+json", "accept": "application/fhir+json"}

    async def _cards(self, request: Request, service: str, body: Any, headers: dict[str, str]) -> Response:
        call = asked(body, _hook(service))
        if not call.orders:
            return JSONResponse({"cards": []})
        await self._demand_the_patient(call, headers)
        parameters = {"resourceType": "Parameters", "parameter": [{"name": "data", "resource": call.bundle()}]}
        reply = await self._ask("ServiceRequest/$advise", parameters, headers)
        if reply.status != _OK:
            return _passed_on(reply)
        language = "en" if headers.get("accept-language", "").lower().startswith("en") else "zh"
        tree: Any = decoded(reply.body)
        return JSONResponse({"cards": cards_of(tree, self.url_of(request), language)})

    async def _feedback(self, request: Request, service: str, body: Any, headers: dict[str, str]) -> Response:
        reply = await self._ask("ServiceRequest/$advice-feedback", told(body, service), headers)
        return Response(status_code=_OK) if reply.status == _OK else _passed_on(reply)

    async def _demand_the_patient(self, call: Asked, headers: dict[str, str]) -> None:
        """412 when the patient neither came along nor is known here: nothing can be said without him."""
        if call.patient_sent:
            return
        keeper = self.owners.keepers_of("Patient")[0]
        reply = await self.peers.ask(keeper, Ask("GET", call.patient, {**headers}))
        if reply.status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
            raise refusal(
                412,
                "not-found",
                "The patient did not come along and is not known here: send the prefetch.",
                "请求未附带患者资料，本系统亦无该患者：请按 prefetch 模板发送。",
                at="prefetch.patient",
                detail="front.hook-patient-unknown",
            )

    async def _ask(self, target: str, parameters: Mapping[str, Any], headers: dict[str, str]) -> Reply:
        kept_type, _, operation = target.partition("/")
        service = self.owners.owner_of_operation(kept_type, operation) or ""
        return await self.peers.ask(service, Ask("POST", target, headers, msgspec.json.encode(parameters)))


def _service(name: str) -> str:
    if name not in {service["id"] for service in table()["service"]}:
        raise refusal(
            404, "not-found", "There is no such CDS service.", "没有该 CDS 服务。", detail="front.hook-service-unknown"
        )
    return name


def _hook(service: str) -> str:
    return str(next(one["hook"] for one in table()["service"] if one["id"] == service))


def _passed_on(reply: Reply) -> Response:
    """A refusal of the keeper, in its words; it says where in what was asked."""
    kept = {name: reply.headers[name] for name in ("retry-after", "www-authenticate") if name in reply.headers}
    return Response(reply.body, reply.status, {"content-type": FHIR_JSON, **kept})

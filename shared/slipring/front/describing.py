"""What is offered where: the paths of the services' OpenAPI documents, and the answer to a method no address has."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from slipring.fhir.outcome import FhirError, refusal
from slipring.front.exchange import request_id_of
from slipring.front.peers import Ask, Peers, refused


class _Read(msgspec.Struct):
    parameters: list[dict[str, Any]] = []


class _Path(msgspec.Struct):
    get: _Read | None = None

    @property
    def asked(self) -> list[dict[str, Any]] | None:
        """The parameters of its GET beside those of every answer (these are references); None where there is no GET."""
        return None if self.get is None else [one for one in self.get.parameters if "$ref" not in one]


class _Document(msgspec.Struct):
    paths: dict[str, _Path] = {}


async def paths_of(peers: Peers) -> dict[str, list[Any] | None]:
    """The paths that the services describe, among them where each operation is called, with what GET is asked there."""
    documents = await asyncio.gather(*(_document(peers, service) for service in peers.clients))
    return {path: item.asked for document in documents for path, item in document.paths.items()}


async def _document(peers: Peers, service: str) -> _Document:
    try:
        reply = await peers.ask_path(service, Ask("GET", f"/{service}/openapi.json"))
    except FhirError:  # a service that is away describes nothing; the statement does not name its types either
        return _Document()
    return msgspec.json.decode(reply.body, type=_Document) if reply.status == httpx.codes.OK else _Document()


async def method_refused(request: Request, error: Exception) -> Response:
    """405 as an OperationOutcome, for a method that no route has."""
    headers = error.headers if isinstance(error, HTTPException) and error.headers else {}
    told = refusal(
        405,
        "not-supported",
        f"{request.method[:16]} is not offered at this address.",
        f"该地址不支持 {request.method[:16]}。",
        headers=headers,
        detail="front.not-offered-here",
    )
    return refused(told, request.headers.get("accept-language", "zh-CN"), request_id_of(request))

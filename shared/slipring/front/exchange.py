"""One request at the front: parsed once, forwarded to whoever keeps what it names."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request

from slipring.fhir.outcome import FhirError, Issue
from slipring.front.peers import Ask, Peers, Reply, forwarded_headers


@dataclass(frozen=True, slots=True)
class Exchange:
    """The received request: path below `/fhir`, raw query, headers to forward, body as bytes."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base: str  # the front's FHIR base as the client knows it
    peers: Peers

    @property
    def parts(self) -> list[str]:
        """The path's segments."""
        return [part for part in self.path.split("/") if part]

    @property
    def target(self) -> str:
        """Path and query as the service gets them."""
        path = quote(self.path.strip("/"), safe="/$-._~:@!*'(),;=+")
        return f"{path}?{self.query}" if self.query else path

    async def forward(self, service: str) -> Reply:
        """The same request, asked of a service."""
        return await self.peers.ask(service, Ask(self.method, self.target, self.headers, self.body))

    async def ask(self, service: str, method: str, target: str, body: bytes = b"") -> Reply:
        """Another request to a service in the name of the same caller, without conditions of this one."""
        unconditional = {
            name: value for name, value in self.headers.items() if not name.startswith("if-") and name != "content-type"
        }
        return await self.peers.ask(service, Ask(method, target, unconditional, body))


async def received(request: Request, peers: Peers, base: str, max_body_bytes: int) -> Exchange:
    """Read a request; a body over the limit is 413 before it is held in memory."""
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > max_body_bytes:
            raise too_costly(f"at most {max_body_bytes} bytes", f"最多 {max_body_bytes} 字节")
        pieces.append(piece)
    request_id = request.headers.get("x-request-id") or uuid.uuid4().hex
    return Exchange(
        method=request.method,
        path=str(request.path_params.get("rest", "")),
        query=request.scope.get("query_string", b"").decode("latin-1"),
        headers=forwarded_headers(request.headers, request_id),
        body=b"".join(pieces),
        base=base,
        peers=peers,
    )


def too_costly(en: str, zh: str) -> FhirError:
    """413: more than one request may carry."""
    return FhirError(413, [Issue("too-costly", zh=f"请求过大：{zh}。", en=f"The request is too large: {en}.")])

"""One request at the front: parsed once, forwarded to whoever keeps what it names."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from slipring.fhir.outcome import FhirError, Issue, refusal
from slipring.fhir.wire import BODY_SECONDS, read_body
from slipring.front.peers import Ask, Peers, Reply, forwarded_headers

_OF_THIS_REQUEST = frozenset({"content-type", "prefer", "accept"})
_MOST_OF_AN_ID = 64
# Names of types, ids, versions and operations; anything else in an address names nothing that is kept.
_SEGMENT = re.compile(r"[A-Za-z0-9_$.\-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Exchange:
    """The received request: path below `/fhir` in its segments, raw query, headers to forward, body as bytes."""

    method: str
    parts: tuple[str, ...]
    query: str
    headers: Mapping[str, str]
    body: bytes
    base: str  # the front's FHIR base as the client knows it
    peers: Peers

    @property
    def target(self) -> str:
        """Path and query as the service gets them."""
        path = "/".join(self.parts)
        return f"{path}?{self.query}" if self.query else path

    @property
    def request_id(self) -> str:
        """What the request is called in every log it reaches."""
        return self.headers["x-request-id"]

    async def forward(self, service: str, *, seconds: float | None = None) -> Reply:
        """The same request, asked of a service; `seconds`: another patience than with any request."""
        return await self.peers.ask(service, Ask(self.method, self.target, self.headers, self.body), seconds=seconds)

    async def ask(
        self, service: str, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Another request to a service in the name of the same caller, without this one's conditions and wishes."""
        plain = {
            name: value
            for name, value in self.headers.items()
            if not name.startswith("if-") and name not in _OF_THIS_REQUEST
        }
        return await self.peers.ask(service, Ask(method, target, {**plain, **(headers or {})}, body))


async def received(
    request: Request,
    peers: Peers,
    base: str,
    request_id: str,
    max_body_bytes: int,
    body_seconds: float = BODY_SECONDS,
) -> Exchange:
    """Read a request; a body over the limit is 413 before it is held in memory, a packed one is passed on unpacked."""
    body = await read_body(request, max_body_bytes, body_seconds)
    return Exchange(
        method=request.method,
        parts=segments(str(request.path_params.get("rest", ""))),
        query=request.scope.get("query_string", b"").decode("latin-1"),
        headers=forwarded_headers(request.headers, request_id),
        body=body,
        base=base,
        peers=peers,
    )


def segments(path: str) -> tuple[str, ...]:
    """The segments of a decoded path; one that could mean another address to a service is 404.

    >>> segments("/Patient/o-1/")
    ('Patient', 'o-1')
    """
    parts = tuple(part for part in path.split("/") if part)
    if all(_SEGMENT.fullmatch(part) and part.strip(".") for part in parts):
        return parts
    raise refusal(
        404,
        "not-found",
        "Nothing is served at this address.",
        "该地址不提供任何内容。",
        detail="front.nothing-served-address",
    )


def request_id_of(request: Request) -> str:
    """The client's name for the request, or a new one; it goes to the services and comes back."""
    given = request.headers.get("x-request-id", "")[:_MOST_OF_AN_ID]
    return given if given.isascii() and given.isprintable() and given else uuid.uuid4().hex


def too_costly(en: str, zh: str) -> FhirError:
    """413: more than one request may carry."""
    return FhirError(
        413,
        [
            Issue(
                "too-costly",
                zh=f"请求过大：{zh}。",
                en=f"The request is too large: {en}.",
                detail="front.request-too-large",
            )
        ],
    )

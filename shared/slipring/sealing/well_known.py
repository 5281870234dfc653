"""A service's public keys at `/{service}/.well-known/jwks.json`, those of the past too: what it sealed must stay provable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slipring.fhir.store.engine import UNAVAILABLE
from slipring.sealing.keys import published


def key_set(pool: asyncpg.Pool, service: str) -> Callable[[Request], Awaitable[Response]]:
    """The answer: a JWK Set (RFC 7517) whose members also say whose the key is, since when, until when."""

    async def answer(_: Request) -> Response:
        try:
            return JSONResponse({"keys": await published(pool, service)}, headers={"Cache-Control": "max-age=60"})
        except UNAVAILABLE:
            return JSONResponse({"error": "temporarily_unavailable"}, 503, {"Retry-After": "1"})

    return answer

"""Before the front looks at a request: is its token valid, and does its client or its address ask too often?

A request without a valid token ends here, before its body is read: whoever is not let in cannot keep us waiting either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError, busy
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.front.exchange import request_id_of
from slipring.front.peers import refused
from slipring.watch.rates import Rates, address_of

_LOG = structlog.get_logger("slipring.front")
_FREE = ("/health/", "/metrics")
_OPEN = ("/fhir/metadata", "/fhir/.well-known/")  # need no token
Verify = Callable[[str | None], Awaitable[Caller]]


class Gate:
    """An ASGI application in front of the front."""

    def __init__(self, application: ASGIApp, verify: Verify, rates: Rates) -> None:
        self._application, self._verify, self._rates = application, verify, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or answer 401, 429 or 503."""
        if scope["type"] != "http" or scope["path"].startswith(_FREE):
            await self._application(scope, receive, send)
            return
        request = Request(scope)
        try:
            await self._look(request)
        except FhirError as error:
            await _told(request, error)(scope, receive, send)
            return
        await self._application(scope, receive, send)

    async def _look(self, request: Request) -> None:
        path = request.scope["path"]
        inside_fhir = path == "/fhir" or (path.startswith("/fhir/") and not path.startswith(_OPEN))
        if not inside_fhir or request.method == "OPTIONS":
            self._rates.admit_stranger(address_of(request.scope))
            return
        try:
            caller = await self._verify(", ".join(request.headers.getlist("authorization")) or None)
        except FhirError:
            self._rates.admit_stranger(address_of(request.scope))
            raise
        except UNAVAILABLE as error:
            _LOG.warning("database unavailable", kind=type(error).__name__)
            raise busy(
                "The database of the front is not available right now.",
                "前端数据库暂不可用。",
                detail="front.database-away",
            ) from None
        self._rates.admit(caller.client, path.rstrip("/"))


def _told(request: Request, error: FhirError) -> Response:
    if request.scope["path"] == "/auth/token":  # an OAuth client reads RFC 6749's words
        told = {"error": "temporarily_unavailable", "error_description": error.issues[0].en}
        return JSONResponse(told, error.status, {**error.headers, "Cache-Control": "no-store"})
    return refused(error, request.headers.get("accept-language", "zh-CN"), request_id_of(request))

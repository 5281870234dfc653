"""How many requests one process answers at once: the next is asked to come again, what calls for help has its own room."""

from __future__ import annotations

import msgspec
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from slipring.fhir.outcome import FhirError, as_operation_outcome, busy
from slipring.runtime.meters import Meters
from slipring.watch.rates import ANSWERING, NEVER_LIMITED

_CRITICAL_ROOM = 64  # kept free for findings that are flagged and read back
_ALWAYS = ("/health/", "/metrics")


class Admission:
    """Lets at most `most` requests in at once, and 64 more of those that call for help."""

    def __init__(self, application: ASGIApp, most: int, meters: Meters) -> None:
        self._application, self._most, self._meters = application, most, meters
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or say that it is too much right now."""
        if scope["type"] != "http" or any(word in scope["path"] for word in _ALWAYS):
            await self._application(scope, receive, send)
            return
        calls = scope["method"] == "POST" and scope["path"].endswith(NEVER_LIMITED)
        room = _CRITICAL_ROOM if calls or scope["path"].startswith(ANSWERING) else 0
        if self._inside >= self._most + room:
            self._meters.limited.labels("busy").inc()
            language = Headers(scope=scope).get("accept-language", "zh-CN")
            await _too_busy(language)(scope, receive, send)
            return
        self._inside += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._inside -= 1


def _too_busy(language: str) -> Response:
    error = busy(
        "Too many requests are under way; come again shortly.",
        "正在处理的请求过多，请稍后重试。",
        detail="kernel.too-busy",
    )
    return as_response(error, language)


def as_response(error: FhirError, language: str) -> Response:
    """A refusal made before any interaction began."""
    body = msgspec.json.encode(as_operation_outcome(error.issues, language))
    return Response(body, error.status, dict(error.headers), "application/fhir+json; charset=utf-8")

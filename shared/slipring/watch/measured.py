"""An application whose every answer is counted and timed, by interaction and type."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Container
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.runtime.logs import Words, parameter_names, path_template
from slipring.runtime.meters import Meters
from slipring.runtime.tracing import tracing
from slipring.watch.interactions import Interactions, method_word, place_word

_TRACE_HEADERS = (b"traceparent", b"tracestate")


class Measured:
    """An ASGI application in front of another; `base` is its FHIR base, `root` what its other paths begin with."""

    def __init__(
        self,
        application: ASGIApp,
        meters: Meters,
        types: Container[str],
        root: str = "",
        words: Words | None = None,
    ) -> None:
        self._application = application
        self._meters = meters
        self._root = root
        self._base = f"{root}/fhir"
        self._interactions = Interactions(types)
        self._words = words or Words()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and count it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        status, seconds = 500, 0.0
        began = time.perf_counter()

        async def told(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status = message["status"]
                # A stream of events is answered when it begins: how long somebody listens is no slowness.
                seconds = time.perf_counter() - began if _streams(message) else 0.0
            await send(message)

        self._meters.under_way.inc()
        try:
            if (on := tracing()) is None:
                await self._application(scope, receive, told)
            else:
                with on.span(*self._named(scope), carrier=_carried(scope)) as span:
                    await self._application(scope, receive, told)
                    span.set_attribute("http.response.status_code", status)
                    if status >= 500:
                        span.set_attribute("error.type", str(status))
        finally:
            self._meters.under_way.dec()
            self._count(scope, status, seconds or time.perf_counter() - began)

    def _named(self, scope: Scope) -> tuple[str, str, dict[str, Any]]:
        """Name, kind and attributes of a request's span, by OpenTelemetry's conventions for HTTP servers."""
        method, route = method_word(scope["method"]), path_template(scope["path"], self._words)
        names = parameter_names(scope.get("query_string", b"").decode("latin-1"), self._words.parameters)
        told = {"http.request.method": method, "http.route": route, "url.scheme": scope.get("scheme", "http")}
        return f"{method} {route}", "SERVER", {**told, "slipring.parameters": names}

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        path, method = scope["path"], scope["method"]
        if path == self._base or path.startswith(self._base + "/"):
            interaction, kind = self._interactions.of(method, path[len(self._base) :], status)
        else:
            interaction, kind = place_word(path[len(self._root) :]), ""
        self._meters.answered(method_word(method), interaction, kind, status, seconds)


def _streams(message: Message) -> bool:
    return any(name == b"content-type" and b"text/event-stream" in value for name, value in message.get("headers", ()))


def _carried(scope: Scope) -> dict[str, str]:
    """The caller's W3C trace context."""
    return {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _TRACE_HEADERS}


def counted(
    verify: Callable[[str | None], Awaitable[Caller]], meters: Meters
) -> Callable[[str | None], Awaitable[Caller]]:
    """The same check of tokens; what it refuses is counted by reason."""

    async def verified(authorization: str | None) -> Caller:
        try:
            return await verify(authorization)
        except FhirError as error:
            meters.token_refusals.labels(error.issues[0].detail or "other").inc()
            raise

    return verified

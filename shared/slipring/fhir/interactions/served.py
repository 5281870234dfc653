"""The FHIR base of a service before everything else that it serves."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from slipring.fhir.interactions.dispatch import Door


class Served:
    """The FHIR base of a service as plain ASGI, everything else by FastAPI.

    What every request would pay for routing and middleware is saved where most requests go.
    """

    def __init__(self, base: str, door: Door, others: ASGIApp) -> None:
        self._base, self._door, self._others = base, door, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or one life span."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path == self._base or path.startswith(self._base + "/")):
            await self._others(scope, receive, send)
            return
        scope["path_params"] = {"path": path[len(self._base) :]}
        response = await self._door(Request(scope, receive))
        await response(scope, receive, send)

"""The yardstick: a bare Starlette route that answers what it was sent."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def echo(request: Request) -> Response:
    """The body, back."""
    return Response(await request.body(), media_type="application/fhir+json")


app = Starlette(routes=[Route("/echo", echo, methods=["POST"])])

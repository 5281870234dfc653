"""Style sheet, script and pictures: files of ours, under names that change with their content."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_KEPT = "public, max-age=31536000, immutable"


@cache
def _assets() -> dict[str, tuple[bytes, str]]:
    """Name with the hash of the content -> content and its media type."""
    found = {}
    for file in resources.files("slipring.pages").joinpath("assets").iterdir():
        stem, _, ending = file.name.rpartition(".")
        if ending in _KINDS:
            content = file.read_bytes()
            found[f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{ending}"] = (content, _KINDS[ending])
    return found


def address(name: str) -> str:
    """Where an asset is served, e.g. `/assets/style-0123456789ab.css`."""
    stem, _, ending = name.rpartition(".")
    return next(f"/assets/{known}" for known in _assets() if known.startswith(f"{stem}-") and known.endswith(ending))


async def _asset(request: Request) -> Response:
    found = _assets().get(request.path_params["name"])
    if found is None:
        return Response("not found", 404, media_type="text/plain")
    headers = {"Cache-Control": _KEPT, "X-Content-Type-Options": "nosniff"}
    return Response(found[0], media_type=found[1], headers=headers)


def asset_routes() -> list[Route]:
    """The route that serves them, for whoever serves pages."""
    return [Route("/assets/{name}", _asset, methods=["GET"])]

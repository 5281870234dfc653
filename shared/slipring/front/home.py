"""The front's own page: what runs where; it shows no patient and needs nobody signed in."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from slipring.front.owners import Owners
from slipring.pages.frame import Pages, Viewer


def home_page(
    pages: Pages, request: Request, owners: Owners, up: Mapping[str, bool], viewer: Viewer | None
) -> Response:
    """Each service with what it keeps and whether it is ready."""
    services = [{"name": name, "up": ready, "keeps": _kept(name, owners)} for name, ready in up.items()]
    fhir = f"{pages.origin(request)}/fhir"
    return pages.page(request, "front/home.html", viewer=viewer, services=services, fhir=fhir)


def _kept(service: str, owners: Owners) -> list[str]:
    return [kept_type for kept_type in owners.types if service in owners.keepers_of(kept_type)]

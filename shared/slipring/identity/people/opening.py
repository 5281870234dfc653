"""Puts everything about people's sign-in together for a process that serves the front."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.identity.keys import page_form_key
from slipring.identity.people.authorize_pages import AuthorizePages, FindPatients
from slipring.identity.people.emergency_pages import EmergencyPages
from slipring.identity.people.going_on import GoingOn
from slipring.identity.people.minting import Mint
from slipring.identity.people.provider import Provider, ProviderSettings
from slipring.identity.people.provider_pages import ProviderPages
from slipring.identity.people.sessions import Session
from slipring.identity.people.sign_in_pages import Entered, SignInPages, viewer_of
from slipring.identity.people.signing_in import People
from slipring.pages.frame import Pages, Viewer
from slipring.runtime.settings import BadSettings, Settings


@dataclass(frozen=True, slots=True)
class SigningIn:
    """The frame of every page, and the routes of `/auth` that people see."""

    pages: Pages
    routes: list[Route]
    entered: Callable[[Entered], Callable[[Request], Awaitable[Response]]]  # what only a signed-in person gets
    kept: Callable[[Entered], Callable[[Request], Awaitable[Response]]]  # the same, and no form is lost over it
    session: Callable[[Request], Awaitable[Session | None]]  # who is signed in with a browser, if anybody
    idle: timedelta  # a session left alone for so long is over, and its screens are cleared


async def open_signing_in(
    mint: Mint,
    settings: Settings,
    http: httpx.AsyncClient,
    *,
    rooms: tuple[str, ...],
    fhir: str,
    find_patients: FindPatients,
    locked: Callable[[], None] = lambda: None,
) -> SigningIn:
    """The pages over the front's schema; `fhir` is our FHIR base as clients know it, `http` the way to the outside."""

    async def viewer(request: Request) -> Viewer | None:
        return viewer_of(await signing_in.session(request))

    key = await page_form_key(mint.pool, mint.schema)
    pages = Pages(key, demo=mint.demo, base_url=settings.url, zone=settings.zone, rooms=rooms, viewer_of=viewer)
    outside = provider_settings(settings)
    way = "/auth/provider" if outside else ""
    signing_in = SignInPages(People(mint.pool, mint.schema, mint.now, locked=locked), pages, provider=way)
    routes = [*signing_in.routes(), *AuthorizePages(signing_in, mint, find_patients, fhir).routes()]
    routes += EmergencyPages(signing_in).routes()
    if outside:
        routes += ProviderPages(signing_in, Provider(outside, http, mint.now)).routes()
    idle = signing_in.people.figures.session_idle
    return SigningIn(pages, routes, signing_in.entered, GoingOn(signing_in).kept, signing_in.session, idle)


def provider_settings(settings: Settings) -> ProviderSettings | None:
    """The hospital's provider as set; BadSettings when only half of it is."""
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client:
        raise BadSettings("SLIPRING_OIDC_ISSUER needs SLIPRING_OIDC_CLIENT: the name we are registered under there.")
    secret = ""
    if settings.oidc_secret_file:
        try:
            secret = Path(settings.oidc_secret_file).read_text(encoding="utf-8").strip()
        except OSError as problem:
            raise BadSettings(f"SLIPRING_OIDC_SECRET_FILE cannot be read: {problem.strerror}.") from None
    return ProviderSettings(settings.oidc_issuer, settings.oidc_client, secret, settings.oidc_claim)

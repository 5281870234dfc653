"""Puts everything about people's sign-in together for a process that serves the front."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Route

from slipring.identity.keys import page_form_key
from slipring.identity.people.authorize_pages import AuthorizePages, FindPatients
from slipring.identity.people.minting import Mint
from slipring.identity.people.sign_in_pages import SignInPages, viewer_of
from slipring.identity.people.signing_in import People
from slipring.pages.frame import Pages, Viewer
from slipring.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class SigningIn:
    """The frame of every page, and the routes of `/auth` that people see."""

    pages: Pages
    routes: list[Route]


async def open_signing_in(
    mint: Mint, settings: Settings, *, rooms: tuple[str, ...], fhir: str, find_patients: FindPatients
) -> SigningIn:
    """The pages over the front's schema; `fhir` is our FHIR base as clients know it."""

    async def viewer(request: Request) -> Viewer | None:
        return viewer_of(await signing_in.session(request))

    key = await page_form_key(mint.pool, mint.schema)
    pages = Pages(key, demo=mint.demo, base_url=settings.url, zone=settings.zone, rooms=rooms, viewer_of=viewer)
    signing_in = SignInPages(People(mint.pool, mint.schema, mint.now), pages)
    authorize = AuthorizePages(signing_in, mint, find_patients, fhir)
    return SigningIn(pages, [*signing_in.routes(), *authorize.routes()])

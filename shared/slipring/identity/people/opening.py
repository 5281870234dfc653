"""Puts the pages of signing in together for a process that serves the front."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import asyncpg
from starlette.requests import Request

from slipring.identity.keys import page_form_key
from slipring.identity.people.sign_in_pages import SignInPages, viewer_of
from slipring.identity.people.signing_in import People
from slipring.pages.frame import Pages, Viewer
from slipring.runtime.settings import Settings


async def open_signing_in(
    pool: asyncpg.Pool,
    schema: str,
    now: Callable[[], datetime],
    settings: Settings,
    *,
    demo: bool,
    rooms: tuple[str, ...],
) -> SignInPages:
    """The pages over the front's schema; `pages` inside them is the frame of every other page."""

    async def viewer(request: Request) -> Viewer | None:
        return viewer_of(await signing_in.session(request))

    key = await page_form_key(pool, schema)
    pages = Pages(key, demo=demo, base_url=settings.url, zone=settings.zone, rooms=rooms, viewer_of=viewer)
    signing_in = SignInPages(People(pool, schema, now), pages)
    return signing_in

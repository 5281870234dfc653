"""Renders a page: template, language, who looks, demo banner, headers; and turns a refusal into a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any
from urllib.parse import quote

import structlog
from babel.dates import format_date, format_datetime
from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from slipring.fhir.outcome import FhirError, busy, refusal
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.pages import assets, forms
from slipring.pages.headers import page_headers
from slipring.pages.language import CHOICE_COOKIE, LANGUAGES, catalogue, language_of, said

_LOG = structlog.get_logger("slipring.pages")
_A_YEAR_SECONDS = 31_536_000
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page: what the head of every page says, and the session its forms belong to."""

    name: str
    session: str
    emergency_until: datetime | None = None  # while break-glass rights are held


@dataclass(frozen=True, slots=True)
class Pages:
    """The frame with what a process knows about itself.

    `rooms`: packages that bring `templates/` and `locale/`; a template is named by the last part of its package.
    """

    key: bytes  # that forms are signed with, shared by all replicas
    demo: bool = False
    base_url: str = ""  # how browsers reach us; empty: as each request says
    zone: tzinfo = UTC
    rooms: tuple[str, ...] = ("slipring.pages",)
    viewer_of: Callable[[Request], Awaitable[Viewer | None]] | None = field(default=None)

    def origin(self, request: Request) -> str:
        """Our own address as the browser knows it."""
        return (self.base_url or str(request.base_url)).rstrip("/")

    def secure(self, request: Request) -> bool:
        """Whether browsers reach us over https."""
        return self.origin(request).startswith("https:")

    def page(
        self,
        request: Request,
        template: str,
        *,
        viewer: Viewer | None = None,
        status: int = 200,
        forms_lead_to: Sequence[str] = (),
        **values: Any,
    ) -> HTMLResponse:
        """A page; `template` such as `pages/message.html`, `values` what it shows."""
        language, secure = language_of(request), self.secure(request)
        random, new = forms.cookie_value(request, secure=secure)
        environment = _environment(language, self.rooms)
        text = environment.get_template(template).render(
            **values,
            language=language,
            languages=LANGUAGES,
            here=quote(_here(request), safe="/"),
            viewer=viewer,
            demo=self.demo,
            zone=self.zone,
            form_field=forms.FIELD,
            form_token=forms.token(self.key, random, viewer.session if viewer else ""),
        )
        response = HTMLResponse(text, status, page_headers(secure=secure, forms_lead_to=forms_lead_to))
        response.headers["Content-Language"] = language
        if new:
            name = forms.cookie_name(secure=secure)
            response.set_cookie(name, random, path="/", httponly=True, samesite="lax", secure=secure)
        return response

    async def form(self, request: Request, viewer: Viewer | None = None) -> dict[str, str]:
        """The fields that one of our own pages sent; a form from anywhere else is 403."""
        if (checked := getattr(request.state, "checked_fields", None)) is not None:
            return dict(checked)  # by whoever let the person prove once more who he is
        session = viewer.session if viewer else ""
        return await forms.read_form(
            request, self.key, self.origin(request), secure=self.secure(request), session=session
        )

    async def refused(self, request: Request, error: FhirError) -> Response:
        """A refusal as a page that says what to do next."""
        try:
            viewer = await self.viewer_of(request) if self.viewer_of else None
        except UNAVAILABLE:
            viewer = None
        language = language_of(request)
        sentences = [said((issue.zh, issue.en), language) for issue in error.issues]
        response = self.page(
            request, "pages/message.html", viewer=viewer, status=error.status, kind=_kind(error.status), says=sentences
        )
        response.headers.update({name: value for name, value in error.headers.items() if name != "WWW-Authenticate"})
        return response

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with every refusal and every fault as a designed page."""

        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except FhirError as error:
                told = error
            except ClientDisconnect:
                return Response(status_code=499)
            except UNAVAILABLE as error:
                _LOG.warning("database unavailable", kind=type(error).__name__)
                told = busy(
                    "The database is not available right now. Nothing was lost; try again shortly.",
                    "数据库暂不可用，没有丢失任何内容；请稍后重试。",
                    detail="pages.database-away",
                )
            except Exception as error:
                _LOG.exception("unexpected", kind=type(error).__name__)
                en, zh = "Something unexpected went wrong here.", "发生意外故障。"
                told = refusal(500, "exception", en, zh, detail="pages.unexpected")
            return await self.refused(request, told)

        return answer

    def routes(self) -> list[Route]:
        """Assets and the language switch."""
        return [*assets.asset_routes(), Route("/language/{code}", _switch(self), methods=["GET"])]


def own_path(text: str, otherwise: str = "/") -> str:
    """A path of ours that a parameter names; anything that could lead elsewhere gives `otherwise`.

    >>> own_path("/auth/me?x=1"), own_path("//evil.example"), own_path("https://evil.example")
    ('/auth/me?x=1', '/', '/')
    """
    plain = all(" " < letter < "\x7f" and letter != "\\" for letter in text)
    return text if text.startswith("/") and not text.startswith("//") and plain else otherwise


def _switch(pages: Pages) -> Endpoint:
    async def switch(request: Request) -> Response:
        """Keep the chosen language and go back to where the viewer was."""
        response = RedirectResponse(own_path(request.query_params.get("to", "/")), 303)
        if request.path_params["code"] in LANGUAGES:
            response.set_cookie(
                CHOICE_COOKIE,
                request.path_params["code"],
                max_age=_A_YEAR_SECONDS,
                path="/",
                httponly=True,
                samesite="lax",
                secure=pages.secure(request),
            )
        response.headers["Cache-Control"] = "no-store"
        return response

    return switch


def _here(request: Request) -> str:
    return own_path(f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path)


def _kind(status: int) -> str:
    match status:
        case 401 | 403:
            return "no-permission"
        case 404 | 410:
            return "nothing-here"
        case 503:
            return "busy"
    return "fault" if status >= 500 else "not-done"


@cache
def _environment(language: str, rooms: tuple[str, ...]) -> Environment:
    loader = PrefixLoader({room.rpartition(".")[2]: PackageLoader(room) for room in rooms})
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(catalogue(language, rooms), newstyle=True)  # type: ignore[attr-defined]
    environment.globals["asset"] = assets.address
    environment.filters["moment"] = lambda moment, zone: _moment(moment, language, zone)
    environment.filters["clock"] = lambda moment, zone: f"{_local(moment, zone):%H:%M}"
    environment.filters["day_name"] = lambda day: str(format_date(day, "full", locale=_locale(language)))
    environment.filters["said"] = lambda pair: said(pair, language)
    return environment


def _moment(moment: datetime, language: str, zone: tzinfo) -> str:
    return str(format_datetime(_local(moment, zone), "medium", locale=_locale(language)))


def _local(moment: datetime, zone: tzinfo) -> datetime:
    """In the zone; as it is written where the calendar ends, as a certificate's end does that has none (RFC 5280, 4.1.2.5)."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def _locale(language: str) -> str:
    return "en_GB" if language == "en" else language.replace("-", "_")  # hours up to 24 in both

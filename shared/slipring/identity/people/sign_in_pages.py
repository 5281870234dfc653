"""The pages of signing in: sign in, sign out, choose a password, who am I."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.fhir.caller import grant_of
from slipring.fhir.outcome import FhirError, unauthorized
from slipring.identity.people.roles import OVERSEE, Role, RoleTable, the_roles
from slipring.identity.people.sessions import Session
from slipring.identity.people.signing_in import People
from slipring.pages.frame import Pages, Viewer, own_path
from slipring.pages.language import language_of, said

_COOKIE = "slipring-session"
HOME = "/department"
ASKS_BY_ITSELF = "x-slipring-live"  # a header of the script that keeps open screens current
Entered = Callable[[Request, Session], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class SignInPages:
    """What the pages of signing in share; `provider`: where the hospital's own sign-in begins, '' without one."""

    people: People
    pages: Pages
    provider: str = ""

    def routes(self) -> list[Route]:
        """`/auth/sign-in`, `/auth/sign-out`, `/auth/locked`, `/auth/password` and `/auth/me`."""
        table: list[tuple[str, Any, list[str]]] = [
            ("/auth/sign-in", self.sign_in_shown, ["GET"]),
            ("/auth/sign-in", self.sign_in, ["POST"]),
            ("/auth/sign-out", self.sign_out, ["POST"]),
            ("/auth/locked", self.locked, ["GET"]),
            ("/auth/password", self.entered(self.password_shown, unchanged=True), ["GET"]),
            ("/auth/password", self.entered(self.password, unchanged=True), ["POST"]),
            ("/auth/me", self.entered(self.me), ["GET"]),
        ]
        return [Route(path, self.pages.guarded(endpoint), methods=methods) for path, endpoint, methods in table]

    async def session(self, request: Request) -> Session | None:
        """Who is signed in with this browser; what an open screen asks by itself keeps nobody signed in."""
        return await self.people.session(self.cookie(request), awake=ASKS_BY_ITSELF not in request.headers)

    def entered(self, endpoint: Entered, *, unchanged: bool = False) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint for who is signed in; others sign in first and come back.

        `unchanged`: also for who must first choose a password of his own.
        """

        async def answer(request: Request) -> Response:
            session = await self.session(request)
            if session is None:
                if request.method == "GET":
                    return RedirectResponse(self.sign_in_address(request), 303)
                raise unauthorized(
                    "You are no longer signed in. Nothing was done.",
                    "您已退出登录，未执行任何操作。",
                    detail="identity.signed-out",
                )
            if session.account.must_change and not unchanged:
                return RedirectResponse(f"/auth/password?to={quote(here(request))}", 303)
            return await endpoint(request, session)

        return answer

    def sign_in_address(self, request: Request, *, again: bool = False) -> str:
        """Where to sign in, and come back here."""
        return f"/auth/sign-in?{'again=1&' if again else ''}to={quote(here(request), safe='/')}"

    async def sign_in_shown(self, request: Request) -> Response:
        """The sign-in page; who is signed in already goes on."""
        session, again = await self.session(request), bool(request.query_params.get("again"))
        to = own_path(request.query_params.get("to", ""), HOME)
        if session is not None and not again:
            return RedirectResponse(to, 303)
        return self._form(request, session, to, session.account.name if session else "", again=again)

    async def sign_in(self, request: Request) -> Response:
        """Name and password: a new session, or the page again with one sentence."""
        session = await self.session(request)
        form = await self.pages.form(request, viewer_of(session))
        to, again = own_path(form.get("to", ""), HOME), bool(form.get("again"))
        name = session.account.name if session and again else form.get("name", "")
        try:
            cookie = await self.people.sign_in(
                name, form.get("password", ""), request_id=request_id_of(request), old=self.cookie(request)
            )
        except FhirError as error:
            return self._form(request, session, to, name, again=again, refused=error)
        return self.with_session(request, RedirectResponse(to, 303), cookie)

    async def sign_out(self, request: Request) -> Response:
        """The end of the session, here or everywhere."""
        session = await self.session(request)
        form = await self.pages.form(request, viewer_of(session))
        if session is not None:
            everywhere = bool(form.get("everywhere"))
            await self.people.sign_out(session, everywhere=everywhere, request_id=request_id_of(request))
        response = RedirectResponse("/auth/sign-in", 303)
        secure = self.pages.secure(request)
        response.delete_cookie(cookie_name(secure=secure), path="/", httponly=True, samesite="lax", secure=secure)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    async def locked(self, request: Request) -> Response:
        """What a screen that was left alone turns to; it looks up nobody, so that it keeps no session awake."""
        to = own_path(request.query_params.get("to", ""), HOME)
        minutes = int(self.people.figures.session_idle.total_seconds() // 60)
        return self.pages.page(request, "identity/locked.html", to=to, minutes=minutes)

    async def password_shown(self, request: Request, session: Session) -> Response:
        """The page to choose a password."""
        return self._password_form(request, session, own_path(request.query_params.get("to", ""), HOME))

    async def password(self, request: Request, session: Session) -> Response:
        """Another password; every other session of this person ends."""
        form = await self.pages.form(request, viewer_of(session))
        to = own_path(form.get("to", ""), HOME)
        if form.get("new", "") != form.get("repeated", ""):
            return self._password_form(request, session, to, unlike=True, status=422)
        try:
            cookie = await self.people.choose_password(
                session, form.get("old", ""), form.get("new", ""), request_id=request_id_of(request)
            )
        except FhirError as error:
            issue = error.issues[0]
            where = "wrong_old" if error.status == 401 else "wrong_new"
            words: dict[str, Any] = {where: said((issue.zh, issue.en), language_of(request))}
            return self._password_form(request, session, to, status=error.status, **words)
        return self.with_session(request, RedirectResponse(to, 303), cookie)

    async def me(self, request: Request, session: Session) -> Response:
        """Who is signed in, with which roles, and what they allow."""
        table = the_roles()
        return self.pages.page(
            request,
            "identity/me.html",
            viewer=viewer_of(session),
            session=session,
            idle_minutes=int(self.people.figures.session_idle.total_seconds() // 60),
            roles=[_told(role, table) for role in table.of(session.roles)],
            table=table,
            may_break=any(role.emergency for role in table.of(session.roles)),
            may_oversee=OVERSEE in table.scopes(session.roles),
        )

    def with_session(self, request: Request, response: Response, cookie: str) -> Response:
        """The response with the cookie of a new session."""
        secure = self.pages.secure(request)
        name = cookie_name(secure=secure)
        response.set_cookie(name, cookie, path="/", httponly=True, samesite="lax", secure=secure)
        response.headers["Cache-Control"] = "no-store"
        return response

    def cookie(self, request: Request) -> str:
        """The session cookie of this browser, or ''."""
        return request.cookies.get(cookie_name(secure=self.pages.secure(request)), "")

    def _form(
        self, request: Request, session: Session | None, to: str, name: str, *, again: bool, refused: Any = None
    ) -> Response:
        words = ""
        if refused is not None:
            words = said((refused.issues[0].zh, refused.issues[0].en), language_of(request))
        return self.pages.page(
            request,
            "identity/sign_in.html",
            viewer=viewer_of(session),
            status=refused.status if refused is not None else 200,
            to=to,
            name=name,
            again=again,
            refused=words,
            provider=f"{self.provider}?to={quote(to, safe='/')}{'&again=1' if again else ''}" if self.provider else "",
        )

    def _password_form(
        self,
        request: Request,
        session: Session,
        to: str,
        *,
        status: int = 200,
        wrong_old: str = "",
        wrong_new: str = "",
        unlike: bool = False,
    ) -> Response:
        return self.pages.page(
            request,
            "identity/password.html",
            viewer=viewer_of(session),
            status=status,
            to=to,
            must_change=session.account.must_change,
            shortest=self.people.figures.shortest,
            wrong_old=wrong_old,
            wrong_new=wrong_new,
            unlike=unlike,
        )


def cookie_name(*, secure: bool) -> str:
    """The session cookie's name; over https the prefix ties it to this host."""
    return f"__Host-{_COOKIE}" if secure else _COOKIE


def viewer_of(session: Session | None) -> Viewer | None:
    """What the head of a page says about who is signed in."""
    if session is None:
        return None
    return Viewer(session.account.name, session.sid, session.emergency.until if session.emergency else None)


def request_id_of(request: Request) -> str:
    """The request's id for its audit row, when a proxy gave it one that is one."""
    given = request.headers.get("x-request-id", "")
    return given if 0 < len(given) <= 64 and given.isascii() and given.isprintable() else ""


def here(request: Request) -> str:
    """The path and query that was asked for."""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def _told(role: Role, table: RoleTable) -> dict[str, Any]:
    """A role as the page shows it: types with letters, other rights in words."""
    grants = [grant for grant in map(grant_of, role.scopes) if grant is not None]
    return {
        "code": role.code,
        "name": role.name,
        "confirmed": role.confirmed,
        "clinical": role.clinical,
        "types": [(grant.type, "".join(grant.letters)) for grant in grants],
        "rights": [table.rights[scope] for scope in role.scopes if scope in table.rights],
    }

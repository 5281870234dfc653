"""`/auth/authorize`: a person lets an application act in his name, choosing a patient where it asks for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.fhir.outcome import refusal
from slipring.identity.people.authorizing import NotAuthorized, Wish, client_of, give_code, granted, wish_of
from slipring.identity.people.minting import Mint
from slipring.identity.people.recording import record
from slipring.identity.people.sessions import Session
from slipring.identity.people.sign_in_pages import SignInPages, here, request_id_of, viewer_of

_LONGEST_QUERY = 4096
# Patients by the number on their card, asked in this person's name: (access token, number) -> Patient resources.
FindPatients = Callable[[str, str], Awaitable[list[dict[str, Any]]]]


@dataclass(frozen=True, slots=True)
class AuthorizePages:
    """What the authorization endpoint needs."""

    signing_in: SignInPages
    mint: Mint
    find_patients: FindPatients
    fhir: str  # our FHIR base, which `aud` must name

    def routes(self) -> list[Route]:
        """`/auth/authorize` and the choice of a patient."""
        guarded = self.signing_in.pages.guarded
        return [
            Route("/auth/authorize", guarded(self.authorize), methods=["GET"]),
            Route("/auth/authorize/patient", guarded(self.signing_in.entered(self.patient)), methods=["POST"]),
        ]

    async def authorize(self, request: Request) -> Response:
        """The request of an application: sign in if need be, choose a patient if asked, then back with a code."""
        given = _single(request.url.query)
        client, address = await client_of(self.mint.pool, self.mint.schema, given)
        session = await self.signing_in.session(request)
        try:
            wish = wish_of(client, address, given, self.fhir)
            detour = self._must_sign_in(request, wish, session)
            if detour is not None or session is None or session.account.must_change:
                return detour or RedirectResponse(f"/auth/password?to={quote(here(request))}", 303)
            scopes = granted(wish, session)
            if "launch/patient" in scopes:
                return self._choose(request, session, wish, request.url.query)
            return await self._back(request, wish, session, scopes, "")
        except NotAuthorized as refused:
            return _sent(client_answer(given, address, refused, self.mint.issuer))

    async def patient(self, request: Request, session: Session) -> Response:
        """A patient searched for, or chosen."""
        form = await self.signing_in.pages.form(request, viewer_of(session))
        given = _single(form.get("request", ""))
        client, address = await client_of(self.mint.pool, self.mint.schema, given)
        try:
            wish = wish_of(client, address, given, self.fhir)
            scopes = granted(wish, session)
        except NotAuthorized as refused:
            return _sent(client_answer(given, address, refused, self.mint.issuer))
        if form.get("refuse"):
            told = NotAuthorized("access_denied", "The person chose no patient.")
            return _sent(client_answer(given, address, told, self.mint.issuer))
        number, chosen = form.get("number", "").strip(), form.get("patient", "")
        found = await self.find_patients(await self.mint.for_pages(session), number) if number else []
        if chosen in {patient["id"] for patient in found}:
            return await self._back(request, wish, session, scopes, chosen)
        return self._choose(request, session, wish, form["request"], number, found)

    def _must_sign_in(self, request: Request, wish: Wish, session: Session | None) -> Response | None:
        """The way over the sign-in page when nobody is signed in, or not lately enough for this application."""
        always = wish.prompt == "login" or wish.max_age == 0
        late = session is None or (wish.max_age is not None and not session.fresh(self.mint.now(), wish.max_age))
        if not always and not late:
            return None
        if wish.prompt == "none":
            raise NotAuthorized("login_required", "Nobody is signed in, or not lately enough.")
        # What asks for a sign-in in any case is taken off the way back, or it would ask for ever.
        kept = [
            (name, value)
            for name, value in parse_qsl(request.url.query, keep_blank_values=True)
            if name != "prompt" and (name, value) != ("max_age", "0")
        ]
        back = quote(f"{request.url.path}?{urlencode(kept)}", safe="/")
        return RedirectResponse(f"/auth/sign-in?{'again=1&' if session else ''}to={back}", 303)

    def _choose(
        self,
        request: Request,
        session: Session,
        wish: Wish,
        query: str,
        number: str = "",
        found: list[dict[str, Any]] | None = None,
    ) -> Response:
        return self.signing_in.pages.page(
            request,
            "identity/choose_patient.html",
            viewer=viewer_of(session),
            forms_lead_to=[wish.origin],
            application=wish.client.name,
            query=query,
            number=number,
            found=found and [_shown(patient) for patient in found],
            searched=found is not None and bool(number),
        )

    async def _back(self, request: Request, wish: Wish, session: Session, scopes: list[str], patient: str) -> Response:
        mint, figures = self.mint, self.signing_in.people.figures
        async with mint.pool.acquire() as connection, connection.transaction():
            now = mint.now()
            code = await give_code(connection, mint.schema, wish, session, scopes, patient, now, figures)
            await record(
                connection,
                "authorize",
                session.account.name,
                now,
                practitioner=session.account.practitioner,
                by=wish.client.id,
                request_id=request_id_of(request),
            )
        return _sent(wish.answered(mint.issuer, code=code))


def client_answer(given: Mapping[str, str], address: str, refused: NotAuthorized, issuer: str) -> str:
    """The address by which a client hears why not."""
    members = {"error": refused.error, "error_description": refused.description, "iss": issuer}
    if given.get("state"):
        members["state"] = given["state"]
    return f"{address}{'&' if '?' in address else '?'}{urlencode(members)}"


def _sent(address: str) -> Response:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _single(query: str) -> dict[str, str]:
    """The parameters; one given twice, or far too many, is told to the person (RFC 6749 3.1)."""
    pairs: list[tuple[str, str]] = []
    if len(query) <= _LONGEST_QUERY:
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=50)
        except ValueError:
            pairs = []
    if not pairs or len({name for name, _ in pairs}) != len(pairs):
        raise refusal(
            400,
            "invalid",
            "The application's request cannot be read: a parameter is missing, given twice, or too long.",
            "无法读取该应用的请求：参数缺失、重复或过长。",
            detail="identity.authorization-unreadable",
        )
    return dict(pairs)


def _shown(patient: Mapping[str, Any]) -> dict[str, str]:
    """Two identifiers and a name: enough to tell a patient from another."""
    name: dict[str, Any] = next(iter(patient.get("name", [])), {})
    words = name.get("text") or " ".join([name.get("family", ""), *name.get("given", [])]).strip()
    numbers = [one.get("value", "") for one in patient.get("identifier", [])]
    return {"id": patient["id"], "name": words, "born": patient.get("birthDate", ""), "numbers": ", ".join(numbers)}

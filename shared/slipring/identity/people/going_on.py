"""A form whose person must first prove who he is: signed out meanwhile, or asked once more. What he typed is kept.

The page that asks carries the fields of the form along; with name and password they go where they were going. Its token
belongs to the browser alone (the session changes in between), so it counts only with the browser's word that the form
stood on a page of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.identity.people.sign_in_pages import HOME, Entered, SignInPages, here, request_id_of, viewer_of
from slipring.pages import forms
from slipring.pages.language import language_of, said

_PURPOSE = "going-on"  # what the token of the page that asks is made for
_PROOF, _NAME, _TOKEN = "proof_password", "proof_name", "proof_token"
_UNPROVED = 401
_JUST_NOW_SECONDS = 120


@dataclass(frozen=True, slots=True)
class GoingOn:
    """Lets people prove who they are in the midst of a form."""

    signing_in: SignInPages

    def kept(self, endpoint: Entered) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint for who is signed in; a form is not lost when its person must prove who he is."""
        entered = self.signing_in.entered(endpoint)

        async def answer(request: Request) -> Response:
            if request.method != "POST":
                return await entered(request)
            fields, session = await forms.fields_of(request), await self.signing_in.session(request)
            if _TOKEN in fields:
                return await self._proved(request, session, fields, endpoint)
            try:
                return await entered(request)
            except FhirError as refused:
                if refused.status != _UNPROVED or not self._stood_here(request):
                    raise
                return self._asked(request, session, fields)

        return answer

    async def _proved(
        self, request: Request, session: Session | None, fields: Mapping[str, str], endpoint: Entered
    ) -> Response:
        """Let him in, and do what the form asks for in his name."""
        pages = self.signing_in.pages
        sent = {forms.FIELD: fields[_TOKEN]}
        if not self._stood_here(request) or not forms.ours(
            request, sent, pages.key, pages.origin(request), secure=pages.secure(request), session=_PURPOSE
        ):
            raise forms.stale_form()
        cookie, name = "", session.account.name if session else fields.get(_NAME, "")
        if not self._elsewhere(session, fields):
            if self.signing_in.provider and not fields.get(_PROOF):  # no password is tried, so none is wrong
                return self._asked(request, session, fields, name=name, unproved=True)
            try:
                cookie = await self.signing_in.people.sign_in(
                    name, fields.get(_PROOF, ""), request_id=request_id_of(request), old=self.signing_in.cookie(request)
                )
            except FhirError as refused:
                return self._asked(request, session, fields, name=name, refused=refused)
            session = await self.signing_in.people.session(cookie)
        if session is None or session.account.must_change:
            return self.signing_in.with_session(request, RedirectResponse(HOME, 303), cookie)
        request.state.checked_fields = _typed(fields)
        try:
            response = await endpoint(request, session)
        except FhirError as refused:
            response = await pages.refused(request, refused)
        return self.signing_in.with_session(request, response, cookie) if cookie else response

    def _elsewhere(self, session: Session | None, fields: Mapping[str, str]) -> bool:
        """Whether he proved it just now with the hospital's account, on another page of this browser."""
        if not self.signing_in.provider or session is None or fields.get(_PROOF):
            return False
        return session.fresh(self.signing_in.people.now(), _JUST_NOW_SECONDS)

    def _asked(
        self,
        request: Request,
        session: Session | None,
        fields: Mapping[str, str],
        *,
        name: str = "",
        refused: FhirError | None = None,
        unproved: bool = False,
    ) -> Response:
        """The page that asks who he is, with what he typed."""
        pages, provider = self.signing_in.pages, self.signing_in.provider
        random, _ = forms.cookie_value(request, secure=pages.secure(request))
        issue = refused.issues[0] if refused else None
        return pages.page(
            request,
            "identity/go_on.html",
            viewer=viewer_of(session),
            status=refused.status if refused else _UNPROVED,
            action=here(request),
            typed=_typed(fields),
            name=session.account.name if session else name,
            known=session is not None,
            proof_token=forms.token(pages.key, random, _PURPOSE),
            refused=said((issue.zh, issue.en), language_of(request)) if issue else "",
            provider=bool(provider),
            unproved=unproved,
        )

    def _stood_here(self, request: Request) -> bool:
        """Whether the browser itself says that the form stood on a page of ours."""
        pages = self.signing_in.pages
        return bool(request.headers.get("origin")) and forms.from_us(request, pages.origin(request))


def _typed(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in (_PROOF, _NAME, _TOKEN, forms.FIELD)}

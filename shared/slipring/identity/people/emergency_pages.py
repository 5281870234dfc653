"""`/auth/emergency`: ask for emergency access, give it back; `/auth/emergencies`: the list of all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.fhir.outcome import FhirError, forbidden
from slipring.identity.people.breaking_glass import all_broken, break_glass, give_back, may_break, the_reasons
from slipring.identity.people.roles import the_roles
from slipring.identity.people.sessions import Session
from slipring.identity.people.sign_in_pages import SignInPages, request_id_of, viewer_of
from slipring.pages.language import language_of, said


@dataclass(frozen=True, slots=True)
class EmergencyPages:
    """The pages of break-glass."""

    signing_in: SignInPages

    def routes(self) -> list[Route]:
        """For who is signed in."""
        table: list[tuple[str, Any, list[str]]] = [
            ("/auth/emergency", self.shown, ["GET"]),
            ("/auth/emergency", self.asked, ["POST"]),
            ("/auth/emergencies", self.listed, ["GET"]),
        ]
        entered, guarded = self.signing_in.entered, self.signing_in.pages.guarded
        return [Route(path, guarded(entered(endpoint)), methods=methods) for path, endpoint, methods in table]

    async def shown(self, request: Request, session: Session) -> Response:
        """What it means, and the form."""
        if not may_break(session):
            raise forbidden(
                "Your roles have no emergency access.", "您的岗位没有紧急访问。", detail="identity.no-emergency-access"
            )
        return self._form(request, session)

    async def asked(self, request: Request, session: Session) -> Response:
        """Granted at once, or the form again with what is missing; or given back."""
        form = await self.signing_in.pages.form(request, viewer_of(session))
        people, request_id = self.signing_in.people, request_id_of(request)
        if form.get("end"):
            await give_back(people, session, request_id)
            return RedirectResponse("/auth/me", 303)
        reason, note = form.get("reason", ""), form.get("note", "")
        try:
            await break_glass(people, session, reason, note, request_id)
        except FhirError as error:
            if error.status == 403:
                raise
            return self._form(request, session, reason, note, error)
        return RedirectResponse("/auth/me", 303)

    async def listed(self, request: Request, session: Session) -> Response:
        """Every use of it, for the quality manager."""
        broken = await all_broken(self.signing_in.people, session, request_id_of(request))
        return self.signing_in.pages.page(
            request, "identity/emergencies.html", viewer=viewer_of(session), broken=broken
        )

    def _form(
        self, request: Request, session: Session, reason: str = "", note: str = "", error: FhirError | None = None
    ) -> Response:
        wrong = {issue.at: said((issue.zh, issue.en), language_of(request)) for issue in error.issues} if error else {}
        table, reasons = the_roles(), the_reasons()
        gained = [scope for role in table.of(session.roles) for scope in role.emergency]
        types = [scope.partition("/")[2].partition(".")[0] for scope in gained if scope.startswith("user/")]
        return self.signing_in.pages.page(
            request,
            "identity/emergency.html",
            viewer=viewer_of(session),
            status=error.status if error else 200,
            minutes=int(table.emergency_lasts.total_seconds() // 60),
            reasons=reasons.words,
            reason=reason,
            note=note,
            wrong=wrong,
            types=list(dict.fromkeys(types)),
            rights=[table.rights[scope] for scope in dict.fromkeys(gained) if scope in table.rights],
        )

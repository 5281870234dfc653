"""What every page of the department needs: the road, the frame, who looks, the time, and when the screen locks."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.road import Hand, Road, Tree
from slipring.fhir.caller import Grant, grant_of
from slipring.fhir.outcome import FhirError, not_found
from slipring.fhir.service import CANONICAL
from slipring.identity.people.roles import the_roles
from slipring.identity.people.sessions import Session
from slipring.identity.people.sign_in_pages import Entered, here, viewer_of
from slipring.pages.frame import Pages
from slipring.pages.language import language_of, said
from slipring.runtime.rings import Rings

HOME = "/department"
# What the head of every page leads to: address, key of its words, what a person must be able to search for it.
PLACES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (f"{HOME}/requests", "requests", ("Task", "ServiceRequest")),
    (f"{HOME}/reception", "reception", ("Task", "Patient", "Appointment")),
    (f"{HOME}/day", "day", ("Task", "Device")),
    (
        f"{HOME}/people",
        "people",
        ("Practitioner", "PractitionerRole", "Organization", "Device", "QuestionnaireResponse", "DocumentReference"),
    ),
    (f"{HOME}/qc", "qc", ("Device", "Observation", "Task", "DocumentReference")),
    ("/bedside", "bedside", ("Task", "Consent", "MedicationAdministration")),
    ("/reading", "reading", ("Task", "DiagnosticReport", "Composition", "Provenance")),
    ("/ward", "ward", ("Task", "ServiceRequest", "DiagnosticReport")),
    ("/alerts/roster", "roster", ("Schedule", "Slot", "PlanDefinition")),
    ("/alerts", "alerts", ("Task", "Communication")),
    ("/clauses", "clauses", ("Measure", "AuditEvent")),
)
# A place that is open in part to who may read these records of a type alone: his scope names them.
_IN_PART = {"clauses": ("DocumentReference", ("type", f"{CANONICAL}/CodeSystem/sample-document|"))}
Words = dict[str, str]  # what is wrong with a field, by its name; "" = with the form as a whole
_BY_NAME = re.compile(r"Parameters\.parameter\.where\(name='([A-Za-z]+)'\)")
_BY_PLACE = re.compile(r"Parameters\.parameter\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Place:
    """The department as its pages see it; `idle`: after so long without use the screen is cleared; `rings`: of commits."""

    road: Road
    pages: Pages
    entered: Callable[[Entered], Callable[[Request], Awaitable[Response]]]
    now: Callable[[], datetime]
    idle: timedelta
    rings: Rings

    @property
    def zone(self) -> tzinfo:
        """The department's time zone."""
        return self.pages.zone

    def routes(self, table: Sequence[tuple[str, Entered, list[str]]]) -> list[Route]:
        """Routes of pages that only a signed-in person gets."""
        return [
            Route(path, self.pages.guarded(self.entered(endpoint)), methods=methods)
            for path, endpoint, methods in table
        ]

    async def hand(self, session: Session) -> Hand:
        """The road in this person's name."""
        return await self.road.of(session)

    def page(self, request: Request, session: Session, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page of the department, or of another room (`bedside/today.html`).

        Left alone for `idle`, the browser turns to one that shows nothing.
        """
        shown = self.pages.page(
            request,
            template if "/" in template else f"department/{template}",
            viewer=viewer_of(session),
            status=status,
            places=places_of(session),
            at=request.url.path,
            now=self.now(),
            **values,
        )
        seconds = int(self.idle.total_seconds()) + 1
        address = f"/auth/locked?to={quote(here(request), safe='/')}"
        shown.headers["Refresh"] = f"{seconds}; url={address}"
        return shown

    async def posted(self, request: Request, session: Session) -> dict[str, str]:
        """The fields of a form of ours."""
        return await self.pages.form(request, viewer_of(session))


def named_in(request: Request, kept_type: str) -> str:
    """The id in an address; 404 for what can be none, so that it never becomes another question."""
    found = str(request.path_params["id"])
    if not names.ID.fullmatch(found):
        raise not_found(kept_type)
    return found


def places_of(session: Session) -> list[tuple[str, str]]:
    """Where a person's roles lead him: address, key of its words."""
    return [(address, key) for address, key, types in PLACES if may_search(session, *types) or _in_part(session, key)]


def may_search(session: Session, *types: str) -> bool:
    """Whether a person's roles let him search all these types."""
    return all(may(session, kept_type, "s") for kept_type in types)


def may(session: Session, kept_type: str, letter: str) -> bool:
    """Whether a person's roles grant one of c, r, u, d, s on a type."""
    return any(letter in grant.letters and grant.type in (kept_type, "*") for grant in _grants(session))


def _in_part(session: Session, key: str) -> bool:
    kept_type, alone = _IN_PART.get(key, ("", ("", "")))
    return any(grant.type == kept_type and grant.parameters == (alone,) for grant in _grants(session))


def _grants(session: Session) -> list[Grant]:
    scopes = the_roles().scopes(session.roles, emergency=session.emergency is not None)
    return [grant for grant in map(grant_of, scopes) if grant is not None]


def wrong(refused: FhirError, request: Request, given: Sequence[Tree], fields: Mapping[str, str]) -> Words:
    """A refusal beside the fields it names: a parameter of the call stands in its field, anything else with the form.

    `given`: the parameters of the call; `fields`: parameter -> field. What is no answer to what was typed is raised again;
    where the act asks for a fresh proof of who does it, `going_on` asks and keeps what was typed.
    """
    if refused.status not in (400, 409, 412, 422):
        raise refused
    language, found = language_of(request), dict[str, list[str]]()
    for issue in refused.issues:
        where = fields.get(_parameter(issue.at, given), "")
        found.setdefault(where, []).append(said((issue.zh, issue.en), language))
    return {name: " ".join(dict.fromkeys(sentences)) for name, sentences in found.items()}


def _parameter(at: str, given: Sequence[Tree]) -> str:
    named, counted = _BY_NAME.search(at), _BY_PLACE.search(at)
    if named:
        return named[1]
    place = int(counted[1]) if counted else len(given)
    return str(given[place]["name"]) if place < len(given) else ""

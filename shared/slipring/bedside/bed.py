"""What the pages beside the patient share: their address, how one is drawn, and what an open one watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from slipring.department.place import Place
from slipring.identity.people.sessions import Session

BEDSIDE = "/bedside"
LIVE = f"{BEDSIDE}/live"
AT_THE_INJECTOR = f"{BEDSIDE}/injection-live"
# What an open list asks about: a type, and which of it.
WATCHED: Mapping[str, Sequence[tuple[str, str]]] = {
    "Task": [("code", "exam,screening,observation,reaction-follow-up,notice,late-record")],
    "Consent": [],
    "MedicationAdministration": [],
    "AdverseEvent": [],
    "Observation": [("category", "vital-signs")],
}
# What may change whether contrast is given.
WATCHED_AT_THE_INJECTOR: Mapping[str, Sequence[tuple[str, str]]] = {
    "Task": [("code", "exam,notice")],
    "Consent": [],
    "MedicationAdministration": [],
    "QuestionnaireResponse": [],
    "AllergyIntolerance": [],
}

# Of these an open screen hears at once: an alarm at the injector, what an observation is told of.
URGENT: Mapping[str, Sequence[tuple[str, str]]] = {"Task": [("code", "observation,notice")]}


def bedside_page(
    place: Place, request: Request, session: Session, template: str, *, live: str = LIVE, **values: Any
) -> Response:
    """A page beside the patient; `live`: the address that an open one asks whether anything changed."""
    return place.page(request, session, f"bedside/{template}", live=live, **values)

"""A reaction that is closed, or proves no reaction at all, changes only with a reason and a name. Pure."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Resource

from slipring_consent.lifecycle import REACTION, illegal
from slipring_consent.reactions.said import AMENDMENT, PHASE, WRONG, parts_of, phase_of
from slipring_consent.reading import extensions, reference_of

_SERVERS = ("meta", "text")


def reasoned(event: Resource, before: Resource | None) -> bool:
    """Whether this version gives the reason of a correction that the one before it did not give."""
    return before is not None and len(extensions(event, AMENDMENT)) > len(extensions(before, AMENDMENT))


def not_allowed(event: Resource, before: Resource | None, by: str) -> FhirError | None:
    """Why a reaction may not become this version of itself, or None. `by`: who writes, where he signed in as a person."""
    phase, was = phase_of(event), phase_of(before) if before is not None else "none"
    at = f"AdverseEvent.extension('{PHASE}')"
    if phase != was and (refused := illegal(REACTION, was, phase, at)):
        return refused
    if before is None or not (phase == WRONG or (was == "closed" and _said(event) != _said(before))):
        return None
    if was == WRONG and _said(event) == _said(before):
        return None
    last = parts_of(extensions(event, AMENDMENT)[-1]) if reasoned(event, before) else {}
    if str(last.get("reason", "")).strip() and (reference_of(last.get("by")) or by):
        return None
    issue = Issue(
        "required",
        zh="已结案或作废的不良反应记录，更改须注明理由和更改人（扩展 amendment）。",
        en="A reaction that is closed, or is marked as wrong, changes only with a reason and a name (extension amendment).",
        at=f"AdverseEvent.extension('{AMENDMENT}')",
        detail="consent.reaction-amendment",
    )
    return FhirError(422, [issue])


def _said(event: Resource) -> Resource:
    return {name: value for name, value in event.items() if name not in _SERVERS}

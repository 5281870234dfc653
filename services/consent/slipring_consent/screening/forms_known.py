"""Which Questionnaire a response answers: the version it names, as kept here or as shipped."""

from __future__ import annotations

import re
from urllib.parse import quote

from slipring.fhir.outcome import Issue
from slipring.fhir.service import Desk, Resource, Stored

from slipring_consent.screening.conformance import faults_of
from slipring_consent.screening.form import NEWEST, URL, questionnaire
from slipring_consent.screening.refusals import as_issue, version_unknown

SHIPPED = ("1", NEWEST)
_COMPLETE = ("completed", "amended")
_UNREAD = ("entered-in-error", "stopped")  # what is taken back is not asked to be right


async def answer_faults(response: Resource, desk: Desk) -> list[Issue]:
    """What is wrong with the answers; a form that is kept elsewhere is its keeper's matter."""
    url, _, version = str(response.get("questionnaire", "")).partition("|")
    status = response.get("status")
    if not url or status in _UNREAD:
        return []
    kept = await desk.search(f"Questionnaire?url={_sought(url)}")
    form = _meant(kept, url, version)
    if form is None:
        return [version_unknown()] if kept or url == URL else []
    return [as_issue(fault) for fault in faults_of(response, form, complete=status in _COMPLETE)]


def _meant(kept: list[Stored], url: str, version: str) -> Resource | None:
    """The form of this version; without one the newest of ours, or the one of another's that was written last."""
    if url == URL and not version:
        version = NEWEST
    if not version:
        return max(kept, key=lambda one: one.updated_at).resource if kept else None
    named = [one.resource for one in kept if str(one.resource.get("version", "")) == version]
    if named:
        return named[0]
    return questionnaire(version) if url == URL and version in SHIPPED else None


def _sought(url: str) -> str:
    """A canonical as the value of a search parameter."""
    return quote(re.sub(r"([\\,$|])", r"\\\1", url), safe=":/.-_")

"""People, codes and moments as they are called on paper."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from slipring.fhir.service import Desk, Resource

from slipring_consent.consenting.text_facts import name_of, shown
from slipring_consent.department import settings_of
from slipring_consent.people import staff_behind
from slipring_consent.reading import codes_in
from slipring_consent.vocabulary import CODE_SYSTEMS


async def called(reference: str, desk: Desk) -> str:
    """A person as he is called on paper: name, and title or relationship."""
    if reference.startswith("Practitioner"):
        person, _ = await staff_behind(desk, reference)
        titles = [coded(one.get("code")) for one in (person or {}).get("qualification", [])[:1]]
        return " ".join(filter(None, [name_of(person or {}) or reference, *titles]))
    stored = await desk.read(reference) if reference else None
    if stored is None:
        return reference
    related = [coded(one) for one in stored.resource.get("relationship", [])[:1]]
    return " ".join(filter(None, [name_of(stored.resource) or reference, *related]))


def coded(concept: Resource | None) -> str:
    """A code of ours in both languages; any other concept as it says itself."""
    for system, code in codes_in(concept):
        for one in CODE_SYSTEMS:
            if one.url == system and code in one.by_code:
                return f"{one.by_code[code].zh} {one.by_code[code].display}"
    return shown(concept)


def when(at: datetime | None, desk: Desk) -> str:
    """A moment in the department's time; empty without one."""
    return f"{at.astimezone(ZoneInfo(settings_of(desk).time_zone)):%Y-%m-%d %H:%M}" if at else ""

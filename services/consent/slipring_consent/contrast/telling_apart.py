"""Two injections of one exam told apart: which one it is, when, of what and how much."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from slipring.fhir.service import Desk, Resource

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.facts import agent_of_concept
from slipring_consent.contrast.holding import contained_medication
from slipring_consent.contrast.known import kept_lot
from slipring_consent.contrast.lots import agent_of_lot
from slipring_consent.contrast.record import times_of
from slipring_consent.contrast.stock import given_ml
from slipring_consent.department import settings_of

_NUMBER = re.compile(r" \(no\. (\d+)\)$")


async def in_words(administration: Resource, desk: Desk, *, number: int = 1) -> tuple[str, str]:
    """An injection as its record says it now, in Chinese and English: 2026-03-02 10:05 iohexol 30 ml (no. 2)."""
    zone = settings_of(desk).time_zone
    started, ended = times_of(administration, zone)
    at, dose = started or ended, given_ml(administration)
    lot = contained_medication(administration)
    kept = await kept_lot(administration, desk) if lot is None else None
    medication = lot or (kept.resource if kept is not None else None)
    agent = agent_of_concept(administration.get("medicationCodeableConcept"))
    agent = agent or (agent_of_lot(medication) if medication else None)
    when = f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" if at else ""
    much = f"{shown(dose)} ml" if dose is not None else ""
    names = (agent.zh, agent.en) if agent else ("对比剂", "contrast")
    counted = (f"（第 {number} 次）", f" (no. {number})") if number > 1 else ("", "")
    zh, en = (" ".join(filter(None, (when, name, much))) + which for name, which in zip(names, counted, strict=True))
    return zh, en


def number_in(words: str) -> int:
    """Which of the injections of its exam the words say it is."""
    said = _NUMBER.search(words)
    return int(said[1]) if said else 1

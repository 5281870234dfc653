"""The record of a case: its events as they are proved, and the Communication that is sealed when it closes."""

from __future__ import annotations

from typing import Any

from slipring.fhir.service import CANONICAL, Desk, Resource, Save
from slipring.signing.case_chain import head, start, texts
from slipring.signing.seal import canonical

from slipring_critical.cases.facts import CASE_EVENT, case_facts
from slipring_critical.cases.marks import drill_meta
from slipring_critical.cases.resources import instant

CASE_SEAL = f"{CANONICAL}/StructureDefinition/case-seal"
CASE_RECORD = "slipring-critical-record"  # the `typ` of the seal over the record of a closed case
_TOPIC = {"coding": [{"system": "http://loinc.org", "code": "73568-8"}]}  # Communication of critical results
_DIFFICULTIES = frozenset({"no-route", "step-failed", "read-back-mismatch", "reached-not-authorised", "acted-overdue"})


def chained_events(case: Resource) -> list[dict[str, str]]:
    """The events of a case as text, each with the digest of the one before and its own."""
    return [texts(e["extension"]) for e in case["extension"] if e["url"] == CASE_EVENT]


def stated_head(case: Resource) -> bytes:
    """What is sealed of a chain: how many events there are, and the last digest."""
    events, reference = chained_events(case), f"Task/{case['id']}"
    last = events[-1].get("digest", "") if events else start(reference)
    return head(reference, last, len(events))


def sealed_record(case: Resource, desk: Desk) -> Save:
    """The closed case in one Communication that stands beside the report: who was told what when, and what was done.

    ISO 15189:2012 5.9.1 b asks for date, time, responsible staff, person notified, result conveyed and difficulties; the
    seal covers the text and, by its last digest, every event.
    """
    facts = case_facts(case)
    told = next((event for event in reversed(facts.events) if event.what == "read-back-confirmed"), None)
    hard = [event.what for event in facts.events if event.what in _DIFFICULTIES]
    said: dict[str, Any] = {
        "case": facts.reference,
        "finding": facts.finding,
        "level": facts.policy.level,
        "recognised": instant(facts.events[0].at),
        "responsible": str(case.get("requester", {}).get("reference", "")),
        "receiver": facts.receiver,
        "medium": told.outcome if told else "",
        "readBack": instant(told.at) if told else "",
        "difficulties": " ".join(dict.fromkeys(hard)),
        "action": "; ".join(str(one["valueCodeableConcept"].get("text", "")) for one in case.get("output", [])),
        "closed": instant(desk.now),
        "chain": stated_head(case).decode(),
    }
    content = canonical(said)
    record: Resource = {
        "resourceType": "Communication",
        "id": desk.new_id(),
        **drill_meta(facts.drill),
        "extension": [{"url": CASE_SEAL, "valueString": desk.seals.seal(content, CASE_RECORD)}],
        "basedOn": [{"reference": facts.reference}],
        "status": "completed",
        "topic": _TOPIC,
        "about": [{"reference": facts.observation}] if facts.observation else None,
        "subject": case.get("for"),
        "recipient": [{"reference": facts.receiver}] if facts.receiver else None,
        "sent": instant(facts.events[0].at),
        "received": instant(told.at) if told else None,
        "payload": [{"contentString": content.decode()}],
    }
    return Save({name: value for name, value in record.items() if value})

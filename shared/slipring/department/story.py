"""One timeline of an exam, top to bottom: states with their times, decisions with who and why, findings, what was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.department import names
from slipring.department.exams import STATE_SYSTEM, Exam
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError

_DECISION = "justification-decision"


@dataclass(frozen=True, slots=True)
class Event:
    """One moment of the story; `kind`: state, decision, finding, answer, done."""

    at: datetime
    kind: str
    words: Pair
    detail: Pair = ("", "")
    who: str = ""
    reference: str = ""


async def story_of(hand: Hand, exam: Exam) -> list[Event]:
    """What happened, oldest first; what the person's roles do not open is left out."""
    events = await _states(hand, exam)
    events += await _decisions(hand, exam)
    events += [Event(one.at, "finding", one.words, (one.clause, one.clause)) for one in exam.findings or [] if one.at]
    events += await _done(hand, exam)
    return sorted(events, key=lambda event: event.at)


async def _states(hand: Hand, exam: Exam) -> list[Event]:
    try:
        versions = await hand.history(exam.reference)
    except FhirError as refused:
        if refused.status == 403:
            return []
        raise
    events: list[Event] = []
    last = ""
    for version in reversed(versions):
        state = names.code_in(version.get("businessStatus"), "exam-state")
        at = names.moment(version.get("meta", {}).get("lastUpdated"))
        if state != last and at is not None:
            coding = next(c for c in version["businessStatus"]["coding"] if c.get("system") == STATE_SYSTEM)
            reason = names.concept_words(version.get("statusReason"))
            events.append(Event(at, "state", names.coding_words(coding), reason, reference=exam.reference))
        last = state
    return events


async def _decisions(hand: Hand, exam: Exam) -> list[Event]:
    asked = [("target", f"ServiceRequest/{exam.id}"), ("_include", "Provenance:agent")]
    found = await hand.if_allowed("Provenance", asked) or []
    people = {f"{one['resourceType']}/{one['id']}": one for one in found}
    return [event for one in found if one["resourceType"] == "Provenance" if (event := _decision(one, people))]


def _decision(record: Tree, people: dict[str, Tree]) -> Event | None:
    at, activity = names.moment(record.get("recorded")), record.get("activity")
    if at is None or not names.code_in(activity, _DECISION):
        return None
    code = names.code_in(activity, _DECISION)
    agents: list[Tree] = record.get("agent", [])
    who = names.reference_in(agents[0].get("who")) if agents else ""
    reasons = [names.concept_words(concept) for concept in record.get("reason", [])]
    why = ("；".join(one[0] for one in reasons), "; ".join(one[1] for one in reasons))
    return Event(at, "decision", (code, code), why, names.person(people.get(who)) or who, f"Provenance/{record['id']}")


async def _done(hand: Hand, exam: Exam) -> list[Event]:
    """Images, performed steps and dose."""
    about = f"ServiceRequest/{exam.id}"
    events: list[Event] = []
    for kept_type, parameter, member, words in (
        ("ImagingStudy", "basedon", "started", ("收到影像", "Images received")),
        ("Procedure", "based-on", "performedPeriod", ("设备执行记录", "Step performed at the scanner")),
        ("Observation", "based-on", "effectiveDateTime", ("剂量及测量", "Dose or measurement")),
    ):
        for one in await hand.if_allowed(kept_type, [(parameter, about)]) or []:
            at = _begun(one.get(member)) or names.moment(one.get("meta", {}).get("lastUpdated"))
            if at is not None:
                said = " · ".join(filter(None, [one.get("valueString"), *(n.get("text") for n in one.get("note", []))]))
                events.append(Event(at, "done", words, (said, said), reference=f"{kept_type}/{one['id']}"))
    return events


def _begun(value: Any) -> datetime | None:
    return names.moment(value.get("start") if isinstance(value, dict) else value)

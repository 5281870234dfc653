"""FHIR in, facts out: the only place besides resources.py that knows how a case and its parts are spelt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_critical.cases.marks import is_drill
from slipring_critical.ladders.ladder import Ladder, Taken, ladder_of

TASK_CODE = f"{CANONICAL}/CodeSystem/task-code"
TASK_OUTPUT = f"{CANONICAL}/CodeSystem/task-output"
CASE_STATE = f"{CANONICAL}/CodeSystem/case-state"
CRITICAL_FINDING = f"{CANONICAL}/CodeSystem/critical-finding"
FINDING_LEVEL = f"{CANONICAL}/CodeSystem/finding-level"
CHANNEL = f"{CANONICAL}/CodeSystem/channel"
CASE_KEY = f"{CANONICAL}/identifier/case"
LADDER_SNAPSHOT = f"{CANONICAL}/StructureDefinition/ladder-snapshot"
CASE_EVENT = f"{CANONICAL}/StructureDefinition/case-event"
ROUTE_OF = f"{CANONICAL}/StructureDefinition/route-of"
ATTEMPT_ID = f"{CANONICAL}/StructureDefinition/attempt-id"
CONTACT_ROUTE = f"{CANONICAL}/StructureDefinition/contact-route"

_HANDED_OVER = frozenset({"completed", "cancelled", "rejected", "failed", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a case, as its timeline tells it."""

    what: str
    at: datetime
    who: str = ""  # a reference, or the name of a ladder target
    round: int = 0
    step: int = 0
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """A case as the ladder and the rules see it."""

    reference: str
    state: str
    policy: Ladder
    events: tuple[Event, ...]
    finding: str
    observation: str
    request: str
    patient: str
    owner: str
    drill: bool = False

    @property
    def history(self) -> tuple[Taken, ...]:
        """The steps of the ladder in force taken so far; a step whose every attempt failed for good reached nobody.

        When the severity rose another ladder is in force, and none of its steps was taken before.
        """
        taken: list[Taken] = []
        for event in self.events:
            if event.what == "step":
                rang = event.outcome in ("rung", "partly")
                taken.append(Taken(event.round, event.step, event.at, event.outcome == "rung", rang))
            elif event.what == "step-failed" and taken:
                last = taken[-1]
                taken[-1] = Taken(last.round, last.number, last.at, reached=False, rang=event.outcome == "partly")
            elif event.what == "severity-rose":
                taken.clear()
        return tuple(taken)

    @property
    def mismatches(self) -> int:
        """Wrong read-backs since the last step rang."""
        count = 0
        for event in self.events:
            count = 0 if event.what == "step" else count + (event.what == "read-back-mismatch")
        return count

    @property
    def receiver(self) -> str:
        """Who read the finding back last, '' before that."""
        return next((e.who for e in reversed(self.events) if e.what == "read-back-confirmed"), "")

    @property
    def offered_to(self) -> str:
        """Whom the owner wants to hand the case over to, who has not accepted yet; '' when nobody."""
        last = next((e for e in reversed(self.events) if e.what.startswith("hand-over-")), None)
        return last.who if last and last.what == "hand-over-offered" else ""


def code_of(concept: Any, system: str) -> str:
    """The code of a CodeableConcept in one system, or ''."""
    codings = concept.get("coding", []) if isinstance(concept, dict) else []
    return next((str(coding["code"]) for coding in codings if coding.get("system") == system and "code" in coding), "")


def reference_of(reference: Any) -> str:
    """The relative reference without a version, or ''."""
    text = reference.get("reference", "") if isinstance(reference, dict) else ""
    return "/".join(text.partition("/_history/")[0].rsplit("/", 2)[-2:])


def first_reference(references: Iterable[Any] | None, resource_type: str) -> str:
    """The first reference to a type, or ''."""
    return next((r for r in map(reference_of, references or []) if r.startswith(f"{resource_type}/")), "")


def is_flag(observation: Resource) -> bool:
    """Whether an Observation carries a critical finding code."""
    return bool(code_of(observation.get("code"), CRITICAL_FINDING))


def is_handover(task: Resource) -> bool:
    """Whether a Task is a hand-over."""
    return code_of(task.get("code"), TASK_CODE) == "hand-over"


def waits(handover: Resource) -> bool:
    """Whether a hand-over still waits for its case."""
    return is_handover(handover) and handover.get("status") not in _HANDED_OVER


def is_case(task: Resource) -> bool:
    """Whether a Task is one of our cases."""
    return code_of(task.get("code"), TASK_CODE) == "critical-case"


def case_facts(task: Resource) -> CaseFacts:
    """Read a case back from its Task."""
    snapshot = next(e["valueString"] for e in task["extension"] if e["url"] == LADDER_SNAPSHOT)
    return CaseFacts(
        reference=f"Task/{task['id']}",
        state=code_of(task.get("businessStatus"), CASE_STATE),
        policy=ladder_of(snapshot),
        events=tuple(_event(e) for e in task["extension"] if e["url"] == CASE_EVENT),
        finding=code_of(task.get("reasonCode"), CRITICAL_FINDING),
        observation=reference_of(task.get("focus")),
        request=reference_of(task.get("reasonReference")),
        patient=reference_of(task.get("for")),
        owner=reference_of(task.get("owner")),
        drill=is_drill(task),
    )


def facts_told(task: Resource) -> CaseFacts | None:
    """A case as far as it can be read; None of one that was imported without its ladder, or with events of another make."""
    try:
        return case_facts(task)
    except (KeyError, StopIteration, TypeError, ValueError):
        return None


def can_ring(task: Resource) -> bool:
    """Whether a case holds what it needs to go on: a ladder that can be read, events, and when it was opened."""
    return facts_told(task) is not None and "authoredOn" in task


def imaging_number(request: Resource) -> str:
    """The unique imaging number (identifier type ACSN) of a request, or ''."""
    return next(
        (
            str(identifier.get("value", ""))
            for identifier in request.get("identifier", [])
            if any(coding.get("code") == "ACSN" for coding in identifier.get("type", {}).get("coding", []))
        ),
        "",
    )


def attempt_route(communication: Resource) -> str:
    """Which contact route an attempt goes to: Endpoint/..., '' for the fallback route."""
    return next(
        (reference_of(e["valueReference"]) for e in communication.get("extension", []) if e["url"] == CONTACT_ROUTE), ""
    )


def attempt_id(communication: Resource) -> str:
    """The attempt id under which a message was delivered, or ''."""
    return next((str(e["valueString"]) for e in communication.get("extension", []) if e["url"] == ATTEMPT_ID), "")


def _event(extension: dict[str, Any]) -> Event:
    parts = {part["url"]: part for part in extension["extension"]}
    who = parts.get("who", {})
    return Event(
        what=parts["what"]["valueCode"],
        at=datetime.fromisoformat(parts["at"]["valueInstant"]),
        who=reference_of(who["valueReference"]) if "valueReference" in who else who.get("valueString", ""),
        round=int(parts.get("round", {}).get("valuePositiveInt", 0)),
        step=int(parts.get("step", {}).get("valuePositiveInt", 0)),
        outcome=parts.get("outcome", {}).get("valueCode", ""),
    )

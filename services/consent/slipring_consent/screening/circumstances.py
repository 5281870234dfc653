"""What the exam and the stay say: the agent planned, the route, the urgency, inpatient or not, earlier contrast. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from slipring.fhir.search.moment import Interval
from slipring.fhir.service import Resource

from slipring_consent.contrast.agents import agent_of, is_contrast_agent
from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.reading import codes_in, reference_of, span
from slipring_consent.screening.answers import UNKNOWN, answers_of, moments_of, one_of
from slipring_consent.screening.evidence import Evidence

INTRAVENOUS = "intravenous"
ROUTES = (INTRAVENOUS, "arterial-first-pass", "arterial-second-pass")
_ARTERIAL = frozenset({"58100008"})  # SNOMED CT intra-arterial route: without more, the kidneys may be met first
_BED = frozenset({"IMP", "ACUTE", "NONAC", "EMER", "OBSENC"})  # v3 ActCode; an emergency is acute illness
_NO_BED = frozenset({"AMB", "HH", "VR", "FLD", "SS", "PRENC"})
_CURRENT = frozenset({"in-progress", "arrived", "triaged", "onleave"})
_PAST = frozenset({"finished", "cancelled", "entered-in-error"})
_INTENSIVE_WORDS = ("重症监护", "重症医学", "icu", "intensive care")
_INTENSIVE_CODES = frozenset({"ICU", "PEDICU", "PEDNICU", "CCU", "309904001"})  # v3 RoleCode, SNOMED CT
GIVEN = {
    "MedicationAdministration": ("completed", "in-progress", "stopped"),
    "MedicationStatement": ("completed", "active", "stopped"),
}


def planned_agent(evidence: Evidence) -> str:
    """The ATC code of the agent in the request's details; empty where none is named."""
    return agent_of(coding for detail in (evidence.request or {}).get("orderDetail", []) for coding in codes_in(detail))


def route_of(evidence: Evidence) -> str:
    """The route: as answered, else as ordered; contrast for CT is given into a vein unless somebody says otherwise."""
    answered = one_of(answers_of(evidence.response), "route", ROUTES)
    if answered != UNKNOWN:
        return answered
    details = [code for one in (evidence.request or {}).get("orderDetail", []) for _, code in codes_in(one)]
    return "arterial-first-pass" if _ARTERIAL & set(details) else INTRAVENOUS


def is_stat(evidence: Evidence) -> bool:
    """Whether the request does not wait."""
    return (evidence.request or {}).get("priority") == "stat"


def inpatient(evidence: Evidence) -> str:
    """Whether the patient lies in a bed now: by the request's own encounter, else by those that are going on."""
    classes = {str(one.get("class", {}).get("code", "")) for one in _stays(evidence)}
    return "yes" if classes & _BED else "no" if classes & _NO_BED else UNKNOWN


def in_intensive_care(evidence: Evidence) -> bool:
    """Whether a current stay is one in intensive care, by its place, its type or its service."""
    for stay in _stays(evidence):
        places = [one for one in stay.get("location", []) if one.get("status", "active") == "active"]
        wards = [evidence.at(reference_of(one.get("location"))) or {} for one in places]
        concepts = [
            *stay.get("type", []),
            stay.get("serviceType"),
            *(kind for w in wards for kind in w.get("type", [])),
        ]
        texts = [str(one.get("location", {}).get("display", "")) for one in places]
        texts += [str(ward.get("name", "")) for ward in wards]
        texts += [str(text) for one in concepts if one for text in (one.get("text"), *_displays(one)) if text]
        coded = any(code in _INTENSIVE_CODES for one in concepts for _, code in codes_in(one))
        if coded or any(word in text.lower() for text in texts for word in _INTENSIVE_WORDS):
            return True
    return False


def last_contrast(evidence: Evidence, now: datetime, zone: str) -> tuple[datetime, datetime] | None:
    """From when to when, up to now, contrast of another exam was given last; a bare day may be any moment of it."""
    told = [at for at, _ in earlier_contrast(evidence, zone)] + moments_of(evidence.response, "last-contrast", zone)
    newest = max(((min(at.high, now), at.low) for at in told if at.low <= now), default=None)
    return (newest[1].astimezone(ZoneInfo(zone)), newest[0]) if newest else None


def _displays(concept: Resource) -> list[str]:
    return [str(coding.get("display", "")) for coding in concept.get("coding", [])]


def _stays(evidence: Evidence) -> list[Resource]:
    own = evidence.at(reference_of((evidence.request or {}).get("encounter")))
    mine = [one for one in evidence.of("Encounter") if own is one and one.get("status") not in _PAST]
    return mine or [one for one in evidence.of("Encounter") if one.get("status") in _CURRENT]


def earlier_contrast(evidence: Evidence, zone: str) -> list[tuple[Interval, Resource]]:
    """The records of contrast given for other exams, each with its time as wide as it was written."""
    exam = f"ServiceRequest/{(evidence.request or {}).get('id', '')}"
    found = []
    for kind, statuses in GIVEN.items():
        for one in evidence.of(kind):
            at = span(one, "effective", zone)
            mine = kind == "MedicationAdministration" and exam_of_administration(one) == exam
            if (
                at
                and not mine
                and one.get("status") in statuses
                and is_contrast_agent(codes_in(evidence.medicine(one)))
            ):
                found.append((at, one))
    return found

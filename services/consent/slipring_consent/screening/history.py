"""What conditions, medicines and procedures say about a fact of screening. Pure.

A record that is refuted, entered in error, resolved or inactive says nothing; a record that leaves it open whether it
still holds is a doubt, and a doubt is no "no".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.service import Resource

from slipring_consent.catalogue import data_file
from slipring_consent.reading import codes_in, span
from slipring_consent.screening.evidence import Evidence
from slipring_consent.screening.words import names, suspects

YES, DOUBT, SILENT = "yes", "doubt", ""
Told = tuple[str, Resource]  # how sure, and the record that says so
_GONE = frozenset({"inactive", "resolved", "remission"})
_WRONG = frozenset({"refuted", "entered-in-error"})
_TAKEN = {"active": YES, "intended": YES, "on-hold": YES, "unknown": DOUBT}
_PRESCRIBED = {"active": YES, "on-hold": YES, "unknown": DOUBT}
_GIVEN = frozenset({"completed", "in-progress", "on-hold", "stopped", "unknown"})
_PERFORMED = {"completed": YES, "in-progress": YES, "on-hold": YES, "stopped": YES, "unknown": DOUBT}
_AHEAD = {"preparation": YES, "in-progress": YES, "on-hold": YES, "active": YES, "intended": YES, "unknown": DOUBT}


def stands(record: Resource) -> bool:
    """Whether a Condition or AllergyIntolerance is neither taken back nor over."""
    status = {code for _, code in codes_in(record.get("clinicalStatus"))}
    return not status & _GONE and not is_wrong(record)


def is_wrong(record: Resource) -> bool:
    """Whether a Condition or AllergyIntolerance was refuted, or entered in error."""
    return bool({code for _, code in codes_in(record.get("verificationStatus"))} & _WRONG)


def told_by(evidence: Evidence, now: datetime, zone: str) -> dict[str, list[Told]]:
    """Every fact with the records that name it, each with `yes` or `doubt`."""
    facts = data_file("history.toml")["fact"]
    found = {name: list(_told(name, fact, evidence, now, zone)) for name, fact in facts.items()}
    found["dialysis"] += _dialysis(evidence, now, zone)
    return {name: said for name, told in found.items() if (said := [one for one in told if one[0] != SILENT])}


def history_of(evidence: Evidence, now: datetime, zone: str) -> dict[str, str]:
    """Every fact that a record names, with `yes` or `doubt`."""
    told = told_by(evidence, now, zone)
    return {name: YES if any(strength == YES for strength, _ in said) else DOUBT for name, said in told.items()}


def _told(name: str, fact: Mapping[str, Any], evidence: Evidence, now: datetime, zone: str) -> Iterable[Told]:
    if name == "radioiodine_planned":
        yield from _ahead(fact, evidence, now, zone)
        return
    for condition in evidence.of("Condition"):
        if stands(condition) and _recent(condition, fact, now, zone):
            yield _diagnosed(condition, fact), condition
    for medicine in evidence.of("MedicationStatement"):
        if _is_of(medicine, fact, evidence) and _not_over(medicine, "effective", now, zone):
            yield _TAKEN.get(str(medicine.get("status")), SILENT), medicine
    for medicine in evidence.of("MedicationRequest"):
        if _is_of(medicine, fact, evidence) and medicine.get("doNotPerform") is not True:
            yield _PRESCRIBED.get(str(medicine.get("status")), SILENT), medicine
    for given in evidence.of("MedicationAdministration"):
        if given.get("status") in _GIVEN and _is_of(given, fact, evidence):
            yield _lately(given, now, zone), given
    for procedure in evidence.of("Procedure"):
        if names(procedure.get("code"), fact):
            yield _PERFORMED.get(str(procedure.get("status")), SILENT), procedure


def _diagnosed(condition: Resource, fact: Mapping[str, Any]) -> str:
    """A diagnosis that nobody has confirmed, by its status or its words, leaves the question open."""
    concept, status = condition.get("code"), {code for _, code in codes_in(condition.get("verificationStatus"))}
    if not names(concept, fact):
        return DOUBT if fact.get("suspicion_asks") and suspects(concept, fact) else SILENT
    open_yet = status & set(data_file("history.toml")["suspected"]["status"]) or suspects(concept, fact)
    return DOUBT if open_yet else YES


def _is_of(record: Resource, fact: Mapping[str, Any], evidence: Evidence) -> bool:
    return any(names(concept, fact) for concept in evidence.medicines(record))


def _lately(given: Resource, now: datetime, zone: str) -> str:
    """Who was given a medicine some days ago takes it; when it is not said when, he may."""
    at = span(given, "effective", zone)
    days = timedelta(days=data_file("history.toml")["given"]["within_days"])
    return DOUBT if at is None else YES if at.high >= now - days else SILENT


def _ahead(fact: Mapping[str, Any], evidence: Evidence, now: datetime, zone: str) -> Iterable[Told]:
    """What is planned: a request, procedure or medicine that has not been carried out."""
    for kind in ("ServiceRequest", "Procedure", "MedicationRequest", "MedicationStatement"):
        for one in evidence.of(kind):
            concept = one.get("code") if kind in ("ServiceRequest", "Procedure") else evidence.medicine(one)
            meant = one.get("doNotPerform") is not True and names(concept, fact)
            if meant and _not_over(one, "occurrence" if kind == "ServiceRequest" else "effective", now, zone):
                yield _AHEAD.get(str(one.get("status")), SILENT), one


def _recent(record: Resource, fact: Mapping[str, Any], now: datetime, zone: str) -> bool:
    """Whether a condition has not ended, and is not older than the fact can last."""
    ended = span(record, "abatement", zone)
    if ended is not None and ended.high <= now:
        return False
    days = fact.get("within_days")
    begun = span(record, "onset", zone) or span(record, "recorded", zone)
    return days is None or begun is None or begun.high >= now - timedelta(days=days)


def _not_over(record: Resource, member: str, now: datetime, zone: str) -> bool:
    """Whether the period of a record, where it has one, still runs or is still to come."""
    period = record.get(f"{member}Period")
    ended = span({"endDateTime": period["end"]}, "end", zone) if isinstance(period, dict) and "end" in period else None
    return ended is None or ended.high > now


def _dialysis(evidence: Evidence, now: datetime, zone: str) -> list[Told]:
    """Sessions close together are dialysis that goes on; a single one leaves the question open."""
    entry = data_file("history.toml")["dialysis_session"]
    sessions, undated = [], []
    for procedure in evidence.of("Procedure"):
        if procedure.get("status") not in ("completed", "in-progress") or not names(procedure.get("code"), entry):
            continue
        at = span(procedure, "performed", zone)
        if at is None:
            undated.append(procedure)
        elif now - timedelta(days=entry["within_days"]) <= at.high:
            sessions.append(procedure)
    goes_on = YES if len(sessions) >= entry["sessions"] else DOUBT
    return [*((goes_on, one) for one in sessions), *((DOUBT, one) for one in undated)]

"""What is odd about contrast that was given, on record beside the fact: kept while it holds, taken back when it no longer does."""

from __future__ import annotations

from slipring.fhir.findings import rule_of
from slipring.fhir.service import Desk, Resource, Save, Stored, successor
from slipring.rules.finding import Finding, Weight

from slipring_consent.contrast.facts import agent_of_concept
from slipring_consent.contrast.holding import records_of
from slipring_consent.contrast.known import contrast_known, kept_lot
from slipring_consent.contrast.lots import RECALLED, lot_of, state_of
from slipring_consent.contrast.record import record_facts, times_of
from slipring_consent.contrast.resources import named_in, received_by
from slipring_consent.contrast.stock import Stock, stock_of
from slipring_consent.department import settings_of
from slipring_consent.reading import reference_of
from slipring_consent.rules import CONTRAST_RULES, RECORD_RULES
from slipring_consent.verdicts import checked, on_record

_TAKEN_BACK = frozenset({"cancelled", "entered-in-error"})
_CLAUSE = "CL02-A011:5.3.2.1"
OVERDRAWN = "consent.lot-overdrawn"


async def on_fact(administration: Resource, before: Resource | None, desk: Desk) -> list[Save]:
    """What the rules find about contrast that was given, and what it means for its lot."""
    zone = settings_of(desk).time_zone
    stored = await kept_lot(administration, desk)
    lot = lot_of(stored.resource, zone) if stored is not None else None
    agent = lot.agent if lot else agent_of_concept(administration.get("medicationCodeableConcept"))
    started, ended = times_of(administration, zone)
    given_at = started or ended or desk.now
    findings = checked(record_facts(administration, before, lot, agent, zone), RECORD_RULES, desk)
    findings += checked(await contrast_known(administration, desk, given_at), CONTRAST_RULES, desk)
    saves = await _brought_up_to_date(administration, findings, desk)
    if stored is not None:
        saves += await overdrawn(stored, administration, desk)
        saves += await _after_a_recall(stored, administration, desk)
    return saves


async def overdrawn(lot: Stored, record: Resource, desk: Desk) -> list[Save]:
    """A finding about the lot when this record takes more than ever came in; it stands until the books are mended."""
    time_zone = settings_of(desk).time_zone
    read = lot_of(lot.resource, time_zone)
    own = f"{record['resourceType']}/{record['id']}"
    others = [one.resource for one in await records_of(lot.resource, desk) if one.reference != own]
    pack_ml = read.pack_ml if read else None
    was, now = stock_of(others, pack_ml), stock_of([*others, record], pack_ml)
    if now.left_ml >= 0 or was.left_ml < 0 or any(rule_of(one) == OVERDRAWN for one in await _standing(lot, desk)):
        return []
    return on_record([overdrawn_finding(read.number if read else "", now)], desk, patient="", about=lot.reference)


async def _standing(about: Stored, desk: Desk) -> list[Resource]:
    held = await desk.search(f"DetectedIssue?implicated={about.reference}")
    return [one.resource for one in held if not one.source and one.resource.get("status") not in _TAKEN_BACK]


def overdrawn_finding(number: str, stock: Stock) -> Finding:
    """More of a lot was used than came in."""
    zh, en = f"批次 {number} 的使用与报废多于到货。", f"More of lot {number} was used than came in."
    return Finding(OVERDRAWN, "1", _CLAUSE, Weight.WARN, zh, en, "Medication", {"left_ml": str(stock.left_ml)})


async def _brought_up_to_date(administration: Resource, findings: list[Finding], desk: Desk) -> list[Save]:
    """New findings are kept; one that no longer holds is taken back, unless a named person has decided on it."""
    about = f"MedicationAdministration/{administration['id']}"
    held = [one for one in await desk.search(f"DetectedIssue?implicated={about}") if not one.source]
    stand = [one for one in held if one.resource.get("status") not in _TAKEN_BACK]
    known = {(rule_of(one.resource), one.resource.get("detail")) for one in stand}
    found = {(one.rule, one.zh) for one in findings}
    ours = {each.id for each in RECORD_RULES} | {each.id for each in CONTRAST_RULES}
    patient = reference_of(administration.get("subject"))
    new = [one for one in findings if (one.rule, one.zh) not in known]
    over = [
        one
        for one in stand
        if rule_of(one.resource) in ours
        and not one.resource.get("mitigation")
        and (rule_of(one.resource), one.resource.get("detail")) not in found
    ]
    return [*on_record(new, desk, patient=patient, about=about), *(successor(one, status="cancelled") for one in over)]


async def _after_a_recall(lot: Stored, administration: Resource, desk: Desk) -> list[Save]:
    """Who is recorded only after a recall stands on its list, too."""
    if state_of(lot.resource) != RECALLED:
        return []
    line = received_by(administration)
    return [
        successor(one, output=[*one.resource.get("output", []), line])
        for one in await desk.search(f"Task?code=lot-recall&focus={lot.reference}")
        if not one.source and reference_of(line["valueReference"]) not in named_in(one.resource)
    ]

"""`ServiceRequest/$advice-feedback`: what became of advice at ordering, kept and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.fhir.cards import rule_of_card
from slipring.fhir.findings import RULE_SYSTEM
from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import CANONICAL, Call, Changes, Desk, Resource, Save

from slipring_order.judging.advice import CARD_SYSTEM, FEEDBACK_SYSTEM, OUTCOMES
from slipring_order.reading import instant
from slipring_order.rules import ORDER_RULES

_RULES = {rule.id: rule for rule in ORDER_RULES}


async def feedback_given(call: Call, desk: Desk) -> Changes:
    """One DetectedIssue per card, with what was done as its mitigation; the same card told again adds to it.

    All of it is kept or, when one entry is not usable, none.
    """
    entries = [
        (position, {part.get("name"): _value(part) for part in parameter.get("part", [])})
        for position, parameter in enumerate(call.parameters.get("parameter", []))
        if parameter.get("name") == "feedback"
    ]
    issues = [issue for position, entry in entries for issue in _faults(position, entry)]
    if issues:
        raise FhirError(422, issues)
    records: dict[str, Save] = {}
    for _, entry in entries:
        card = _card(entry)
        records[card] = await _record(card, entry, records.get(card), desk)
    answer = [{"name": "issue", "resource": save.resource} for save in records.values()]
    return Changes(save=list(records.values()), answer={"resourceType": "Parameters", "parameter": answer})


async def _record(card: str, entry: Mapping[str, Any], earlier: Save | None, desk: Desk) -> Save:
    known = None if earlier else next(iter(await desk.search(f"DetectedIssue?identifier={CARD_SYSTEM}|{card}")), None)
    before = earlier.resource if earlier else known.resource if known else _fresh(card, entry, desk)
    replaces = earlier.replaces if earlier else known.version if known else None
    done = _mitigation(entry, desk)
    held = before.get("mitigation", [])
    return Save({**before, "mitigation": held if done in held else [*held, done]}, replaces=replaces)


def _fresh(card: str, entry: Mapping[str, Any], desk: Desk) -> Resource:
    rule = _RULES[rule_of_card(card, _RULES)]
    issue: Resource = {
        "resourceType": "DetectedIssue",
        "id": desk.new_id(),
        "identifier": [{"system": CARD_SYSTEM, "value": card}],
        "status": "final",
        "code": {"coding": [{"system": RULE_SYSTEM, "version": rule.version, "code": rule.id}]},
        "identifiedDateTime": str(entry.get("at") or instant(desk.now)),
        "reference": f"{CANONICAL}/cds-services/{entry['service']}",
    }
    return issue | ({"author": {"reference": desk.caller.practitioner}} if desk.caller.practitioner else {})


def _mitigation(entry: Mapping[str, Any], desk: Desk) -> Resource:
    coding = [
        {"system": FEEDBACK_SYSTEM, "code": entry["outcome"]},
        *([entry["reason"]] if entry.get("reason") else []),
    ]
    action: Resource = {"coding": coding} | ({"text": entry["comment"]} if entry.get("comment") else {})
    done: Resource = {"action": action, "date": str(entry.get("at") or instant(desk.now))}
    return done | ({"author": {"reference": desk.caller.practitioner}} if desk.caller.practitioner else {})


def _faults(position: int, entry: Mapping[str, Any]) -> list[Issue]:
    place = f"Parameters.parameter[{position}].part.where(name='%s')"
    faults = []
    if not rule_of_card(_card(entry), _RULES):
        faults.append(
            Issue(
                "not-found",
                zh="该卡片不是本系统给出的。",
                en="No card of ours has this id.",
                at=place % "card",
                detail="order.card-unknown",
            )
        )
    if entry.get("outcome") not in OUTCOMES:
        faults.append(
            Issue(
                "code-invalid",
                zh="outcome 须为 accepted 或 overridden。",
                en="outcome is accepted or overridden.",
                at=place % "outcome",
                detail="order.feedback-outcome",
            )
        )
    return faults


def _card(entry: Mapping[str, Any]) -> str:
    return str(entry.get("card", "")).removeprefix("urn:uuid:").lower()


def _value(part: Mapping[str, Any]) -> Any:
    return next((value for member, value in part.items() if member.startswith("value")), None)

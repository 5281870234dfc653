"""`Practitioner/[id]/$may`: what a person may do at a moment, and why not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.outcome import not_found, unprocessable
from slipring.fhir.service import CANONICAL, Call, Changes, Desk, Resource
from slipring.staff import Reason, acts, missing, staff_facts

from slipring_order.people import person_and_roles
from slipring_order.reading import instant, moment

REASON_SYSTEM = f"{CANONICAL}/CodeSystem/issue"


async def permission_told(call: Call, desk: Desk) -> Changes:
    """Each act asked for, or all: allowed or not at that moment, with every reason in both languages."""
    if call.target is None:
        raise not_found("Practitioner")
    at = _at(call, desk)
    person, roles = await person_and_roles(call.target.reference, desk)
    staff = staff_facts(person, roles, at, zone=desk.settings.time_zone)
    answer: list[Resource] = [{"name": "at", "valueDateTime": instant(at)}]
    answer += [_as_part(code, missing(code, staff)) for code in _asked(call)]
    return Changes(answer={"resourceType": "Parameters", "parameter": answer})


def _asked(call: Call) -> list[str]:
    asked = [str(code) for code in call.values("act")]
    if any(code not in acts() for code in asked):
        known = ", ".join(acts())
        raise unprocessable(
            f"`act` is one of: {known}.",
            f"act 须为下列之一：{known}。",
            at=call.at("act"),
            code="code-invalid",
            detail="order.act-unknown",
        )
    return asked or list(acts())


def _at(call: Call, desk: Desk) -> datetime:
    said: Any = call.value("at")
    if said is None:
        return desk.now
    at = moment(said, desk.settings.zone)
    if at is None:
        raise unprocessable(
            "`at` is a day or a moment.",
            "at 须为日期或时刻。",
            at=call.at("at"),
            code="value",
            detail="order.permission-at",
        )
    return at


def _as_part(code: str, lacks: list[Reason]) -> Resource:
    act = acts()[code]
    parts: list[Resource] = [
        {"name": "code", "valueCode": code},
        {"name": "zh", "valueString": act["zh"]},
        {"name": "en", "valueString": act["en"]},
        {"name": "clause", "valueString": act["clause"]},
        {"name": "allowed", "valueBoolean": not lacks},
    ]
    return {"name": "act", "part": parts + [{"name": "reason", "valueCodeableConcept": _concept(one)} for one in lacks]}


def _concept(reason: Reason) -> Resource:
    english = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": reason.en}]
    return {
        "coding": [{"system": REASON_SYSTEM, "code": f"staff.{reason.code}", "display": reason.en}],
        "text": reason.zh,
        "_text": {"extension": [{"url": TRANSLATION, "extension": english}]},
    }

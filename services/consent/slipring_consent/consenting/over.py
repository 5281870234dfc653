"""Whether a consent counts no longer, or not yet, in words for the top of a page. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from slipring.consents.state import in_force
from slipring.fhir.service import Resource

from slipring_consent.consenting.facts import consent_facts
from slipring_consent.consenting.statement import decision_of

_BY_STATUS = {
    "inactive": "已撤回，不再有效 WITHDRAWN - no longer valid",
    "entered-in-error": "记录有误，作废 ENTERED IN ERROR - void",
    "draft": "草稿，尚未签署 DRAFT - not signed",
    "proposed": "草稿，尚未签署 DRAFT - not signed",
}


def over(consent: Resource, now: datetime, time_zone: str) -> str:
    """What a reader must not overlook: withdrawn, refused, expired, not yet in force, void, not signed; else empty."""
    if told := _BY_STATUS.get(str(consent.get("status"))):
        return told
    if decision_of(consent) == "deny":
        return "拒绝使用对比剂 CONTRAST REFUSED"
    facts = consent_facts(consent, None, time_zone=time_zone)
    if facts.ends_at is None or now > facts.ends_at:
        return "已过期，不再有效 EXPIRED - no longer valid"
    if in_force(consent, now, ZoneInfo(time_zone)) == "not-yet":
        return "尚未生效 NOT YET VALID"
    return ""

"""Where consent to contrast stands for one exam, by every Consent that names it: one answer for whoever asks. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, tzinfo

from slipring.fhir.search.moment import moment
from slipring.fhir.service import CANONICAL, Resource, Stored

TREATMENT = ("http://terminology.hl7.org/CodeSystem/consentscope", "treatment")
EXCEPTION = f"{CANONICAL}/StructureDefinition/emergency-exception"
ENDED_BY = f"{CANONICAL}/StructureDefinition/ended-by"  # the refusal that ended a consent; consent alone writes it
EMERGENCY = "emergency-exception"  # what `consent_state` calls an exam that has one
_OVER = frozenset({"refused", "withdrawn"})
_ORDER = ("none", "refused", "expired", "not-yet", EMERGENCY, "active")  # the best of it counts


def consent_state(consents: Collection[Stored], person: Collection[str], now: datetime, zone: tzinfo) -> str:
    """Where consent for one exam stands: a consent in force, else the latest word of the patient, under any of his records.

    One of none, refused, withdrawn, expired, not-yet, emergency-exception, active. Consents that were recorded in error
    belong among them: what a mistaken refusal ended was taken back by nobody.
    """
    void = _void(consents)
    told = [(_state(one.resource, person, now, zone, void), one.updated_at) for one in consents]
    # A refusal withdraws what was given before it in the same commit: of a moment's words the refusal is the later.
    over = max(((at, state == "refused") for state, at in told if state in _OVER), default=None)
    best = max((state for state, _ in told if state not in _OVER), key=_ORDER.index, default="none")
    if over is None or best in (EMERGENCY, "active"):
        return best
    return "refused" if over[1] else "withdrawn"


def was_refused(consents: Collection[Stored], person: Collection[str]) -> bool:
    """Whether contrast was ever refused for this exam, or consent to it taken back; that an exception ended is neither."""
    void = _void(consents)
    said = (_against(one.resource, person, void) for one in consents if not is_exception(one.resource))
    return any(said)


def is_exception(consent: Resource) -> bool:
    """Whether contrast was approved without consent, in an emergency."""
    return any(entry.get("url") == EXCEPTION for entry in consent.get("extension", []))


def in_force(consent: Resource, now: datetime, zone: tzinfo) -> str:
    """Where a consent stands by its own period: `now`, `not-yet` or `expired`; one without an end does not expire."""
    period = consent.get("provision", {}).get("period", {})
    starts, ends = moment(period.get("start"), zone), moment(period.get("end"), zone, end_of_day=True)
    if ends is not None and now > ends:
        return "expired"
    return "not-yet" if starts is not None and now < starts else "now"


def exam_of_consent(consent: Resource) -> str:
    """The ServiceRequest that a Consent covers, by `provision.data` with meaning `instance`."""
    return next(iter(exams_of_consent(consent)), "")


def exams_of_consent(consent: Resource) -> list[str]:
    """All ServiceRequests that a Consent names; an active one names one."""
    named = [
        _named(entry.get("reference"))
        for entry in consent.get("provision", {}).get("data", [])
        if entry.get("meaning") == "instance"
    ]
    return [one for one in dict.fromkeys(named) if one.startswith("ServiceRequest/")]


def ended_by(consent: Resource) -> str:
    """The refusal that ended a consent; empty where none did."""
    said = (entry.get("valueReference") for entry in consent.get("extension", []) if entry.get("url") == ENDED_BY)
    return next(map(_named, said), "")


def _state(consent: Resource, person: Collection[str], now: datetime, zone: tzinfo, void: Collection[str]) -> str:
    if said := _against(consent, person, void):
        return said
    if consent["status"] != "active" or not _is_about(consent, person):
        return "none"
    if not (exam_of_consent(consent) and (consent.get("performer") or is_exception(consent))):
        return "none"  # an imported one was not checked when it was written
    period = in_force(consent, now, zone)
    if moment(consent.get("provision", {}).get("period", {}).get("end"), zone) is None:
        return "expired"
    return period if period != "now" else EMERGENCY if is_exception(consent) else "active"


def _against(consent: Resource, person: Collection[str], void: Collection[str]) -> str:
    """`refused` or `withdrawn` for one that says no, else empty."""
    if not _is_about(consent, person):
        return ""
    denies = consent.get("provision", {}).get("type") == "deny"
    if consent["status"] == "rejected" or (denies and consent["status"] == "active"):
        return "refused"
    return "withdrawn" if consent["status"] == "inactive" and ended_by(consent) not in void else ""


def _is_about(consent: Resource, person: Collection[str]) -> bool:
    scope = [(one.get("system"), one.get("code")) for one in consent.get("scope", {}).get("coding", [])]
    return TREATMENT in scope and _named(consent.get("patient")) in person


def _void(consents: Iterable[Stored]) -> frozenset[str]:
    return frozenset(one.reference for one in consents if one.resource["status"] == "entered-in-error")


def _named(reference: Resource | None) -> str:
    return str((reference or {}).get("reference", "")).partition("/_history/")[0]

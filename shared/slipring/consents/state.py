"""Where consent to contrast stands for one exam, by every Consent that names it: one answer for whoever asks. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, tzinfo

from slipring.fhir.search.moment import interval, moment
from slipring.fhir.service import CANONICAL, Resource, Stored

TREATMENT = ("http://terminology.hl7.org/CodeSystem/consentscope", "treatment")
EXCEPTION = f"{CANONICAL}/StructureDefinition/emergency-exception"
ENDED_BY = f"{CANONICAL}/StructureDefinition/ended-by"  # the refusal that ended a consent; consent alone writes it
EMERGENCY = "emergency-exception"  # what `consent_state` calls an exam that has one
_OPTED_OUT = frozenset({"OPTOUT", "OPTOUTE"})  # v3 ActCode: all is denied but what a provision permits
_OVER = frozenset({"refused", "withdrawn"})
_ORDER = ("none", "sign-again", "refused", "expired", "not-yet", EMERGENCY, "active")  # the best of it counts


def consent_state(consents: Collection[Stored], person: Collection[str], now: datetime, zone: tzinfo) -> str:
    """Where consent for one exam stands: a consent in force, else the latest word of the patient, under any of his records.

    One of none, sign-again, refused, withdrawn, expired, not-yet, emergency-exception, active. Consents that were recorded
    in error belong among them: what a mistaken refusal ended was taken back by nobody, but opens nothing until it is signed again.
    """
    void = _void(consents)
    told = [(_state(one.resource, person, now, zone, void), one.updated_at) for one in consents]
    if _denied_since(consents, person, [at for state, at in told if state in (EMERGENCY, "active")]):
        return "refused"
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


def denies(consent: Resource) -> bool:
    """Whether a Consent says no, whatever its status: by its provision, or by opting out of all that it does not permit."""
    said = consent.get("provision", {}).get("type")
    opted = {one.get("code") for one in consent.get("policyRule", {}).get("coding", [])} & _OPTED_OUT
    return said == "deny" or (bool(opted) and said != "permit")


def has_exceptions(consent: Resource) -> bool:
    """Whether a Consent takes something out of what it permits; what that is, no machine here can tell."""
    inner = list(consent.get("provision", {}).get("provision", []))
    while inner:
        one = inner.pop()
        if one.get("type") == "deny":
            return True
        inner.extend(one.get("provision", []))
    return False


def is_exception(consent: Resource) -> bool:
    """Whether contrast was approved without consent, in an emergency."""
    return any(entry.get("url") == EXCEPTION for entry in consent.get("extension", []))


def in_force(consent: Resource, now: datetime, zone: tzinfo) -> str:
    """Where a consent stands by its own period: `now`, `not-yet` or `expired`; one without an end does not expire.

    A month or a year begins with its first day.
    """
    period = consent.get("provision", {}).get("period", {})
    starts, ends = interval(str(period.get("start", "")), zone), moment(period.get("end"), zone, end_of_day=True)
    if ends is not None and now > ends:
        return "expired"
    return "not-yet" if starts is not None and now < starts.low else "now"


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


def ended_in_error(consent: Resource, void: Collection[str]) -> bool:
    """Whether a refusal ended this consent that is among those recorded in error."""
    return bool(consent["status"] == "inactive") and ended_by(consent) in void


def _state(consent: Resource, person: Collection[str], now: datetime, zone: tzinfo, void: Collection[str]) -> str:
    if said := _against(consent, person, void):
        return said
    if not _is_about(consent, person):
        return "none"
    if consent["status"] != "active":
        return "sign-again" if ended_in_error(consent, void) else "none"
    if has_exceptions(consent):
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
    if consent["status"] == "rejected" or _denies_now(consent):
        return "refused"
    return "withdrawn" if consent["status"] == "inactive" and not ended_in_error(consent, void) else ""


def _denies_now(consent: Resource) -> bool:
    return bool(consent["status"] == "active") and denies(consent)


def _denied_since(consents: Iterable[Stored], person: Collection[str], given: Collection[datetime]) -> bool:
    """Whether contrast was denied at or after the last consent in force: the end of that consent may still be on its way."""
    denied = [one.updated_at for one in consents if _denies_now(one.resource) and _is_about(one.resource, person)]
    return bool(denied and given) and max(denied) >= max(given)


def _is_about(consent: Resource, person: Collection[str]) -> bool:
    scope = [(one.get("system"), one.get("code")) for one in consent.get("scope", {}).get("coding", [])]
    return TREATMENT in scope and _named(consent.get("patient")) in person


def _void(consents: Iterable[Stored]) -> frozenset[str]:
    return frozenset(one.reference for one in consents if one.resource["status"] == "entered-in-error")


def _named(reference: Resource | None) -> str:
    return str((reference or {}).get("reference", "")).partition("/_history/")[0]

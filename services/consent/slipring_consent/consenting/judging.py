"""A consent weighed: what it states, who its patient is, what the rules find. Reads only, for paper and for `$sign` alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from slipring.consents.state import exam_of_consent, is_exception
from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import Issue
from slipring.fhir.service import Desk, Resource
from slipring.rules.finding import Finding, Weight

from slipring_consent.consenting.exception import exception_facts
from slipring_consent.consenting.facts import ConsentFacts, age_on, consent_facts
from slipring_consent.department import limits_of, settings_of
from slipring_consent.people import lacking
from slipring_consent.reading import instant, moment, reference_of
from slipring_consent.rules import CONSENT_RULES, EXCEPTION_FORM_RULES, EXCEPTION_RULES
from slipring_consent.verdicts import as_issues, checked

INFORM = "inform-contrast"  # the act of slipring.staff that explaining contrast needs


async def weighed(
    consent: Resource, desk: Desk, *, signed_at: datetime | None = None
) -> tuple[list[Finding], list[Issue]]:
    """What the rules find, and every issue that keeps it from becoming active; `signed_at` for one signed here."""
    facts = await _facts(consent, desk, signed_at)
    if is_exception(consent):
        findings = checked(facts, EXCEPTION_FORM_RULES, desk)
        findings += checked(await exception_facts(consent, desk), EXCEPTION_RULES, desk)
    else:
        findings = checked(facts, CONSENT_RULES, desk)
    issues = as_issues(finding for finding in findings if finding.weight in (Weight.STOP, Weight.ASK))
    return findings, [*issues, *await other_patient(consent, desk)]


def with_default_end(consent: Resource, desk: Desk) -> dict[str, Resource]:
    """A validity with a beginning only ends after the department's default."""
    provision = consent.get("provision", {})
    period = provision.get("period", {})
    starts_at = moment(period.get("start"), settings_of(desk).time_zone)
    if starts_at is None or period.get("end"):
        return {}
    hours = limits_of(desk).limit("consent.validity_hours").value
    ends = instant(starts_at + timedelta(hours=hours))
    return {"provision": {**provision, "period": {**period, "end": ends}}}


async def other_patient(consent: Resource, desk: Desk) -> list[Issue]:
    """The issue that a consent names no patient, or another one than its exam; none when it is the same person."""
    request = await desk.read(exam_of_consent(consent)) if exam_of_consent(consent) else None
    patient = reference_of(consent.get("patient"))
    subject = reference_of(request.resource.get("subject")) if request else patient
    if patient and (subject == patient or subject in await merge_set(patient, desk)):
        return []
    return [
        Issue(
            "business-rule",
            zh="知情同意须注明患者，且为该检查申请的患者。",
            en="The consent names its patient, who is the patient of the request.",
            at="Consent.patient",
            detail="consent.patient",
        )
    ]


async def _facts(consent: Resource, desk: Desk, signed_at: datetime | None) -> ConsentFacts:
    zone = settings_of(desk).time_zone
    facts = consent_facts(consent, await _relative(consent, desk), time_zone=zone)
    at = signed_at or facts.signed_at
    more: dict[str, Any] = {"signed_here": signed_at is not None, "signed_at": at}
    patient = await desk.read(reference_of(consent.get("patient"))) if consent.get("patient") else None
    if patient is not None:  # of somebody who is not known here nothing is said about his age
        age = age_on(str(patient.resource.get("birthDate", "")), (at or desk.now).astimezone(ZoneInfo(zone)).date())
        more |= {"age_known": age is not None, "age_years": age or 0}
    if facts.explained_by:
        reasons = await lacking(INFORM, facts.explained_by, desk)
        more |= {"informer_zh": "".join(one.zh for one in reasons), "informer_en": " ".join(one.en for one in reasons)}
    return replace(facts, **more)


async def _relative(consent: Resource, desk: Desk) -> Resource | None:
    for performer in consent.get("performer", []):
        reference = reference_of(performer)
        if reference.startswith("RelatedPerson/"):
            stored = await desk.read(reference)
            return stored.resource if stored else None
    return None

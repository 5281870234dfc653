"""Contrast is about to be given, was given, or was left.

A gate refuses permission, never a fact: `in-progress` asks; `completed` and `stopped` tell what happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from slipring.fhir.copies import decided_on
from slipring.fhir.outcome import FhirError, Issue, busy, forbidden
from slipring.fhir.service import Changes, Desk, Resource, Save, Write
from slipring.rules.finding import Finding

from slipring_consent.consenting.exception import approvals_due, as_approval_due
from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.contrast.holding import contained_medication
from slipring_consent.contrast.injection import INJECTION
from slipring_consent.contrast.known import PERMITTED
from slipring_consent.contrast.late import completed, kept
from slipring_consent.department import settings_of
from slipring_consent.gate.override import Override, override_of
from slipring_consent.gate.permission import Permission, asked
from slipring_consent.gate.policy import GatePolicy
from slipring_consent.gate.told import as_may_override
from slipring_consent.gate.uses import as_overridden
from slipring_consent.gate.weighing import gives_contrast
from slipring_consent.handlers.observation import observation_begun, observation_given_back, observation_reworded
from slipring_consent.lifecycle import ADMINISTRATION, illegal
from slipring_consent.reading import codes_in, extensions, instant, moment, reference_of
from slipring_consent.resources import as_nonconformity
from slipring_consent.rules.gate.consent_valid import consent_is_valid
from slipring_consent.verdicts import as_issues, on_record

RECORD_LATE = "slipring/record-late"
FACTS = ("completed", "stopped")


async def contrast_written(write: Write, desk: Desk) -> Changes:
    """Ask the gate, keep the fact, or keep why nothing was given; other drugs are plain records."""
    asks = write.resource.get("status") == "in-progress"
    if write.method == "delete" or (
        write.imported and not asks
    ):  # history is taken as it is; permission is not history
        return Changes.none()
    before = write.before.resource if write.before else None
    was_contrast = before is not None and await gives_contrast(before, desk)
    if not was_contrast and not await gives_contrast(write.resource, desk):
        return Changes.none()
    state = before["status"] if before is not None and was_contrast else "none"
    if before is not None and was_contrast and _changed(before, write.resource):
        return Changes(refuse=_fixed(_changed(before, write.resource)))
    target = write.resource["status"]
    if target == state:
        return await _corrected(before, write, desk) if before is not None else Changes.none()
    error = illegal(ADMINISTRATION, state, target, "MedicationAdministration.status")
    if error:
        return Changes(refuse=error)
    if target == "in-progress":
        return await _asked(write, desk)
    if target in FACTS:
        return await _told(write, desk, permitted=state in PERMITTED)
    if target == "entered-in-error":
        return await observation_given_back(write.reference, desk)
    if target == "not-done" and not write.resource.get("statusReason"):
        return Changes(
            refuse=FhirError(422, [_missing("statusReason", "未给药须注明原因。", "Not done has a reason.")])
        )
    return Changes.none()


async def _corrected(before: Resource, write: Write, desk: Desk) -> Changes:
    """A later version in the same state: what was permitted may ask anew, and a fact keeps a time that has been."""
    if write.resource["status"] in FACTS:
        if _when(before) != _when(write.resource) and not _given_at(write.resource, desk):
            return Changes(refuse=_untimely())
        return await observation_reworded(write.resource, desk)
    anew = write.resource["status"] == "in-progress" and _asks_anew(before, write.resource)
    return await _asked(write, desk) if anew else Changes.none()


async def _asked(write: Write, desk: Desk) -> Changes:
    """Permission: every reason against it, less what a qualified physician overrides by name."""
    permission = await asked(write.resource, desk)
    if permission.not_entitled:
        at = "MedicationAdministration.extension"
        issues = [Issue("business-rule", one.zh, one.en, at, detail=one.code) for one in permission.not_entitled]
        return Changes(refuse=FhirError(422, issues))
    stale = permission.stale
    if stale is not None and stale in permission.against:
        return Changes(refuse=_too_old(stale, permission.policy))
    if permission.against:
        against = permission.against
        return Changes(
            save=_refused(against, permission.policy, write, desk), refuse=FhirError(422, as_issues(against))
        )
    save = [*_kept(permission.passed, write, desk, permission.override), *_kept(permission.noted, write, desk)]
    save += await _approval_due(permission, write, desk)
    relied = {"extension": [decided_on("order", permission.as_of)]} if permission.as_of else {}
    return Changes(save=save, require=permission.relied_on, append=relied)


async def _approval_due(permission: Permission, write: Write, desk: Desk) -> list[Save]:
    """Passed without consent in an emergency: the approval of the institution is still to be recorded, once."""
    without_consent = any(finding.rule == consent_is_valid.id for finding in permission.passed)
    exam = exam_of_administration(write.resource)
    if permission.override is None or not without_consent or not exam or await approvals_due(exam, desk):
        return []
    return [Save(as_approval_due(desk.new_id(), write.resource, exam, permission.override.by, now=desk.now))]


async def _told(write: Write, desk: Desk, *, permitted: bool) -> Changes:
    """A fact is stored; without a permission before it, under a named person, a reason and a nonconformity."""
    given_at = _given_at(write.resource, desk)
    late = Changes.none()
    if given_at is None:
        return Changes(refuse=_untimely())
    if not permitted:
        late = await _late(write, desk)
        if late.refuse:
            return late
    return late.plus(await observation_begun(write.resource, given_at, desk))


async def _late(write: Write, desk: Desk) -> Changes:
    if not desk.caller.has(RECORD_LATE):
        en = f"Contrast that was given without permission is recorded late by a person who holds {RECORD_LATE}."
        zh = f"未经许可已使用的对比剂，须由具有 {RECORD_LATE} 权限的人员补录。"
        refusal = forbidden(en, zh, at="MedicationAdministration.status", detail="consent.late-record")
        return Changes(save=await kept(write.resource, desk), refuse=refusal)
    issues = []
    if not write.resource.get("statusReason"):
        issues.append(_missing("statusReason", "补录须注明原因。", "A late record has a reason."))
    if not any(reference_of(one.get("actor")) for one in write.resource.get("performer", [])):
        issues.append(_missing("performer", "补录须注明给药人员。", "A late record names who gave the contrast."))
    if issues:
        return Changes(refuse=FhirError(422, issues))
    exam = exam_of_administration(write.resource)
    task = as_nonconformity(desk.new_id(), write.resource, exam, now=desk.now)
    who = next(filter(None, (reference_of(one.get("actor")) for one in write.resource["performer"])))
    return Changes(save=[Save(task), *await completed(write.resource, who, desk)])


def _too_old(stale: Finding, policy: GatePolicy) -> FhirError:
    """503 with the age of the copies, and the way that is open in an emergency."""
    refusal = busy(stale.en, stale.zh, retry_after_seconds=2, detail=stale.rule)
    reasons = ", ".join(policy.reasons_for(stale))
    way = Issue(
        "informational",
        zh=f"急诊时可由具名医师放行（扩展 override，理由：{reasons}）。",
        en=f"In an emergency a named physician may pass this (extension override, reason: {reasons}).",
        at="MedicationAdministration.extension",
        severity="information",
        detail="consent.emergency-path",
    )
    return FhirError(refusal.status, [*refusal.issues, way], refusal.headers)


def _given_at(administration: Resource, desk: Desk) -> datetime | None:
    """When contrast was given; None when nothing says so, or when that is still to come."""
    at, period = _when(administration)
    given_at = moment(at or period.get("end") or period.get("start"), settings_of(desk).time_zone)
    return given_at if given_at is not None and given_at <= desk.now else None


def _untimely() -> FhirError:
    zh, en = "须注明给药时间，且不晚于现在。", "It says when it was given, and that is not in the future."
    return FhirError(422, [_missing("effective", zh, en)])


def _when(administration: Resource) -> tuple[str | None, Resource]:
    return administration.get("effectiveDateTime"), administration.get("effectivePeriod", {})


def _refused(findings: Sequence[Finding], policy: GatePolicy, write: Write, desk: Desk) -> list[Save]:
    """The try, on record about the exam: the administration itself is not stored."""
    patient = reference_of(write.resource.get("subject"))
    about = exam_of_administration(write.resource) or patient
    saves = on_record(findings, desk, patient=patient, about=about)
    for save, finding in zip(saves, findings, strict=True):
        save.resource["extension"] += as_may_override(finding, policy)
    return saves


def _kept(findings: Sequence[Finding], write: Write, desk: Desk, override: Override | None = None) -> list[Save]:
    """What was passed by name, or is to be known, on record about the administration."""
    patient = reference_of(write.resource.get("subject"))
    if override is None:
        return on_record(findings, desk, patient=patient, about=write.reference)
    mitigation = {"action": override.concept, "date": instant(desk.now), "author": {"reference": override.by}}
    saves = on_record(findings, desk, patient=patient, about=write.reference, mitigation=mitigation)
    return [Save(as_overridden(save.resource)) for save in saves]


def _changed(before: Resource, after: Resource) -> str:
    """The first material element that a later version alters; empty when none does."""
    if reference_of(before.get("subject")) != reference_of(after.get("subject")):
        return "subject"
    for member in ("medicationCodeableConcept", "medicationReference"):
        if before.get(member) != after.get(member):
            return "medication"
    if contained_medication(before) != contained_medication(after):  # #pack stays #pack when another lot lies in it
        return "contained"
    return "supportingInformation" if exam_of_administration(before) != exam_of_administration(after) else ""


def _asks_anew(before: Resource, after: Resource) -> bool:
    """Whether what was permitted is to go on with other people, another dose or injection, or over another objection."""
    others = _people(before) != _people(after) or before.get("dosage") != after.get("dosage")
    injected = extensions(before, INJECTION) != extensions(after, INJECTION)
    return others or injected or override_of(before) != override_of(after)


def _people(administration: Resource) -> list[Any]:
    return [
        (reference_of(one.get("actor")), codes_in(one.get("function"))) for one in administration.get("performer", [])
    ]


def _fixed(member: str) -> FhirError:
    zh, en = (
        "已提出的给药记录不能改变该项；请另建记录。",
        "This does not change in a record already begun; make a new one.",
    )
    return FhirError(422, [_missing(member, zh, en)])


def _missing(member: str, zh: str, en: str) -> Issue:
    return Issue(
        "business-rule", zh=zh, en=en, at=f"MedicationAdministration.{member}", detail="consent.injection-member"
    )

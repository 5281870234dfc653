"""The gate: everything that is weighed before contrast may be given, gathered from the desk at one moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slipring.fhir.copies import seconds_behind
from slipring.fhir.findings import rule_of
from slipring.fhir.merged import merge_set
from slipring.fhir.service import CANONICAL, Desk, Require, Resource, Stored
from slipring.rules.finding import Finding, Weight
from slipring.staff import Reason

from slipring_consent.catalogue import data_file, is_contrast_agent
from slipring_consent.facts import GateFacts, consent_state, exam_of_administration
from slipring_consent.gathering import (
    PHYSICIAN_DECIDES,
    contrast_asked,
    identity_waits,
    lacking,
    screening_known,
    screening_of,
    settings_of,
)
from slipring_consent.reading import codes_in, extensions, has_code, reference_of
from slipring_consent.rules import GATE_RULES, SCREENING_RULES
from slipring_consent.verdicts import checked

OVERRIDE = f"{CANONICAL}/StructureDefinition/override"
FUNCTION = f"{CANONICAL}/CodeSystem/administration-function"
OVERRIDE_REASON = f"{CANONICAL}/CodeSystem/override-reason"
COPIES_FRESH = "consent.copies-fresh"


@dataclass(frozen=True, slots=True)
class Override:
    """A named physician takes it on himself, for a coded reason."""

    by: str
    reason: str
    concept: Resource

    def covers(self, rule: str) -> bool:
        """Whether the policy lets this reason override this rule."""
        return self.reason in data_file("gate.toml")["overridable"].get(rule, ())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found, and the versions it relied on."""

    findings: list[Finding]
    relied_on: list[Require]


async def gives_contrast(administration: Resource, desk: Desk) -> bool:
    """Whether an administration is one of contrast: by its agent, or because it supports a contrast exam."""
    codings = codes_in(administration.get("medicationCodeableConcept"))
    reference = str(administration.get("medicationReference", {}).get("reference", ""))
    if reference.startswith("#"):
        contained = administration.get("contained", [])
        codings += [c for one in contained if one.get("id") == reference[1:] for c in codes_in(one.get("code"))]
    elif reference:
        medication = await desk.read(reference_of({"reference": reference}))
        codings += codes_in(medication.resource.get("code")) if medication else []
    if is_contrast_agent(codings):
        return True
    exam = await _exam(administration, desk)
    return exam is not None and await contrast_asked(exam.reference, exam.resource, desk)


async def judged(administration: Resource, desk: Desk) -> Verdict:
    """Run every rule of the gate; all reasons at once."""
    patient = reference_of(administration.get("subject"))
    person = await merge_set(patient, desk) if patient else frozenset()
    reference = exam_of_administration(administration)
    exam = await _exam(administration, desk)
    consents = await desk.search(f"Consent?data={reference}") if reference else []
    screening = await screening_of(desk, reference, person) if reference else None
    opened = await _open_findings(screening, patient, desk)
    performers, observer = people_of(administration)
    unqualified = await unqualified_among(performers, desk)
    facts = GateFacts(
        exam_known=exam is not None,
        exam_active=exam is not None and exam.resource.get("status") == "active",
        same_patient=exam is not None and reference_of(exam.resource.get("subject")) in person,
        identity_waits=exam is not None and await identity_waits(reference, desk),
        consent=consent_state((one.resource for one in consents), person, desk.now, settings_of(desk).time_zone),
        screening="completed" if screening else "none",
        high_findings=tuple(finding.rule for finding in opened if finding.weight is Weight.STOP),
        open_questions=tuple(f.rule for f in opened if f.weight is Weight.ASK and screening is not None),
        performers=len(performers),
        unqualified_zh="".join(reason.zh for reason in unqualified),
        unqualified_en=" ".join(reason.en for reason in unqualified),
        observer=observer,
    )
    relied_on = [Require(one.reference, one.version) for one in consents]
    if screening:
        relied_on.append(Require(screening.reference, screening.version))
    return Verdict(checked(facts, GATE_RULES, desk), relied_on)


async def stale_copies(desk: Desk) -> Finding | None:
    """The gate decides on copies of order's resources only while they are fresh."""
    behind = await seconds_behind("order", settings_of(desk).copy_max_age, desk)
    if not behind:
        return None
    return Finding(
        rule=COPIES_FRESH,
        version="1",
        clause="CL02-A011:5.4.1",
        weight=Weight.STOP,
        zh=f"order 的数据滞后 {behind} 秒，暂不能据此判断。",
        en=f"order is {behind} s behind.",
        at="MedicationAdministration.status",
        inputs={"behind_s": behind},
    )


def override_of(administration: Resource) -> Override | None:
    """The named override an administration carries, or None."""
    for extension in extensions(administration, OVERRIDE):
        parts = {part["url"]: part for part in extension.get("extension", []) if "url" in part}
        concept = parts.get("reason", {}).get("valueCodeableConcept", {})
        reason = next((code for system, code in codes_in(concept) if system == OVERRIDE_REASON), "")
        return Override(reference_of(parts.get("by", {}).get("valueReference")), reason, concept)
    return None


def asks_override(administration: Resource) -> bool:
    """Whether permission is asked over a gate's objection; a fact that is recorded asks nothing."""
    return administration.get("status") == "in-progress" and override_of(administration) is not None


async def not_entitled(override: Override, desk: Desk) -> list[Reason]:
    """Why this override does not stand: the person, or the reason."""
    reasons = await lacking(PHYSICIAN_DECIDES, override.by, desk)
    if override.reason not in data_file("gate.toml")["reasons"]:
        zh, en = "放行须有编码的理由。", "An override needs a coded reason."
        reasons = [*reasons, Reason("override-reason", zh, en, "CL02-A011:5.3.2.5")]
    return reasons


async def _exam(administration: Resource, desk: Desk) -> Stored | None:
    reference = exam_of_administration(administration)
    return await desk.read(reference) if reference else None


async def _open_findings(screening: Stored | None, patient: str, desk: Desk) -> list[Finding]:
    """What the screening rules find with what is known now, less what a physician has decided."""
    response: Resource = screening.resource if screening else {"subject": {"reference": patient}}
    findings = checked(await screening_known(desk, response), SCREENING_RULES, desk)
    kept = await desk.search(f"DetectedIssue?implicated={screening.reference}") if screening else []
    decided = {(rule_of(one.resource), one.resource.get("detail")) for one in kept if one.resource.get("mitigation")}
    # The words carry what was seen: a decision about other values does not settle these.
    return [finding for finding in findings if (finding.rule, finding.zh) not in decided]


def people_of(administration: Resource) -> tuple[list[str], bool]:
    """Who gives, and whether an observer is named."""
    givers, observer = [], False
    for performer in administration.get("performer", []):
        actor = reference_of(performer.get("actor"))
        if has_code(performer.get("function"), FUNCTION, "observer"):
            observer = observer or bool(actor)
        elif actor:
            givers.append(actor)
    return givers, observer


async def unqualified_among(performers: Iterable[str], desk: Desk) -> list[Reason]:
    """Why none of those named may give contrast; empty when one may."""
    nearest: list[Reason] = []
    for performer in performers:
        reasons = await lacking("give-contrast", performer, desk)
        if not reasons:
            return []
        if not nearest or len(reasons) < len(nearest):
            nearest = reasons
    return nearest

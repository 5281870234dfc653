"""The gate: everything that is weighed before contrast may be given, gathered from the desk at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from slipring.consents.state import consent_state
from slipring.fhir.copies import seconds_behind
from slipring.fhir.findings import rule_of
from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.service import CANONICAL, Desk, Require, Resource, Stored
from slipring.rules.finding import Finding, Weight

from slipring_consent.consenting.facts import consents_of
from slipring_consent.contrast.agents import is_contrast_agent
from slipring_consent.contrast.exam import contrast_asked, exam_of_administration
from slipring_consent.contrast.known import PERMITTED, agent_of, contrast_known
from slipring_consent.department import settings_of
from slipring_consent.gate.facts import GateFacts
from slipring_consent.people import people_of, unqualified_among
from slipring_consent.readiness.known import readiness_known
from slipring_consent.reading import reference_of
from slipring_consent.rules import CONTRAST_RULES, GATE_RULES, READINESS_RULES, SCREENING_RULES
from slipring_consent.screening.known import screening_known, screening_of
from slipring_consent.verdicts import checked

COPIES_FRESH = "consent.copies-fresh"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found, and the versions it relied on."""

    findings: list[Finding]
    relied_on: list[Require]


async def gives_contrast(administration: Resource, desk: Desk) -> bool:
    """Whether an administration is one of contrast: by its agent, or because it supports a contrast exam."""
    if is_contrast_agent(await agent_of(administration, desk)):
        return True
    exam = await _exam(administration, desk)
    return exam is not None and await contrast_asked(exam.reference, exam.resource, desk)


async def judged(administration: Resource, desk: Desk) -> Verdict:
    """Run every rule of the gate, of the contrast and of the room's readiness over their own facts; all reasons at once."""
    facts, relied_on = await _gate_known(administration, desk)
    contrast = await contrast_known(administration, desk)
    readiness = await readiness_known(exam_of_administration(administration), desk)
    findings = [
        *checked(facts, GATE_RULES, desk),
        *checked(contrast, CONTRAST_RULES, desk),
        *checked(readiness, READINESS_RULES, desk),
    ]
    return Verdict(findings, relied_on)


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


async def identity_waits(reference: str, desk: Desk) -> bool:
    """Whether the patient's records were merged or taken apart, and nobody has confirmed yet who this exam's patient is."""
    tasks = await desk.search(waiting_identity_of(reference))
    return any(task.resource.get("status") in ("requested", "rejected") for task in tasks)


def waiting_identity_of(exam: str) -> str:
    """The search for what asks who the patient of an exam is."""
    return f"Task?based-on={exam}&code={CANONICAL}/CodeSystem/task-code|identity-confirmation"


def running_injections_of(person: str) -> str:
    """The search for the injections of a person that are permitted and not over."""
    return f"MedicationAdministration?status={','.join(PERMITTED)}&patient={person}"


async def _gate_known(administration: Resource, desk: Desk) -> tuple[GateFacts, list[Require]]:
    """What GATE_RULES weigh, and the versions that it rests on by name."""
    patient = reference_of(administration.get("subject"))
    person = await merge_set(patient, desk) if patient else frozenset()
    reference = exam_of_administration(administration)
    exam = await _exam(administration, desk)
    consents = await desk.search(consents_of(reference)) if reference else []
    screening = await screening_of(desk, reference, person) if reference else None
    opened = await _open_findings(screening, patient, reference, desk)
    performers, observer = people_of(administration)
    unqualified = await unqualified_among(performers, desk)
    facts = GateFacts(
        exam_known=exam is not None,
        exam_active=exam is not None and exam.resource.get("status") == "active",
        same_patient=exam is not None and reference_of(exam.resource.get("subject")) in person,
        identity_waits=exam is not None and await identity_waits(reference, desk),
        running=await _running(administration, reference, person, desk),
        foreign=tuple(_foreign(administration)),
        consent=consent_state(consents, person, desk.now, ZoneInfo(settings_of(desk).time_zone)),
        screening="completed" if screening else "none",
        high_findings=tuple(finding.rule for finding in opened if finding.weight is Weight.STOP),
        open_questions=tuple(f.rule for f in opened if f.weight is Weight.ASK and screening is not None),
        performers=len(performers),
        unqualified_zh="".join(reason.zh for reason in unqualified),
        unqualified_en=" ".join(reason.en for reason in unqualified),
        observer=observer,
    )
    relied_on = [Require(one.reference, one.version) for one in [*consents, *([screening] if screening else [])]]
    return facts, relied_on


async def _exam(administration: Resource, desk: Desk) -> Stored | None:
    reference = exam_of_administration(administration)
    return await desk.read(reference) if reference else None


async def _running(administration: Resource, exam: str, person: frozenset[str], desk: Desk) -> tuple[str, ...]:
    """The other injections of this exam that are permitted and not over."""
    if not exam or not person:
        return ()
    own = f"MedicationAdministration/{administration.get('id')}"
    found = await desk.search(running_injections_of(any_of(person)))
    others = (one for one in found if one.reference != own and not one.source)
    return tuple(one.reference for one in others if exam_of_administration(one.resource) == exam)


def _foreign(administration: Resource) -> Iterator[str]:
    """Where an administration names exam, patient or people by an address."""
    named = [("subject", administration.get("subject"))]
    named += [
        (f"supportingInformation[{n}]", one) for n, one in enumerate(administration.get("supportingInformation", []))
    ]
    named += [(f"performer[{n}].actor", one.get("actor")) for n, one in enumerate(administration.get("performer", []))]
    for at, element in named:
        if str((element or {}).get("reference", "")).startswith(("http:", "https:")):
            yield f"MedicationAdministration.{at}"


async def _open_findings(screening: Stored | None, patient: str, exam: str, desk: Desk) -> list[Finding]:
    """What the screening rules find with what is known now, less what a physician has decided."""
    unasked: Resource = {"subject": {"reference": patient}, "basedOn": [{"reference": exam}] if exam else []}
    response = screening.resource if screening else unasked
    findings = checked(await screening_known(desk, response), SCREENING_RULES, desk)
    kept = await desk.search(f"DetectedIssue?implicated={screening.reference}") if screening else []
    decided = {(rule_of(one.resource), one.resource.get("detail")) for one in kept if one.resource.get("mitigation")}
    # The words carry what was seen: a decision about other values does not settle these.
    return [finding for finding in findings if (finding.rule, finding.zh) not in decided]

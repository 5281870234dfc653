"""A case opened by hand: a finding that nobody flagged in a report, or a drill."""

from __future__ import annotations

from slipring.clauses.critical_findings import CriticalFinding
from slipring.fhir.outcome import invalid, unprocessable
from slipring.fhir.service import Call, Changes, Desk
from slipring.quality.flagging import as_concept, level_said, recognised_said

from slipring_critical.cases.facts import reference_of
from slipring_critical.cases.flag import FlaggedFinding
from slipring_critical.directory.policy import findings_in_force
from slipring_critical.ringing.opening import joined, opened, standing, still_open


async def opened_by_hand(call: Call, desk: Desk) -> Changes:
    """Open a case for a finding of an exam, or of a patient whose exam is not known here; it rings at once.

    The same finding of the same exam is one case: a second call answers with the case that runs, at a more urgent level
    it rings anew.
    """
    entry = await _finding(call, desk)
    exam, patient = await _about(call, desk)
    author = desk.caller.practitioner or reference_of(call.value("performer"))
    flag = FlaggedFinding(
        observation=exam or patient,
        finding=entry.code,
        level=level_said(call, "critical.level-unknown"),
        request=exam,
        patient=patient,
        author=author,
        recognised_at=recognised_said(call, desk.now, "critical.recognised-at"),
        drill=call.value("drill") is True,
        note=str(call.value("note") or ""),
    )
    cases, before = await standing(flag, desk)
    running = still_open(cases)
    if running:
        changes = await joined(running[0], [], flag, desk, "flagged-again")
        saved = next((save.resource for save in changes.save if save.resource["id"] == running[0].resource["id"]), None)
        return changes.plus(Changes(answer=saved or running[0].resource))
    case, changes = await opened(flag, as_concept(entry), "", desk, before=before)
    return changes.plus(Changes(answer=case, status=201))


async def _finding(call: Call, desk: Desk) -> CriticalFinding:
    entry = (await findings_in_force(desk)).get(str(call.value("finding") or ""))
    if entry is None:
        raise unprocessable(
            "finding is a code of the catalogue of critical findings.",
            "finding 须为危急值目录中的代码。",
            at=call.at("finding"),
            code="code-invalid",
            detail="critical.finding-unknown",
        )
    return entry


async def _about(call: Call, desk: Desk) -> tuple[str, str]:
    """The exam and its patient; of no exam, the patient that is named."""
    exam, patient = reference_of(call.value("exam")), reference_of(call.value("patient"))
    if not exam and not patient:
        raise invalid(
            "Say of which exam, or of which patient.",
            "请指明检查或患者。",
            at=call.at("exam"),
            detail="critical.about-nobody",
        )
    order = await desk.read(exam) if exam.startswith("ServiceRequest/") else None
    person = await desk.read(patient) if patient.startswith("Patient/") else None
    if (exam and order is None) or (not exam and person is None):
        raise unprocessable(
            "This exam or patient is not known here.",
            "此处没有该检查或患者。",
            at=call.at("exam" if exam else "patient"),
            code="not-found",
            detail="critical.about-unknown",
        )
    of_exam = reference_of(order.resource.get("subject")) if order else ""
    if patient and of_exam and patient != of_exam:
        raise unprocessable(
            "The exam belongs to another patient.",
            "该检查属于另一位患者。",
            at=call.at("patient"),
            detail="critical.patient-differs",
        )
    return exam, of_exam or patient

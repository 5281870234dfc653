"""What is known of an exam at its start, and what the rules say to it."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Desk, Resource, Save, Stored
from slipring.rules.finding import Finding, Weight
from slipring.rules.rulebook import check
from slipring.staff import may

from slipring_order import identity
from slipring_order.gathering.request import order_facts
from slipring_order.judging.contrast import contrast_condition
from slipring_order.offer.maps_in_use import definition_of, maps_of
from slipring_order.people import person_and_roles
from slipring_order.reading import Pool, reference_of
from slipring_order.resources import state_of
from slipring_order.rooms.booking import step_of
from slipring_order.rooms.checks import ATTENDANT, CRITICAL, done_items, input_of
from slipring_order.rooms.facts import StartFacts
from slipring_order.rooms.scanners import scanner_fitness
from slipring_order.rooms.step import ENDED, read_step
from slipring_order.rules import START_RULES, STEP_RULES
from slipring_order.rules.pregnancy import concerned_by_pregnancy


async def start_facts(exam: Resource, desk: Desk) -> StartFacts:
    """An exam as the rules of the start look at it."""
    reference = reference_of(exam.get("focus"))
    request = await desk.read(reference)
    attendant = input_of(exam, ATTENDANT) or {}
    critical = input_of(exam, CRITICAL) or {}
    asked, contrast, scanner = False, "", await scanner_for(exam, desk)
    fit = await scanner_fitness(scanner, desk)
    if request is not None:
        asked = await _pregnancy_concerns(request.resource, desk)
        contrast = await contrast_condition(request.resource, state_of(exam), desk)
    return StartFacts(
        stat=exam.get("priority") == "stat",
        critical=bool(critical.get("valueBoolean")),
        identity_waits=await identity.waits(Stored(exam, 0, desk.now), desk),
        attendant=reference_of(attendant.get("valueReference")) or str(attendant.get("valueString", "")),
        confirmed=done_items(exam),
        contrast=contrast,
        pregnancy_concerns=asked,
        scanner=scanner,
        unfit=tuple((one.zh, one.en) for one in (fit.blocking if fit else ())),
    )


async def scanner_for(exam: Resource, desk: Desk) -> str:
    """The scanner that an exam is booked on, or an empty string."""
    if "restriction" not in exam:
        return ""
    step = await step_of(f"Task/{exam['id']}", desk)
    return read_step(step.resource).scanner if step and step.resource["status"] not in ENDED else ""


async def start_findings(exam: Resource, desk: Desk) -> list[Finding]:
    """Everything that speaks against starting this exam now: its operator, then the rules of the start.

    A finding of weight stop refuses the start; the others are recorded with it. Whoever learns of a start after the fact
    (a scanner's MPPS) finds here which permission did not stand.
    """
    limits = desk.settings.limits.on(desk.now.astimezone(desk.settings.zone).date())
    return [*await _operator_lacks(exam, desk), *check(await start_facts(exam, desk), START_RULES, limits, desk.now)]


async def end_findings(exam: Resource, desk: Desk) -> list[Finding]:
    """What of the check list is not on record when the exam ends."""
    limits = desk.settings.limits.on(desk.now.astimezone(desk.settings.zone).date())
    return check(StartFacts(confirmed=done_items(exam)), STEP_RULES, limits, desk.now)


def issues_of(findings: Sequence[Finding], exam: Resource, desk: Desk) -> list[Save]:
    """The findings on record, about the exam's Task."""
    subject, about = reference_of(exam.get("for")), f"Task/{exam['id']}"
    return [
        Save(as_detected_issue(finding, id=desk.new_id(), subject=subject, about=about, now=desk.now))
        for finding in findings
    ]


def stopped_by(findings: Sequence[Finding]) -> FhirError | None:
    """422 with every finding that stops, or None."""
    stops = [finding for finding in findings if finding.weight is Weight.STOP]
    if not stops:
        return None
    return FhirError(422, [Issue("business-rule", zh=f.zh, en=f.en, at=f.at, detail=f.rule) for f in stops])


async def _operator_lacks(task: Resource, desk: Desk) -> list[Finding]:
    """What the named operator lacks; an exam without a named person is started by the caller."""
    owner = reference_of(task.get("owner"))
    named = owner if owner.startswith(("Practitioner/", "PractitionerRole/")) else desk.caller.practitioner
    if not named:
        return []
    person, roles = await person_and_roles(named, desk)
    return [
        Finding(
            "order.operator-qualified", "1", reason.clause, Weight.STOP, reason.zh, reason.en, "Task.owner",
            {"lacks": reason.code},
        )
        for reason in may("operate-ct", person, roles, desk.now, zone=desk.settings.time_zone)
    ]  # fmt: skip


async def _pregnancy_concerns(request: Resource, desk: Desk) -> bool:
    pool = Pool()
    pool.add(request)
    patient: Stored | None = await desk.read(reference_of(request.get("subject")))
    pool.add(patient.resource if patient else None)
    await maps_of(pool, desk)
    await definition_of(request, pool, desk)
    settings = desk.settings
    facts = order_facts(request, pool, desk.now, settings.zone)
    return concerned_by_pregnancy(facts, settings.limits.on(desk.now.astimezone(settings.zone).date()))

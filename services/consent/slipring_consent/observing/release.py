"""What stands against a release: everything that its rules weigh, gathered from the desk at one moment."""

from __future__ import annotations

from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.outcome import Issue
from slipring.fhir.service import CANONICAL, Desk, Resource
from slipring.rules.finding import Finding

from slipring_consent.department import settings_of
from slipring_consent.observing import task as observation
from slipring_consent.observing.facts import ReleaseFacts
from slipring_consent.observing.policy import outcomes
from slipring_consent.observing.signs import are_vital_signs, near, signs_of, taken_at
from slipring_consent.people import PHYSICIAN_DECIDES, lacking
from slipring_consent.reactions.said import RESOLVED, happened, phase_of, suspects_of
from slipring_consent.reading import codes_in, reference_of
from slipring_consent.rules import RELEASE_RULES
from slipring_consent.verdicts import checked

RELEASES = "release-observation"  # the act of slipring.staff
_REASON = f"{CANONICAL}/CodeSystem/early-leave-reason"
_OUTCOME = f"{CANONICAL}/CodeSystem/observation-outcome"


def outcome_of(task: Resource) -> str:
    """How a Task says that its observation ended; released, where it says nothing."""
    for value in observation.told(task, "output", "observation-outcome"):
        return next((code for system, code in codes_in(value) if system == _OUTCOME), "unknown")
    return "released"


async def against_release(task: Resource, standing: Resource, desk: Desk) -> list[Finding]:
    """What the rules find against the release that `task` says of the observation that stands."""
    return checked(await _facts(task, standing, desk), RELEASE_RULES, desk)


async def misnamed_signs(task: Resource, desk: Desk) -> list[Issue]:
    """The vital signs that a release names and that are none, or are another patient's."""
    people = await merge_set(reference_of(task.get("for")), desk)
    issues = []
    for value in observation.told(task, "output", "vital-signs"):
        found = await desk.read(reference_of(value)) if isinstance(value, dict) else None
        if (
            found is None
            or not are_vital_signs(found.resource)
            or reference_of(found.resource.get("subject")) not in people
        ):
            issues.append(
                Issue(
                    "business-rule",
                    zh="所引用的不是该患者的生命体征。",
                    en="This is no record of vital signs of this patient.",
                    at="Task.output.where(type.coding.code='vital-signs')",
                    detail="consent.observation-signs",
                )
            )
    return issues


async def _facts(task: Resource, standing: Resource, desk: Desk) -> ReleaseFacts:
    zone = settings_of(desk).time_zone
    who, outcome = reference_of(task.get("owner")), outcome_of(task)
    ending = outcomes().get(outcome, {})
    begun_at = observation.begun_at(standing, zone)
    injection = observation.injection_of(standing)
    lacks = await lacking(RELEASES, who, desk) if who else []
    signs = [taken_at(one, desk) for one in await signs_of(injection, desk)]
    named = observation.told(task, "output", "vital-signs")
    return ReleaseFacts(
        begun_at=begun_at,
        ends_at=observation.ends_at(standing, zone),  # the deadline is the stored one
        limit=observation.limit_of(standing),
        outcome=outcome,
        outcome_known=bool(ending),
        early=bool(ending.get("early")),
        needs=str(ending.get("needs", "")),
        named=bool(who),
        unqualified_zh="".join(one.zh for one in lacks),
        unqualified_en=" ".join(one.en for one in lacks),
        physician=bool(who) and not await lacking(PHYSICIAN_DECIDES, who, desk),
        reason_coded=any(system == _REASON for system, _ in codes_in(task.get("statusReason"))),
        receiver=any(map(_receives, observation.told(task, "output", "receiver"))),
        open_reaction=await reaction_open(standing, desk),
        recorded_late=observation.state_of(standing) == "recorded-late",
        signs_at_start=begun_at is None or near(signs, begun_at, desk),
        signs_at_end=bool(named) or near(signs, desk.now, desk),
        cannula=_cannula(task),
    )


async def reaction_open(task: Resource, desk: Desk) -> bool:
    """Whether a reaction to the injection that is watched after goes on."""
    injection = observation.injection_of(task)
    patient = reference_of(task.get("for"))
    people = any_of(await merge_set(patient, desk)) if patient else ""
    events = await desk.search(f"AdverseEvent?subject={people}") if people else []
    return any(
        happened(event.resource)
        and injection in suspects_of(event.resource, "MedicationAdministration")
        and phase_of(event.resource) not in RESOLVED
        for event in events
    )


def _receives(value: object) -> bool:
    return bool(value.get("reference") or value.get("display")) if isinstance(value, dict) else False


def _cannula(task: Resource) -> str:
    removed = next(iter(observation.told(task, "output", "cannula-removed")), None)
    return {True: "removed", False: "in-place"}.get(removed, "not-said") if isinstance(removed, bool) else "not-said"

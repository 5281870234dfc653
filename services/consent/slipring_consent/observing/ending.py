"""An observation ends: judged once, whichever way it is said, and followed by the calls for a late reaction."""

from __future__ import annotations

from slipring.fhir.merged import any_of, merge_set
from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Changes, Desk, Resource
from slipring.rules.finding import Weight

from slipring_consent.catalogue import data_file
from slipring_consent.observing import follow_up
from slipring_consent.observing import task as observation
from slipring_consent.observing.escalating import told_no_more
from slipring_consent.observing.policy import outcomes
from slipring_consent.observing.release import against_release, misnamed_signs, outcome_of
from slipring_consent.observing.resources import as_state, said
from slipring_consent.reactions.said import happened, suspects_of
from slipring_consent.reading import instant, reference_of
from slipring_consent.verdicts import as_issues, on_record


async def released(task: Resource, standing: Resource, desk: Desk) -> Changes:
    """The release that `task` says, of the observation that stands: refused with every reason, or done.

    What only asks or warns is kept as a DetectedIssue on the Task; the calls for a late reaction are planned.
    """
    found = await against_release(task, standing, desk)
    against = as_issues(one for one in found if one.weight is Weight.STOP)
    against += [*_in_own_name(task, desk), *await misnamed_signs(task, desk)]
    if against:
        return Changes(refuse=FhirError(422, against))
    injection = observation.injection_of(standing)
    members = {name: standing[name] for name in observation.FIXED if name in standing}
    members["businessStatus"] = as_state(str(outcomes()[outcome_of(task)]["state"]))
    members["executionPeriod"] = {**standing.get("executionPeriod", {}), "end": instant(desk.now)}
    members["lastModified"] = instant(desk.now)
    given = said("instructions", valueString=f"aftercare {data_file('aftercare.toml')['version']}")
    ended = Changes(
        save=[
            *on_record(found, desk, patient=reference_of(standing.get("for")), about=f"Task/{standing['id']}"),
            *await told_no_more(standing["id"], desk),
        ],
        members=members,
        append={"output": [given]},
        cancel=[observation.timer_of(injection)],
    )
    reasons = follow_up.reasons_for(standing, await _reactions(standing, desk))
    return ended.plus(follow_up.planned(standing, reasons, desk)) if injection else ended


def _in_own_name(task: Resource, desk: Desk) -> list[Issue]:
    caller, named = desk.caller.practitioner or "", reference_of(task.get("owner"))
    if not caller or not named.startswith("Practitioner/") or named == caller:
        return []
    return [
        Issue(
            "business-rule",
            zh="登录者只能以本人名义解除留观。",
            en="Whoever is signed in releases in his own name.",
            at="Task.owner",
            detail="consent.observation-own-name",
        )
    ]


async def _reactions(standing: Resource, desk: Desk) -> list[Resource]:
    """The reactions to the injection that was watched after."""
    patient = reference_of(standing.get("for"))
    people = any_of(await merge_set(patient, desk)) if patient else ""
    events = await desk.search(f"AdverseEvent?subject={people}") if people else []
    injection = observation.injection_of(standing)
    return [
        one.resource
        for one in events
        if happened(one.resource) and injection in suspects_of(one.resource, "MedicationAdministration")
    ]

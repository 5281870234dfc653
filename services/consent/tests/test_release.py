"""A patient is released from observation: by whom, when, and what an early end must say."""

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL
from slipring_consent.handlers.release import observation_released
from slipring_consent.reading import instant

from tests.support.contrast import (
    a_cleared_department,
)
from tests.support.desk import A_NOON
from tests.support.observing import (
    NURSE,
    a_call,
    by,
    observed,
    parsed,
    refusals,
    release,
    signs,
    state,
)

# --- release ---


@pytest.mark.clause("5.4.4.1")
async def test_a_release_before_the_time_says_in_both_languages_how_long_is_left() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    desk.now = A_NOON + timedelta(minutes=12, seconds=1)
    changes = await release(desk, task)
    assert changes.refuse is not None
    [issue] = changes.refuse.issues
    assert ("18 分钟" in issue.zh, "18 min left" in issue.en, issue.at) == (True, True, "Task.status")


async def test_a_release_after_the_time_records_who_when_the_cannula_and_the_signs_and_plans_the_call() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    desk.hold(signs("c-1", A_NOON))
    desk.now = A_NOON + timedelta(minutes=31)
    desk.hold(signs("c-2", desk.now))
    changes = await release(
        desk,
        task,
        cannulaRemoved={"valueBoolean": True},
        vitalSigns=[{"valueReference": {"reference": "Observation/c-2"}}],
    )
    assert changes.refuse is None and changes.answer is not None
    ended, call = (save.resource for save in changes.save)
    assert (ended["status"], state(ended), ended["owner"]) == ("completed", "released", NURSE)
    assert ended["executionPeriod"]["end"] == instant(desk.now)
    assert call["code"]["coding"][0]["code"] == "reaction-follow-up"
    assert parsed(call["restriction"]["period"]["start"]) == A_NOON + timedelta(hours=168)
    names = [one["name"] for one in changes.answer["parameter"]]
    assert names == ["return", "instructionsZh", "instructionsEn"]
    assert list(changes.cancel) == ["observation:MedicationAdministration/c-injection"]


async def test_missing_vital_signs_and_an_unmentioned_cannula_are_kept_and_stop_nobody() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    desk.now = A_NOON + timedelta(minutes=30)
    changes = await release(desk, task)
    assert changes.refuse is None
    found = [
        s.resource["code"]["coding"][0]["code"] for s in changes.save if s.resource["resourceType"] == "DetectedIssue"
    ]
    assert found == ["consent.observation-vital-signs", "consent.observation-cannula"]


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"outcome": {"valueCode": "against-advice"}}, {"consent.observation-outcome"}),
        ({"outcome": {"valueCode": "physician-decision"}}, {"consent.observation-outcome"}),
        ({"outcome": {"valueCode": "handed-over"}}, {"consent.observation-outcome"}),
        ({"by": by("o-nobody")}, {"consent.observation-time", "consent.observation-releaser"}),
        ({"by": {"valueString": ""}}, {"consent.observation-time", "consent.observation-owner"}),
        (
            {"vitalSigns": [{"valueReference": {"reference": "Observation/c-none"}}]},
            {"consent.observation-time", "consent.observation-signs"},
        ),
    ],
)
async def test_an_early_end_that_does_not_say_what_it_needs_is_refused(
    given: dict[str, Any], refused: set[str]
) -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    assert refusals(await release(desk, task, **given)) == refused


@pytest.mark.parametrize(
    ("given", "ends_as"),
    [
        (
            {
                "outcome": {"valueCode": "against-advice"},
                "reason": {
                    "valueCodeableConcept": {
                        "coding": [{"system": f"{CANONICAL}/CodeSystem/early-leave-reason", "code": "refuses-to-wait"}]
                    }
                },
            },
            "left-early",
        ),
        ({"outcome": {"valueCode": "physician-decision"}, "by": by("o-physician")}, "released"),
        (
            {"outcome": {"valueCode": "handed-over"}, "to": {"valueReference": {"display": "ICU, Dr Lin"}}},
            "handed-over",
        ),
    ],
)
async def test_an_early_end_is_recorded_as_what_it_was(given: dict[str, Any], ends_as: str) -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    changes = await release(desk, task, **given)
    assert changes.refuse is None
    assert state(changes.save[0].resource) == ends_as


async def test_an_unknown_outcome_and_a_task_that_is_no_observation_are_refused() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    with pytest.raises(FhirError) as refused:
        await release(desk, task, outcome={"valueCode": "vanished"})
    assert refused.value.issues[0].at == "Parameters.parameter[1]"
    other = desk.hold({**task.resource, "id": "c-other", "code": {"coding": [{"code": "notice"}]}})
    with pytest.raises(FhirError):
        await observation_released(a_call(other), desk)


async def test_who_is_signed_in_releases_in_his_own_name() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    desk.now = A_NOON + timedelta(minutes=30)
    desk.caller = Caller(client="page", scopes=frozenset({"user/*.cruds"}), practitioner="Practitioner/o-physician")
    assert refusals(await release(desk, task)) == {"consent.observation-own-name"}
    changes = await observation_released(a_call(desk.held[task.reference]), desk)
    assert changes.refuse is None
    assert changes.save[0].resource["owner"] == {"reference": "Practitioner/o-physician"}


async def test_released_twice_is_refused() -> None:
    desk = a_cleared_department()
    task = await observed(desk)
    desk.now = A_NOON + timedelta(minutes=30)
    desk.carry_out(await release(desk, task))
    again = await release(desk, task)
    assert again.refuse is not None
    assert again.refuse.status == 409

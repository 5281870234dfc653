"""Contrast is asked for while a reaction becomes known here, or while what order says about it is on its way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from slipring.fhir.service import CANONICAL
from slipring_consent.contrast.lots import RECALLED, state_of
from slipring_demo.contrast import a_consent, a_screening, an_injection
from slipring_demo.teller import parameters

from tests.races.race import LANES, ROUNDS, Done, Tally, in_lanes, race, sound
from tests.races.room import arrived, done, importer, over, pool, put, way
from tests.support.department import Department
from tests.support.one_exam import OneExam, on_the_shelf, one_exam

Tree = dict[str, Any]
_VERIFIED = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_SPAN = 0.05


async def _cleared(department: Department) -> OneExam:
    """An exam for which contrast may be given."""
    story = await one_exam(department)
    await story.requested()
    await story.made(a_screening(story.cast))
    await story.made(a_consent(story.cast))
    await department.fresh()
    return story


async def _permitted(story: OneExam) -> Done:
    answer = await story.department.post("MedicationAdministration", an_injection(story.cast, ml=0.5))
    assert answer.status_code in (201, 422, 503), answer.text
    return done(answer.json()) if answer.status_code == 201 else Done(None)


async def _kept(story: OneExam, resource: Tree) -> Tree:
    """Made at consent itself: order keeps allergies too."""
    answer = await story.department.his.post(
        f"/consent/fhir/{resource['resourceType']}", json=resource, headers={"Content-Type": "application/fhir+json"}
    )
    assert answer.status_code == 201, answer.text
    tree: Tree = answer.json()
    return tree


def _an_allergy(story: OneExam) -> Tree:
    return {
        "resourceType": "AllergyIntolerance",
        "verificationStatus": {"coding": [{"system": _VERIFIED, "code": "confirmed"}]},
        "clinicalStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
            ]
        },
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "293638001"}]},
        "criticality": "high",
        "patient": story.cast.subject,
    }


async def _refuted(story: OneExam, allergy: Tree) -> None:
    wrong = {"coding": [{"system": _VERIFIED, "code": "entered-in-error"}]}
    await put(
        story.department, {n: v for n, v in allergy.items() if n != "clinicalStatus"} | {"verificationStatus": wrong}
    )


async def test_no_contrast_is_permitted_after_an_allergy_became_known(department: Department) -> None:
    story = await _cleared(department)
    known: list[Tree] = []

    async def found(_: int) -> Done:
        known.append(await _kept(story, _an_allergy(story)))
        return done(known[-1])

    async def again(_: int) -> None:
        await over(department, story.cast.exam)
        await _refuted(story, known[-1])

    consents = pool(department, "consent")
    sound(await race("allergy", consents, lambda _: _permitted(story), found, again, span=_SPAN))


async def test_no_contrast_is_permitted_after_a_reaction_was_logged(department: Department) -> None:
    """The reaction leaves an allergy in the same commit, and that closes the gate."""
    story = await _cleared(department)
    logged: list[Tree] = []

    async def reacted(_: int) -> Done:
        event = {
            "resourceType": "AdverseEvent",
            "actuality": "actual",
            "subject": story.cast.subject,
            "event": {"coding": [{"system": f"{CANONICAL}/CodeSystem/reaction-type", "code": "allergic-like"}]},
            "severity": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/adverse-event-severity", "code": "severe"}]
            },
        }
        stored = await _kept(story, event)
        logged.append(stored)
        return done(stored)

    async def again(_: int) -> None:
        await over(department, story.cast.exam)
        await _refuted(story, await department.get(f"AllergyIntolerance/{logged[-1]['id']}-allergy"))
        await put(department, logged[-1] | {"actuality": "potential"})

    consents = pool(department, "consent")
    sound(await race("reaction", consents, lambda _: _permitted(story), reacted, again, span=_SPAN))


@pytest.mark.clause("5.3.2.1")
async def test_no_contrast_is_permitted_of_a_lot_after_its_recall_and_who_injects_it_is_told(
    department: Department,
) -> None:
    story = await _cleared(department)

    async def recalled(_: int) -> Done:
        why = {"reason": ("CodeableConcept", {"text": "particles"}), "performer": ("Reference", nurse)}
        answer = await department.post(f"{story.cast.lot}/$recall", parameters(**why))
        assert answer.status_code in (200, 503), answer.text
        return done(await department.get(story.cast.lot)) if answer.status_code == 200 else Done(None)

    async def again(_: int) -> None:
        stopped = state_of(await department.get(story.cast.lot)) == RECALLED
        for one in await department.found("MedicationAdministration?status=in-progress&_count=100"):
            told = await department.found(f"Task?focus=MedicationAdministration/{one['id']}&code=notice")
            assert not stopped or told, "permitted, recalled, not told"
        await over(department, story.cast.exam)
        story.cast.lot = await on_the_shelf(department, story.cast)

    nurse = story.cast.person("nurse")
    consents = pool(department, "consent")
    sound(await race("recall", consents, lambda _: _permitted(story), recalled, again, rounds=16, span=_SPAN))


async def test_no_contrast_is_permitted_once_it_is_known_that_the_nurse_was_suspended(department: Department) -> None:
    stories = [await _cleared(department) for _ in range(LANES)]
    nurses = [await department.get(story.cast.staff["nurse"]) for story in stories]
    lag = await way(department, "consent", nurses[0])

    async def lane(number: int) -> Tally:
        nurse = nurses[number]

        async def suspended(_: int) -> Done:
            return await arrived(department, "consent", await put(department, nurse | {"active": False}))

        async def again(_: int) -> None:
            await over(department, stories[number].cast.exam)
            await arrived(department, "consent", await put(department, nurse))

        return await _met_by_a_copy("nurse's copy", stories[number], suspended, again, lag)

    sound(await in_lanes(lane))


async def test_no_contrast_is_permitted_once_it_is_known_that_the_request_was_revoked(department: Department) -> None:
    stories, back = [await _cleared(department) for _ in range(LANES)], importer(department)
    lag = await way(department, "consent", stories[0].cast.request)

    async def lane(number: int) -> Tally:
        request = stories[number].cast.request

        async def revoked(_: int) -> Done:
            return await arrived(department, "consent", await put(department, request | {"status": "revoked"}))

        async def again(_: int) -> None:
            await over(department, stories[number].cast.exam)
            await arrived(department, "consent", await put(department, request, back))

        return await _met_by_a_copy("request's copy", stories[number], revoked, again, lag)

    sound(await in_lanes(lane))


async def _met_by_a_copy(
    name: str,
    story: OneExam,
    change: Callable[[int], Awaitable[Done]],
    again: Callable[[int], Awaitable[None]],
    lag: float,
) -> Tally:
    consents, rounds = pool(story.department, "consent"), ROUNDS // LANES
    return await race(name, consents, lambda _: _permitted(story), change, again, rounds=rounds, span=0.12, lag=lag)

"""The department's gates, each against the change that closes it: no injection after a withdrawal, no signature on a changed text."""

from __future__ import annotations

from typing import Any

import pytest
from slipring_demo.contrast import a_consent, a_screening, an_injection
from slipring_demo.teller import value_of

from tests.races.race import Done, race, sound
from tests.races.room import over
from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam

Tree = dict[str, Any]
_SPAN = 0.05  # about how long a permission takes, in seconds


async def _cleared(department: Department) -> OneExam:
    story = await one_exam(department)
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    await department.fresh()
    return story


async def _permission(story: OneExam) -> Done:
    answer = await story.department.post("MedicationAdministration", an_injection(story.cast, ml=0.5))
    assert answer.status_code in (201, 422, 503), answer.text
    return Done((f"MedicationAdministration/{answer.json()['id']}", 1) if answer.status_code == 201 else None)


def _pool(department: Department, name: str) -> Any:
    return department.house.services[name].kernel.store.pool


async def _put(department: Department, tree: Tree) -> Done:
    answer = await department.put(tree, If_Match=f'W/"{tree["meta"]["versionId"]}"')
    assert answer.status_code in (200, 503), answer.text
    if answer.status_code == 503:
        return Done(None)
    stored = answer.json()
    return Done((f"{stored['resourceType']}/{stored['id']}", int(stored["meta"]["versionId"])))


async def _each_permitted_one_is_told_of(story: OneExam) -> None:
    """Permitted before the withdrawal: then whoever is at the injector has the alarm in the same commit as the withdrawal."""
    for one in await story.department.found("MedicationAdministration?status=in-progress"):
        about = f"MedicationAdministration/{one['id']}"
        told = await story.department.found(f"Task?focus={about}&code=notice")
        assert {task["owner"]["reference"] for task in told} == {story.cast.staff["nurse"]}, (
            "permitted, withdrawn, not told"
        )
        [alarm] = await story.department.found(
            f"DetectedIssue?implicated={about}&code=consent.changed-after-permission"
        )
        assert alarm["severity"] == "high"


@pytest.mark.clause("5.4.1")
@pytest.mark.clause("5.4.4.1")
async def test_no_contrast_is_permitted_after_the_consent_was_withdrawn(department: Department) -> None:
    story = await _cleared(department)
    await story.made(a_screening(story.cast))
    standing = [await story.made(a_consent(story.cast))]

    async def withdrawn(_: int) -> Done:
        return await _put(department, standing[-1] | {"status": "inactive"})

    async def again(_: int) -> None:
        if (await department.get(f"Consent/{standing[-1]['id']}"))["status"] == "inactive":
            await _each_permitted_one_is_told_of(story)
        await over(department, story.cast.exam)
        standing.append(await story.made(a_consent(story.cast)))

    pool = _pool(department, "consent")
    sound(await race("consent withdrawn", pool, lambda _: _permission(story), withdrawn, again, span=_SPAN))


async def test_no_contrast_is_permitted_after_the_screening_found_a_reaction(department: Department) -> None:
    story = await _cleared(department)
    await story.made(a_consent(story.cast))
    screening = await story.made(a_screening(story.cast))
    path = f"QuestionnaireResponse/{screening['id']}"

    async def answered(code: str) -> Done:
        standing = await department.get(path)
        standing["item"] = a_screening(story.cast, reaction=code)["item"]
        return await _put(department, standing)

    async def again(_: int) -> None:
        await over(department, story.cast.exam)
        await answered("none")

    pool = _pool(department, "consent")
    changed = await race(
        "screening changed", pool, lambda _: _permission(story), lambda _: answered("severe"), again, span=_SPAN
    )
    sound(changed)


async def test_no_signature_is_taken_on_a_text_that_has_changed(department: Department) -> None:
    """The signature was made over the text as it stood; after the change it must not be taken any more."""
    story = await one_exam(department)
    await story.requested()
    report = await story.drafted()
    draft = await department.get(report)
    text = draft["extension"][0]["valueReference"]["reference"]
    ready = [await story.jws(report, "first reader", "author")]

    async def signed(_: int) -> Done:
        answer = await story.signed(report, ready[-1], "author")
        assert answer.status_code in (200, 409, 422, 503), answer.text
        return Done((value_of(answer.json(), "provenance")["reference"], 1) if answer.status_code == 200 else None)

    async def changed(number: int) -> Done:
        standing = await department.get(text)
        words = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>Text {number}.</p></div>'
        standing["section"][3]["text"]["div"] = words
        return await _put(department, standing)

    async def again(number: int) -> None:
        if (await department.get(report))["status"] == "preliminary":  # signed, and the change was asked to come again
            await changed(1000 + number)
        assert (await department.get(report))["status"] == "partial", "a signature stands on a text that has changed"
        ready.append(await story.jws(report, "first reader", "author"))

    sound(await race("text changed", _pool(department, "report"), signed, changed, again, span=0.15))

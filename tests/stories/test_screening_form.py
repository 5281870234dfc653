"""The screening form over HTTP: filled in from what order knows, gone through by a person, held against its version."""

from __future__ import annotations

from typing import Any

import pytest
from slipring_demo.contrast import a_screening

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules, texts

ASTHMA = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "J45.9"}]}
FROM = "https://slipring.example/fhir/StructureDefinition/prefilled-from"


async def filled_in(story: OneExam) -> dict[str, Any]:
    answer = await story.called(
        "Questionnaire/$populate",
        subject=("Reference", story.cast.subject),
        context=("Reference", {"reference": story.cast.exam}),
    )
    response: dict[str, Any] = answer["parameter"][0]["resource"]
    return response


@pytest.mark.clause("5.4.4.2")
async def test_the_form_comes_filled_in_and_is_refused_until_everything_is_answered(department: Department) -> None:
    story = await one_exam(department)
    await story.requested()
    known = await story.made({"resourceType": "Condition", "subject": story.cast.subject, "code": ASTHMA})
    await department.settle()
    response = await filled_in(story)
    answered = {one["linkId"]: one["answer"][0] for one in response["item"] if "answer" in one}
    assert answered["asthma"]["valueCoding"]["code"] == "Y"
    assert answered["asthma"]["extension"] == [
        {"url": FROM, "valueReference": {"reference": f"Condition/{known['id']}"}}
    ]
    assert "N" not in {one["valueCoding"]["code"] for link, one in answered.items() if link != "pregnancy"}
    kept = await story.made(response)
    early = await department.put(kept | {"status": "completed"})
    assert early.status_code == 422
    assert rules(early) == {"consent.answer-missing"}, texts(early)
    told = {one["linkId"]: one for one in a_screening(story.cast)["item"]} | {
        one["linkId"]: one for one in kept["item"] if "answer" in one
    }
    done = await department.put(kept | {"status": "completed", "item": list(told.values())})
    assert done.status_code == 200, done.text
    [task] = await department.found(f"Task?focus={story.cast.exam}&code=screening")
    assert task["status"] == "completed"
    version = await department.get("Questionnaire/c-contrast-screening-2")
    assert version["version"] == "2"

"""The text is shown, explained and signed on a tablet; what was shown is what was signed, and what is served."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from slipring_demo.contrast import a_screening

from tests.support.consenting import DOSE, IOHEXOL, a_png, a_signature, called, named, to_sign
from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules, texts

Tree = dict[str, Any]


async def an_exam(department: Department) -> OneExam:
    story = await one_exam(department)
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    await story.made(a_screening(story.cast))
    await department.settle()
    return story


async def the_text(story: OneExam, language: str = "zh-CN") -> Tree:
    asked = called(
        request=("Reference", {"reference": story.cast.exam}),
        language=("Code", language),
        agent=("CodeableConcept", IOHEXOL),
        dose=("Quantity", DOSE),
    )
    answer = await story.department.post("DocumentReference/$consent-text", asked)
    assert answer.status_code == 200, answer.text
    tree: Tree = answer.json()
    return tree


def a_paper(story: OneExam, text: Tree, **members: Any) -> Tree:
    cast = story.cast
    return to_sign(
        cast.subject["reference"],
        cast.exam,
        f"DocumentReference/{text['id']}",
        cast.staff["nurse"],
        cast.moment(),
        **members,
    )


@pytest.mark.clause("5.4.1")
async def test_the_text_is_explained_and_signed_and_contrast_may_be_given(department: Department) -> None:
    story = await an_exam(department)
    patient, when = story.cast.subject["reference"], story.cast.moment()
    refused = await story.injected()
    assert rules(refused) == {"consent.consent-valid"}, texts(refused)
    text = await the_text(story)
    [found] = await department.found(f"DocumentReference?related={story.cast.exam}&type=http://loinc.org|59284-0")
    shown = base64.b64decode(found["content"][0]["attachment"]["data"])
    assert (found["id"], "碘海醇 350" in shown.decode()) == (text["id"], True)
    answer = await department.post(
        "Consent/$sign",
        called(
            consent=a_paper(story, text),
            signature=("Signature", a_signature(patient, when)),
            clinician=("Signature", named(story.cast.staff["nurse"], when)),
        ),
    )
    assert answer.status_code == 200, answer.text
    [consent] = await department.found(f"Consent?data={story.cast.exam}&status=active")
    [record] = await department.found(f"Provenance?target=Consent/{consent['id']}")
    assert base64.b64decode(record["signature"][0]["data"]) == a_png()
    assert "no cryptographic signature" in str(record["signature"][0]["extension"])
    assert record["target"][0]["reference"] == f"Consent/{consent['id']}/_history/1"
    again = await department.get(consent["sourceReference"]["reference"])
    attachment = again["content"][0]["attachment"]
    served = base64.b64decode(attachment["data"])
    assert hashlib.sha256(served).hexdigest() == attachment["extension"][0]["valueString"]
    assert served == shown
    permitted = await story.injected()
    assert permitted.status_code == 201, permitted.text

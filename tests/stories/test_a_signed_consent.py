"""The text is shown, explained and signed on a tablet; what was shown is what was signed, and what is served."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import httpx
import pytest
from slipring.identity.clients import DEMO_DEPARTMENT
from slipring_demo.contrast import a_screening, an_egfr, an_injection
from slipring_demo.lots import a_weight

from tests.support.consenting import DOSE, IOHEXOL, a_png, a_signature, called, capacity, named, representation, to_sign
from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules, texts

Tree = dict[str, Any]
_SCHWARTZ = {"coding": [{"system": "http://loinc.org", "code": "50384-7"}]}  # adults' formulae say nothing of a child


async def an_exam(department: Department) -> OneExam:
    story = await one_exam(department)
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    await story.made(a_screening(story.cast))
    await department.settle()
    return story


def a_call(story: OneExam, language: str = "zh-CN") -> Tree:
    return called(
        request=("Reference", {"reference": story.cast.exam}),
        language=("Code", language),
        agent=("CodeableConcept", IOHEXOL),
        dose=("Quantity", DOSE),
    )


async def asked(story: OneExam, client: httpx.AsyncClient) -> int:
    return (await story.department.post("DocumentReference/$consent-text", a_call(story), client)).status_code


async def the_text(story: OneExam, language: str = "zh-CN") -> Tree:
    answer = await story.department.post("DocumentReference/$consent-text", a_call(story, language))
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
    assert (await verdict(department, consent)) == "stands"
    permitted = await story.injected()
    assert permitted.status_code == 201, permitted.text

    # Withdrawn while it runs: told at once. What was signed stays what was signed.
    by = called(by=("Reference", story.cast.subject), reason=("CodeableConcept", {"text": "改变主意"}))
    withdrawn = await department.post(f"Consent/{consent['id']}/$withdraw", by)
    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "inactive")
    notices = await department.found(f"Task?code=notice&focus=MedicationAdministration/{permitted.json()['id']}")
    assert notices and all(notice["priority"] == "stat" for notice in notices)
    assert (await verdict(department, consent)) == "stands"


async def verdict(department: Department, consent: Tree) -> str:
    answer = await department.post(f"Consent/{consent['id']}/$verify", called())
    assert answer.status_code == 200, answer.text
    return next(str(one["valueCode"]) for one in answer.json()["parameter"] if one["name"] == "verdict")


@pytest.mark.clause("5.4.1")
async def test_a_stored_text_is_not_altered_and_a_departments_own_is_kept_by_consent(department: Department) -> None:
    story = await an_exam(department)
    text = await department.get(f"DocumentReference/{(await the_text(story, 'en'))['id']}")
    attachment = text["content"][0]["attachment"]
    other = {**text, "content": [{"attachment": {**attachment, "data": base64.b64encode(b"other").decode()}}]}
    refused = await department.put(other)
    assert (refused.status_code, rules(refused)) == (409, {"consent.text-fixed"})
    [again] = [await department.get(f"DocumentReference/{text['id']}")]
    assert again == text

    own = {name: value for name, value in text.items() if name not in ("id", "meta", "date", "docStatus")}
    pdf = {
        "contentType": "application/pdf",
        "language": "zh-CN",
        "title": "own",
        "data": base64.b64encode(b"%PDF-1").decode(),
    }
    wrong = await department.post("DocumentReference", {**own, "content": [{"attachment": {**pdf, "hash": "AAAA"}}]})
    assert (wrong.status_code, rules(wrong)) == (422, {"consent.text-hash"})
    kept = await department.post("DocumentReference", {**own, "content": [{"attachment": pdf}]})
    assert kept.status_code == 201, kept.text
    assert kept.json()["id"].startswith("c-") and kept.json()["content"][0]["attachment"]["hash"]
    signed = await department.post(
        "Consent/$sign",
        called(
            consent=a_paper(story, kept.json()),
            signature=("Signature", a_signature(story.cast.subject["reference"], story.cast.moment())),
        ),
    )
    assert signed.status_code == 200, signed.text
    printed = await department.post(f"Consent/{signed.json()['parameter'][0]['resource']['id']}/$print", called())
    assert (printed.status_code, printed.json()["resourceType"]) == (200, "Binary"), printed.text
    page = base64.b64decode(printed.json()["data"]).decode()
    assert "演示 DEMO" in page and "application/pdf" in page and "no cryptographic signature" in page


async def test_what_is_wrong_with_a_signature_is_answered_all_at_once_and_nothing_is_kept(
    department: Department,
) -> None:
    story = await an_exam(department)
    text = await the_text(story)
    makers = department.client(DEMO_DEPARTMENT, "system/DocumentReference.c system/Patient.rs system/ServiceRequest.rs")
    readers = department.client(
        DEMO_DEPARTMENT, "system/DocumentReference.rs system/Patient.rs system/ServiceRequest.rs"
    )
    assert [await asked(story, client) for client in (makers, readers)] == [200, 403], "to make a text is to create"
    blank = a_signature(story.cast.subject["reference"], "2099-01-01T00:00:00Z", a_png(strokes=False))
    child = {name: value for name, value in a_paper(story, text).items() if name not in ("performer", "verification")}
    answer = await department.post("Consent/$sign", called(consent=child, signature=("Signature", blank)))
    assert answer.status_code == 422
    expected = {
        "consent.signature-blank",
        "consent.signature-when",
        "consent.sign-who",
        "consent.signer",
        "consent.explained-first",
    }
    assert rules(answer) >= expected, texts(answer)
    assert await department.found(f"Consent?data={story.cast.exam}") == []
    unknown = await department.post("Consent/$sign", called(consent=child))
    assert unknown.status_code == 400, "a signature is asked for"


@pytest.mark.clause("5.4.1")
async def test_a_refused_signature_stores_nothing_and_leaves_a_draft_as_it_was(department: Department) -> None:
    story = await an_exam(department)
    text = await the_text(story)
    patient, when = story.cast.subject["reference"], story.cast.moment()
    paper = a_paper(story, text)
    draft = await story.made({**paper, "status": "draft"})
    before = await kept_types(department)
    for consent in ({**paper, "id": draft["id"]}, paper):
        for signature in (
            a_signature(patient, "2099-01-01T00:00:00Z"),
            a_signature(story.cast.staff["nurse"], when),
            a_signature(patient, when, a_png(strokes=False)),
        ):
            call = called(
                consent=consent,
                signature=("Signature", signature),
                clinician=("Signature", named(story.cast.staff["nurse"], when)),
                assent=("Signature", named(patient, when)),
            )
            answer = await department.post("Consent/$sign", call)
            assert answer.status_code == 422, answer.text
    assert await kept_types(department) == before
    assert await department.get(f"Consent/{draft['id']}") == draft
    sound = called(consent={**paper, "id": draft["id"]}, signature=("Signature", a_signature(patient, when)))
    answer = await department.post("Consent/$sign", sound)
    assert answer.status_code == 200, "the same draft is signed when all is right: " + answer.text
    assert (await department.get(f"Consent/{draft['id']}"))["meta"]["versionId"] == "2"


async def kept_types(department: Department) -> dict[str, list[str]]:
    """Every version that could be a trace of a signature, by type."""
    types = ("Consent", "Provenance", "DetectedIssue", "Task", "DocumentReference")
    return {
        kept: sorted(f"{one['id']}/{one['meta']['versionId']}" for one in await department.found(f"{kept}?_count=1000"))
        for kept in types
    }


@pytest.mark.clause("5.4.1")
async def test_a_child_is_screened_his_mother_consents_and_contrast_is_given(department: Department) -> None:
    story = await one_exam(department)
    child = await department.get(story.cast.subject["reference"])
    assert (await department.put(child | {"birthDate": "2016-02-03"})).status_code == 200
    await story.requested()
    await story.made(an_egfr(story.cast) | {"code": _SCHWARTZ})
    await story.made(a_weight(story.cast, 32))
    mother = await story.made({
        "resourceType": "RelatedPerson", "patient": story.cast.subject, "name": [{"text": "示例母亲"}],
        "relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}], "text": "母亲"}],
    })  # fmt: skip
    await story.made(a_screening(story.cast))
    await department.fresh()
    guardian, when, text = f"RelatedPerson/{mother['id']}", story.cast.moment(), await the_text(story)

    async def signed(by: str, **members: Any) -> httpx.Response:
        signature = ("Signature", a_signature(by, when))
        return await department.post(
            "Consent/$sign", called(consent=a_paper(story, text, **members), signature=signature)
        )

    alone = await signed(story.cast.subject["reference"])
    assert alone.status_code == 422 and "consent.minor-guardian" in rules(alone), texts(alone)
    asked = an_injection(story.cast, ml=40)
    assert rules(await department.post("MedicationAdministration", asked)) == {"consent.consent-valid"}
    for_the_child = {"performer": [{"reference": guardian}], "extension": [capacity("none"), representation("minor")]}
    given = await signed(guardian, **for_the_child)
    assert given.status_code == 200, given.text
    [consent] = await department.found(f"Consent?data={story.cast.exam}&status=active")
    assert consent["performer"] == [{"reference": guardian}] and (await verdict(department, consent)) == "stands"

    permitted = await department.post("MedicationAdministration", asked)
    assert permitted.status_code == 201, permitted.text
    assert (await department.put(permitted.json() | {"status": "completed"})).status_code == 200
    assert await department.found(f"Task?code=observation&based-on={story.cast.exam}"), "he is watched afterwards"

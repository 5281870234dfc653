"""The exact text for one exam: complete in both languages, the same for the same facts, and never rewritten."""

import base64
import hashlib
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slipring.fhir.checks.shape import check
from slipring.fhir.service import Call, Resource, Write
from slipring_consent.consenting.document import attachment_of, hash_faults
from slipring_consent.consenting.text import TextFacts, filled
from slipring_consent.consenting.wording import languages, wording
from slipring_consent.handlers.consent_texts import text_asked, text_written

from tests.support.consenting import DOSE, IOHEXOL, called
from tests.support.contrast import EXAM, a_request, a_screening

from .consent_room import ConsentRoom, refusals

A_DAY = date(2026, 3, 2)
NUMBER = {"type": {"coding": [{"code": "ACSN"}]}, "value": "CT20260302000001"}


def shown(document: Resource) -> str:
    return base64.b64decode(attachment_of(document)["data"]).decode()


@pytest.mark.clause("5.4.1")
@pytest.mark.clause("4.4.1")
@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "zh-CN",
            ["示例患者", "SYN-0001", "1960-05-01", "女", "胸部", "CT20260302000001", "碘海醇 350", "80 mL", "静脉注射", "轻度", "中度",
             "重度", "迟发反应", "1 周", "外渗", "30 分钟", "二甲双胍", "孕", "哺乳", "拒绝", "替代方法", "24 小时", "撤回", "一次检查"],
        ),
        (
            "en",
            ["示例患者", "SYN-0001", "1960-05-01", "female", "胸部", "CT20260302000001", "碘海醇 350", "80 mL", "into a vein", "Mild",
             "Moderate", "Severe", "Delayed", "one week", "Extravasation", "30 minutes", "Metformin", "pregnant", "Breast feeding",
             "right to refuse", "Alternatives", "24 hours", "withdraw", "one examination"],
        ),
    ],
)  # fmt: skip
async def test_the_text_says_all_that_a_patient_is_to_know(language: str, said: list[str]) -> None:
    room = ConsentRoom()
    room.desk.hold(a_request(bodySite=[{"text": "胸部"}], identifier=[NUMBER]), source="order")
    text = await room.text(language=("Code", language))
    assert [word for word in said if word not in shown(text)] == []
    assert check(text) == [] and hash_faults(attachment_of(text)) == []
    assert (attachment_of(text)["language"], text["context"]["related"]) == (language, [{"reference": EXAM}])


async def test_what_was_answered_in_screening_stands_in_the_text() -> None:
    room = ConsentRoom(a_screening(asthma="Y"))
    form = {"resourceType": "Questionnaire", "id": "c-form", "url": a_screening()["questionnaire"].partition("|")[0]}
    item = {"linkId": "asthma", "text": "哮喘？", "answerOption": [{"valueCoding": {"code": "Y", "display": "是"}}]}
    room.desk.hold({**form, "version": a_screening()["questionnaire"].partition("|")[2], "item": [item]})
    assert "哮喘？ 是" in shown(await room.text())


async def test_the_same_text_asked_twice_is_stored_once_and_another_dose_makes_another() -> None:
    room = ConsentRoom()
    first, again = await room.text(), await room.text()
    other = await room.text(dose=("Quantity", {**DOSE, "value": 90}))
    assert (first["id"] == again["id"], first["id"] == other["id"]) == (True, False)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"agent": None}, "consent.text-agent"),
        ({"agent": ("CodeableConcept", {"coding": [{"system": "http://www.whocc.no/atc", "code": "A10BA02"}]})}, "consent.text-agent"),
        ({"dose": ("Quantity", {"value": 0, "code": "mL"})}, "consent.text-dose"),
        ({"dose": ("Quantity", {"value": 80, "unit": "mg"})}, "consent.text-dose"),
        ({"language": ("Code", "fr")}, "consent.text-language"),
        ({"request": ("Reference", {"reference": "ServiceRequest/o-nowhere"})}, "consent.text-request"),
    ],
)  # fmt: skip
async def test_a_text_that_would_not_say_what_it_must_is_not_made(parameters: dict[str, Any], code: str) -> None:
    asked = {
        "request": ("Reference", {"reference": EXAM}),
        "agent": ("CodeableConcept", IOHEXOL),
        "dose": ("Quantity", DOSE),
    }
    given_now = {name: value for name, value in {**asked, **parameters}.items() if value is not None}
    room = ConsentRoom()
    with pytest.raises(Exception) as refused:
        await text_asked(Call(called(**given_now)), room.desk)
    assert {issue.detail for issue in refused.value.issues} == {code}  # type: ignore[attr-defined]
    assert await room.desk.search("DocumentReference?status=current") == []


async def test_an_agent_of_the_request_needs_no_parameter() -> None:
    room = ConsentRoom()
    room.desk.hold(a_request(orderDetail=[IOHEXOL]), source="order")
    asked = called(request=("Reference", {"reference": EXAM}), dose=("Quantity", DOSE))
    assert "碘海醇 350" in shown((await text_asked(Call(asked), room.desk)).answer or {})


@pytest.mark.clause("5.4.1")
async def test_a_stored_text_is_not_rewritten_but_may_be_taken_back() -> None:
    room = ConsentRoom()
    text = await room.text()
    before = room.desk.held[f"DocumentReference/{text['id']}"]
    [content] = text["content"]
    other = {
        **text,
        "content": [{"attachment": {**content["attachment"], "data": base64.b64encode(b"other").decode()}}],
    }
    assert refusals(await text_written(Write("update", other, before), room.desk)) == {"consent.text-fixed"}
    moved = {**text, "context": {"related": [{"reference": "ServiceRequest/o-other"}]}}
    assert refusals(await text_written(Write("update", moved, before), room.desk)) == {"consent.text-fixed"}
    untyped = {**text, "type": {"text": "letter"}}
    assert refusals(await text_written(Write("update", untyped, before), room.desk)) == {"consent.text-fixed"}
    wrong = {**text, "status": "entered-in-error"}
    assert (await text_written(Write("update", wrong, before), room.desk)).refuse is None


def an_own_text(content: bytes, **attachment: Any) -> Resource:
    return {
        "resourceType": "DocumentReference",
        "id": "c-own",
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "59284-0"}]},
        "subject": {"reference": "Patient/o-pat"},
        "content": [
            {
                "attachment": {
                    "contentType": "application/pdf",
                    "language": "zh-CN",
                    "data": base64.b64encode(content).decode(),
                    **attachment,
                }
            }
        ],
        "context": {"related": [{"reference": EXAM}]},
    }


async def test_a_departments_own_text_is_taken_with_hashes_that_fit_it() -> None:
    room = ConsentRoom()
    changes = await text_written(Write("create", an_own_text(b"%PDF-own")), room.desk)
    assert changes.refuse is None
    attachment = changes.members["content"][0]["attachment"]
    assert attachment["hash"] == base64.b64encode(hashlib.sha1(b"%PDF-own", usedforsecurity=False).digest()).decode()
    assert attachment["extension"][0]["valueString"] == hashlib.sha256(b"%PDF-own").hexdigest()
    assert attachment["contentType"] == "application/pdf"
    whole = {**an_own_text(b""), "content": changes.members["content"]}
    assert (await text_written(Write("create", whole), room.desk)).nothing, "what is whole stays as it was received"


async def test_a_text_whose_hash_does_not_fit_or_that_names_no_exam_is_refused() -> None:
    desk = ConsentRoom().desk
    wrong = an_own_text(b"%PDF-own", hash=base64.b64encode(b"x" * 20).decode(), size=3)
    refused = (await text_written(Write("create", wrong), desk)).refuse
    assert refused is not None
    at = "DocumentReference.content[0].attachment"
    assert [issue.at for issue in refused.issues] == [f"{at}.hash", f"{at}.size"]
    nowhere = {**an_own_text(b"%PDF-own"), "context": {}}
    assert refusals(await text_written(Write("create", nowhere), desk)) == {"consent.text-member"}


async def test_another_document_is_a_plain_record() -> None:
    letter = {**an_own_text(b"x", hash="AAAA"), "type": {"text": "letter"}}
    assert (await text_written(Write("create", letter), ConsentRoom().desk)).nothing


WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30)


@given(name=WORDS, agent=WORDS, number=WORDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_same_facts_give_the_same_bytes_and_nothing_in_them_becomes_markup(
    name: str, agent: str, number: str
) -> None:
    facts = TextFacts(
        f"<script>{name}", (number,), "1960-05-01", "female", "CT {x}", "", number, agent, "80 mL", "{y}", 30, 24
    )
    for language in languages(A_DAY):
        words = wording(language, A_DAY)
        assert words is not None
        text = filled(words, facts)
        assert text == filled(words, facts)
        assert b"<script" not in text and text.count(b"<main") == 1


def test_a_dialect_is_answered_in_its_language() -> None:
    found = [wording(asked, A_DAY) for asked in ("zh", "zh-CN", "en-GB", "EN", "de")]
    assert [one.language if one else None for one in found] == ["zh-CN", "zh-CN", "en", "en", None]


def test_every_language_says_the_same_sections_in_the_same_version() -> None:
    chinese, english = (wording(language, A_DAY) for language in ("zh-CN", "en"))
    assert chinese is not None and english is not None
    assert chinese.name == english.name
    assert [s.id for s in chinese.sections] == [s.id for s in english.sections]
    assert [len(s.listed) for s in chinese.sections] == [len(s.listed) for s in english.sections]

"""Consent on a tablet: the exact text, a signature by finger, a guardian, refusal, paper, withdrawal, the print."""

from __future__ import annotations

import io
import re
import struct
import zlib
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.department.bedside.contrast_morning import ContrastMorning, long_signed_in, staff_number, until_found
from tests.department.conftest import Enter, looked_at
from tests.department.morning import PASSWORD, posted


def text_shown(page: Page, *, agent: str, dose: str, show: re.Pattern[str]) -> None:
    """Ask for the text with this dose, of the first agent."""
    page.get_by_role("combobox", name=agent).select_option(index=1)
    page.get_by_role("textbox", name=dose).fill("60")
    page.get_by_role("button", name=show).click()
    expect(page.locator("section.consent-text")).to_contain_text("60")


def drawn(page: Page, field: str) -> None:
    """A signature by finger."""
    pad = page.get_by_role("img", name=field, exact=True)
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(1, 30):
        page.mouse.move(box["x"] + 40 + 12 * step, box["y"] + 60 + (25 if step % 2 else -15))
    page.mouse.up()


def consents(contrast: ContrastMorning, exam: str, status: str) -> dict[str, Any]:
    with contrast.served.client() as http:
        [found] = until_found(http, f"Consent?data=ServiceRequest/{exam}&status={status}")
    return found


@pytest.mark.clause("5.4.1")
def test_a_patient_signs_the_exact_text_by_finger_and_withdraws_later(contrast: ContrastMorning, enter: Enter) -> None:
    exam = contrast.comes("枫")
    page = enter("bedside", f"/bedside/exams/{exam}/consent", "zh", "tablet")
    page.get_by_role("button", name=re.compile("出示")).click()
    expect(page.locator("#dose-problem")).to_be_visible()
    text_shown(page, agent="对比剂", dose="计划用量", show=re.compile("出示"))
    looked_at(page, "bedside-consent-text-zh")
    page.get_by_role("button", name=re.compile("记录 枫虚构 的决定")).click()
    expect(page.locator("#pen-problem")).to_contain_text("请在签名区签名")
    drawn(page, "手写签名区")
    looked_at(page, "bedside-consent-signed-zh")
    page.get_by_role("button", name=re.compile("记录 枫虚构 的决定")).click()
    expect(page.get_by_text("● 已同意")).to_be_visible()
    looked_at(page, "bedside-consent-given-zh")
    kept = consents(contrast, exam, "active")
    assert kept["sourceReference"]["reference"].startswith("DocumentReference/")
    with contrast.served.client() as http:
        [record] = until_found(http, f"Provenance?target=Consent/{kept['id']}")
    assert any(one.get("sigFormat") == "image/png" and one["data"] for one in record["signature"])
    printed = page.request.get(f"/bedside/consents/{kept['id']}/print")
    assert (
        printed.status == 200 and "枫虚构" in printed.text() and "sandbox" in printed.headers["content-security-policy"]
    )

    page.get_by_text("撤回知情同意").click()
    page.get_by_role("button", name="撤回 枫虚构 的知情同意").click()
    expect(page.locator(".problem").first).to_be_visible()
    page.get_by_role("combobox", name="理由").select_option(label="改变主意")
    page.get_by_role("button", name="撤回 枫虚构 的知情同意").click()
    expect(page.get_by_text("▲ 知情同意已撤回")).to_be_visible()
    assert consents(contrast, exam, "inactive")["id"] == kept["id"]


@pytest.mark.clause("5.4.1")
def test_a_mother_signs_for_a_child_with_a_picture_and_without_script(contrast: ContrastMorning, enter: Enter) -> None:
    exam = contrast.comes("苗", born="2018-05-06")
    page = enter("bedside", f"/bedside/exams/{exam}/consent", "en", "tablet", java_script_enabled=False)
    text_shown(page, agent="Agent", dose="Planned dose", show=re.compile("Show the text to"))
    page.get_by_role("group", name="Can the patient decide?").get_by_role("radio", name="cannot decide").check()
    page.get_by_role("group", name="Who signs?").get_by_role("radio", name="a relative or guardian").check()
    page.get_by_text("The relative or guardian").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("苗虚构之母")
    page.get_by_role("combobox", name="Relationship to the patient").select_option(label="parent")
    page.get_by_role("radio", name="the patient is a minor").check()
    page.get_by_role("checkbox", name="The patient says yes, also without writing").check()
    page.get_by_text("Without drawing: a picture, or paper").click()
    picture = {"name": "signature.png", "mimeType": "image/png", "buffer": a_signature()}
    page.get_by_label("Picture of the signature (PNG)").set_input_files(files=[picture])  # type: ignore[list-item]
    page.get_by_role("button", name=re.compile("Record the decision of")).click()
    page.wait_for_load_state()
    expect(page.get_by_text("● Consent is given")).to_be_visible()
    kept = consents(contrast, exam, "active")
    assert kept["performer"][0]["reference"].startswith("RelatedPerson/")
    with contrast.served.client() as http:
        patient = contrast.morning.patients["苗"]["id"]
        [mother] = until_found(http, f"RelatedPerson?patient=Patient/{patient}")
        [_] = until_found(http, f"Consent?patient=Patient/{patient}")
        [record] = until_found(http, f"Provenance?target=Consent/{kept['id']}")
    [named] = [one for one in record["signature"] if one["who"]["reference"] == f"Patient/{patient}"]
    assert "data" not in named, "the child's yes, by name alone"
    assert mother["name"][0]["text"] == "苗虚构之母", (
        "one press keeps her, and one consent: what was refused stored nothing"
    )


@pytest.mark.clause("5.4.1")
def test_a_child_signs_beside_the_guardian_and_never_alone(contrast: ContrastMorning, enter: Enter) -> None:
    exam = contrast.comes("樱", born="2014-02-03")
    page = enter("bedside", f"/bedside/exams/{exam}/consent", "zh", "tablet")
    text_shown(page, agent="对比剂", dose="计划用量", show=re.compile("出示"))
    record = page.get_by_role("button", name=re.compile("记录 樱虚构 的决定"))
    page.get_by_text("近亲属或监护人信息").click()
    page.get_by_role("checkbox", name="患者本人表示同意").check()
    drawn(page, "手写签名区")
    record.click()
    expect(page.locator("#assent-problem")).to_contain_text("此处由患者本人签署")
    page.get_by_role("group", name="患者的行为能力").get_by_role("radio", name="无法作出决定").check()
    page.get_by_role("group", name="由谁签署").get_by_role("radio", name="近亲属或监护人").check()
    page.get_by_role("textbox", name="姓名", exact=True).fill("樱虚构之父")
    page.get_by_role("combobox", name="与患者的关系").select_option(label="父母")
    page.get_by_role("radio", name="患者未成年").check()
    drawn(page, "患者本人手写签名区")
    drawn(page, "手写签名区")
    looked_at(page, "bedside-consent-assent-zh")
    record.click()
    expect(page.get_by_text("● 已同意")).to_be_visible()
    kept = consents(contrast, exam, "active")
    with contrast.served.client() as http:
        [record_of] = until_found(http, f"Provenance?target=Consent/{kept['id']}")
    patient = f"Patient/{contrast.morning.patients['樱']['id']}"
    parts = {one["type"]["coding"][0]["code"]: one["who"]["reference"] for one in record_of["agent"]}
    assert parts["PAT"] == patient and parts["GUARD"].startswith("RelatedPerson/")
    [own] = [one for one in record_of["signature"] if one["who"]["reference"] == patient]
    assert own["sigFormat"] == "image/png" and own["data"]
    printed = page.request.get(f"/bedside/consents/{kept['id']}/print").text()
    assert "患者本人意愿 / the patient&#39;s own assent" in printed, "it stands on the paper, too"


def test_a_refusal_on_paper_is_on_record_with_its_reason(contrast: ContrastMorning, enter: Enter) -> None:
    exam = contrast.comes("槐")
    page = enter("bedside", f"/bedside/exams/{exam}/consent", "en", "phone", color_scheme="dark")
    text_shown(page, agent="Agent", dose="Planned dose", show=re.compile("Show the text to"))
    page.get_by_role("radio", name="refuses the contrast").check()
    page.get_by_text("Without drawing: a picture, or paper").click()
    page.get_by_role("textbox", name="Signed on paper, because").fill("the tablet had no power")
    looked_at(page, "bedside-consent-refusal-phone")
    page.get_by_role("button", name=re.compile("Record the decision of")).click()
    expect(page.get_by_text("▲ Contrast is refused")).to_be_visible()
    kept = consents(contrast, exam, "rejected")
    assert any(one.get("valueString") == "the tablet had no power" for one in kept["extension"])


@pytest.mark.clause("5.4.1")
def test_an_emergency_exception_says_who_approved_it_why_and_who_was_tried(
    contrast: ContrastMorning, enter: Enter
) -> None:
    with contrast.served.client() as http:
        posted(http, an_approver(contrast.morning.staff["ward duty"]))
    exam = contrast.comes("榕")
    page = enter("bedside", f"/bedside/exams/{exam}/consent", "zh", "tablet")
    page.get_by_text("▲ 紧急情况：无法取得同意").click()
    record = page.get_by_role("button", name="为 榕虚构 记录紧急例外")
    page.get_by_role("textbox", name="批准人工号").fill(staff_number(contrast, "second reader"))
    record.click()
    expect(page.locator("#approver-problem")).to_contain_text("批准人未获授权")
    expect(page.locator("#why-problem")).to_contain_text("编码的理由")
    expect(page.locator("#attempts-problem")).to_contain_text("何人、何时、联系何人及结果")
    looked_at(page, "bedside-exception-refused-zh")
    page.get_by_role("textbox", name="批准人工号").fill(staff_number(contrast, "ward duty"))
    page.get_by_role("radio", name="无法与近亲属取得联系").check()
    page.get_by_role("textbox", name="联系何人（第 1 次）").fill("妻子，电话")
    page.get_by_role("textbox", name="结果（第 1 次）").fill("两次未接")
    page.get_by_text("第 2 次联系").click()
    page.get_by_role("textbox", name="联系何人（第 2 次）").fill("儿子")
    page.get_by_role("textbox", name="结果（第 2 次）").fill("号码已停用")
    long_signed_in(contrast)
    record.click()
    page.get_by_label("密码").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("◆ 紧急例外：未取得同意，已获批准")).to_be_visible()
    expect(page.get_by_text("● 已同意")).to_have_count(0)
    expect(page.locator("dl.steps")).to_contain_text("◆ 紧急例外")
    looked_at(page, "bedside-exception-zh")
    kept = consents(contrast, exam, "active")
    [parts] = [one["extension"] for one in kept["extension"] if one["url"].endswith("/emergency-exception")]
    said = {part["url"]: part for part in parts}
    assert said["approver"]["valueReference"]["reference"] == contrast.morning.staff["ward duty"]
    assert said["reason"]["valueCodeableConcept"]["coding"][0]["code"] == "relative-unreachable"
    assert len([part for part in parts if part["url"] == "attempt"]) == 2
    assert kept["provision"]["period"]["end"] and "performer" not in kept, "it ends by itself, and nobody signed it"


def test_the_form_of_an_exception_in_english_is_refused_beside_its_fields(
    contrast: ContrastMorning, enter: Enter
) -> None:
    page = enter("bedside", f"/bedside/exams/{contrast.exam('梅')}/consent", "en", "tablet")
    page.get_by_text("▲ Emergency: nobody can consent").click()
    page.get_by_role("textbox", name="Whom (try 1)").fill("wife")
    page.get_by_role("button", name=re.compile("Record the emergency exception for")).click()
    expect(page.locator("#approver-problem")).to_contain_text("names who approved it")
    expect(page.locator("#attempts-problem")).to_contain_text("with what outcome")
    expect(page.get_by_role("textbox", name="Whom (try 1)")).to_have_value("wife")
    looked_at(page, "bedside-exception-refused-en")


def an_approver(person: str) -> dict[str, Any]:
    """Whom the head of the institution authorised to approve exceptions."""
    role = {"system": "https://slipring.example/fhir/CodeSystem/staff-role", "code": "emergency-approver"}
    return {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": person},
        "code": [{"coding": [role]}],
    }


def a_signature() -> bytes:
    """A picture of strokes on white, 300 by 100 (PNG, grey)."""
    rows = [
        b"\x00" + bytes(0 if 40 < x < 260 and abs(50 + (x % 40) - 20 - y) < 3 else 255 for x in range(300))
        for y in range(100)
    ]
    found = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    found.seek(0, io.SEEK_END)
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", 300, 100, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(rows))),
        (b"IEND", b""),
    ):
        found.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
    return found.getvalue()

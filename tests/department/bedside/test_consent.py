"""Consent on a tablet: the exact text, a signature by finger, a guardian, refusal, paper, withdrawal, the print."""

from __future__ import annotations

import io
import re
import struct
import zlib
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.department.bedside.contrast_morning import ContrastMorning, until_found
from tests.department.conftest import Enter, looked_at


def text_shown(page: Page, *, agent: str, dose: str, show: re.Pattern[str]) -> None:
    """Ask for the text with this dose, of the first agent."""
    page.get_by_role("combobox", name=agent).select_option(index=1)
    page.get_by_role("textbox", name=dose).fill("60")
    page.get_by_role("button", name=show).click()
    expect(page.locator("section.consent-text")).to_contain_text("60")


def drawn(page: Page, field: str) -> None:
    """A signature by finger."""
    pad = page.get_by_role("img", name=field)
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
    page.get_by_text("Without drawing: a picture, or paper").click()
    picture = {"name": "signature.png", "mimeType": "image/png", "buffer": a_signature()}
    for _ in range(10):  # until consent has heard of the mother, whom order keeps
        page.get_by_label("Picture of the signature (PNG)").set_input_files(files=[picture])  # type: ignore[list-item]
        page.get_by_role("button", name=re.compile("Record the decision of")).click()
        page.wait_for_load_state()
        if page.get_by_text("● Consent is given").is_visible():
            break
        page.wait_for_timeout(1000)
    expect(page.get_by_text("● Consent is given")).to_be_visible()
    kept = consents(contrast, exam, "active")
    assert kept["performer"][0]["reference"].startswith("RelatedPerson/")
    with contrast.served.client() as http:
        patient = contrast.morning.patients["苗"]["id"]
        [mother] = until_found(http, f"RelatedPerson?patient=Patient/{patient}")
    assert mother["name"][0]["text"] == "苗虚构之母", "she is kept once, however often it was sent"


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

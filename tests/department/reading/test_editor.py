"""The editor: by keyboard alone, two who write at once, a critical finding before anything is saved, records that are away."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.department.bedside.contrast_morning import until_found
from tests.department.conftest import Enter, looked_at
from tests.department.reading.conftest import Comes, report_of, text_of


def typed(page: Page, label: str, words: str) -> None:
    page.get_by_role("textbox", name=label, exact=True).fill(words)


def saved(page: Page, language: str = "en") -> None:
    page.keyboard.press("Control+s")
    expect(page.locator("[data-saved-line]")).to_contain_text("● Saved" if language == "en" else "● 已保存")


@pytest.mark.clause("5.7.1")
def test_a_report_is_written_saved_and_read_without_a_mouse(
    comes: Comes, department: httpx.Client, enter: Enter
) -> None:
    exam = comes("桐")
    page = enter("author", f"/reading/exams/{exam}", "en")
    expect(page.locator(".person")).to_contain_text("桐虚构")
    expect(page.get_by_role("region", name="Clinical question")).to_contain_text("Headache for two days, bleeding?")
    expect(page.locator("[data-saved-line]")).to_contain_text("Nothing is saved yet")
    page.keyboard.press("Alt+Digit4")
    page.keyboard.type("Lungs clear. 双肺清晰，未见 <结节>.")
    page.keyboard.press("Alt+Digit5")
    page.keyboard.type("No nodule.\nNothing else.")
    page.get_by_label("Result of the examination").select_option("negative")
    saved(page)
    expect(page).to_have_url(re.compile(r"/reading/reports/r-"))
    report = report_of(department, exam)
    assert report["status"] == "partial" and report["resultsInterpreter"]
    assert report["conclusionCode"][0]["coding"][0]["code"] == "negative"
    kept = {one["code"]["coding"][0]["code"]: one["text"]["div"] for one in text_of(department, report)["section"]}
    assert (
        "双肺清晰，未见 &lt;结节&gt;." in kept["59776-5"] and "<p>No nodule.</p><p>Nothing else.</p>" in kept["19005-8"]
    )
    looked_at(page, "reading-editor-en")
    page.keyboard.press("Alt+Digit6")
    page.keyboard.type("Control in a year.")
    page.keyboard.press("Alt+p")
    expect(page.get_by_role("region", name="The report as it is signed")).to_contain_text("Control in a year.")
    looked_at(page, "reading-preview-en")
    assert len(department.get(f"/fhir/DiagnosticReport?based-on=ServiceRequest/{exam}").json()["entry"]) == 1


@pytest.mark.clause("5.7.1")
def test_two_who_write_at_once_see_both_texts_and_nothing_is_lost(
    comes: Comes, department: httpx.Client, enter: Enter
) -> None:
    exam = comes("杉")
    mine = enter("author", f"/reading/exams/{exam}", "zh")
    his = enter("reader", f"/reading/exams/{exam}", "zh")
    typed(mine, "影像学表现", "左肺上叶结节 6 mm。")
    typed(mine, "建议", "三个月后复查。")
    typed(his, "影像学表现", "右肺上叶结节 6 mm。")
    typed(his, "影像学诊断", "肺结节。")
    saved(his, "zh")
    mine.keyboard.press("Control+s")
    expect(mine.get_by_role("alert").filter(has_text="未保存：在您填写期间")).to_be_visible()
    expect(mine.get_by_role("textbox", name="影像学表现", exact=True)).to_have_value("左肺上叶结节 6 mm。")
    expect(mine.locator("#against-59776-5")).to_contain_text("右肺上叶结节 6 mm。")
    expect(mine.get_by_role("textbox", name="影像学诊断", exact=True)).to_have_value("肺结节。")
    looked_at(mine, "reading-conflict-zh")
    mine.get_by_role("button", name="采用该文字，替换我的").press("Enter")
    saved(mine, "zh")
    report = report_of(department, exam)
    kept = {one["code"]["coding"][0]["code"]: one["text"]["div"] for one in text_of(department, report)["section"]}
    assert "右肺" in kept["59776-5"] and "肺结节" in kept["19005-8"] and "三个月" in kept["18783-1"]


@pytest.mark.clause("5.7.1")
def test_a_critical_finding_is_flagged_before_anything_is_saved_and_what_was_typed_stays(
    comes: Comes, department: httpx.Client, enter: Enter
) -> None:
    exam = comes("榆")
    page = enter("author", f"/reading/exams/{exam}", "en")
    typed(page, "Findings", "Filling defects in both lower lobes.")
    page.get_by_role("button", name=re.compile("Flag it for")).press("Enter")
    expect(page.locator("#finding-problem")).to_contain_text("Choose the finding")
    expect(page.get_by_role("textbox", name="Findings", exact=True)).to_have_value(
        "Filling defects in both lower lobes."
    )
    page.get_by_role("combobox", name="Which finding").select_option(label="pulmonary embolism")
    page.get_by_role("button", name=re.compile("Flag it for")).press("Enter")
    expect(page.get_by_role("region", name="Flagged as critical")).to_contain_text("pulmonary embolism")
    report = report_of(department, exam)
    [flag] = until_found(department, f"Observation?focus=DiagnosticReport/{report['id']}")
    assert flag["code"]["coding"][0]["code"] == "CV-CT-06" and flag["performer"]
    until_found(department, f"Task?code=critical-case&patient={report['subject']['reference']}")
    page.reload()
    expect(page.get_by_text("● taken over")).to_be_visible()
    looked_at(page, "reading-flagged-en")


def test_while_the_records_are_away_the_text_stays_and_is_saved_later(
    comes: Comes, department: httpx.Client, enter: Enter
) -> None:
    page = enter("author", f"/reading/exams/{comes('榄')}", "en")
    typed(page, "Impression", "No fracture.")
    page.route("**/reading/**", lambda route: route.abort())
    page.keyboard.press("Control+s")
    expect(page.locator("[data-unsaved]")).to_be_visible()
    expect(page.get_by_role("textbox", name="Impression", exact=True)).to_have_value("No fracture.")
    page.unroute("**/reading/**")
    saved(page)
    expect(page.locator("[data-unsaved]")).to_be_hidden()


@pytest.mark.clause("5.8.3")
def test_what_the_checks_see_stands_beside_the_text_while_it_is_typed_and_leads_to_its_place(
    comes: Comes, enter: Enter
) -> None:
    page = enter("author", f"/reading/exams/{comes('柚')}", "zh")
    typed(page, "影像学诊断", "未见异常。")
    page.get_by_role("textbox", name="影像学表现", exact=True).press_sequentially("双肺清晰。前列腺增大。")
    seen = page.get_by_role("region", name="文字检查")
    expect(seen).to_contain_text("该性别患者没有此器官")
    looked_at(page, "reading-checks-zh")
    page.keyboard.press("Alt+l")
    page.keyboard.press("Enter")
    field = page.get_by_role("textbox", name="影像学表现", exact=True)
    expect(field).to_be_focused()
    chosen = (
        "document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)"
    )
    assert page.evaluate(chosen) == "前列腺"
    page.keyboard.press("Alt+s")
    page.get_by_role("textbox", name="文字无误的理由（1）").fill("既往病历记载，已核对患者身份")
    looked_at(page, "reading-answer-zh")
    page.get_by_role("button", name="我确认（1）").press("Enter")
    expect(page.get_by_text("● 已有人确认")).to_be_visible()


def test_a_draft_saves_itself_and_a_screen_that_nobody_uses_is_cleared_without_losing_a_word(
    comes: Comes, department: httpx.Client, enter: Enter
) -> None:
    exam = comes("桦")
    page = enter("author", f"/reading/exams/{exam}", "en")
    page.clock.install()
    page.reload()
    typed(page, "Findings", "Lungs clear.")
    page.clock.fast_forward(70_000)
    expect(page.locator("[data-saved-line]")).to_contain_text("● Saved")
    assert "Lungs clear." in str(text_of(department, report_of(department, exam))["section"])
    typed(page, "Impression", "Nothing else.")
    page.clock.fast_forward(1_900_000)
    page.wait_for_url("**/auth/locked**")
    assert "Nothing else." in str(text_of(department, report_of(department, exam))["section"])
    assert "Lungs clear." not in page.content()


def test_a_result_that_is_none_is_refused_at_its_field(comes: Comes, enter: Enter) -> None:
    page = enter("author", f"/reading/exams/{comes('槿')}", "en")
    page.get_by_label("Result of the examination").evaluate("select => { select.options[1].value = 'perhaps'; }")
    page.get_by_label("Result of the examination").select_option("perhaps")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.locator("#problem-result")).to_contain_text("positive, negative or not stated")

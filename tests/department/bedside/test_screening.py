"""The screening on a tablet: answered in two languages, kept half-way, assessed, decided by a physician."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.department.bedside.contrast_morning import ContrastMorning, until_found
from tests.department.conftest import Enter, looked_at


def all_answered_with_no(page: Page) -> None:
    """Every question that is asked and must be answered, by its last harmless choice."""
    for group in page.get_by_role("group").filter(has=page.get_by_role("radio")).all():
        if not group.is_visible():
            continue
        if group.get_by_role("radio", checked=True).count():
            continue
        for name in (re.compile("^(No|None|否|无)$"), re.compile("^(Unknown|不清楚)$")):
            choice = group.get_by_role("radio", name=name)
            if choice.count() == 1:
                choice.check()
                break


@pytest.mark.clause("5.4.1")
def test_a_nurse_screens_in_two_languages_and_a_physician_decides_on_what_is_found(
    contrast: ContrastMorning, enter: Enter
) -> None:
    exam = contrast.comes("兰", sex="male")
    page = enter("bedside", "/bedside", "en", "tablet")
    page.get_by_role("link", name=f"Screening {contrast.morning.number('兰')}").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("contrast")
    expect(page.get_by_role("group", name=re.compile("[Pp]regnan"))).to_contain_text("filled in from the records")
    looked_at(page, "bedside-screening-prefilled")
    page.get_by_role("button", name="All is answered: assess it").click()
    expect(page.locator(".problem").first).to_be_visible()
    expect(
        page.locator(".problem").filter(has_text=re.compile('The question "[A-Z].+" has to be answered')).first
    ).to_be_visible()
    looked_at(page, "bedside-screening-refused")
    all_answered_with_no(page)
    reaction = page.get_by_role("group", name=re.compile("Any earlier reaction to iodinated contrast"))
    reaction.get_by_role("radio", name="Severe").check()
    all_answered_with_no(page)  # what appears only now
    page.get_by_role("button", name="保存并切换为中文").click()
    expect(page.get_by_role("radio", name="重度").first).to_be_checked()
    looked_at(page, "bedside-screening-half-way-zh")
    page.get_by_role("button", name="全部答完，进行评估").click()
    expect(page.get_by_role("heading", name="评估结果")).to_be_visible()
    expect(page.locator("details.finding").first).to_contain_text("CL02-A011")
    looked_at(page, "bedside-screening-assessed-zh")
    with contrast.served.client() as http:
        [kept] = until_found(http, f"QuestionnaireResponse?based-on=ServiceRequest/{exam}")
    assert kept["status"] == "completed" and kept["author"]["reference"] == contrast.morning.staff["nurse"]
    decided_by_the_physician(enter, exam)


def decided_by_the_physician(enter: Enter, exam: str) -> None:
    """The radiologist opens a finding, forgets what is done, then says it."""
    page = enter("reader", f"/bedside/exams/{exam}/screening", "en", "tablet")
    page.get_by_role("link", name=re.compile("Decide on this finding")).first.click()
    page.get_by_role("button", name=re.compile("Record the decision for")).click()
    expect(page.locator(".problem")).to_contain_text("Choose what is done about it.")
    looked_at(page, "bedside-finding")
    page.get_by_role("radio", name="benefit outweighs risk").check()
    page.get_by_role("textbox", name="In words").fill("CT angiography for suspected dissection")
    page.get_by_role("button", name=re.compile("Record the decision for")).click()
    expect(page.get_by_role("heading", name="What the assessment found")).to_be_visible()
    expect(page.get_by_text("benefit outweighs risk").first).to_be_attached()


def without_script(contrast: ContrastMorning, enter: Enter, who: str) -> tuple[Page, str]:
    exam = contrast.comes(who)
    return enter("bedside", f"/bedside/exams/{exam}/screening", "en", "phone", java_script_enabled=False), exam


def test_without_script_the_form_shows_every_question_and_keeps_what_counts(
    contrast: ContrastMorning, enter: Enter
) -> None:
    page, exam = without_script(contrast, enter, "菊")
    all_answered_with_no(page)
    page.get_by_role("button", name="Save, and go on later").click()
    expect(page.get_by_role("button", name="All is answered: assess it")).to_be_visible()
    with contrast.served.client() as http:
        [kept] = until_found(http, f"QuestionnaireResponse?based-on=ServiceRequest/{exam}")
    assert kept["status"] == "in-progress" and len(_answers(kept)) > 5
    page.get_by_role("button", name="All is answered: assess it").click()
    expect(page.get_by_role("heading", name="What the assessment found")).to_be_visible()


def _answers(response: dict[str, Any]) -> list[Any]:
    return [answer for item in response["item"] for answer in item.get("answer", [])]

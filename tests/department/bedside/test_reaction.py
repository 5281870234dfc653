"""A reaction on the tablet and the phone: two taps, then one for each thing; severe says that it told."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import slipring.bedside
from playwright.sync_api import Page, expect
from slipring.fhir.service import CANONICAL
from slipring_consent.reactions.composing import OUTCOMES, SYSTEMS, names_of

from tests.department.bedside.contrast_morning import ContrastMorning, until_found
from tests.department.conftest import Enter, looked_at


def tapped(
    contrast: ContrastMorning, enter: Enter, who: str, button: str, language: str, size: str, **others: Any
) -> Page:
    """Two taps from the list of the day; the page of the reaction."""
    contrast.comes(who)
    page = enter("bedside", "/bedside", language, size, **others)
    words = {"en": "Reaction", "zh": "不良反应"}[language]
    page.get_by_role("link", name=f"{words} {contrast.morning.number(who)}").click()
    if not others:
        looked_at(page, f"bedside-reaction-two-taps-{language}-{size}")
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_url("**/bedside/reactions/*")
    return page


def reaction_of(page: Page) -> str:
    return page.url.rpartition("/")[2].partition("#")[0]


@pytest.mark.clause("4.13")
def test_two_taps_save_it_and_it_is_closed_once_nothing_is_missing(contrast: ContrastMorning, enter: Enter) -> None:
    page = tapped(contrast, enter, "竹", "allergic-like", "en", "tablet")
    page.get_by_role("button", name="mild", exact=True).click()
    expect(page.get_by_role("button", name="✓ mild")).to_be_visible()
    page.get_by_label("Dose").fill("0,3")
    page.keyboard.press("Enter")  # the first button of the form is no drug: nothing is written down by a slip
    expect(page.get_by_text("A dose belongs to a drug: press its button.")).to_be_visible()
    page.get_by_role("button", name="adrenaline", exact=True).click()
    expect(page.get_by_text("adrenaline 0.3 mg")).to_be_visible()
    page.get_by_role("button", name="itching", exact=True).click()
    page.get_by_label("Systolic, mmHg").fill("ninety")
    page.get_by_role("button", name="Save vital signs").click()
    expect(page.get_by_text("Type a number.")).to_be_visible()
    page.get_by_label("Systolic, mmHg").fill("92")
    page.get_by_role("button", name="Save vital signs").click()
    expect(page.get_by_text("92 mm[Hg]")).to_be_visible()
    page.get_by_role("button", name="Close the record of this reaction").click()
    expect(page.get_by_text("A reaction is closed only with its outcome.")).to_be_visible()
    looked_at(page, "bedside-reaction-not-closed-yet")
    page.get_by_label("Outcome").select_option(label="resolved")
    page.get_by_label("Effect on the CT result").select_option(label="none")
    page.get_by_role("button", name="Close the record of this reaction").click()
    expect(page.get_by_role("heading", name="Correct what is closed")).to_be_visible()
    looked_at(page, "bedside-reaction-closed")
    with contrast.served.client() as http:
        kept = http.get(f"/fhir/AdverseEvent/{reaction_of(page)}").raise_for_status().json()
    assert kept["recorder"]["reference"] == contrast.morning.staff["nurse"]
    assert kept["event"]["coding"][0]["code"] == "allergic-like" and kept["date"]


@pytest.mark.clause("5.4.4.1")
def test_severe_is_told_at_once_and_the_page_says_so(contrast: ContrastMorning, enter: Enter) -> None:
    page = tapped(contrast, enter, "松", "重度", "zh", "phone")
    expect(page.locator(".state").filter(has_text="重度：")).to_be_visible()
    with contrast.served.client() as http:
        until_found(http, f"Task?based-on=AdverseEvent/{reaction_of(page)}&code=hand-over&status=completed")
    page.reload()
    # Nobody of this department has a contact route: the page does not say that anybody is being rung.
    expect(page.get_by_text("报警联系不到任何人，请立即电话通知抢救小组和医师。")).to_be_visible()
    looked_at(page, "bedside-reaction-severe-zh-phone")


def test_without_script_two_taps_save_it_and_a_third_keeps_a_measure(contrast: ContrastMorning, enter: Enter) -> None:
    page = tapped(contrast, enter, "柏", "extravasation", "en", "phone", java_script_enabled=False)
    page.get_by_role("button", name="cold compress", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="cold compress")).to_be_visible()
    page.get_by_label("Volume, ml").fill("40")
    page.get_by_label("blistering or ulceration").check()
    page.get_by_role("button", name="Save the extravasation").click()
    expect(page.get_by_label("blistering or ulceration")).to_be_checked()
    with contrast.served.client() as http:
        about = f"DetectedIssue?implicated=AdverseEvent/{reaction_of(page)}&code=consent.extravasation-surgeon"
        assert until_found(http, about)


@pytest.mark.clause("4.13")
def test_a_reaction_told_by_telephone_is_found_by_number_and_saved_by_two_taps(
    contrast: ContrastMorning, enter: Enter
) -> None:
    contrast.comes("楠")
    page = enter("bedside", "/bedside", "zh", "tablet")
    page.get_by_role("link", name="事后告知或他处注射的不良反应").click()
    page.get_by_role("searchbox", name="哪位患者发生不良反应？").fill("P-nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="未找到")).to_be_visible()
    page.get_by_role("searchbox", name="哪位患者发生不良反应？").fill(contrast.morning.card("楠"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("楠虚构")).to_be_visible()
    assert contrast.morning.card("楠") not in page.url, "what is looked for stays out of addresses"
    looked_at(page, "bedside-reaction-whose-zh")
    page.get_by_role("link", name="▲ 不良反应").click()  # the first tap
    looked_at(page, "bedside-reaction-told-zh")
    page.get_by_role("button", name="中度", exact=True).click()  # the second
    page.wait_for_url("**/bedside/reactions/*")
    expect(page.get_by_text("楠虚构")).to_be_visible()
    with contrast.served.client() as http:
        kept = http.get(f"/fhir/AdverseEvent/{reaction_of(page)}").raise_for_status().json()
    assert kept["subject"]["reference"] == f"Patient/{contrast.morning.patients['楠']['id']}"
    assert kept["recorder"]["reference"] == contrast.morning.staff["nurse"] and "suspectEntity" not in kept


@pytest.mark.clause("4.13")
def test_contrast_given_elsewhere_is_named_in_words_and_a_time_to_come_is_refused(
    contrast: ContrastMorning, enter: Enter
) -> None:
    contrast.comes("椿")
    to = f"/bedside/patients/{contrast.morning.patients['椿']['id']}/reaction"
    page = enter("bedside", to, "en", "tablet")
    page.get_by_text("Told later, or contrast was given elsewhere").click()
    page.get_by_label("When it began").fill("2099-01-01T08:00")
    elsewhere = page.get_by_label("Given elsewhere: agent, place and day, as told")
    elsewhere.fill("iohexol, county hospital, Monday")
    page.get_by_role("button", name="mild", exact=True).click()
    expect(page.locator("#began-problem")).to_contain_text("not in the future")
    expect(elsewhere).to_have_value("iohexol, county hospital, Monday")
    looked_at(page, "bedside-reaction-told-refused-en")
    page.get_by_label("When it began").fill("2026-03-02T14:05")
    page.get_by_role("button", name="mild", exact=True).click()
    page.wait_for_url("**/bedside/reactions/*")
    expect(page.get_by_text("iohexol, county hospital, Monday")).to_be_visible()
    looked_at(page, "bedside-reaction-elsewhere-en")
    with contrast.served.client() as http:
        kept = http.get(f"/fhir/AdverseEvent/{reaction_of(page)}").raise_for_status().json()
        patient = f"Patient/{contrast.morning.patients['椿']['id']}"
        assert len(until_found(http, f"AdverseEvent?subject={patient}")) == 1, "what was refused stored nothing"
    assert kept["date"] == "2026-03-02T14:05:00+08:00"
    assert kept["suspectEntity"] == [{"instance": {"display": "iohexol, county hospital, Monday"}}]


@pytest.mark.clause("4.13")
def test_a_call_days_later_belongs_to_the_injection_that_the_patient_was_given(
    contrast: ContrastMorning, enter: Enter
) -> None:
    contrast.comes("榛")
    contrast.cleared("榛")
    page = enter("bedside", f"/bedside/exams/{contrast.exam('榛')}/injection", "en", "tablet")
    page.get_by_role("textbox", name="Lot number").fill(contrast.shelved())
    page.get_by_role("textbox", name="Dose").fill("60")
    page.get_by_role("button", name=re.compile("Ask permission and start")).click()
    page.get_by_role("textbox", name="Rate").fill("3")
    page.get_by_role("button", name=re.compile("Record the injection")).click()
    expect(page.locator("dl.steps")).to_contain_text("injected")
    page.goto(f"/bedside/patients/{contrast.morning.patients['榛']['id']}/reaction")
    expect(page.get_by_role("group", name="After which injection?").get_by_role("radio").first).to_be_checked()
    looked_at(page, "bedside-reaction-told-injected-en")
    page.get_by_text("Told later, or contrast was given elsewhere").click()
    page.get_by_label("Given elsewhere: agent, place and day, as told").fill("iohexol")
    page.get_by_role("button", name="allergic-like", exact=True).click()
    expect(page.locator("#elsewhere-problem")).to_contain_text("an injection here or to one elsewhere")
    page.get_by_label("Given elsewhere: agent, place and day, as told").fill("")
    page.get_by_role("button", name="allergic-like", exact=True).click()
    page.wait_for_url("**/bedside/reactions/*")
    expect(page.get_by_text(contrast.morning.number("榛")).first).to_be_visible()
    with contrast.served.client() as http:
        kept = http.get(f"/fhir/AdverseEvent/{reaction_of(page)}").raise_for_status().json()
    assert kept["suspectEntity"][0]["instance"]["reference"].startswith("MedicationAdministration/")


def test_the_buttons_are_the_codes_that_consent_knows() -> None:
    buttons = tomllib.loads((Path(slipring.bedside.__file__).parent / "reactions.toml").read_text("utf-8"))
    systems = SYSTEMS | {
        "measure": SYSTEMS["what"],
        "sign": SYSTEMS["manifestation"],
        "grade": f"{CANONICAL}/CodeSystem/reaction-grade-acr",
    }
    for name in ("kind", "grade", "phase", "measure", "sign", "effect", "symptom"):
        assert buttons[name] == names_of(systems[name]), name
    assert {code: (one["zh"], one["en"]) for code, one in buttons["outcome"].items()} == OUTCOMES

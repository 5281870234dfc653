"""The boards of critical findings: the desk's, the wall's, and one case from top to bottom."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.department.alerts.conftest import Rings, opened_by_hand
from tests.department.conftest import SIZES, Enter, looked_at
from tests.department.morning import Morning, a_patient, posted
from tests.support.server import Server

SIZES.setdefault("wall", (1920, 1080))
# Looked at in one piece: the board redraws itself whenever a case moves.
_AS_LARGE = """([words, part, [least, dense, crowded]]) => {
  const card = [...document.querySelectorAll("li.card")].find((one) => one.textContent.includes(words));
  if (!card) return false;
  const full = card.parentElement.classList;
  const wanted = full.contains("crowded") ? crowded : full.contains("dense") ? dense : least;
  return parseFloat(getComputedStyle(card.querySelector(part)).fontSize) >= wanted;
}"""


@pytest.mark.clause("5.9.1")
def test_the_board_tells_who_is_rung_and_what_comes_next_and_changes_by_itself(enter: Enter, rings: Rings) -> None:
    rings("鲁")
    page = enter("chief", "/alerts", "en")
    card = page.locator("li.card", has_text="鲁虚构")
    expect(card.get_by_text("Rung now:")).to_be_visible()
    expect(card.get_by_text("Next at")).to_be_visible()
    expect(card.get_by_text("level 1")).to_be_visible()
    looked_at(page, "alerts-board-en")

    rings("韦")

    expect(page.locator("li.card", has_text="韦虚构")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_wall_shows_initials_and_tails_only(enter: Enter, rings: Rings, morning: Morning, language: str) -> None:
    who = "昌" if language == "en" else "马"
    rings(who)
    page = enter("chief", "/alerts", language, "wall")
    page.goto("/alerts?wall")
    card = page.locator("li.card", has_text=f"…{morning.number(who)[-4:]}")
    expect(card).to_be_visible()
    assert f"{who}虚构" not in page.content()
    assert morning.number(who) not in page.content()
    # 4 m / 200 = 20 mm = 32 px of a screen 1.2 m wide; a full wall is read from nearer rather than not at all.
    for part, least in (("h2", [48, 32, 25]), ("p", [32, 24, 20])):
        page.wait_for_function(_AS_LARGE, arg=[f"…{morning.number(who)[-4:]}", part, least])
    looked_at(page, f"alerts-wall-{language}")


def test_a_case_that_belongs_to_no_exam_says_whose_it_is(enter: Enter, served: Server, morning: Morning) -> None:
    with served.client() as http:
        patient = posted(http, a_patient("贝", "1961-02-03", "female"))
        about = {"name": "patient", "valueReference": {"reference": f"Patient/{patient['id']}"}}
        case = opened_by_hand(http, [{"name": "finding", "valueCode": "CV-CT-07"}, about])
    page = enter("chief", "/alerts", "en")
    expect(page.locator("li.card", has_text="贝虚构")).to_be_visible()
    page.goto(f"/alerts/cases/{case['id']}")
    expect(page.get_by_text("贝虚构")).to_be_visible()
    expect(page.get_by_label("Last four characters of the patient's hospital number")).to_be_visible()


@pytest.mark.clause("5.9.1")
def test_a_call_is_written_down_by_the_caller_and_stands_in_the_story(
    enter: Enter, rings: Rings, morning: Morning
) -> None:
    case = rings("苗", drill=True)
    page = enter("chief", f"/alerts/cases/{case['id']}", "en")
    expect(page.get_by_text("DRILL: no real patient is at risk")).to_be_visible()
    expect(page.locator(".case-story li").first).to_contain_text("case opened")
    looked_at(page, "alerts-case-en")
    page.get_by_label("Staff number of who was spoken to").fill("nobody-at-all")
    page.get_by_label("Telephone number that was called").fill("6120")
    page.get_by_label("Last four characters").fill(morning.number("苗")[-4:])
    page.locator("input[value=CV-CT-07]").check()
    page.get_by_role("button", name="Record the call").click()
    expect(page.get_by_text("Nobody has this staff number.")).to_be_visible()


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_indicators_are_drawn_and_lead_to_their_cases(enter: Enter, rings: Rings, language: str) -> None:
    rings("花" if language == "en" else "方")
    page = enter("chief", "/alerts/indicators", language)
    share = page.locator("#escalated")
    expect(share).to_be_visible()
    expect(page.locator("svg.lanes a").first).to_have_attribute("href", re.compile("#"))
    looked_at(page, f"alerts-indicators-{language}")
    for odd in ("from=2026-02-01&to=2026-01-01", "to=9999-12-31", "from=0001-01-01", "from=soon"):
        page.goto(f"/alerts/indicators?{odd}")
        expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize(("language", "size"), [("en", "desktop"), ("zh-CN", "phone")])
def test_the_messages_of_every_channel_are_shown_as_they_are_sent(enter: Enter, language: str, size: str) -> None:
    page = enter("chief", "/alerts/messages", language, size)
    sms = page.locator("section:has(#sms)")
    expect(sms.locator("blockquote")).to_have_count(8)
    expect(sms.locator("blockquote[lang=zh]").first).to_contain_text("危急值")
    expect(sms.locator("blockquote[lang=en]").first).to_contain_text("00000")  # the code to answer by
    assert page.locator("section li").count() > 10
    looked_at(page, f"alerts-messages-{language}")


def test_the_messages_are_not_for_whoever_has_no_business_with_contact_routes(enter: Enter) -> None:
    page = enter("desk", "/alerts/messages", "en")
    expect(page.get_by_text("Your roles do not open contact routes.")).to_be_visible()

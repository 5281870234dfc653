"""The quality programme in a browser: what is due, the charts, a round entered by one person and settled by another."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Page, expect
from slipring_demo.cast import SYNTHETIC, C

from tests.department.conftest import Enter, looked_at
from tests.department.morning import posted
from tests.department.qc.conftest import Watched
from tests.support.server import Server

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@pytest.mark.clause("5.6.2.3")
@pytest.mark.parametrize(("language", "size"), [("en", "desktop"), ("zh", "phone")])
def test_the_board_says_what_asks_for_something_and_the_chart_what_strayed(
    tested: Watched, enter: Enter, language: str, size: str
) -> None:
    page = enter("tech", "/department/qc", language, size)
    section = page.get_by_role("region", name=tested.name).first
    expect(section).to_contain_text({"en": "never passed", "zh": "从未合格"}[language])
    looked_at(page, f"qc-board-{language}-{size}")
    page.get_by_role("link", name=tested.name, exact=True).click()
    row = page.get_by_role("row").filter(has_text={"en": "CT number of water", "zh": "水 CT 值"}[language]).first
    expect(row).to_contain_text("WS 519-2019")
    expect(row).to_contain_text("GB 17589-2011")
    expect(row).to_contain_text({"en": "approved by", "zh": "批准"}[language])
    chart = page.locator("section[aria-labelledby=c-water] svg.control")
    expect(chart.locator("circle, path, rect.hollow")).to_have_count(8)
    expect(chart.locator("g.warn title")).to_contain_text(
        {"en": "1-3s: one value beyond 3 s", "zh": "1 个值超出 ±3s"}[language]
    )
    expect(chart.locator("line.begins")).to_have_count(1)
    expect(chart.locator("line.bound")).to_have_count(2)
    looked_at(page, f"qc-scanner-{language}-{size}")


def test_the_calendar_and_the_comparison_stand_beside_the_board(tested: Watched, enter: Enter) -> None:
    page = enter("chief", "/department/qc/calendar")
    expect(page.get_by_role("row").filter(has_text=tested.name).first).to_be_visible()
    looked_at(page, "qc-calendar")
    page.goto("/department/qc/compare?test=water")
    expect(page.get_by_role("heading", level=1)).to_have_text("Scanners side by side")
    looked_at(page, "qc-compare")
    assert page.goto("/department/qc/compare?test=smell").status == 200  # type: ignore[union-attr]


@pytest.mark.clause("5.6.2.3")
def test_a_round_is_entered_by_one_person_and_sent_back_by_another(tested: Watched, enter: Enter) -> None:
    page = enter("tech", f"/department/qc/scanners/{tested.id}/enter")
    couch = page.get_by_role("group", name="couch positioning").get_by_label("Value in mm")
    couch.fill("two")
    page.get_by_role("button", name="Enter the round").click()
    expect(page.locator(".problem")).to_have_text("This is no number.")
    looked_at(page, "qc-entry")
    page.locator("#at").evaluate("field => { field.type = 'text'; field.value = 'this morning' }")
    page.get_by_role("group", name="couch positioning").get_by_label("Value in mm").fill("7.5")
    page.get_by_role("button", name="Enter the round").click()
    expect(page.locator("#at-problem")).to_be_visible()
    page.get_by_role("group", name="couch positioning").get_by_label("Value in mm").fill("7.5")
    page.get_by_role("group", name="gantry tilt").get_by_label("not applicable").check()
    page.get_by_role("button", name="Enter the round").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("entered, to be reviewed")
    expect(page.get_by_role("row").filter(has_text="couch positioning")).to_contain_text("▲ beyond")
    expect(page.get_by_text("somebody else settles it")).to_be_visible()
    expect(page.get_by_role("button", name="Settle the round")).to_have_count(0)
    address = page.url.removeprefix(page.url.split("/department")[0])
    sent_back(enter("chief", address))
    page.reload()
    page.get_by_role("link", name="Enter the repeat").click()
    page.get_by_role("group", name="couch positioning").get_by_label("Value in mm").fill("0.5")
    page.get_by_role("button", name="Enter the round").click()
    expect(page.get_by_text("the round that was sent back")).to_be_visible()
    chief = enter("chief", page.url.removeprefix(page.url.split("/department")[0]))
    chief.get_by_role("radio", name="Approve").check()
    chief.get_by_role("button", name="Settle the round").click()
    expect(chief.get_by_role("heading", level=1)).to_contain_text("approved")
    looked_at(chief, "qc-round-approved")


def sent_back(page: Page) -> None:
    """Not without saying why."""
    page.get_by_role("radio", name="To be repeated").check()
    page.get_by_role("button", name="Settle the round").click()
    expect(page.locator("#note-problem")).to_contain_text("Say why")
    looked_at(page, "qc-round-why")
    page.get_by_role("radio", name="To be repeated").check()
    page.get_by_label("Why, unless you approve").fill("the ruler slipped")
    page.get_by_role("button", name="Settle the round").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("to be repeated")
    expect(page.get_by_text("the ruler slipped")).to_be_visible()


def test_only_pictures_of_phantoms_are_shown_as_such(served: Server, tested: Watched, enter: Enter) -> None:
    page = enter("tech", "/department/qc")
    with served.client() as http:
        for code, status in (("annotated-picture", 200), ("other", 404)):
            made = posted(http, {
                "resourceType": "DocumentReference", "meta": SYNTHETIC, "status": "current",
                "type": {"coding": [{"system": f"{C}/CodeSystem/qc-document", "code": code}], "text": "x"},
                "content": [{"attachment": {"contentType": "image/png", "data": base64.b64encode(DOT).decode()}}],
            })  # fmt: skip
            answer = page.request.get(f"/department/qc/pictures/{made['id']}")
            assert answer.status == status
            assert (answer.body() == DOT) is (status == 200)


def test_whoever_may_not_search_the_tests_is_not_offered_them(enter: Enter) -> None:
    page = enter("ward", "/department")
    expect(page.get_by_role("link", name="Scanner tests")).to_have_count(0)
    assert page.goto("/department/qc").status == 403  # type: ignore[union-attr]

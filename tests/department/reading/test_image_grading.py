"""Images are graded on pages: exams are drawn blind, a grader fills in the sheet of one, and the shares tell it."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect
from slipring_demo.cast import SYNTHETIC, C

from tests.department.bedside.contrast_morning import until_found
from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning, posted
from tests.department.reading.conftest import Comes


@pytest.mark.clause("5.6.2.3 images")
def test_exams_are_drawn_and_a_sheet_is_handed_in(
    morning: Morning, acquired: Comes, department: httpx.Client, enter: Enter
) -> None:
    exam, grader = acquired("榉"), morning.staff["first reader"]
    role = {"resourceType": "PractitionerRole", "meta": SYNTHETIC, "active": True, "period": {"start": "2020-01-01"}}
    role["code"] = [{"coding": [{"system": f"{C}/CodeSystem/staff-role", "code": "quality-manager"}]}]
    posted(department, role | {"practitioner": {"reference": morning.staff["second reader"]}})
    page = enter("reader", "/reading/images")
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(page.locator(".problem").first).to_be_visible()
    page.get_by_role("spinbutton", name="How many").fill("300")  # the exam is among them, whatever else was scanned
    page.get_by_role("spinbutton", name="Share that two people grade").fill("0")
    page.get_by_role("textbox", name="Seed").fill("third quarter")
    page.locator(f"input[name='grader.{grader.partition('/')[2]}']").check()
    looked_at(page, "images-draw")
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(page.get_by_text("sheets to come")).to_be_visible()
    [case] = until_found(department, f"Task?code=image-grading&focus=ServiceRequest/{exam}")
    assert case["owner"] == {"reference": grader}

    page = enter("author", "/reading/images", "zh", "phone")
    looked_at(page, "images-zh-phone")
    page.locator(f"a[href='/reading/images/{case['id']}']").click()
    for one in page.get_by_role("radio", name="是").all():
        one.check()
    looked_at(page, "image-sheet-zh-phone")
    page.get_by_role("button", name="提交评分表").click()
    page.wait_for_url("**/reading/images")
    expect(page.locator(f"a[href='/reading/images/{case['id']}']")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="优质影像")).to_contain_text("1 / 1")

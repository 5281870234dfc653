"""At the desk: the images of an exam are handed out, and it is on record on what, to whom and by whom."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning
from tests.department.reading.conftest import Comes
from tests.department.reading.test_holding import a_study
from tests.support.server import Server


@pytest.mark.clause("5.8.1")
def test_a_receptionist_hands_images_out_and_a_radiologist_sees_it(
    served: Server, morning: Morning, acquired: Comes, enter: Enter
) -> None:
    exam = acquired("檀")
    page = enter("desk", f"/department/requests/{exam}", "zh", "phone")
    page.get_by_role("link", name="图像交付").click()
    page.get_by_role("radio", name="光盘").check()
    page.get_by_role("button", name="以本人名义登记").click()
    expect(page.locator("#to-problem")).to_be_visible()
    expect(page.get_by_role("radio", name="光盘")).to_be_checked()
    looked_at(page, "images-given-asked-zh")
    page.get_by_role("textbox", name="接收者").fill("患者本人")
    page.get_by_role("button", name="以本人名义登记").click()
    expect(page.get_by_role("alert")).to_contain_text("该检查尚无图像记录")

    with served.client() as http:
        study = a_study(morning.patients["檀"], 9, basedOn=[{"reference": f"ServiceRequest/{exam}"}])
        http.post("/fhir/ImagingStudy", json=study).raise_for_status()
    given = page.get_by_role("main").get_by_role("listitem").filter(has_text="光盘, 患者本人")
    until = time.monotonic() + 30
    while not given.count() and time.monotonic() < until:  # the study is on its way to the reading room
        page.get_by_role("button", name="以本人名义登记").click()
    expect(given).to_have_count(1)
    looked_at(page, "images-given-zh")

    radiologist = enter("reader", f"/department/requests/{exam}/images", "en")
    expect(radiologist.get_by_role("main").get_by_role("listitem").first).to_contain_text("disc, 患者本人")
    looked_at(radiologist, "images-given-en")


@pytest.mark.clause("5.8.1")
def test_of_an_exam_without_images_none_are_handed_out(comes: Comes, enter: Enter) -> None:
    page = enter("desk", f"/department/requests/{comes('檫')}/images")
    expect(page.get_by_text("There are no images of this exam yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Record it in my name")).to_have_count(0)

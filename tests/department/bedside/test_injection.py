"""At the injector, on a tablet: every reason at once, permission, the alarm, and how it ended."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.department.bedside.contrast_morning import ContrastMorning, long_signed_in, staff_number, until_found
from tests.department.conftest import Enter, looked_at
from tests.department.morning import PASSWORD


@pytest.mark.clause("5.4.1")
def test_without_anything_every_reason_stands_on_the_page_with_who_may_pass_it(
    contrast: ContrastMorning, enter: Enter
) -> None:
    exam = contrast.comes("竹")
    page = enter("bedside", f"/bedside/exams/{exam}/injection", "zh", "tablet")
    expect(page.get_by_text("▲ 不得使用对比剂")).to_be_visible()
    findings = page.locator("#verdict details.finding")
    assert findings.count() >= 2
    expect(page.get_by_text(re.compile("可由具名人员放行：.*医师")).first).to_be_visible()
    expect(page.get_by_text(re.compile("没有有效的知情同意|知情同意")).first).to_be_visible()
    looked_at(page, "bedside-injection-closed-zh")
    page.get_by_role("textbox", name="剂量").fill("lots")
    page.get_by_role("button", name=re.compile("申请许可并开始")).click()
    expect(page.locator("#dose-problem")).to_contain_text("请输入数字")
    expect(page.get_by_role("textbox", name="剂量")).to_have_value("lots")
    page.get_by_role("textbox", name="剂量").fill("60")
    page.get_by_role("button", name=re.compile("申请许可并开始")).click()
    expect(page.get_by_role("alert").first).to_be_visible()
    with contrast.served.client() as http:
        assert until_found(http, f"DetectedIssue?implicated=ServiceRequest/{exam}"), "the try is on record"


@pytest.mark.clause("5.4.1")
def test_contrast_is_permitted_alarmed_and_recorded_with_the_page_open(contrast: ContrastMorning, enter: Enter) -> None:
    exam = contrast.comes("桂")
    cleared = contrast.cleared("桂")
    page = enter("bedside", f"/bedside/exams/{exam}/injection", "en", "tablet")
    expect(page.locator("#verdict")).to_contain_text("lot")
    page.get_by_role("textbox", name="Lot number").fill(contrast.shelved())
    page.get_by_role("textbox", name="Dose").fill("60")
    page.get_by_role("button", name="Check only").click()
    expect(page.get_by_text("● Contrast may be given")).to_be_visible()
    looked_at(page, "bedside-injection-open")
    page.get_by_role("button", name=re.compile("Ask permission and start")).click()
    expect(page.get_by_text("● Permitted: the injection runs")).to_be_visible()
    looked_at(page, "bedside-injection-runs")
    with contrast.served.client() as http:
        consent = http.get(f"/fhir/{cleared}").json()
        http.put(
            f"/fhir/{cleared}",
            json=consent | {"status": "inactive"},
            headers={"If-Match": f'W/"{consent["meta"]["versionId"]}"'},
        ).raise_for_status()
    expect(page.get_by_role("alert").filter(has_text="Alarm")).to_be_visible(timeout=60_000)
    looked_at(page, "bedside-injection-alarm")
    lost = page.get_by_text("The connection is lost.")
    page.route("**/bedside/injection-live*", lambda call: call.abort())
    expect(lost).to_be_visible(timeout=60_000)
    page.unroute("**/bedside/injection-live*")
    expect(lost).to_be_hidden(timeout=60_000)
    page.get_by_role("button", name="I have read this").first.click()
    expect(page.get_by_text("what permitted it has changed")).to_be_visible()
    page.get_by_role("radio", name="broken off").check()
    page.get_by_role("textbox", name="Volume given").fill("22.5")
    page.get_by_role("textbox", name="Rate").fill("3")
    page.get_by_role("textbox", name="Site of the cannula").fill("right antecubital vein")
    page.get_by_role("textbox", name="Cannula", exact=True).fill("20")
    page.get_by_role("textbox", name="Temperature of the agent").fill("warm")
    page.get_by_role("textbox", name="Injector").fill("INJ-SYN-1")
    page.get_by_role("textbox", name="Pressure limit").fill("300")
    page.get_by_role("textbox", name="Peak pressure").fill("180")
    page.get_by_role("textbox", name="Saline after the contrast").fill("30")
    page.get_by_role("button", name=re.compile("Record the injection")).click()
    expect(page.locator("#warm-problem")).to_contain_text("Type a number.")
    expect(page.get_by_role("textbox", name="Peak pressure")).to_have_value("180")
    page.get_by_role("radio", name="broken off").check()
    page.get_by_role("textbox", name="Temperature of the agent").fill("37")
    page.get_by_role("textbox", name="Reason, when it was broken off or not given").fill("consent withdrawn")
    page.get_by_role("button", name=re.compile("Record the injection")).click()
    expect(page.get_by_text("broken off").first).to_be_visible()
    with contrast.served.client() as http:
        patient = contrast.morning.patients["桂"]["id"]
        [kept] = until_found(http, f"MedicationAdministration?patient={patient}")
    assert (kept["status"], kept["dosage"]["dose"]["value"]) == ("stopped", 22.5)
    assert kept["effectivePeriod"]["start"] and kept["effectivePeriod"]["end"]
    said = {part["url"]: part for one in kept["extension"] for part in one.get("extension", [])}
    assert {"gauge", "pressureLimit", "peakPressure", "salineFlush", "agentTemperature"} <= said.keys()
    assert said["peakPressure"]["valueQuantity"] | {"unit": ""} == {
        "value": 180, "unit": "", "system": "http://unitsofmeasure.org", "code": "[psi]",
    }  # fmt: skip
    with contrast.served.client() as http:
        found = (
            http.get(f"/fhir/DetectedIssue?implicated=MedicationAdministration/{kept['id']}").json().get("entry", [])
        )
    assert not [one for one in found if "leaves out" in str(one["resource"])], "the record of contrast is whole"


@pytest.mark.clause("5.4.1")
def test_an_override_asks_who_it_is_once_more_and_goes_on_with_what_was_typed(
    contrast: ContrastMorning, enter: Enter
) -> None:
    exam = contrast.comes("松")
    page = enter("reader", f"/bedside/exams/{exam}/injection", "en", "tablet")
    page.get_by_role("textbox", name="Lot number").fill(contrast.shelved())
    page.get_by_role("textbox", name="Dose").fill("60")
    for who in ("Who gives it: staff number", "Who observes: staff number"):
        page.get_by_role("textbox", name=who).fill(staff_number(contrast, "nurse"))
    page.get_by_text("Pass reasons in my name (physician)").click()
    page.get_by_role("combobox", name="Reason of the override").select_option(
        label="emergency without capacity to consent"
    )
    page.get_by_role("button", name="Check only").click()
    expect(page.get_by_text("◆ Contrast may be given, passed in your name")).to_be_visible()
    expect(page.get_by_text("● Contrast may be given")).to_have_count(0)
    expect(page.locator("#verdict details.finding").first).to_contain_text("emergency without capacity")
    looked_at(page, "bedside-injection-override")
    long_signed_in(contrast)
    page.get_by_role("button", name=re.compile("Ask permission and start")).click()
    page.get_by_label("Password").fill(PASSWORD)
    looked_at(page, "bedside-injection-prove")
    page.keyboard.press("Enter")
    expect(page.get_by_text("● Permitted: the injection runs")).to_be_visible()
    with contrast.served.client() as http:
        patient = contrast.morning.patients["松"]["id"]
        [kept] = until_found(http, f"MedicationAdministration?patient={patient}")
    assert (kept["status"], kept["dosage"]["dose"]["value"]) == ("in-progress", 60)
    [override] = [one["extension"] for one in kept["extension"] if one["url"].endswith("/override")]
    by = next(part["valueReference"]["reference"] for part in override if part["url"] == "by")
    assert by == contrast.morning.staff["second reader"]

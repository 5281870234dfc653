"""What the reading room looks back at: a case read again blind, a report scored, concordance with its picture, turnaround."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from slipring.runtime.clock import utc_now
from slipring_demo.cast import STAFF, C, role
from slipring_demo.teller import parameters

from tests.department.bedside.contrast_morning import until_found
from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning, accounts, posted
from tests.department.reading.conftest import Comes, released
from tests.support.server import Server

WORDS = "Nodule of 6 mm, right upper lobe. 右肺上叶结节 6 mm。"


@pytest.fixture(scope="module")
def third(served: Server, morning: Morning) -> str:
    """One more radiologist, who signs nothing here, with an account."""
    person = STAFF["first reader"][0] | {"identifier": [{"system": f"{C}/staff", "value": "R-0077"}]}
    person |= {"name": [{"text": "吴示例", "family": "吴", "given": ["示例"]}]}
    with served.loading() as http:
        who = f"Practitioner/{posted(http, person)['id']}"
    with served.client() as http:
        posted(http, role(who, "Organization/none", "radiologist", "level-c") | {"organization": {"display": "CT"}})
    with ThreadPoolExecutor(1) as beside:  # the browser's own loop runs in this thread
        beside.submit(asyncio.run, accounts(served, {"third": (who, ["radiologist-c"])})).result()
    return who


@pytest.fixture(scope="module")
def report(served: Server, morning: Morning, acquired: Comes) -> str:
    """A released report."""
    exam = acquired("楝")
    with served.department() as http:
        return released(http, served, morning, exam, WORDS)


def called(http: httpx.Client, address: str, **said: Any) -> dict[str, Any]:
    answer = http.post(f"/fhir/{address}", json=parameters(**said))
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def picked(page: Page, group: str, name: str) -> None:
    page.get_by_role("group", name=group).get_by_role("radio", name=name).check()


@pytest.mark.clause("5.6.2.3")
@pytest.mark.clause("4.14.7")
def test_a_case_is_read_again_blind_then_graded_and_scored(
    morning: Morning, report: str, third: str, department: httpx.Client, enter: Enter
) -> None:
    chief = enter("reader", "/reading/quality?of=re-reading", "en")
    chief.get_by_role("link", name="Draw a sample").click()
    chief.get_by_role("button", name="Draw", exact=True).click()
    expect(chief.locator(".problem").first).to_be_visible()
    chief.get_by_role("spinbutton", name="How many").fill(
        "40"
    )  # the case is among them, whatever else was released here
    chief.get_by_role("textbox", name="Seed").fill("2026-Q4")
    for one in chief.get_by_role("checkbox").all():
        one.check()  # the first reader, too: who signed it is not given it
    looked_at(chief, "draw-en")
    chief.get_by_role("button", name="Draw", exact=True).click()
    expect(chief.locator("#cases")).to_contain_text("still to be read again")
    until_found(department, f"Task?code=re-reading&owner={third}")
    page = enter("third", "/reading", "zh")
    page.get_by_role("link", name=re.compile("待您盲法复阅")).click()
    waiting = page.get_by_role("listitem").get_by_role("link", name=morning.number("楝"))
    waiting.click()
    expect(page).to_have_url(re.compile("/reading/again/r-"))
    for hidden in ("Nodule of 6 mm", "右肺上叶结节", "何示例", "方示例", report):
        assert hidden not in page.content(), "nothing of the first reading"
    page.get_by_role("button", name="保存复阅意见并显示原报告").click()
    expect(page.get_by_role("region", name="首次阅片")).to_have_count(0)  # nothing was said yet
    page.get_by_role("textbox", name="您的所见").fill("右上肺结节。")
    picked(page, "结论分类", "有临床意义的异常")
    looked_at(page, "again-blind-zh")
    page.get_by_role("button", name="保存复阅意见并显示原报告").click()
    expect(page.get_by_role("region", name="首次阅片")).to_contain_text("Nodule of 6 mm")
    expect(page.get_by_text("不计为盲法")).to_have_count(0)
    picked(page, "一致程度", "一致")
    picked(page, "首次阅片的结论分类", "有临床意义的异常")
    looked_at(page, "again-graded-zh")
    page.get_by_role("button", name="提交评级").click()
    expect(page).to_have_url(re.compile("/reading/again$"))
    expect(waiting).to_have_count(0)

    page.goto(f"/reading/reports/{report}/score")
    expect(page.get_by_role("region", name="报告内容")).to_contain_text("Nodule of 6 mm")
    assert "何示例" not in page.inner_text("main"), "the sheet names nobody"
    for field, most in zip(page.get_by_role("spinbutton").all(), (10, 10, 20, 10, 25, 5, 10), strict=True):
        field.fill(str(most))
    looked_at(page, "score-zh")
    page.get_by_role("button", name="保存评分").click()
    expect(page.get_by_role("status")).to_contain_text("90")

    page.goto("/reading/quality?of=re-reading")
    picture = page.get_by_role("group", name=re.compile("复阅与首次阅片一致的比例"))
    expect(picture).to_contain_text("1/1")
    expect(picture).to_contain_text("无数据")  # of the quarters before
    looked_at(page, "quality-again-zh")
    page.goto("/reading/quality?of=writing")
    expect(page.get_by_role("row", name=re.compile("影像描述完整"))).to_contain_text("20")
    looked_at(page, "quality-writing-zh")
    page.goto("/reading/quality?of=differences")
    expect(page.get_by_role("region", name="按书写医师")).to_contain_text("何示例")
    looked_at(page, "quality-differences-zh")


@pytest.mark.clause("5.6.2.3")
def test_whoever_read_the_report_on_a_page_since_the_draw_does_not_read_it_blind(
    morning: Morning, report: str, third: str, department: httpx.Client, enter: Enter
) -> None:
    called(
        department, "DiagnosticReport/$draw-rereading", size=("Integer", 40), seed=("String", "2026-Q4 once more"),
        reader=("Reference", {"reference": third}), by=("Reference", {"reference": morning.staff["second reader"]}),
    )  # fmt: skip
    page = enter("third", f"/reading/reports/{report}/preview", "en")
    page.goto("/reading/again")
    page.get_by_role("listitem").get_by_role("link", name=morning.number("楝")).click()
    page.get_by_role("textbox", name="What you see").fill("A nodule.")
    picked(page, "What it comes to", "clinically significant")
    page.get_by_role("button", name="Keep my reading, then show the first").click()
    expect(page.get_by_text("does not count as blind")).to_be_visible()


@pytest.mark.clause("5.6.2.3")
@pytest.mark.clause("5.9.1")
def test_concordance_is_a_picture_whose_points_lead_to_their_cases(report: str, enter: Enter) -> None:
    form = enter("chief", f"/reading/reports/{report}/preview", "en")
    form.get_by_role("link", name="Hold it against pathology or the clinic").click()
    looked_at(form, "holding-en")
    form.get_by_role("combobox", name="Held against").select_option("pathology")
    form.get_by_role("combobox", name="Grade").select_option("discordant")
    form.get_by_role("textbox", name="What pathology or the clinic said").fill("adenocarcinoma")
    form.get_by_role("combobox", name="Body system").select_option("B2")
    form.get_by_role("button", name="Keep the comparison").click()
    expect(form.locator("#cause-problem, #measure-problem").first).to_be_visible()
    expect(form.get_by_role("textbox", name="What pathology or the clinic said")).to_have_value("adenocarcinoma")
    form.get_by_role("combobox", name="Grade").select_option("concordant")
    form.get_by_role("button", name="Keep the comparison").click()
    expect(form.get_by_role("status")).to_contain_text("counts in this quarter")
    form.get_by_role("button", name="Open it").click()
    expect(form.locator("#kind-problem, #description-problem").first).to_be_visible()
    form.get_by_role("combobox", name="Kind").select_option("contradicts-clinic")
    form.get_by_role("combobox", name="What does not agree").select_option("site")
    form.get_by_role("textbox", name="In words").fill("Pain on the left.")
    form.get_by_role("button", name="Open it").click()
    expect(form.get_by_role("status")).to_contain_text("open")
    page = enter("reader", "/reading/quality", "en")
    expect(page.get_by_role("region", name="Against the clinical diagnosis").first).to_contain_text("no data")
    looked_at(page, "quality-concordance-en")
    page.get_by_role("link", name=re.compile(r"1.1 · 100\.0 % \(20\.[67] % – 100\.0 %\)")).click()
    expect(page).to_have_url(re.compile("quarter=20..-Q.#pathology-B2$"))
    cases = page.locator("#pathology-B2")
    expect(cases).to_contain_text("respiratory")
    expect(cases.get_by_role("link", name="Case 1")).to_have_attribute("href", f"/reading/reports/{report}/preview")
    expect(page.locator("#clinical-B2")).to_contain_text("not held against it yet")
    page.goto("/reading/quality?of=discordance")
    expect(page.get_by_role("row", name=re.compile("Pain on the left"))).to_contain_text("contradicts the clinic")
    looked_at(page, "quality-discordance-en")
    page.goto("/reading/quality?of=concordance&quarter=2020-Q1")
    expect(page.get_by_text("2020-01-01 to 2020-03-31")).to_be_visible()
    expect(page.locator("svg circle")).to_have_count(0)  # no case is no point, at nought least of all


@pytest.mark.clause("5.8.1")
def test_turnaround_shows_what_warns_first_and_lists_what_was_late(
    morning: Morning, report: str, acquired: Comes, enter: Enter
) -> None:
    acquired("楸", ended=(utc_now() - timedelta(hours=2)).isoformat(timespec="seconds"), priority="stat")
    page = enter("author", "/reading/turnaround", "en", java_script_enabled=False)
    pending = page.get_by_role("region", name="Due soon or overdue now")
    expect(pending.get_by_role("listitem").filter(has_text="楸虚构")).to_contain_text("overdue by")
    green = page.locator("#green-channel")
    expect(green).to_contain_text("30 min from the end of the exam, until the report is issued")
    expect(green.get_by_role("link", name=morning.number("楸"))).to_be_visible()
    expect(green).to_contain_text("not issued yet")
    expect(page.get_by_role("img", name=re.compile("Routine: how many reports used"))).to_be_visible()
    page = enter("author", "/reading/turnaround", "zh", "phone")
    page.get_by_text("表格").first.click()
    looked_at(page, "turnaround-zh-phone")
    page = enter("author", "/reading/turnaround", "en", color_scheme="dark")
    looked_at(page, "turnaround-en")
    page.goto("/reading/turnaround?from=2020-01-01&to=2020-02-01")
    expect(page.get_by_text("No exam was waiting for its report in this time")).to_be_visible()
    page.goto("/reading/turnaround?from=2010-01-01")
    expect(page.get_by_role("alert")).to_contain_text("a year at most")

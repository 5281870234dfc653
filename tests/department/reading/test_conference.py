"""The weekly conference on its page: planned, a case put on it with one press, people and result on record, held, found again."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.department.bedside.contrast_morning import until_found
from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning
from tests.department.reading.conftest import Comes, report_of, text_of

RESULT = "Favour organising pneumonia.\nCT in six weeks. 倾向机化性肺炎。"


@pytest.mark.clause("5.7.1")
@pytest.mark.clause("5.6.1")
@pytest.mark.clause("5.1.8")
def test_a_case_goes_on_the_next_conference_and_its_result_into_the_report(
    morning: Morning, comes: Comes, department: httpx.Client, enter: Enter
) -> None:
    exam = comes("榆")
    mine = enter("author", f"/reading/exams/{exam}", "en")
    mine.get_by_role("textbox", name="Findings", exact=True).fill("Consolidation, left lower lobe. 左下肺实变。")
    mine.keyboard.press("Control+s")
    expect(mine.locator("[data-saved-line]")).to_contain_text("● Saved")
    mine.get_by_role("textbox", name="What is asked of the conference").fill("Infection or neoplasm?")
    mine.get_by_role("button", name="Put it on the next conference").click()
    expect(mine.get_by_text("No conference is planned that this could be put on")).to_be_visible()
    expect(mine.get_by_role("textbox", name="What is asked of the conference")).to_have_value("Infection or neoplasm?")

    hers = enter("reader", "/reading/conferences", "zh")
    expect(hers.get_by_text("没有已计划的讨论会")).to_be_visible()
    hers.get_by_role("button", name="计划讨论会").click()
    expect(hers.get_by_text("请填写日期和时间。")).to_be_visible()
    hers.get_by_label("日期和时间").fill("2099-03-04T08:00")
    hers.get_by_role("textbox", name="地点").fill("阅片室")
    hers.get_by_role("button", name="计划讨论会").click()
    expect(hers.get_by_role("heading", name="疑难病例讨论", level=1)).to_be_visible()
    conference = hers.url

    mine.get_by_role("button", name="Put it on the conference").click()
    expect(mine).to_have_url(conference)
    case = mine.get_by_role("article")
    expect(case).to_contain_text(morning.number("榆"))
    expect(case).to_contain_text("Infection or neoplasm?")
    case.get_by_role("textbox", name=re.compile("What the conference came to")).fill(RESULT)
    case.get_by_role("checkbox", name=re.compile("Take it into the report")).check()
    case.get_by_role("button", name=re.compile("Record the result")).click()
    expect(case.locator(".problem")).to_be_visible()
    expect(case.get_by_role("textbox", name=re.compile("What the conference came to"))).to_have_value(RESULT)

    hers.reload()
    hers.get_by_text("登记到会人员", exact=True).click()
    looked_at(hers, "conference-zh")
    hers.get_by_role("textbox", name=re.compile("工号")).fill("X-none")
    hers.get_by_role("button", name="登记到会").click()
    expect(hers.get_by_text("该工号未登记，或对应多人。")).to_be_visible()
    hers.get_by_role("checkbox", name=re.compile("何示例")).check()
    hers.get_by_role("textbox", name=re.compile("工号")).fill("")
    hers.get_by_role("button", name="登记到会").click()
    expect(hers.get_by_text(re.compile("^1: 何示例"))).to_be_visible()
    hers.get_by_role("textbox", name=re.compile("讨论结论")).fill(RESULT)
    hers.get_by_role("checkbox", name=re.compile("写入报告")).check()
    hers.get_by_role("button", name=re.compile("登记结论")).click()
    expect(hers.get_by_role("article")).to_contain_text("已写入报告")
    last = text_of(department, report_of(department, exam))["section"][-1]
    assert "Favour organising pneumonia.<br/>CT" in last["text"]["div"]
    hers.get_by_role("button", name="结束讨论会").click()
    expect(hers.locator(".report-state")).to_contain_text("已举行")
    expect(hers.get_by_text(re.compile("2: 何示例.*、方示例"))).to_be_visible()

    mine.goto(f"/reading/reports/{report_of(department, exam)['id']}/conference")
    expect(mine.get_by_role("article")).to_contain_text("Stands in the report.")
    looked_at(mine, "conference-report-en")
    mine.goto("/reading/conferences")
    looked_at(mine, "conferences-en")
    mine.goto("/reading/conferences?from=2020-01-01&to=2020-02-01")
    expect(mine.get_by_text("No conference was held in this time")).to_be_visible()
    mine.goto("/reading/conferences?from=2020-01-01")
    mine.get_by_role("region", name="Held").get_by_role("link").click()
    expect(mine).to_have_url(conference)
    looked_at(mine, "conference-held-en")
    assert until_found(department, "Task?code=conference-case&status=completed")

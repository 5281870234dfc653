"""The clause board: what stands, what is missing, and the record behind it one click away; on paper, too."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from slipring.clauses.register import register

from tests.department.conftest import Enter, looked_at


@pytest.mark.clause("5.10.1")
@pytest.mark.parametrize(("language", "size"), [("zh", "desktop"), ("en", "phone")])
def test_a_clause_that_is_not_met_leads_to_the_record_that_breaks_it(enter: Enter, language: str, size: str) -> None:
    page = enter("chief", "/clauses", language, size)
    rows = page.locator("section.card")
    expect(rows).to_have_count(len(register().clauses))
    looked_at(page, f"clauses-{language}-{size}")
    page.locator("#show").select_option("not-met")
    page.get_by_role("button", name={"zh": "显示", "en": "Show"}[language]).click()
    training = page.locator("section.card", has=page.locator("h3", has_text="5.1.5"))
    expect(training.locator(".mark").first).to_contain_text({"zh": "不符合", "en": "not met"}[language])
    training.locator("summary").click()
    looked_at(page, f"clauses-open-{language}-{size}")
    training.get_by_role("link").first.click()
    expect(page.locator("pre")).to_contain_text('"resourceType": "Practitioner"')
    looked_at(page, f"clauses-record-{language}-{size}")


@pytest.mark.clause("4.14.7")
def test_what_changed_is_kept_by_a_button(enter: Enter) -> None:
    page = enter("chief", "/clauses?period=2001-Q2", "zh")
    page.get_by_role("button", name="存档这些结论").click()
    expect(page.get_by_role("status")).to_contain_text("已存档")
    looked_at(page, "clauses-kept-zh")
    page.goto(page.url.split("&kept")[0] + "&kept=0")
    expect(page.get_by_role("status")).to_contain_text("没有变化")


def test_the_report_is_a_page_of_its_own_and_a_pdf(enter: Enter) -> None:
    page = enter("chief", "/clauses?period=2001-Q1", "zh")
    expect(page.get_by_text("2001-01-01 – 2001-03-31")).to_be_visible()
    paper = page.request.get("/clauses/report?period=2001-Q1")
    assert paper.ok and "条款符合性自查报告" in paper.text() and "sandbox" in paper.headers["content-security-policy"]
    printed = page.request.get("/clauses/report?period=2001-Q1&as=pdf")
    assert printed.ok and (printed.body()[:4] == b"%PDF" or "条款符合性自查报告" in printed.text())
    assert page.request.get("/clauses/records/Practitioner/nobody-is-here").status == 404
    assert page.request.get("/clauses/records/practitioner/x").status == 404


def test_whoever_may_not_see_the_trail_is_not_led_here(enter: Enter) -> None:
    page = enter("ward", "/department", "en")
    expect(page.locator(".places a[href='/clauses']")).to_have_count(0)

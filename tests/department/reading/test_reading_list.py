"""The reading list: the most urgent first, how long is left in words, one reader for a case, by keyboard, kept current."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.department.bedside.contrast_morning import until_found
from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning
from tests.department.reading.conftest import Comes


@pytest.mark.clause("5.8.1")
@pytest.mark.clause("5.6.1")
def test_a_case_is_taken_in_hand_by_one_reader_and_the_open_list_of_another_says_so(
    morning: Morning, acquired: Comes, department: httpx.Client, enter: Enter
) -> None:
    usual, urgent = acquired("樟"), acquired("桂", priority="stat")
    hers = enter("reader", "/reading", "zh")
    rows = hers.get_by_role("main").get_by_role("listitem")
    expect(rows.filter(has_text="樟虚构")).to_contain_text("剩余")
    names = rows.all_inner_texts()
    at = [next(n for n, text in enumerate(names) if who in text) for who in ("桂虚构", "樟虚构")]
    assert at == sorted(at), "the green channel is due first"
    expect(rows.filter(has_text="桂虚构")).to_contain_text("30")

    mine = enter("author", "/reading", "en")
    mine.keyboard.press("/")
    mine.keyboard.type(morning.number("桂"))
    mine.keyboard.press("Enter")
    expect(mine.get_by_text("Back to the whole list")).to_be_visible()
    mine.locator("body").click(position={"x": 3, "y": 3})
    mine.keyboard.press("j")
    expect(mine.get_by_role("link", name=morning.number("桂"))).to_be_focused()
    mine.keyboard.press("c")
    expect(mine).to_have_url(re.compile(f"/reading/exams/{urgent}"))
    [task] = until_found(department, f"Task?code=reading&focus=ServiceRequest/{urgent}")
    assert task["owner"]["reference"] == morning.staff["first reader"]

    row = rows.filter(has_text="桂虚构")
    expect(row).to_contain_text("阅片中")
    expect(row.get_by_role("button", name=re.compile("^领取"))).to_have_count(0)
    looked_at(hers, "reading-list-zh")
    row.get_by_text("接管").first.press("Enter")
    row.get_by_role("textbox", name="接管理由").fill("急诊会诊")
    row.get_by_role("button", name=re.compile("从.*接管")).press("Enter")
    expect(hers).to_have_url(re.compile(f"/reading/exams/{urgent}"))

    mine.goto("/reading")
    expect(mine.get_by_role("main").get_by_role("listitem").filter(has_text="桂虚构")).to_contain_text("read by")
    looked_at(mine, "reading-list-en")
    hers.goto("/reading")
    rows.filter(has_text="桂虚构").get_by_role("button", name=re.compile("^退回")).press("Enter")
    expect(rows.filter(has_text="桂虚构").get_by_role("button", name=re.compile("^领取"))).to_be_visible()
    assert usual != urgent

"""From the desk to the acquired images with these pages alone, by keyboard; the day, the slip and what is due."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning


def reached(page: Page, role: str, name: str, *, most: int = 80) -> None:
    """Tab until the focus stands on this control, as a person without a mouse does."""
    wanted = page.get_by_role(role, name=name, exact=role != "link").first
    expect(wanted).to_be_visible()
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{role} {name} is not reached by keyboard")


@pytest.mark.clause("4.13 d")
@pytest.mark.clause("5.5.1.1")
def test_a_patient_goes_from_the_desk_to_acquired_by_keyboard_alone(morning: Morning, enter: Enter) -> None:
    who, number = "柳", morning.number("柳")
    page = enter("desk", "/department/reception")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type(morning.card(who))
    page.keyboard.press("Enter")
    reached(page, "link", f"Receive {number}")
    looked_at(page, "reception-found")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Receive")
    reached(page, "textbox", "Number on card or wristband")
    page.keyboard.type(morning.card(who))
    reached(page, "button", "Receive and print the slip")
    page.keyboard.press("Enter")
    expect(page.locator(".problem").first).to_contain_text("Two identifiers of different kinds are needed")
    looked_at(page, "reception-one-identifier")
    reached(page, "textbox", "Name as the patient says it")
    page.keyboard.type("柳 虚构")
    reached(page, "button", "Receive and print the slip")
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name=f"Bar code of {number}")).to_be_visible()
    looked_at(page, "slip")
    technologist = enter("tech", f"/department/exams/{morning.requests[who]['id']}")
    carried_out(technologist, morning, who)


def carried_out(page: Page, morning: Morning, who: str) -> None:
    """The technologist's half: a time, the check list, start and end."""
    reached(page, "button", "Book this time")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Another time")).to_be_visible()
    reached(page, "button", f"Start the scan of {who}虚构, {morning.number(who)}")
    page.keyboard.press("Enter")
    expect(page.locator(".problem").first).to_be_visible()
    looked_at(page, "start-refused")
    reached(page, "textbox", "Number on card or wristband")
    page.keyboard.type(morning.card(who))
    reached(page, "textbox", "Name as the patient says it")
    page.keyboard.type("柳虚构")
    for tick in ("Examination, body part and side agree with the request", "Protocol and parameters are set"):
        reached(page, "checkbox", tick)
        page.keyboard.press("Space")
    reached(page, "button", "Confirm what is ticked and filled in")
    page.keyboard.press("Enter")
    expect(page.locator(".mark").filter(has_text="ready")).to_be_visible()
    looked_at(page, "ready")
    reached(page, "button", f"Start the scan of {who}虚构, {morning.number(who)}")
    page.keyboard.press("Enter")
    expect(page.locator(".mark").filter(has_text="in progress")).to_be_visible()
    looked_at(page, "in-progress")
    reached(page, "button", "Acquired: the images are complete")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The scan is done.")).to_be_visible()
    looked_at(page, "acquired")


@pytest.mark.parametrize(("language", "size"), [("zh", "phone"), ("en", "tablet"), ("zh", "desktop")])
def test_the_day_the_desk_and_what_is_due_fit_every_screen(
    morning: Morning, enter: Enter, language: str, size: str
) -> None:
    names = {"en": ("Day by scanner", "Who came today", "What is due"), "zh": ("设备日程", "今日到检", "到期事项")}[
        language
    ]
    page = enter("tech", "/department/day", language, size, color_scheme="dark" if size == "desktop" else "light")
    expect(page.get_by_role("heading", name=names[0], level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="CT 1")).to_be_visible()
    looked_at(page, f"day-{language}-{size}")
    page.goto("/department/reception")
    expect(page.get_by_role("heading", name=names[1])).to_be_visible()
    looked_at(page, f"reception-{language}-{size}")
    page.goto(f"/department/reception/{morning.requests['石']['id']}")
    looked_at(page, f"arrival-{language}-{size}")
    page.goto(f"/department/exams/{morning.requests['石']['id']}")
    looked_at(page, f"exam-{language}-{size}")
    page.goto("/department/people")
    expect(page.get_by_role("heading", name=names[2])).to_be_visible()
    expect(page.get_by_text("CL02-A011:5.1.9").first).to_be_visible()
    looked_at(page, f"people-{language}-{size}")


def test_an_exam_is_broken_off_only_with_a_reason(morning: Morning, enter: Enter) -> None:
    who = "石"
    page = enter("desk", f"/department/reception/{morning.requests[who]['id']}", "zh")
    page.get_by_label("就诊卡或腕带编号").fill(morning.card("云"))
    page.get_by_role("button", name="登记并打印单据").click()
    expect(page.get_by_label("就诊卡或腕带编号")).to_have_attribute("aria-invalid", "true")
    looked_at(page, "somebody-else")
    page.get_by_label("就诊卡或腕带编号").fill(morning.card(who))
    page.get_by_label("患者口述的出生日期").fill("1950-09-10")
    page.get_by_role("button", name="登记并打印单据").click()
    expect(page.get_by_role("heading", name="单据")).to_be_visible()
    page = enter("tech", f"/department/exams/{morning.requests[who]['id']}", "zh")
    page.get_by_label("就诊卡或腕带编号").fill(morning.card(who))
    page.get_by_label("患者口述的出生日期").fill("1950-09-10")
    page.get_by_label("检查项目、部位与侧别同申请一致").check()
    page.get_by_role("button", name="确认以上内容").click()
    page.get_by_role("button", name=f"开始检查：{who}虚构").click()
    page.get_by_text("中止检查", exact=True).click()
    page.get_by_role("button", name=f"中止检查：{who}虚构").click()
    expect(page.get_by_label("理由")).to_have_attribute("aria-invalid", "true")
    looked_at(page, "broken-off-without-reason")
    page.get_by_label("理由").select_option(label="患者状况不允许继续")
    page.get_by_role("button", name=f"中止检查：{who}虚构").click()
    expect(page.locator(".mark").filter(has_text="已中止")).to_be_visible()

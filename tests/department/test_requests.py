"""The worklist, one request, and the decision on its justification, in a browser."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning


def test_before_sign_in_nothing_of_a_patient_is_shown(morning: Morning) -> None:
    with httpx.Client(base_url=morning.url, trust_env=False) as stranger:
        for path in ("/department", "/department/requests", f"/department/requests/{morning.requests['柳']['id']}"):
            answer = stranger.get(path)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/auth/sign-in")
            assert "柳" not in answer.text
        assert (
            "Nobody used this page"
            in stranger.get("/auth/locked?to=/department", headers={"accept-language": "en"}).text
        )


@pytest.mark.parametrize(("language", "size"), [("zh", "phone"), ("en", "tablet"), ("zh", "desktop")])
def test_the_worklist_says_what_waits_why_and_how_long(
    morning: Morning, enter: Enter, language: str, size: str
) -> None:
    page = enter("reader", "/department", language, size, color_scheme="dark" if size == "tablet" else "light")
    looked_at(page, f"home-{language}-{size}")
    said = {"en": ("Requests", "Find", "Missing:"), "zh": ("申请列表", "查找", "缺少：")}[language]
    page.get_by_role("navigation", name="Department" if language == "en" else "科室").get_by_role(
        "link", name=said[0]
    ).click()
    rows = page.get_by_role("main").get_by_role("listitem")
    expect(rows.filter(has_text=morning.number("秦")).first).to_contain_text("▲")
    expect(rows.filter(has_text=morning.number("云")).first).to_contain_text(said[2])
    pregnant = rows.filter(has_text=morning.number("苏")).first
    expect(pregnant).to_contain_text("MOH46:26(3)")
    expect(pregnant).to_contain_text(morning.card("苏"))
    looked_at(page, f"list-{language}-{size}")
    page.get_by_role("searchbox").fill(morning.card("云"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=morning.number("云"))).to_be_visible()
    expect(page.get_by_role("link", name=morning.number("柳"))).to_have_count(0)
    assert morning.card("云") not in page.url
    page.get_by_role("searchbox").fill("nobody is called so")
    page.get_by_role("button", name=said[1], exact=True).click()
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    looked_at(page, f"nobody-{language}-{size}")


def test_a_physician_decides_by_keyboard_and_what_he_forgot_stands_beside_the_field(
    morning: Morning, enter: Enter
) -> None:
    page = enter("reader", "/department/requests?state=awaiting-justification")
    page.keyboard.press("j")
    focused = page.evaluate("document.activeElement.textContent")
    while focused != morning.number("苏"):
        page.keyboard.press("j")
        after = page.evaluate("document.activeElement.textContent")
        assert after != focused, "the request is not on the list"
        focused = after
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(morning.number("苏"))
    expect(page.get_by_text("MOH46:26(3)").first).to_be_visible()
    looked_at(page, "one-request")
    page.get_by_role("link", name="Decide on the justification").click()
    page.get_by_role("radio", name="Justified").check()
    page.get_by_role("button", name="Record the decision").click()
    reason = page.get_by_label("Reason")
    expect(reason).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("radio", name="Justified")).to_be_checked()
    looked_at(page, "decision-without-reason")
    reason.select_option(label="Benefit outweighs the risk, as agreed with the requester or the patient")
    page.get_by_label("In words").fill("Agreed with the ward (synthetic)")
    page.get_by_role("button", name="Record the decision").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Request")
    expect(page.locator(".mark").first).to_contain_text("justified")
    expect(page.get_by_text("Passed by a physician").first).to_be_attached()
    expect(page.get_by_text("Decision: justified")).to_be_visible()
    looked_at(page, "one-request-decided")


def test_whom_the_roles_do_not_open_it_is_told_so(morning: Morning, enter: Enter) -> None:
    page = enter("admin", "/department")
    expect(page.get_by_role("navigation", name="Department").get_by_role("link", name="Requests")).to_have_count(0)
    expect(page.get_by_role("link", name="Deliveries")).to_be_visible()
    page.goto("/department/requests")
    expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
    assert morning.number("柳") not in page.content()
    looked_at(page, "refused")
    nurse = enter("ward", f"/department/requests/{morning.requests['苏']['id']}")
    expect(nurse.get_by_text("Your roles do not open the findings.")).to_be_visible()
    expect(nurse.get_by_role("link", name="Decide on the justification")).to_have_count(0)
    looked_at(nurse, "ward")
    assert nurse.goto("/department/requests/o-none").status == 404

"""Today's contrast exams on a tablet: who, where each stands, and how the page is reached."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

from tests.department.bedside.contrast_morning import ContrastMorning
from tests.department.conftest import Enter, looked_at


@pytest.mark.parametrize(("language", "size"), [("zh", "tablet"), ("en", "phone")])
def test_the_list_says_of_each_contrast_exam_where_it_stands(
    contrast: ContrastMorning, enter: Enter, language: str, size: str
) -> None:
    page = enter("bedside", "/department", language, size, color_scheme="dark" if size == "phone" else "light")
    title, asked, consent = {
        "en": ("Contrast today", "not asked yet", "Consent"),
        "zh": ("今日增强检查", "尚未询问", "知情同意"),
    }[language]
    page.get_by_role("navigation").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    row = page.get_by_role("listitem").filter(has_text=contrast.morning.number("梅"))
    expect(row).to_contain_text(contrast.morning.card("梅"))
    expect(row).to_contain_text(consent)
    expect(row.get_by_text(asked).first).to_be_visible()
    expect(page.get_by_text(contrast.morning.number("石"))).to_have_count(0)  # no contrast is asked for
    looked_at(page, f"bedside-today-{language}-{size}")


def test_nothing_of_a_patient_is_shown_to_strangers_and_nothing_to_who_holds_no_contrast(
    contrast: ContrastMorning, enter: Enter
) -> None:
    with httpx.Client(base_url=contrast.morning.url, trust_env=False) as stranger:
        answer = stranger.get("/bedside")
        assert answer.status_code == 303 and answer.headers["location"].startswith("/auth/sign-in")
    page = enter("ward", "/department")
    expect(page.get_by_role("link", name="Contrast today")).to_have_count(0)

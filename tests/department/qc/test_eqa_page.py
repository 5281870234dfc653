"""Comparison with others in a browser: a round is planned, answered and comes to its verdict; the systems say what is owed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.department.conftest import Enter, looked_at
from tests.department.qc.conftest import Watched


@pytest.mark.clause("5.6.3")
def test_a_round_is_planned_recorded_and_covers_its_systems(tested: Watched, enter: Enter) -> None:
    page = enter("chief", "/department/qc/eqa")
    expect(page.get_by_role("row").filter(has_text="respiratory system")).to_contain_text("never compared")
    looked_at(page, "eqa")
    page.get_by_role("button", name="Plan the round").click()
    expect(page.locator(".problem").first).to_be_visible()
    page.get_by_label("Way of comparison").select_option("case-meeting")
    page.get_by_label("Scheme or organiser").fill("Quality centre of the province")
    page.get_by_label("Partner, and why it was chosen").fill("three departments with the same scanners")
    page.get_by_role("checkbox", name="respiratory system").check()
    page.get_by_label("Items that are compared").fill("plain chest\nchest with contrast")
    page.locator("#due").fill("2027-01-31")
    page.get_by_role("button", name="Plan the round").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Quality centre of the province")
    looked_at(page, "eqa-round")
    page.locator("#returned").fill("2026-01-15")
    page.get_by_label("How it is judged").select_option("percent")
    page.get_by_label("Result of the round").fill("many")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("#score-problem")).to_be_visible()
    page.locator("#returned").fill("2026-01-15")
    page.get_by_label("Result of the round").fill("96.5")
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("acceptable")
    expect(page.get_by_text("The round has its verdict")).to_be_visible()
    address = page.url.removeprefix(page.url.split("/department")[0])
    page = enter("chief", address, "zh", "phone")
    expect(page.get_by_role("heading", level=1)).to_contain_text("满意")
    looked_at(page, "eqa-round-zh-phone")
    page = enter("chief", "/department/qc/eqa?year=2026", "zh", "phone")
    row = page.get_by_role("row").filter(has_text="呼吸系统").first
    expect(row).to_contain_text("替代比对")
    looked_at(page, "eqa-zh-phone")

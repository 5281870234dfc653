"""The indicators of the department: each figure with its interval and target, and the way from it to its cases."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from slipring.identity.people.roles import the_roles

from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning
from tests.department.reading.conftest import Comes, released
from tests.support.server import Server

WORDS = "Nodule of 6 mm, right upper lobe. 右肺上叶结节 6 mm。"


@pytest.fixture(scope="module")
def report(served: Server, morning: Morning, acquired: Comes) -> str:
    """A released report."""
    exam = acquired("楝")
    with served.department() as http:
        return released(http, served, morning, exam, WORDS)


@pytest.mark.clause("4.14.7")
def test_a_figure_is_shown_with_its_target_and_leads_to_its_cases(report: str, enter: Enter) -> None:
    page = enter("chief", "/reading/indicators", "en")
    amended = page.get_by_role("region", name="Amended reports", exact=True)
    expect(amended).to_contain_text(re.compile(r"0/\d+ · 0\.0 %"))
    expect(amended).to_contain_text("meets the target, which is unconfirmed")
    expect(amended).to_contain_text("unconfirmed default, please confirm")
    expect(page.get_by_role("region", name="Diagnostic concordance with pathology", exact=True)).to_contain_text(
        "no data"
    )
    chest = page.get_by_role("row").filter(has_text="Median dose: chest (CTDIvol, adults)")
    expect(chest).to_contain_text("target: at most 15 mGy")
    looked_at(page, "indicators-en")
    amended.get_by_role("link", name="The cases behind it").click()
    expect(page.get_by_role("heading", name="Amended reports")).to_be_visible()
    name = report.rpartition("/")[2]
    case = page.get_by_role("link", name=f"DiagnosticReport/{name}")
    expect(case).to_have_attribute("href", f"/reading/reports/{name}")
    looked_at(page, "indicator-cases-en")
    page.get_by_role("link", name="Numerator", exact=True).click()
    expect(page.get_by_text("No case in this time")).to_be_visible()
    page = enter("chief", "/reading/indicators", "zh", "phone")
    expect(page.get_by_role("heading", name="报告修改率")).to_be_visible()
    looked_at(page, "indicators-zh-phone")
    page.goto("/reading/indicators?from=2010-01-01&to=2026-01-01")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.goto("/reading/indicators/no-such-one").status == 404


@pytest.mark.clause("5.1.2")
def test_a_radiologist_reads_the_figures_and_closes_no_period(report: str, enter: Enter) -> None:
    page = enter("author", "/reading/indicators", "en")
    for name in (
        "Amended reports",
        "Examination error rate",
        "Extravasation of contrast",
        "Critical findings told within 10 minutes",
    ):
        expect(page.get_by_role("region", name=name, exact=True)).to_be_visible()
    page.goto("/reading/indicators/reports-amended?members=missed")
    expect(page.get_by_role("link", name=report)).to_be_visible()
    level = the_roles().roles["radiologist-b"].scopes
    assert "user/Measure.rs" in level and not any(one.startswith("user/MeasureReport") for one in level)

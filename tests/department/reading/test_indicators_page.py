"""The indicators of the department: each figure with its interval and target, and the way from it to its cases."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect
from slipring.identity.people.roles import the_roles
from slipring_demo.cast import STAFF, C, role

from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning, accounts, posted
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


@pytest.fixture(scope="module")
def deputy(served: Server, morning: Morning) -> str:
    """A second quality manager, who has no role in the staff register yet."""
    person = STAFF["second reader"][0] | {"identifier": [{"system": f"{C}/staff", "value": "R-0078"}]}
    person |= {"name": [{"text": "钮示例", "family": "钮", "given": ["示例"]}]}
    with served.loading() as http:
        who = f"Practitioner/{posted(http, person)['id']}"
    with ThreadPoolExecutor(1) as beside:  # the browser's own loop runs in this thread
        beside.submit(asyncio.run, accounts(served, {"deputy": (who, ["quality-manager"])})).result()
    return who


@pytest.mark.clause("4.14.7")
def test_a_target_is_proposed_by_one_and_approved_by_another_who_may(served: Server, deputy: str, enter: Enter) -> None:
    rate = "/reading/indicators/error-rate"
    page = enter("chief", "/reading/indicators", "en")
    page.get_by_role("region", name="Examination error rate", exact=True).get_by_role("link").click()
    target = page.get_by_role("region", name="Target", exact=True)
    expect(target).to_contain_text("at most 0.1 %")
    expect(target).to_contain_text("unconfirmed, please confirm")
    target.get_by_text("Propose a target").click()
    form = target.get_by_role("form", name="Propose a target")
    form.get_by_role("button", name="Propose").click()
    value, reason = form.get_by_label("Value in %"), form.get_by_label("Reason")
    expect(value).to_have_accessible_description(re.compile("Give a number"))
    expect(reason).to_have_accessible_description(re.compile("Say why"))
    looked_at(page, "target-refused-en")
    value.fill("150")
    reason.fill("Meeting of the department, 2026-11")
    form.get_by_role("button", name="Propose").click()
    expect(value).to_have_accessible_description(re.compile(r"from 0 to 1 \(0 % to 100 %\)"))
    expect(reason).to_have_value("Meeting of the department, 2026-11")
    value.fill("2.5")
    form.get_by_role("button", name="Propose").click()
    mistyped = target.get_by_role("group", name=re.compile("at most 2.5 %.*waits for a second person"))
    mistyped.get_by_role("button", name="Withdraw the draft").click()
    expect(mistyped).to_have_count(0)
    target.get_by_text("Propose a target").click()
    value.fill("0.25")
    reason.fill("Meeting of the department, 2026-11")
    form.get_by_role("button", name="Propose").click()
    draft = target.get_by_role("group", name=re.compile("at most 0.25 %.*waits for a second person"))
    expect(draft).to_contain_text("You drafted this target: somebody else approves it.")
    expect(draft.get_by_role("button", name="Approve")).to_have_count(0)
    looked_at(page, "target-drafted-en")

    page = enter("deputy", "/reading/indicators", "zh", "phone")
    page.get_by_role("listitem").get_by_role("link", name="检查差错率").click()
    page.get_by_role("button", name="批准目标").click()
    target = page.get_by_role("region", name="目标", exact=True)
    expect(target.get_by_role("alert")).to_be_visible()
    expect(target.get_by_role("button", name="批准目标")).to_be_visible()
    looked_at(page, "target-not-his-zh-phone")
    with served.client() as http:
        posted(http, role(deputy, "Organization/none", "ct-head") | {"organization": {"display": "CT"}})
    page.get_by_role("button", name="批准目标").click()
    row = target.get_by_role("listitem").filter(has_text="不高于 0.25 %")
    expect(row).to_contain_text("有效")
    expect(row).to_contain_text("钮示例")
    expect(target.get_by_role("button", name="批准目标")).to_have_count(0)
    expect(target).to_contain_text("由科室批准")
    looked_at(page, "target-in-force-zh-phone")
    page = enter("author", rate, "en")
    expect(page.get_by_role("region", name="Target", exact=True)).to_contain_text("at most 0.25 %")
    expect(page.get_by_text("Propose a target")).to_have_count(0)
    looked_at(page, "target-in-force-en")


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

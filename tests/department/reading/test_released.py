"""A released report from the pages: changed, withdrawn, read a second time; every version that no longer stands says so."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import expect
from slipring.runtime.clock import utc_now
from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring.signing.jws import sign_payload

from tests.department.bedside.contrast_morning import ContrastMorning, long_signed_in, until_found
from tests.department.conftest import Enter, looked_at
from tests.department.morning import PASSWORD, Morning
from tests.department.reading.conftest import Comes, released, sign, written
from tests.support.server import Server

_BOTH = (("first reader", "author"), ("second reader", "reviewer"))


@pytest.mark.clause("5.9.1")
def test_a_released_report_is_changed_beside_its_old_text_and_the_old_version_says_that_it_no_longer_stands(
    served: Server, morning: Morning, acquired: Comes, department: httpx.Client, enter: Enter
) -> None:
    report = released(department, served, morning, acquired("椴"), "No nodule. 未见结节。")
    page = enter("author", f"/reading/reports/{report}", "en")
    looked_at(page, "released-en")
    page.get_by_role("link", name="Change the report").click()
    page.get_by_role("button", name=re.compile("Begin the change")).press("Enter")
    expect(page.locator("#kind-problem")).to_be_visible()
    expect(page.locator("#reason-problem")).to_be_visible()
    page.get_by_role("radio", name=re.compile("^Corrected")).check()
    page.get_by_role("combobox", name="Why").select_option(label="other (to be explained)")
    page.get_by_role("button", name=re.compile("Begin the change")).press("Enter")
    expect(page.locator("#note-problem")).to_contain_text("explained")
    looked_at(page, "amend-refused-en")
    page.get_by_role("combobox", name="Why").select_option(label="a finding was missed")
    page.get_by_role("button", name=re.compile("Begin the change for 椴虚构")).press("Enter")
    expect(page.get_by_role("region", name="As it is released")).to_contain_text("No nodule. 未见结节。")
    expect(page.get_by_text("which everybody reads until it is signed")).to_be_visible()
    page.get_by_role("textbox", name="Impression", exact=True).fill("Nodule of 6 mm. 结节 6 mm。")
    page.get_by_role("textbox", name="Findings", exact=True).fill("Nodule of 6 mm. 结节 6 mm。")
    page.get_by_role("textbox", name="Conclusion in one line, for lists").fill("Nodule. 结节。")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-saved-line]")).to_contain_text("● Saved")
    looked_at(page, "amend-draft-en")
    draft = page.url.rpartition("/")[2]
    assert draft != report
    page.goto(f"/reading/reports/{report}/amend")
    expect(page.get_by_role("link", name="Go on with it")).to_have_attribute("href", f"/reading/reports/{draft}")
    sign(department, served, morning, draft, *_BOTH)

    page.goto(f"/reading/reports/{report}")
    expect(page.get_by_text(re.compile("This version changes version"))).to_contain_text("a finding was missed")
    page.get_by_role("link", name="The version before").click()
    expect(page.get_by_role("status")).to_contain_text("This version no longer stands")
    expect(page.get_by_role("region", name="The report as it was released")).to_contain_text("No nodule")
    looked_at(page, "version-superseded-en")
    ward = enter("doctor", f"/ward/reports/{report}", "zh", "phone")
    expect(ward.get_by_role("region", name="发布的报告")).to_contain_text("结节 6 mm")
    looked_at(ward, "ward-changed-zh-phone")
    ward.get_by_role("link", name="前一版本").click()
    expect(ward.get_by_role("status")).to_contain_text("该版本已失效")
    looked_at(ward, "ward-superseded-zh-phone")
    ward.get_by_role("link", name="查看当前有效版本").click()
    expect(ward).to_have_url(re.compile(f"/ward/reports/{report}$"))
    assert page.request.get(f"/reading/reports/{report}/versions/999").status == 404
    assert page.request.get(f"/reading/reports/{report}/versions/x").status == 404
    assert page.request.get(f"/reading/reports/{report}/versions/1").status == 404, "a draft was never released"


@pytest.mark.clause("5.9.1")
def test_an_addition_that_changes_what_was_released_is_refused_beside_the_section(
    served: Server, morning: Morning, acquired: Comes, department: httpx.Client, enter: Enter
) -> None:
    report = released(department, served, morning, acquired("梣"), "No nodule. 未见结节。")
    page = enter("author", f"/reading/reports/{report}/amend", "zh")
    page.get_by_role("radio", name=re.compile("^补充")).check()
    page.get_by_role("combobox", name="理由").select_option(label="补充图像")
    page.get_by_role("button", name=re.compile("^开始修改")).press("Enter")
    impression = page.get_by_role("textbox", name="影像学诊断", exact=True)
    impression.fill("结节 6 mm。")
    page.get_by_role("button", name="保存草稿").press("Enter")
    expect(page.locator("#problem-19005-8")).to_contain_text("补充版本须逐字保留已发布的内容")
    expect(impression).to_have_value("结节 6 mm。")
    looked_at(page, "append-refused-zh")
    impression.fill("No nodule. 未见结节。\n补充：补扫见胸腔积液。")
    page.get_by_role("button", name="保存草稿").press("Enter")
    expect(page.locator("[data-saved-line]")).to_contain_text("● 已保存")
    draft = page.url.rpartition("/")[2]
    page.get_by_text("放弃该修改稿").press("Enter")
    page.get_by_role("button", name="放弃对 梣虚构 报告的修改").press("Enter")
    expect(page).to_have_url(re.compile(f"/reading/reports/{report}$"))
    assert department.get(f"/fhir/DiagnosticReport/{draft}").json()["status"] == "cancelled"
    assert department.get(f"/fhir/DiagnosticReport/{report}").json()["status"] == "final"


@pytest.mark.clause("4.9")
def test_a_report_of_the_wrong_patient_is_withdrawn_by_who_says_whose_it_is_and_proves_who_he_is(
    served: Server, morning: Morning, acquired: Comes, department: httpx.Client, enter: Enter
) -> None:
    report = released(department, served, morning, acquired("棣"), "No nodule. 未见结节。")
    page = enter("reader", f"/reading/reports/{report}", "zh")
    page.get_by_role("link", name="患者错误？撤回报告").click()
    looked_at(page, "withdraw-zh")
    page.get_by_role("combobox", name="理由").select_option(label="患者错误")
    page.get_by_role("button", name="撤回 棣虚构 的报告").press("Enter")
    expect(page.locator("#confirmed-problem")).to_be_visible()
    assert department.get(f"/fhir/DiagnosticReport/{report}").json()["status"] == "final"
    page.get_by_role("checkbox", name=re.compile(f"棣虚构（{morning.number('棣')}）")).check()
    long_signed_in(ContrastMorning(served, morning))
    page.get_by_role("button", name="撤回 棣虚构 的报告").press("Enter")
    page.get_by_label("密码").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="已撤回：请勿使用该报告")).to_be_visible()
    looked_at(page, "withdrawn-zh")
    assert "未见结节" not in page.content()
    ward = enter("doctor", "/ward", "zh", "phone")
    expect(ward.get_by_role("region").filter(has_text="棣虚构")).to_contain_text("报告已撤回：请勿使用")
    ward.goto(f"/ward/reports/{report}")
    expect(ward.get_by_role("status")).to_contain_text("患者错误")
    looked_at(ward, "ward-withdrawn-zh-phone")
    put_on = page.get_by_role("button", name=re.compile("提交.*讨论"))
    expect(put_on).to_have_count(0)
    page.get_by_role("link", name="历次讨论").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(morning.number("棣"))
    expect(put_on).to_have_count(0)
    page.goto(f"/reading/reports/{report}/withdraw")
    expect(page.get_by_text("只有他人可阅读的报告才能撤回")).to_be_visible()


@pytest.mark.clause("5.6.1")
def test_an_emergency_release_waits_in_the_list_for_its_second_reader_who_grades_and_goes_on(
    served: Server, morning: Morning, acquired: Comes, department: httpx.Client, enter: Enter
) -> None:
    report = written(department, morning, acquired("栎", priority="stat"), "No nodule. 未见结节。")
    own = enter("author", f"/reading/reports/{report}/sign", "en")
    payload = own.request.get(f"/reading/reports/{report}/payload?role=author").body()
    key, csr = make_key_and_csr("first reader")
    authority = make_authority(served.data_dir / "signing", now=utc_now())
    chain = issue(authority, csr, morning.staff["first reader"], "first reader", now=utc_now())
    own.get_by_text("With a key elsewhere").click()
    own.get_by_role("textbox", name="Detached JWS").fill(sign_payload(payload, key, chain, "author", "", utc_now()))
    at_once = own.locator("form").filter(has=own.get_by_role("button", name="Hand in this signature"))
    expect(at_once.get_by_role("combobox", name="When it is released")).to_have_value("")
    at_once.get_by_role("combobox", name="When it is released").select_option(index=1)
    looked_at(own, "sign-emergency-en")
    own.get_by_role("button", name="Hand in this signature").press("Enter")
    expect(own.get_by_role("row").filter(has_text="ES256").first).to_be_visible()
    [task] = until_found(department, f"Task?code=second-read&focus=DiagnosticReport/{report}")
    own.goto(f"/reading/second-reads/{task['id']}")
    expect(own.get_by_text("The second reader is another person")).to_be_visible()
    page = enter("reader", "/reading", "en")
    waiting = page.get_by_role("region", name="Released by one signature: second read to come")
    expect(waiting).to_contain_text("栎虚构")
    looked_at(page, "second-reads-en")
    waiting.get_by_role("link", name=morning.number("栎")).click()
    page.get_by_role("button", name="Put the grade on record").press("Enter")
    expect(page.locator("#grade-problem")).to_be_visible()
    page.get_by_role("radio", name=re.compile("minor", re.IGNORECASE)).check()
    page.get_by_role("button", name="Put the grade on record").press("Enter")
    expect(page.get_by_role("region", name="What ends the second read")).to_contain_text("A change of the report")
    looked_at(page, "second-read-graded-en")
    page.get_by_role("link", name="Change the report").click()
    expect(page.get_by_role("combobox", name="Why")).to_have_value("second-read")
    page.goto(f"/reading/reports/{report}")
    expect(page.get_by_role("link", name="Second read")).to_be_visible()
    expect(page.get_by_role("textbox", name="Findings", exact=True)).not_to_be_editable()

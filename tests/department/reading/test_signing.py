"""Signing with a key made in the browser, with a key elsewhere, and what the verify page says of both."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from cryptography import x509
from playwright.sync_api import expect
from slipring.runtime.clock import utc_now
from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring.signing.jws import sign_payload
from slipring_demo.cast import C

from tests.department.bedside.contrast_morning import ContrastMorning, long_signed_in
from tests.department.conftest import Enter, looked_at
from tests.department.morning import PASSWORD, Morning, posted
from tests.department.reading.conftest import Comes, report_of
from tests.support.server import Server

_EXTRACTABLE = """new Promise((done) => {
  const opening = indexedDB.open("slipring-signing");
  opening.onsuccess = () => {
    const got = opening.result.transaction("keys").objectStore("keys").getAll();
    got.onsuccess = () => done(got.result[0].privateKey.extractable);
  };
})"""


def chain_for(served: Server, csr: bytes, person: str) -> str:
    authority = make_authority(served.data_dir / "signing", now=utc_now())
    return issue(authority, csr, person, "a signer", now=utc_now()).decode()


def a_lead(person: str) -> dict[str, Any]:
    """Somebody who may approve certificates."""
    role = {"system": f"{C}/CodeSystem/staff-role", "code": "diagnosis-lead"}
    return {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": person},
        "code": [{"coding": [role]}],
    }


@pytest.mark.clause("5.7.1")
def test_one_signs_with_a_key_of_his_browser_and_another_with_a_key_elsewhere(
    served: Server, morning: Morning, comes: Comes, department: httpx.Client, enter: Enter
) -> None:
    with served.client() as http:
        posted(http, a_lead(morning.staff["second reader"]))
    exam = comes("槿")
    page = enter("author", f"/reading/exams/{exam}", "en")
    page.get_by_role("textbox", name="Findings", exact=True).fill("Lungs clear. 双肺清晰。")
    page.get_by_role("textbox", name="Impression", exact=True).fill("No fracture. 未见骨折。")
    page.keyboard.press("Alt+s")
    expect(page.get_by_text("This browser holds no key with a certificate of yours.")).to_be_visible()

    page.get_by_role("link", name="Make one, or ask for its certificate").press("Enter")
    page.get_by_role("button", name="Make my key").press("Enter")
    page.get_by_text("By hand: take the request").click()
    request = page.get_by_role("textbox", name="Certificate request (PKCS#10)")
    expect(request).to_have_value(re.compile("BEGIN CERTIFICATE REQUEST"))
    csr = request.input_value().encode()
    assert x509.load_pem_x509_csr(csr).is_signature_valid
    looked_at(page, "reading-key-en")
    other_key, other_csr = make_key_and_csr("somebody else")
    chain = page.get_by_role("textbox", name=re.compile("Certificate chain"))
    chain.fill(chain_for(served, other_csr, morning.staff["second reader"]))
    page.get_by_role("button", name="Put it beside the key").press("Enter")
    expect(page.locator("#chain-problem")).to_be_visible()
    page.get_by_role("button", name="Ask for the certificate").press("Enter")
    expect(page.get_by_text("Your request waits for a second person.")).to_be_visible()
    second = enter("reader", "/reading/key", "zh")
    looked_at(second, "reading-key-decide-zh")
    second.get_by_role("button", name=re.compile("^签发给 何示例")).press("Enter")
    expect(second.get_by_role("button", name=re.compile("^签发给 何示例"))).to_have_count(0)
    page.reload()
    expect(page.get_by_text("You can sign.")).to_be_visible()
    page.goto("/reading/key")
    assert page.evaluate(_EXTRACTABLE) is False, "nobody takes the key out of the browser"

    report = str(report_of(department, exam)["id"])
    page.goto(f"/reading/reports/{report}/sign")
    looked_at(page, "reading-sign-en")
    long_signed_in(ContrastMorning(served, morning))  # a signature asks who it is once more
    page.get_by_role("button", name="Sign the report of 槿虚构").press("Enter")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("● Every signature that counts is valid")).to_be_visible()
    assert report_of(department, exam)["status"] == "preliminary"

    second.goto(f"/reading/reports/{report}/sign")
    expect(second.get_by_text("它链接到前一个签名。")).to_be_visible()
    payload = second.request.get(f"/reading/reports/{report}/payload?role=reviewer").body()
    prev = second.locator("[data-sign]").get_attribute("data-prev") or ""
    pem = chain_for(served, other_csr, morning.staff["second reader"]).encode()
    second.get_by_text("使用别处的密钥：文件、令牌、卡").click()
    pasted = second.get_by_role("textbox", name="分离式 JWS")
    pasted.fill(sign_payload(payload + b" ", other_key, pem, "reviewer", "0" * 64, utc_now()))
    second.get_by_role("button", name="提交该签名").press("Enter")
    second.get_by_label("密码").fill(PASSWORD)
    second.keyboard.press("Enter")
    expect(second.get_by_role("alert").filter(has_text="未签名")).to_contain_text("签名的内容不是当前的报告")
    expect(second.get_by_role("alert").filter(has_text="未签名")).to_contain_text("不是此报告的前一个签名")
    looked_at(second, "reading-sign-refused-zh")
    pasted.fill(sign_payload(payload, other_key, pem, "reviewer", prev, utc_now()))
    second.get_by_role("button", name="提交该签名").press("Enter")
    expect(second.get_by_text("● 所有应计签名均有效")).to_be_visible()
    expect(second.get_by_role("row").filter(has_text="ES256")).to_have_count(2)
    looked_at(second, "reading-verify-zh")
    assert report_of(department, exam)["status"] == "final"


def test_a_page_that_came_over_plain_http_says_that_the_browser_offers_no_keys(
    morning: Morning, comes: Comes, enter: Enter
) -> None:
    page = enter("author", "/reading/key", "zh")
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
    page.reload()
    expect(page.locator("[data-insecure]")).to_contain_text("请通过 HTTPS 打开")
    expect(page.get_by_role("button", name="生成我的密钥")).to_be_hidden()

"""A receiver verifies a report's proof without an account: genuine, unproved, forged, or no proof at all, each in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from slipring.reading.proof_page import LIMIT_BYTES

from tests.department.conftest import SIZES, Enter, looked_at
from tests.department.morning import Morning
from tests.department.reading.conftest import Comes, released
from tests.support.server import Server


def stranger(chromium: Browser, morning: Morning, language: str, size: str) -> Page:
    width, height = SIZES[size]
    context = chromium.new_context(
        base_url=morning.url,
        locale="en-GB" if language == "en" else "zh-CN",
        viewport={"width": width, "height": height},
    )
    page = context.new_page()
    page.goto("/verify")
    return page


@pytest.mark.clause("5.7.1")
def test_a_reader_takes_the_proof_along_and_a_receiver_without_account_verifies_it(
    served: Server,
    morning: Morning,
    acquired: Comes,
    department: httpx.Client,
    enter: Enter,
    chromium: Browser,
    tmp_path: Path,
) -> None:
    report = released(department, served, morning, acquired("枫"), "No nodule. 未见结节。")
    hers = enter("reader", f"/reading/reports/{report}/verify", "en", "tablet")
    with hers.expect_download() as taken:
        hers.get_by_role("link", name="Take the proof along").click()
    assert taken.value.suggested_filename == f"{report}.proof"
    taken.value.save_as(proof := tmp_path / "report.proof")

    page = stranger(chromium, morning, "zh", "phone")
    looked_at(page, "verify-zh-phone")
    page.get_by_label("证明文件（.proof）").set_input_files(proof)
    page.get_by_role("button", name="核验").click()
    expect(page.get_by_role("status")).to_contain_text("自签名以来未变；请比对根证书")
    expect(page.get_by_role("region", name="签名者")).to_contain_text("first reader")
    expect(page.get_by_role("region", name="发布的报告")).to_contain_text("未见结节")
    looked_at(page, "verify-claimed-root-zh-phone")

    page = stranger(chromium, morning, "en", "desktop")
    root = served.data_dir / "signing" / "root.pem"
    page.get_by_label("The proof (.proof)").set_input_files(proof)
    page.get_by_label("The hospital's root that you trust").set_input_files(root)
    page.get_by_role("button", name="Verify", exact=True).press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Genuine and unchanged")
    expect(page.locator(".fingerprint")).to_have_text(fingerprint(root))
    expect(page.get_by_role("region", name="Who signed")).to_contain_text("ES256")
    looked_at(page, "verify-holds-en")

    altered = json.loads(proof.read_bytes())
    altered["seal"] = altered["seal"][:-4] + "AAAA"
    (forged := tmp_path / "forged.proof").write_text(
        json.dumps(altered, sort_keys=True, separators=(",", ":"), ensure_ascii=False), "utf-8"
    )
    page.get_by_label("The proof (.proof)").set_input_files(forged)
    page.get_by_role("button", name="Verify", exact=True).press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Do not rely on this file")
    expect(page.get_by_role("region", name="The report in the file")).not_to_contain_text("未见结节")
    looked_at(page, "verify-broken-en")

    page.get_by_label("The proof (.proof)").set_input_files(
        {"name": "report.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    )
    page.get_by_role("button", name="Verify", exact=True).press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This is a PDF, not the proof.")
    looked_at(page, "verify-pdf-en")


def test_what_is_too_large_no_form_or_no_file_is_refused_in_words(served: Server) -> None:
    with httpx.Client(base_url=served.url, headers={"Accept-Language": "en"}) as http:
        large = http.post("/verify", files={"proof": ("x", b"{" * (LIMIT_BYTES + 1))})
        assert large.status_code == 413 and 'role="alert"' in large.text
        assert http.post("/verify", content=b"{}").status_code == 415
        none = http.post("/verify", files={"proof": ("", b"")})
        assert none.status_code == 422 and "Choose the file first." in none.text
        unreadable = http.post("/verify", files={"proof": ("x", b"{}"), "trust": ("r.pem", b"no certificate")})
        assert unreadable.status_code == 422 and "no certificate that can be read" in unreadable.text


def fingerprint(root: Path) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    digest = x509.load_pem_x509_certificate(root.read_bytes()).fingerprint(hashes.SHA256()).hex().upper()
    return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))

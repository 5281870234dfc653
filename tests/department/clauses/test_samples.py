"""The assessor's sample by its pages: drawn, kept, read by an assessor with nobody's name in it, taken along and verified."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect
from slipring.fhir.service import CANONICAL
from slipring.runtime.clock import utc_now
from slipring.signing.proof_file import judged_file

from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning, posted
from tests.department.reading.conftest import Comes, released
from tests.support.server import Server

_WHO, _SEED = "槭", "an assessor's seed"


@pytest.fixture
def period(served: Server, morning: Morning, acquired: Comes) -> Iterator[str]:
    """Days with one finished exam whose report two people signed."""
    with served.department() as http:
        released(http, served, morning, acquired(_WHO), "No nodule. 未见结节。")
    today = utc_now().date()
    yield f"{today - timedelta(days=2)}..{today + timedelta(days=2)}"


@pytest.mark.clause("A.1")
@pytest.mark.clause("A.2")
def test_a_sample_is_drawn_kept_read_and_verified(served: Server, period: str, enter: Enter) -> None:
    page = enter("chief", "/clauses/samples", "zh")
    page.goto(f"/clauses/samples?period={period}&seed={'x' * 101}")
    expect(page.locator("#seed-problem")).to_contain_text("100")
    page.goto(f"/clauses/samples?period={period}")
    made = page.locator("#seed").input_value()
    assert len(made) == 16 and f"seed={made}" in page.url, "a seed that nobody gave is made and named"
    page.goto(f"/clauses/samples?period={period}&seed={_SEED}")
    page.get_by_role("button", name="汇集资料并保存样本").click()
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"平扫：\d+/25 例"))
    looked_at(page, "sample-drawn-zh-desktop")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="汇集资料并保存样本").click()
    page.wait_for_url("**/clauses/samples/*?kept=1")
    expect(page.locator("code.fingerprint").first).to_have_text(_SEED)
    looked_at(page, "sample-kept-zh-desktop")

    address = page.url.partition("?")[0]
    file = page.request.get(f"{address}/file")
    proof, verdict = judged_file(file.body(), (served.data_dir / "signing" / "root.pem").read_bytes())
    assert verdict.holds and verdict.known, verdict.tree()
    assert "assessors-sample.proof" in file.headers["content-disposition"]
    assert sum(name.endswith("-report-records.json") for name in proof.members) == page.locator("section.card").count()

    guest = enter("assessor", "/department", "en", "phone")
    guest.locator(".places a[href='/clauses']").click()
    looked_at(guest, "sample-board-en-phone")
    guest.locator(f"a[href='{httpx.URL(address).path}']").click()
    looked_at(guest, "sample-en-phone")
    _its_case(guest)
    guest.goto("/clauses/samples")
    expect(guest.locator(f"a[href='{httpx.URL(address).path}']")).to_be_visible()
    expect(guest.locator("#seed")).to_have_count(0)
    token = page.locator("input[name=form_token]").first.get_attribute("value")
    refused = guest.request.post("/clauses/samples", form={"form_token": str(token), "period": period, "seed": "x"})
    assert refused.status == 403
    assert guest.request.get("/clauses/samples/nothing-is-here").status == 404
    broken = guest.goto(f"/clauses/samples/{_no_draw(served)}")
    assert broken and broken.status == 409
    expect(guest.get_by_text("Do not rely on this sample")).to_be_visible()
    looked_at(guest, "sample-broken-en-phone")
    assert guest.request.get(f"{address}/cases/999").status == 404
    _verified_on_the_page_of_proofs(guest, served, file.body())


def _verified_on_the_page_of_proofs(page: Page, served: Server, content: bytes) -> None:
    """`/verify` knows a sample from a report: nobody is said to have signed it, and whose services sealed it is told by the root."""
    page.goto("/verify")
    root = (served.data_dir / "signing" / "root.pem").read_bytes()
    spoilt = content.replace(b'\\"seed\\"', b'\\"feed\\"', 1)
    for given, trust, word in (
        (content, b"", "Unchanged; who sealed it is not proved here"),
        (content, root, "Genuine and unchanged"),
        (
            spoilt if spoilt != content else content[:-40] + content[-39:],
            root,
            "This is not a proof|Do not rely on this file",
        ),
    ):
        page.locator("#proof").set_input_files({"name": "x.proof", "mimeType": "application/zip", "buffer": given})
        if trust:
            page.locator("#trust").set_input_files({"name": "r.pem", "mimeType": "text/plain", "buffer": trust})
        page.get_by_role("button", name="Verify").click()
        expect(page.locator(".verdict-word")).to_contain_text(re.compile(word))
        if given == content:
            expect(page.locator("main")).not_to_contain_text("Nobody has signed")
            expect(page.locator("main")).to_contain_text("Case 1: Report and signatures")
            looked_at(page, f"sample-verified-{bool(trust)}-en-phone")


def _no_draw(served: Server) -> str:
    """A document that says it is a draw, and is none; its id."""
    kind = {"coding": [{"system": f"{CANONICAL}/CodeSystem/sample-document", "code": "draw"}]}
    content = [{"attachment": {"contentType": "application/json", "data": "e30="}}]
    document = {"resourceType": "DocumentReference", "status": "current", "type": kind, "content": content}
    with served.client() as http:
        return str(posted(http, document)["id"])


def _its_case(guest: Page) -> None:
    """The case that two people signed: who they are, what each service has, and nothing of whom it is about."""
    signed = guest.locator("section.card", has_text="Signed by").first
    signed.get_by_role("link", name="Report and signatures").click()
    expect(guest.locator("h1")).to_contain_text("Case")
    facts = guest.locator("dl.facts").first
    expect(facts).to_contain_text("holds")
    expect(facts).to_contain_text("female, born 1961")
    report = guest.locator("section", has=guest.locator("h2#report"))
    opened = report.locator("details", has_text="diagnostic report").first
    opened.locator("summary").click()
    expect(opened.locator("pre")).to_contain_text('"resourceType": "DiagnosticReport"')
    assert _WHO not in guest.content(), "nobody's name"
    looked_at(guest, "sample-case-en-phone")

"""A comparison of the scanners is made by one person on a page, and counts when another has approved it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from slipring.runtime.clock import utc_now
from slipring_demo.cast import SYNTHETIC

from tests.department.conftest import Enter, looked_at
from tests.department.morning import posted
from tests.department.qc.conftest import OUT_OF_SERVICE, Watched, a_round
from tests.support.server import Server


@pytest.fixture
def another(served: Server, tested: Watched) -> Iterator[str]:
    """A second scanner with two values of the time in which the first has two; its name."""
    with served.client() as http:
        device = {
            "resourceType": "Device", "meta": SYNTHETIC, "status": "active", "extension": [OUT_OF_SERVICE],
            "deviceName": [{"name": "CT 质控 10", "type": "user-friendly-name"}],
            "type": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]},
        }  # fmt: skip
        made = Watched(str(posted(http, device)["id"]), "CT 质控 10", tested.tester, tested.approver)
        for days in (50, 40):
            a_round(http, made, days, "constancy", water=0.3)
        yield made.name
        http.delete(f"/fhir/Device/{made.id}")


@pytest.mark.clause("5.6.4")
def test_a_comparison_is_kept_and_approved_by_somebody_else(another: str, enter: Enter) -> None:
    today = utc_now().date()
    page = enter("tech", "/department/qc/comparisons")
    page.get_by_role("button", name="Compare and keep").click()
    expect(page.locator(".problem").first).to_be_visible()
    page.locator("#periodStart").fill((today - timedelta(days=80)).isoformat())
    page.locator("#periodEnd").fill((today - timedelta(days=1)).isoformat())
    page.get_by_role("button", name="Compare and keep").click()
    row = page.get_by_role("row").filter(has_text=another).first
    expect(row).to_contain_text("CT number of water")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("to be approved")
    looked_at(page, "comparisons")
    page = enter("chief", "/department/qc/comparisons", "zh", "phone")
    page.get_by_role("button", name="批准该比对").first.click()
    expect(page.get_by_role("heading", level=2).first).to_contain_text("已批准")
    looked_at(page, "comparisons-zh-phone")

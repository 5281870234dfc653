"""A roster read from a calendar file on its page: what is wrong said line by line, the weeks looked at with their gaps, then stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning, posted
from tests.support.calendars import a_calendar, an_event
from tests.support.on_call import a_roster
from tests.support.ringing import a_route
from tests.support.server import Server

_WORDS = {
    "zh": ("导入值班表", "查看", "保存", "未保存任何内容", "新增 3，变动 0，撤回 0，不变 0", "不变 3", "有空档"),
    "en": (
        "Import a roster",
        "Look at it",
        "Store it",
        "Nothing was stored",
        "3 new, 0 moved, 0 withdrawn, 0 as they were",
        "3 as they were",
        "gaps",
    ),
}


@pytest.fixture(scope="module")
def offices(served: Server, morning: Morning) -> dict[str, str]:
    """A roster of shifts alone for each language, and people with contact routes and staff numbers."""
    with served.client() as http:
        for who in ("requester", "second reader"):
            route = a_route(morning.staff[who], "receiver.example", address=f"http://127.0.0.3:8999/import-{who[:3]}")
            posted(http, {name: one for name, one in route.items() if name != "id"})
        found = {}
        for language, office in (("zh", "medical-affairs"), ("en", "rescue-team")):
            tree = a_roster(office=office, handover="") | {"actor": [{"reference": morning.staff["requester"]}]}
            found[language] = posted(
                http, {name: one for name, one in tree.items() if name not in ("id", "extension")}
            )["id"]
        reader = http.get(f"/fhir/{morning.staff['second reader']}").json()
    return found | {"number": reader["identifier"][0]["value"]}


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(("language", "size"), [("zh", "phone"), ("en", "desktop")])
def test_a_file_is_looked_at_before_it_is_stored(
    enter: Enter, served: Server, offices: dict[str, str], keeper: None, language: str, size: str
) -> None:
    title, look, store, nothing, new, same, gaps = _WORDS[language]
    day = datetime.now(ZoneInfo("Asia/Shanghai")).date() + timedelta(days=2)
    hours = (f"{day:%Y%m%d}T200000", f"{day + timedelta(days=1):%Y%m%d}T080000")
    text = a_calendar(an_event(f"n-{language}@x", *hours, "RRULE:FREQ=DAILY;COUNT=3", who="Nacht A"))

    page = enter("chief", "/alerts/roster", language, size)
    page.get_by_role("link", name=title).click()
    page.locator("#roster").select_option(offices[language])
    file = {"name": "roster.ics", "mimeType": "text/calendar", "buffer": text.encode()}
    page.locator("#file").set_input_files([file])
    looked_at(page, f"import-{language}-{size}")
    page.get_by_role("button", name=look).click()
    expect(page.get_by_role("alert")).to_contain_text(nothing)
    expect(page.get_by_role("alert")).to_contain_text(f"n-{language}@x")
    looked_at(page, f"import-refused-{language}-{size}")

    page.locator("#file").set_input_files([file])
    page.locator("#table").fill(f"nacht a = {offices['number']}")
    page.get_by_role("button", name=look).click()
    expect(page.get_by_text(new)).to_be_visible()
    expect(page.get_by_text(gaps).first).to_be_visible()
    looked_at(page, f"import-seen-{language}-{size}")
    with served.client() as http:
        query = f"/fhir/Slot?schedule=Schedule/{offices[language]}&_summary=count"
        assert http.get(query).json()["total"] == 0
        page.get_by_role("button", name=store, exact=True).click()
        page.wait_for_url("**/alerts/roster?from=*")
        assert http.get(query).json()["total"] == 3
    expect(page.get_by_text("20:00 – 24:00").first).to_be_visible()
    looked_at(page, f"import-stored-{language}-{size}")

    page.get_by_role("link", name=title).click()
    page.locator("#roster").select_option(offices[language])
    page.locator("#file").set_input_files([file])
    page.locator("#table").fill(f"nacht a = {offices['number']}")
    page.get_by_role("button", name=look).click()
    expect(page.get_by_text(same)).to_be_visible()


def test_who_may_not_write_rosters_is_shown_no_form(enter: Enter) -> None:
    page = enter("doctor", "/alerts/roster", "en", "phone")
    expect(page.get_by_role("heading", name="On call")).to_be_visible()
    expect(page.get_by_role("link", name="Import a roster")).to_have_count(0)
    page.goto("/alerts/roster/import")
    expect(page.get_by_text("Your roles do not let you write rosters.")).to_be_visible()
    expect(page.locator("#file")).to_have_count(0)
    looked_at(page, "import-not-allowed-en-phone")

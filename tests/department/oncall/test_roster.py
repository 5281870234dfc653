"""On call on the pages: the week with its holes in red and words, a swap by two taps on a phone, and the ladder rehearsed."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning, posted
from tests.support.on_call import a_roster
from tests.support.ringing import a_route
from tests.support.server import Server


@pytest.fixture(scope="module")
def roster(served: Server, morning: Morning) -> None:
    """The ordering doctor and a reader take turns by the day since yesterday, for four days; then nobody is on call."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    members = [morning.staff["requester"], morning.staff["second reader"]]
    with served.client() as http:
        for number, who in enumerate(members):
            route = a_route(who, "receiver.example", address=f"http://127.0.0.3:8999/{number}")
            posted(http, {name: value for name, value in route.items() if name != "id"})
        tree = a_roster(at="00:00:00", first=(today - timedelta(days=1)).isoformat())
        tree |= {
            "actor": [{"reference": who} for who in members],
            "planningHorizon": {"end": (today + timedelta(days=3)).isoformat()},
        }
        posted(http, {name: value for name, value in tree.items() if name != "id"})


@pytest.mark.clause("5.9.1")
def test_a_turn_changes_hands_by_two_taps_and_the_holes_are_said(enter: Enter, served: Server, roster: None) -> None:
    doctor = enter("doctor", "/alerts/roster?from=9999-12-31", "zh", "phone")
    looked_at(doctor, "roster-zh-phone")
    doctor.get_by_role("link", name="下一周").click()
    expect(doctor.get_by_text("无人值班").first).to_be_visible()
    looked_at(doctor, "roster-gaps-zh-phone")
    doctor.goto("/alerts/roster")
    give = doctor.get_by_text("请人代班")
    if not give.count():  # on a Sunday the turn to come lies in the week after
        doctor.get_by_role("link", name="下一周").click()
    give.first.click()
    doctor.get_by_role("button", name="发出申请").first.click()
    expect(doctor.get_by_role("region", name="换班申请")).to_contain_text("您已请")
    with served.client() as http:  # one that nobody answered while it could be
        [asked_for] = [one["resource"] for one in http.get("/fhir/Slot?status=busy-tentative").json()["entry"]]
        over = {"start": "2026-01-05T00:00:00+08:00", "end": "2026-01-06T00:00:00+08:00"}
        posted(
            http,
            {name: value for name, value in (asked_for | over).items() if name not in ("id", "meta", "identifier")},
        )
    doctor.reload()
    expect(doctor.get_by_role("region", name="换班申请")).to_have_count(1)
    looked_at(doctor, "roster-asked-zh-phone")

    reader = enter("reader", "/alerts/roster", "en", "phone")
    asked = reader.get_by_role("region", name="Swap asked for")
    expect(asked).to_contain_text("asks you to swap")
    looked_at(reader, "roster-asked-en-phone")
    asked.get_by_role("button", name="Accept").click()
    expect(reader.get_by_role("region", name="Swap asked for")).to_have_count(0)
    doctor.goto("/alerts/roster")
    expect(doctor.get_by_role("region", name="换班申请")).to_have_count(0)


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(("language", "size"), [("zh", "phone"), ("en", "desktop")])
def test_a_ladder_is_rehearsed_for_a_sunday_at_three(enter: Enter, roster: None, language: str, size: str) -> None:
    page = enter("doctor", "/alerts/roster/rehearsal", language, size)
    page.locator("#at").fill("2026-11-29T03:00")
    page.get_by_role("button", name={"zh": "显示", "en": "Show"}[language]).click()
    expect(page.get_by_text({"zh": "休息日", "en": "day off"}[language])).to_be_visible()
    expect(
        page.get_by_text({"zh": "请确认：出厂默认值", "en": "please confirm: a shipped default"}[language])
    ).to_be_visible()
    expect(page.get_by_text({"zh": "未指明", "en": "not named here"}[language]).first).to_be_visible()
    looked_at(page, f"rehearsal-{language}-{size}")

"""An alarm reaches an open page at the injector by itself, over the stream, and by asking where there is no stream."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.department.bedside.contrast_morning import ContrastMorning
from tests.department.conftest import Enter, looked_at
from tests.department.morning import PASSWORD

LIVE = "**/bedside/injection-live*"
Asks = Callable[[Request], bool]


def streams(call: Request) -> bool:
    return "text/event-stream" in call.headers.get("accept", "")


def cut(page: Page, which: Asks) -> None:
    """Let none of these through from now on."""

    def judged(route: Route) -> None:
        if which(route.request):
            route.abort()
        else:
            route.continue_()

    page.route(LIVE, judged)


def runs(contrast: ContrastMorning, page: Page) -> None:
    """The injection is permitted and runs."""
    page.get_by_role("textbox", name="Lot number").fill(contrast.shelved())
    page.get_by_role("textbox", name="Dose").fill("60")
    page.get_by_role("button", name=re.compile("Ask permission and start")).click()
    expect(page.get_by_text("● Permitted: the injection runs")).to_be_visible()


def withdrawn(contrast: ContrastMorning, consent: str) -> None:
    with contrast.served.client() as http:
        kept = http.get(f"/fhir/{consent}").json()
        version = {"If-Match": f'W/"{kept["meta"]["versionId"]}"'}
        http.put(f"/fhir/{consent}", json=kept | {"status": "inactive"}, headers=version).raise_for_status()


@pytest.mark.clause("5.4.1")
def test_an_alarm_comes_by_itself_over_the_stream(contrast: ContrastMorning, enter: Enter) -> None:
    exam, consent = contrast.comes("桉"), contrast.cleared("桉")
    page = enter("bedside", f"/bedside/exams/{exam}/injection", "en", "tablet")
    cut(page, lambda call: not streams(call))  # nothing but the stream
    with page.expect_response(LIVE) as opened:
        runs(contrast, page)
    assert opened.value.headers["content-type"].startswith("text/event-stream")
    lost = page.get_by_text("The connection is lost.")
    expect(lost).to_be_hidden()
    withdrawn(contrast, consent)
    expect(page.get_by_role("alert").filter(has_text="Alarm")).to_be_visible(timeout=60_000)
    changed = page.locator(".verdict.bad").filter(has_text="what permitted it has changed")
    expect(changed).to_be_visible()  # red, too
    expect(lost).to_be_hidden()
    looked_at(page, "bedside-alarm-by-stream")


def test_without_a_stream_the_page_asks_and_shows_the_alarm_too(contrast: ContrastMorning, enter: Enter) -> None:
    exam, consent = contrast.comes("榆"), contrast.cleared("榆")
    page = enter("bedside", f"/bedside/exams/{exam}/injection", "en", "tablet")
    cut(page, streams)
    runs(contrast, page)
    withdrawn(contrast, consent)
    expect(page.get_by_role("alert").filter(has_text="Alarm")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("The connection is lost.")).to_be_hidden()
    page.context.set_offline(True)
    expect(page.get_by_text("The connection is lost.")).to_be_visible(timeout=60_000)
    page.context.set_offline(False)
    expect(page.get_by_text("The connection is lost.")).to_be_hidden(timeout=60_000)


def test_a_stream_says_as_of_when_all_is_as_it_was_and_is_for_nobody_who_is_not_signed_in(
    contrast: ContrastMorning,
) -> None:
    asked = {"accept": "text/event-stream", "x-slipring-live": "1"}
    live = {"url": "/bedside/injection-live", "params": {"since": "2026-01-01T08:00:00+08:00"}, "headers": asked}
    with httpx.Client(base_url=contrast.served.url, timeout=60, trust_env=False) as browser:
        assert browser.get(**live).status_code == 303  # type: ignore[arg-type]
        page = browser.get("/auth/sign-in").text
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        told = {**fields, "name": "bedside", "password": PASSWORD}
        entered = browser.post("/auth/sign-in", data=told, headers={"origin": contrast.served.url})
        assert entered.status_code == 303
        with browser.stream("GET", **live) as answer:  # type: ignore[arg-type]
            assert answer.headers["cache-control"] == "no-store"
            events = "".join(answer.iter_text()).split("\n\n")  # it ends by itself
    assert events[0] == ": here"
    assert events[1].startswith("event: changed"), "so old a page is drawn anew"
    assert [one for one in events if one.startswith("event: as-of\ndata: <span data-asof=")]
    assert contrast.morning.patients["梅"]["id"] not in "".join(events)

"""The page behind a message's link, at the size of a phone, without script, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from slipring_demo.receivers import Receiver

from tests.department.alerts.conftest import Rings, link_to
from tests.department.conftest import SIZES, Enter, looked_at
from tests.department.morning import Morning
from tests.support.server import Server

pytestmark = pytest.mark.clause("5.9.1")


@pytest.fixture
def thumb(chromium: Browser, morning: Morning) -> Iterator[Any]:
    """A phone in somebody's hand: no account, no script."""
    contexts: list[Any] = []

    def holding(language: str = "en", *, script: bool = False) -> Page:
        width, height = SIZES["phone"]
        context = chromium.new_context(
            locale="en-GB" if language == "en" else "zh-CN", viewport={"width": width, "height": height},
            base_url=morning.url, java_script_enabled=script,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        return page

    yield holding
    for context in contexts:
        context.close()


def state(served: Server, case: dict[str, Any]) -> str:
    with served.client() as http:
        task = http.get(f"/fhir/Task/{case['id']}").json()
    return str(task["businessStatus"]["coding"][0]["code"])


def proves(page: Page, pin: str, name: str = "doctor") -> None:
    page.locator("input[name=name]").fill(name)
    page.locator("input[name=pin]").fill(pin)
    page.locator("form:has(input[name=pin]) button").click()


def test_a_link_preview_does_nothing_and_shows_nothing(
    served: Server, morning: Morning, phone: Receiver, rings: Rings
) -> None:
    case = rings("简")
    with httpx.Client(base_url=morning.url) as preview:
        for _ in range(3):
            answer = preview.get(link_to(phone, case))
            assert answer.status_code == 200
            assert not any(word in answer.text for word in ("简", "气胸", "pneumothorax", morning.number("简")[-4:]))
            assert len(answer.content) < 6_000, "one small page"
    assert state(served, case) in ("notifying", "escalated")
    with served.client() as http:
        sent = http.get(f"/fhir/Communication?part-of=Task/{case['id']}").json()["entry"]
    assert "link-used" not in str(sent)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_receiver_confirms_by_thumb_without_script(
    served: Server, morning: Morning, phone: Receiver, rings: Rings, pin: str, thumb: Any, language: str
) -> None:
    who = "季" if language == "en" else "姜"
    case, page = rings(who), thumb(language)
    page.goto(link_to(phone, case))
    proves(page, "000000")
    expect(page.locator("#refused")).to_be_visible()
    expect(page.get_by_text(who)).to_have_count(0)
    with served.client() as http:
        number = str(http.get(f"/fhir/{morning.staff['requester']}").json()["identifier"][0]["value"])
    proves(page, pin, number if language == "en" else "doctor")

    page.wait_for_url(f"**/a/case/{case['id']}")
    expect(page.get_by_text(f"{who}虚构")).to_be_visible()
    assert state(served, case) == "delivered", "shown is not confirmed"
    page.get_by_role("link", name=re.compile("read it back|去复述")).click()
    assert morning.number(who)[-4:] not in page.content(), "what must be said is not on the page"
    assert page.locator("input[name=choice]").count() == 5
    page.locator("input[name=tail]").fill(morning.number(who)[-4:])
    page.locator("input[value=CV-CT-07]").check()
    page.locator("main button").click()
    page.wait_for_url(f"**/a/case/{case['id']}")
    assert state(served, case) == "read-back-confirmed"
    page.locator("textarea").fill("chest drain 胸腔引流")
    page.locator("main button").click()
    page.wait_for_url(f"**/a/case/{case['id']}")
    assert state(served, case) == "closed"


def test_a_link_is_good_once_and_two_mismatches_ring_the_next_and_ask_for_a_call(
    served: Server, phone: Receiver, rings: Rings, pin: str, thumb: Any
) -> None:
    case, page = rings("康"), thumb()
    link = link_to(phone, case)
    page.goto(link)
    proves(page, pin)
    page.wait_for_url(f"**/a/case/{case['id']}")
    other = thumb()
    other.goto(link)
    proves(other, pin)
    expect(other.get_by_role("heading", name="This link is used up, or is none")).to_be_visible()

    page.get_by_role("link", name=re.compile("read it back")).click()
    for tail in ("0000", " "):
        page.locator("input[name=tail]").fill(tail)
        page.locator("input[value=CV-CT-07]").check()
        page.locator("main button").click()
    expect(page.get_by_text("Please telephone the radiology department.")).to_be_visible()
    with served.client() as http:
        timeline = http.post(f"/fhir/Task/{case['id']}/$timeline", json={"resourceType": "Parameters"}).text
    assert timeline.count('"read-back-mismatch"') == 2
    assert state(served, case) == "escalated"


def test_five_wrong_pins_end_the_link_and_the_next_step_rings_under_a_new_one(
    served: Server, phone: Receiver, rings: Rings, pin: str, thumb: Any
) -> None:
    case, page = rings("严"), thumb()
    page.goto(link_to(phone, case))
    for _ in range(5):
        proves(page, "999111")
    expect(page.get_by_role("heading", name="This link is used up, or is none")).to_be_visible()
    page.goto(link_to(phone, case))
    assert state(served, case) in ("notifying", "escalated")
    with served.client() as http:
        timeline = http.post(f"/fhir/Task/{case['id']}/$timeline", json={"resourceType": "Parameters"}).text
    assert timeline.count('"link-ended"') == 1


def test_a_phone_looks_right_in_both_languages(
    phone: Receiver, rings: Rings, morning: Morning, pin: str, thumb: Any, enter: Enter
) -> None:
    for language, who in (("en", "邵"), ("zh-CN", "汤")):
        case, page = rings(who, drill=language == "en"), thumb(language, script=True)
        page.goto(link_to(phone, case))
        looked_at(page, f"alerts-who-{language}")
        proves(page, pin)
        page.wait_for_url(f"**/a/case/{case['id']}")
        looked_at(page, f"alerts-told-{language}")
        page.locator("a.whole").click()
        looked_at(page, f"alerts-read-back-{language}")

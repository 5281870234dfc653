"""Contact routes on the pages: the code that came said back on a phone, and everybody's for the head of the department."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from slipring_demo.receivers import Receiver

from tests.department.conftest import Enter, looked_at
from tests.department.morning import Morning, posted
from tests.support.ringing import a_route
from tests.support.server import Server


@pytest.fixture
def phone(served: Server, morning: Morning) -> Iterator[Receiver]:
    """A new telephone of the ordering doctor; it is out of use once the test is over."""
    receiver = Receiver("requester")
    route = a_route(morning.staff["requester"], "receiver.example", address=receiver.url)
    with served.client() as http:
        kept = posted(http, {name: value for name, value in route.items() if name != "id"})
    yield receiver
    with served.client() as http:
        now = http.get(f"/fhir/Endpoint/{kept['id']}").json()
        version = {"If-Match": f'W/"{now["meta"]["versionId"]}"'}
        http.put(f"/fhir/Endpoint/{kept['id']}", json=now | {"status": "off"}, headers=version).raise_for_status()
    receiver.close()


def code_of(phone: Receiver) -> str:
    """The newest code that came."""
    end = time.monotonic() + 30
    while not phone.checks and time.monotonic() < end:
        time.sleep(0.05)
    return str(phone.checks[-1]["code"])


WORDS = {
    "zh": ("我的联系方式", "收到的验证码", "验证", "未验证", "已验证", "验证码不符"),
    "en": ("My contact routes", "The code that came", "Verify the route", "not verified", "verified", "not the code"),
}


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(("language", "size"), [("zh", "phone"), ("en", "desktop")])
def test_the_code_that_came_is_said_back(
    enter: Enter, phone: Receiver, language: str, size: str, morning: Morning
) -> None:
    mine, label, verify, unproven, proven, refused = WORDS[language]
    code = code_of(phone)
    page = enter("doctor", "/alerts/roster", language, size)
    page.get_by_role("link", name=mine).first.click()
    card = page.get_by_role("region").filter(has_text=phone.url)
    expect(card).to_contain_text(unproven)
    looked_at(page, f"routes-{language}-{size}")
    card.get_by_label(label).fill(f"{(int(code) + 1) % 10**6:06d}")
    card.get_by_role("button", name=re.compile(f"^{verify}")).click()
    expect(card.get_by_role("alert")).to_contain_text(refused)
    looked_at(page, f"routes-wrong-{language}-{size}")
    card.get_by_label(label).fill(code)
    card.get_by_role("button", name=re.compile(f"^{verify}")).click()
    expect(card.get_by_text(proven, exact=False).first).to_be_visible()
    expect(card.get_by_label(label)).to_have_count(0)
    looked_at(page, f"routes-verified-{language}-{size}")


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(("language", "size"), [("zh", "desktop"), ("en", "phone")])
def test_the_keeper_sees_everybodys_the_wrong_ones_first(
    enter: Enter, phone: Receiver, keeper: None, language: str, size: str
) -> None:
    page = enter("chief", "/alerts/roster/routes?all", language, size)
    expect(page.get_by_role("region").filter(has_text=phone.url)).to_contain_text(WORDS[language][3])
    looked_at(page, f"routes-all-{language}-{size}")
    doctor = enter("doctor", "/alerts/roster/routes?all", language, size)
    expect(doctor.get_by_role("heading", name=WORDS[language][0])).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_link_that_is_over_says_so_and_looking_does_nothing(enter: Enter, language: str, phone: Receiver) -> None:
    route = str(code_of(phone) and phone.checks[-1]["check"]).partition("/")[2]
    page = enter("doctor", "/alerts/roster/routes", language, "phone")
    page.goto(f"/r/{route}/{'a' * 22}")
    page.get_by_role("button", name={"zh": "我已收到", "en": "It reached me"}[language]).wait_for()
    looked_at(page, f"tap-{language}-phone")
    page.get_by_role("button", name={"zh": "我已收到", "en": "It reached me"}[language]).click()
    expect(page.get_by_role("alert")).to_contain_text({"zh": "测试已结束", "en": "This test is over"}[language])
    looked_at(page, f"tap-over-{language}-phone")

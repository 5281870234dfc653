"""The pages of signing in as a person sees them: Chromium on phone and desktop, both languages, axe without a violation."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from slipring.identity.people.administering import Administration
from slipring.runtime.clock import utc_now
from slipring.runtime.postgres import ensure_running
from slipring_demo.cast import cast_bundle, staff_of

from tests.support.server import Server

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "nine quiet rings of copper"
FIRST = "first-word-of-somebody-else"
SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
SHOTS = os.environ.get("SLIPRING_TEST_SCREENSHOTS", "")  # a folder to look at the pages
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")


@pytest.fixture(scope="module")
def site(served: Server) -> str:
    """The running house with two people who have accounts."""
    with served.loading() as http:
        answer = http.post("/fhir", json=cast_bundle(with_patient=False)).raise_for_status()
    made = ["/".join(e["response"]["location"].split("/fhir/")[1].split("/")[:2]) for e in answer.json()["entry"]]
    staff = staff_of(made)

    async def accounts() -> None:
        dsn = await asyncio.to_thread(ensure_running, served.data_dir)
        connection = await asyncpg.connect(dsn, server_settings={"search_path": "front"})
        act = Administration(connection, "front", utc_now())
        async with connection.transaction():
            for language in ("en", "zh"):
                for size in SIZES:
                    await act.add(f"nurse-{size}-{language}", staff["nurse"], ["ward-nurse"], password=FIRST, by="test")
            await act.add("manager", staff["second reader"], ["quality-manager"], password=PASSWORD, by="test")
            await connection.execute("UPDATE account SET must_change = true WHERE name LIKE 'nurse-%'")
        await connection.close()

    asyncio.run(accounts())
    return served.url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


WORDS = {
    "en": {
        "sign in": "Sign in", "name": "Account name", "password": "Password", "old": "Present password",
        "new": "New password", "again": "New password again", "keep": "Keep this password", "me": "Who am I",
        "emergency": "Emergency access", "reason": re.compile("life is in danger"), "note": "What happened, in words",
        "give": "Give me emergency access, in my name", "out": "Sign out", "other": "中文",
    },
    "zh": {
        "sign in": "登录", "name": "账户名", "password": "密码", "old": "当前密码", "new": "新密码", "again": "再次输入新密码",
        "keep": "保存密码", "me": "我的账户", "emergency": "紧急访问", "reason": re.compile("生命危险"), "note": "情况说明",
        "give": "以本人名义启用紧急访问", "out": "退出登录", "other": "English",
    },
}  # fmt: skip


def looked_at(page: Page, name: str) -> None:
    """No violation of WCAG that axe knows, nothing wider than the screen, no error in the console."""
    found = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    assert found.response["violations"] == [], json.dumps(found.response["violations"], ensure_ascii=False)[:3000]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} scrolls sideways"
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


@pytest.mark.parametrize(("size", "language"), [("phone", "zh"), ("desktop", "en")])
def test_a_nurse_signs_in_chooses_a_password_and_asks_for_emergency_access(
    site: str, chromium: Browser, size: str, language: str
) -> None:
    width, height = SIZES[size]
    said, name = WORDS[language], f"nurse-{size}-{language}"
    locale = "en-GB" if language == "en" else "zh-CN"
    context = chromium.new_context(
        locale=locale, viewport={"width": width, "height": height}, has_touch=size == "phone"
    )
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    shot = f"{size}-{language}"
    page.goto(f"{site}/")
    looked_at(page, f"{shot}-home")
    page.goto(f"{site}/auth/me")
    looked_at(page, f"{shot}-sign-in")
    page.get_by_label(said["name"]).fill(name)
    page.get_by_label(said["password"]).fill("something else")
    page.get_by_role("button", name=said["sign in"]).click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label(said["name"])).to_have_value(name)
    looked_at(page, f"{shot}-refused")
    page.get_by_label(said["password"]).fill(FIRST)
    page.keyboard.press("Enter")
    expect(page.get_by_label(said["old"])).to_be_focused()
    looked_at(page, f"{shot}-password")
    page.get_by_label(said["old"]).fill(FIRST)
    page.get_by_label(said["new"], exact=True).fill(PASSWORD)
    page.get_by_label(said["again"]).fill(PASSWORD)
    page.get_by_role("button", name=said["keep"]).click()
    expect(page.get_by_role("heading", name=said["me"])).to_be_visible()
    looked_at(page, f"{shot}-me")
    page.get_by_role("link", name=said["emergency"]).click()
    page.get_by_label(said["reason"]).check()
    page.get_by_label(said["note"]).fill("The patient bleeds and nobody answers")
    looked_at(page, f"{shot}-emergency")
    page.get_by_role("button", name=said["give"]).click()
    expect(page.get_by_role("alert")).to_contain_text(said["emergency"])
    looked_at(page, f"{shot}-held")
    page.get_by_role("link", name=said["other"]).click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN" if language == "en" else "en")
    page.get_by_role("link", name="English" if language == "en" else "中文").click()
    page.get_by_role("button", name=said["out"], exact=True).click()
    expect(page.get_by_role("heading", name=said["sign in"])).to_be_visible()
    page.go_back()
    page.goto(f"{site}/auth/me")
    expect(page.get_by_label(said["name"])).to_be_visible()
    assert complaints == []
    context.close()


def test_a_manager_reads_the_list_in_the_dark_and_every_control_is_large_enough_for_a_glove(
    site: str, chromium: Browser
) -> None:
    context = chromium.new_context(locale="en-GB", color_scheme="dark", viewport={"width": 820, "height": 1180})
    page = context.new_page()
    page.goto(f"{site}/auth/emergencies")
    page.get_by_label("Account name").fill("manager")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Emergency access, all of it")).to_be_visible()
    looked_at(page, "tablet-dark-list")
    page.goto(f"{site}/auth/me")
    looked_at(page, "tablet-dark-me")
    small = page.eval_on_selector_all(
        "button, .button, input:not([type=hidden]), .languages a, .account > a",
        "all => all.filter(one => one.getBoundingClientRect().height < 44).map(one => one.outerHTML.slice(0, 80))",
    )
    assert small == []
    context.close()


def test_every_page_works_without_script(site: str) -> None:
    assert "<script" not in httpx.get(f"{site}/auth/sign-in", trust_env=False).text

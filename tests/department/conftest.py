"""One running house and one browser for all tests of the department's pages."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.department.morning import PASSWORD, Morning, a_morning
from tests.support.server import Server, running

CHROMIUM = Path("/usr/bin/chromium")
SHOTS = os.environ.get("SLIPRING_TEST_SCREENSHOTS", "")  # a folder to look at the pages
SIZES = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
Enter = Callable[..., Page]


# By which the gateways of these tests sign the replies that they post.
REPLY_SECRET = "a-secret-of-the-gateways-of-these-tests"


def _with_surroundings(server: Server) -> Server:
    server.environment["SLIPRING_VIEWER_URL"] = "https://viewer.example/open?study={study}"
    secret = server.data_dir / "reply-secret"
    secret.write_text(f"{REPLY_SECRET}\n")
    server.environment |= {"SLIPRING_REPLY_MEDIA": "sms,webhook", "SLIPRING_REPLY_SECRET_FILE": str(secret)}
    return server


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A house of its own: nobody else's staff, patients and exams stand on its pages."""
    with running(tmp_path_factory.mktemp("slipring-department"), _with_surroundings) as server:
        yield server


@pytest.fixture(scope="session")
def morning(served: Server) -> Morning:
    """What lies on the department's desk this morning."""
    return a_morning(served)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def enter(morning: Morning, chromium: Browser) -> Iterator[Enter]:
    """Sign somebody in, in a language and at a size, and go to a page."""
    contexts: list[Any] = []

    def entering(name: str, to: str, language: str = "en", size: str = "desktop", **others: Any) -> Page:
        width, height = SIZES[size]
        context = chromium.new_context(
            locale="en-GB" if language == "en" else "zh-CN",
            viewport={"width": width, "height": height},
            base_url=morning.url,
            **others,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(to)
        page.locator("input[name=name]").fill(name)
        page.locator("input[name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{morning.url}{to}")
        return page

    yield entering
    for context in contexts:
        context.close()


def looked_at(page: Page, name: str) -> None:
    """No violation of WCAG that axe knows, nothing wider than the screen, no control too small for a glove."""
    found = Axe().run(page, options=_RULES).response["violations"]
    assert found == [], json.dumps(found, ensure_ascii=False)[:3000]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} scrolls sideways"
    small = page.eval_on_selector_all(
        "button, .button, select, textarea, .places a, input:not([type=hidden]):not([type=radio]):not([type=checkbox])",
        "all => all.filter(one => one.offsetParent && one.getBoundingClientRect().height < 44).map(one => one.outerHTML.slice(0, 80))",
    )
    assert small == []
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)

"""An administrator sees in a browser how every subscription stands, sends again what was parked, and gives up for a reason."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from slipring.identity.people.administering import Administration
from slipring.runtime.postgres import ensure_running, stop

from tests.support.server import Server

CHROMIUM = "/usr/bin/chromium"
PASSWORD = "nine quiet rings of copper"
SCREENSHOTS = os.environ.get("PYTEST_SCREENSHOTS", "")  # a folder: keep pictures to look at
pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs a browser: chromium is not installed")


@dataclass
class Picky:
    """A subscriber that refuses the content of what it is sent until it is told not to."""

    status: int = 422
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                owner.heard.append(self.headers["slipring-event-number"])
                self.send_response(owner.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@dataclass
class Place:
    server: Server
    picky: Picky
    subscription: str


async def until(holds: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if await found if inspect.isawaitable(found) else found:
            return
        assert time.monotonic() < end, "it did not come to pass"
        await asyncio.sleep(0.05)


async def account(data_dir: Path, name: str, practitioner: str, role: str) -> None:
    connection = await asyncpg.connect(ensure_running(data_dir), server_settings={"search_path": "front"})
    try:
        async with connection.transaction():
            act = Administration(connection, "front", datetime.now(UTC))
            await act.add(name, practitioner, [role], by="test", password=PASSWORD)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    data_dir = tmp_path_factory.mktemp("deliveries")
    server, picky = Server(data_dir), Picky()
    try:
        server.start(seconds=120)
        with server.client() as his:
            for name, role in (("warden", "administrator"), ("ward", "ward-nurse")):
                person = {
                    "resourceType": "Practitioner",
                    "active": True,
                    "name": [{"family": "Synthetic", "given": [name]}],
                }
                made = his.post("/fhir/Practitioner", json=person, headers={"Content-Type": "application/fhir+json"})
                assert made.status_code == 201, made.text
                await account(data_dir, name, f"Practitioner/{made.json()['id']}", role)
            asked = {
                "resourceType": "Subscription",
                "status": "requested",
                "reason": "Patients for the ward screen",
                "criteria": "Patient",
                "channel": {
                    "type": "rest-hook",
                    "endpoint": f"http://127.0.0.1:{picky.server.server_port}/s3cret",
                    "payload": "application/fhir+json",
                },
            }
            made = his.post("/order/fhir/Subscription", json=asked, headers={"Content-Type": "application/fhir+json"})
            assert made.status_code == 201, made.text
            for _ in range(3):
                patient = {"resourceType": "Patient", "name": [{"family": "Synthetic"}]}
                his.post("/fhir/Patient", json=patient, headers={"Content-Type": "application/fhir+json"})
            await until(lambda: len(picky.heard) == 3)
        yield Place(server, picky, made.json()["id"])
    finally:
        server.stop()
        picky.server.shutdown()
        stop(data_dir)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Any]:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        await launched.close()


async def signed_in(browser: Any, place: Place, name: str, to: str, language: str = "en", **size: int) -> Any:
    viewport = {"width": size.get("width", 1280), "height": size.get("height", 900)}
    context = await browser.new_context(locale=language, viewport=viewport, base_url=place.server.url)
    page = await context.new_page()
    page.set_default_timeout(60_000)
    await page.goto(to)
    await page.locator("input[name=name]").fill(name)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main form button").first.click()
    await page.wait_for_url(f"**{to}")
    return page


async def looked_at(page: Any, name: str) -> None:
    """No violation of WCAG that axe finds, and a picture where one is wanted."""
    from axe_playwright_python.async_playwright import Axe

    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    if SCREENSHOTS:
        await page.screenshot(path=f"{SCREENSHOTS}/{name}.png", full_page=True)


async def again(page: Any, count: Callable[[Any], Any], wanted: int) -> bool:
    await page.reload()
    return bool(await count(page).count() == wanted)


async def test_an_administrator_sends_again_and_gives_up_for_a_reason(browser: Any, place: Place) -> None:
    page = await signed_in(browser, place, "warden", "/deliveries")
    row = page.get_by_role("row").filter(has_text="Patients for the ward screen")
    assert "◆ 3" in await row.inner_text() and "s3cret" not in await page.content()
    await looked_at(page, "deliveries")
    await row.get_by_role("link").click()
    await page.get_by_role("heading", name="Patients for the ward screen").wait_for()
    assert await page.get_by_text("HTTP 422").count() >= 3
    await looked_at(page, "one")
    place.picky.status = 200
    await page.get_by_role("button", name="Send number 2 again").click()
    await until(lambda: place.picky.heard[3:] == ["2"])
    await page.get_by_text("Skip number 1", exact=True).first.click()
    await page.get_by_label("Why is number 1 given up?").fill("   ")
    await page.get_by_role("button", name="Skip number 1").click()
    await page.locator("[aria-invalid=true]").wait_for()
    assert await page.locator(".problem").count() == 1
    await looked_at(page, "no-reason")
    await page.get_by_label("Why is number 1 given up?").fill("the ward screen was replaced")
    await page.get_by_role("button", name="Skip number 1").click()
    await page.get_by_role("heading", name="Number 3").wait_for()
    await until(lambda: again(page, lambda p: p.get_by_role("heading", name="Number"), 1))
    await page.get_by_role("button", name="Send number 3 again").click()
    await until(lambda: place.picky.heard[4:] == ["3"])
    await until(lambda: again(page, lambda p: p.get_by_text("Nothing waits and nothing is parked."), 1))


@pytest.mark.parametrize(
    ("name", "width", "height"), [("phone", 390, 844), ("tablet", 820, 1180), ("wall", 1920, 1080)]
)
async def test_it_speaks_chinese_at_every_size_without_scrolling_sideways(
    browser: Any, place: Place, name: str, width: int, height: int
) -> None:
    page = await signed_in(browser, place, "warden", "/deliveries", "zh-CN", width=width, height=height)
    assert await page.get_by_role("heading", name="投递").count() == 1
    await looked_at(page, f"zh-{name}")
    await page.goto(f"/deliveries/order/{place.subscription}")
    assert await page.get_by_role("heading", name="Patients for the ward screen").count() == 1
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    await looked_at(page, f"zh-one-{name}")


async def test_whoever_is_no_administrator_is_told_so_and_a_strange_address_is_nothing(
    browser: Any, place: Place
) -> None:
    page = await signed_in(browser, place, "ward", "/deliveries")
    assert await page.get_by_role("heading", name="You may not do this").count() == 1
    assert "Patients for the ward screen" not in await page.content()
    await looked_at(page, "refused")
    other = await signed_in(browser, place, "warden", "/deliveries")
    for path in ("/deliveries/order/o-none", "/deliveries/nobody/x"):
        assert (await other.goto(path)).status == 404

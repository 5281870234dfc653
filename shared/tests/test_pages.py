"""The frame of every page: languages, forms, headers, refusals, and words that exist in both languages."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from babel.messages.extract import extract
from slipring.department.opening import ROOM
from slipring.fhir.outcome import forbidden
from slipring.front.app import PAGE_ROOMS
from slipring.inspection.opening import ROOM as INSPECTION
from slipring.pages.frame import Pages, Viewer, _environment, own_path
from slipring.pages.language import asked_for, catalogue
from slipring.reading.opening import ROOM as READING
from slipring.review.opening import ROOM as REVIEW
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

ROOMS = (*PAGE_ROOMS, ROOM, READING, REVIEW, INSPECTION)
KEY = b"a key of this test"
EN = {"accept-language": "en"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def application(pages: Pages, viewer: Viewer | None = None) -> Starlette:
    async def shows(request: Request) -> Response:
        return pages.page(request, "pages/message.html", viewer=viewer, kind="nothing-here", says=["<b>&</b>"])

    async def takes(request: Request) -> Response:
        return PlainTextResponse(str(sorted((await pages.form(request, viewer)).items())))

    async def refuses(request: Request) -> Response:
        raise forbidden("Not you.", "您不行。", detail="pages.test")

    async def breaks(request: Request) -> Response:
        raise RuntimeError("a name that must not be shown")

    table: list[tuple[str, Any]] = [("/shows", shows), ("/takes", takes), ("/refuses", refuses), ("/breaks", breaks)]
    routes = [Route(path, pages.guarded(endpoint), methods=["GET", "POST"]) for path, endpoint in table]
    return Starlette(routes=[*routes, *pages.routes()])


def browser(pages: Pages, viewer: Viewer | None = None, **cookies: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application(pages, viewer))
    return httpx.AsyncClient(transport=transport, base_url=pages.base_url or "http://front", cookies=cookies)


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "zh-CN"),
        ("en", "en"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("zh-TW, en;q=0.9", "zh-CN"),
        ("fr, en;q=0.2", "en"),
        ("en;q=x, zh;q=0.1", "zh-CN"),
        ("en;q=0", "zh-CN"),
        (",;,=", "zh-CN"),
    ],
)
def test_the_language_is_the_best_that_the_browser_asks_for(accept: str, language: str) -> None:
    assert asked_for(accept) == language


async def test_a_chosen_language_is_kept_and_outweighs_the_browser() -> None:
    async with browser(Pages(KEY)) as http:
        assert 'lang="zh-CN"' in (await http.get("/shows")).text
        switched = await http.get("/language/en?to=/shows%3Fa%3D1")
        assert (switched.status_code, switched.headers["location"]) == (303, "/shows?a=1")
        page = await http.get("/shows?a=1", headers={"accept-language": "zh"})
    assert page.headers["content-language"] == "en"
    assert "Nothing is here" in page.text
    assert 'href="/language/zh-CN?to=/shows%3Fa%3D1"' in page.text


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\nb", ""])
async def test_the_language_switch_leads_nowhere_else(to: str) -> None:
    assert own_path(to) == "/"
    async with browser(Pages(KEY)) as http:
        assert (await http.get("/language/en", params={"to": to})).headers["location"] == "/"
        assert "set-cookie" not in (await http.get("/language/xx")).headers


async def test_a_page_loads_nothing_from_outside_and_runs_no_inline_script() -> None:
    async with browser(Pages(KEY, demo=True, base_url="https://ct.example")) as http:
        page = await http.get("/shows", headers=EN)
        policy = page.headers["content-security-policy"]
        for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
            assert address.startswith(("/", "#")), address
            if address.startswith("/assets/"):
                asset = await http.get(address)
                assert asset.status_code == 200
                assert "immutable" in asset.headers["cache-control"]
        assert (await http.get("/assets/style-000000000000.css")).status_code == 404
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page.text and "style=" not in page.text
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert "max-age" in page.headers["strict-transport-security"]
    assert "__Host-slipring-form=" in page.headers["set-cookie"]
    assert "Secure" in page.headers["set-cookie"] and "HttpOnly" in page.headers["set-cookie"]
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in page.text
    assert page.text.count("DEMO") >= 3


async def test_a_form_is_taken_from_our_own_page_only() -> None:
    async with browser(Pages(KEY), Viewer("Somebody", "session-1")) as http:
        token = token_in((await http.get("/shows")).text)
        taken = await http.post("/takes", data={"form_token": token, "a": "1"})
        assert (taken.status_code, taken.text) == (200, "[('a', '1')]")
        assert (await http.post("/takes", data={"a": "1"})).status_code == 403
        assert (await http.post("/takes", data={"form_token": token[:-1] + "x", "a": "1"})).status_code == 403
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ):
            refused = await http.post("/takes", data={"form_token": token, "a": "1"}, headers=headers)
            assert refused.status_code == 403
        assert (await http.post("/takes", json={"form_token": token})).status_code == 415
        twice = await http.post("/takes", content=f"form_token={token}&a=1&a=2", headers=FORM)
        assert twice.status_code == 400
        large = await http.post("/takes", content=f"form_token={token}&a={'x' * 70_000}", headers=FORM)
        assert large.status_code == 413
    async with browser(Pages(KEY), Viewer("Somebody", "session-2")) as http:  # the same form in another session
        await http.get("/shows")
        assert (await http.post("/takes", data={"form_token": token, "a": "1"})).status_code == 403


def token_in(page: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


async def test_a_refusal_and_a_fault_are_pages_in_the_viewers_language_that_tell_no_secret() -> None:
    async with browser(Pages(KEY)) as http:
        refused = await http.get("/refuses", headers=EN)
        broken = await http.get("/breaks")
    assert refused.status_code == 403
    assert "Not you." in refused.text and "Sign in" in refused.text
    assert broken.status_code == 500
    assert "发生意外故障" in broken.text
    assert "must not be shown" not in broken.text


@pytest.mark.parametrize("written", ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_at_an_end_of_the_calendar_is_shown_as_it_is_written(written: str) -> None:
    words = _environment("en", ROOMS).from_string("{{ at|moment(zone) }} {{ at|clock(zone) }}")
    at, zone = datetime.fromisoformat(written), ZoneInfo("Asia/Shanghai")
    assert words.render(at=at, zone=zone).endswith(f" {written[11:19]} {written[11:16]}")
    assert words.render(at=datetime(2026, 3, 2, 1, tzinfo=UTC), zone=zone).endswith(" 09:00:00 09:00")


def test_every_word_of_every_template_is_there_in_chinese() -> None:
    """`pybabel extract` over the templates, against the catalogues; nothing in the catalogues is left over."""
    translations: Any = catalogue("zh-CN", ROOMS)
    asked: set[str] = set()
    for room in ROOMS:
        for template in resources.files(room).joinpath("templates").iterdir():
            found = extract("jinja2.ext:babel_extract", io.BytesIO(template.read_bytes()))
            asked |= {
                part for _, message, _, _ in found for part in ([message] if isinstance(message, str) else message)
            }
    assert len(asked) > 20
    # A word with a context stands in the catalogue behind it and the mark EOT (gettext, section "Contexts").
    known = {(key if isinstance(key, str) else key[0]).rpartition("\x04")[2] for key in translations._catalog if key}
    assert asked - known == set(), "to be translated"
    assert known - asked == set(), "translated, and used nowhere"
    assert all(re.search(r"[\u4e00-\u9fff]", translations.gettext(message)) for message in asked)


def test_a_word_without_translation_would_be_found() -> None:
    found = list(extract("jinja2.ext:babel_extract", io.BytesIO(b'<p>{{ _("Never said") }}</p>')))
    assert [message for _, message, _, _ in found] == ["Never said"]

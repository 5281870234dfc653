"""The hospital's own sign-in: a provider in a server of its own, accounts linked or named by a claim, nothing believed unchecked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from slipring.fhir.store.engine import open_pool
from slipring.front.app import PAGE_ROOMS
from slipring.identity.keys import page_form_key
from slipring.identity.people.provider import Provider, ProviderSettings
from slipring.identity.people.provider_pages import ProviderPages
from slipring.identity.people.sign_in_pages import SignInPages
from slipring.identity.people.signing_in import People
from slipring.pages.frame import Pages
from slipring.runtime.postgres import ensure_running
from starlette.applications import Starlette

from tests.people.conftest import PASSWORD, Staff, sign_in


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider that answers over HTTP."""
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@asynccontextmanager
async def front(staff: Staff, issuer: str, claim: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """The pages of signing in, with this provider, over the department's front schema; and a browser."""
    pool = await open_pool(ensure_running(staff.department.data_dir), staff.schema, size=3)
    async with httpx.AsyncClient(trust_env=False) as outside:
        pages = Pages(await page_form_key(pool, staff.schema), rooms=PAGE_ROOMS)
        signing_in = SignInPages(People(pool, staff.schema, now), pages, provider="/auth/provider")
        provider = Provider(ProviderSettings(issuer, "slipring", "a secret: 100%", claim), outside, now)
        app = Starlette(routes=[*signing_in.routes(), *ProviderPages(signing_in, provider).routes()])
        transport = httpx.ASGITransport(app)
        headers = {"accept-language": "en"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100", headers=headers) as browser:
            yield browser
    await pool.close()


async def there(away: httpx.Response, subject: str) -> str:
    """What the person does at the provider; the way back."""
    assert away.status_code == 303, away.text
    async with httpx.AsyncClient(trust_env=False) as http:
        back = await http.post(away.headers["location"], data={"sub": subject})
    assert back.status_code == 302, back.text
    return str(back.headers["location"])


async def test_a_linked_person_signs_in_at_the_hospital(staff: Staff, issuer: str) -> None:
    await staff.account("nurse", "outside-1", issuer=issuer, subject="n-17", password="")
    async with front(staff, issuer) as browser:
        page = await browser.get("/auth/sign-in?to=/auth/me%3Fx%3D1")
        assert 'href="/auth/provider?to=/auth/me%3Fx%3D1"' in page.text
        away = await browser.get("/auth/provider?to=/auth/me%3Fx%3D1")
        asked = parse_qs(urlsplit(away.headers["location"]).query)
        assert asked["code_challenge_method"] == ["S256"] and asked["nonce"] and asked["state"]
        back = await there(away, "n-17")
        home = await browser.get(back)
        assert (home.status_code, home.headers["location"]) == (303, "/auth/me?x=1")
        me = await browser.get("/auth/me")
        assert "outside-1" in me.text and "Change password" not in me.text
        again = await browser.get(back)
        assert again.status_code == 403, "an answer is good once"
    assert ("sign-in", 200, ["provider"]) in await staff.audits("outside-1")


async def test_an_account_without_a_password_is_opened_by_none(staff: Staff, issuer: str) -> None:
    await staff.account("nurse", "outside-2", issuer=issuer, subject="n-18", password="")
    async with staff.browser() as browser:
        for guess in ("", "x", PASSWORD):
            assert (await sign_in(browser, "outside-2", guess)).status_code == 401


async def test_who_has_no_account_is_told_so_and_gets_none(staff: Staff, issuer: str) -> None:
    async with front(staff, issuer) as browser:
        refused = await browser.get(await there(await browser.get("/auth/provider"), "stranger"))
        assert refused.status_code == 403 and "have no account here" in refused.text
        assert (await browser.get("/auth/me")).status_code == 303


async def test_a_claim_names_an_account_once_and_links_it_for_good(staff: Staff, issuer: str) -> None:
    await staff.account("requester", "outside-3")
    async with httpx.AsyncClient(trust_env=False) as http:
        for subject in ("first", "second"):
            claims = {"preferred_username": "Outside-3"}
            (await http.put(f"{issuer}/users/{subject}", json=claims)).raise_for_status()
    async with front(staff, issuer, "preferred_username") as browser:
        home = await browser.get(await there(await browser.get("/auth/provider"), "first"))
        assert home.status_code == 303, home.text
        assert "outside-3" in (await browser.get("/auth/me")).text
    async with front(staff, issuer, "preferred_username") as browser:
        refused = await browser.get(await there(await browser.get("/auth/provider"), "second"))
        assert refused.status_code == 403, "the name went to somebody else at the hospital; the account did not"
    assert "account-link" in [what for what, _, _ in await staff.audits("outside-3")]


async def test_asking_again_goes_by_the_provider_and_must_be_the_same_person(staff: Staff, issuer: str) -> None:
    await staff.account("nurse", "outside-4", issuer=issuer, subject="n-21", password="")
    await staff.account("nurse", "outside-5", issuer=issuer, subject="n-22", password="")
    async with front(staff, issuer) as browser:
        await browser.get(await there(await browser.get("/auth/provider"), "n-21"))
        away = await browser.get("/auth/provider?to=/auth/me&again=1")
        asked = parse_qs(urlsplit(away.headers["location"]).query)
        assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
        other = await browser.get(await there(away, "n-22"))
        assert other.status_code == 403 and "Somebody else" in other.text
        same = await browser.get(await there(await browser.get("/auth/provider?to=/auth/me&again=1"), "n-21"))
        assert same.status_code == 303


async def test_an_answer_that_was_not_asked_for_here_is_refused(staff: Staff, issuer: str) -> None:
    await staff.account("nurse", "outside-6", issuer=issuer, subject="n-23", password="")
    async with front(staff, issuer) as browser, front(staff, issuer) as victim:
        mine = await there(await browser.get("/auth/provider"), "n-23")
        assert (await victim.get(mine)).status_code == 403, "without the cookie of the one who began"
        await victim.get("/auth/provider")
        assert (await victim.get(mine)).status_code == 403, "with the cookie of another sign-in"
        assert (await browser.get(f"{mine}&iss=https://evil.example")).status_code == 403
        declined = await browser.get(mine.partition("?")[0] + "?error=access_denied&state=x")
        assert declined.status_code == 403
    async with front(staff, issuer) as browser:
        away = await browser.get("/auth/provider")
        state = parse_qs(urlsplit(away.headers["location"]).query)["state"][0]
        assert (await browser.get(f"/auth/provider/back?error=access_denied&state={state}")).status_code == 401

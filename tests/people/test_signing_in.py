"""Signing in: one answer for everything that is wrong, growing waits, sessions that end, passwords that are changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from slipring.identity.people.administering import Administration
from slipring.identity.people.sign_in_pages import cookie_name

from tests.people.conftest import PASSWORD, Staff, send, sign_in

COOKIE = cookie_name(secure=False)


async def test_who_signs_in_sees_who_he_is_and_what_his_roles_allow(staff: Staff) -> None:
    browser = await staff.signed_in("first reader", name="reader-1")
    page = (await browser.get("/auth/me")).text
    assert staff.people["first reader"] in page
    assert "Radiologist, level B" in page and "DiagnosticReport" in page
    assert "see reports before their release" in page
    assert "default, please confirm" in page
    assert "reader-1" in (await browser.get("/")).text
    assert [what for what, _, _ in await staff.audits("reader-1")] == ["account-add", "sign-in"]


async def test_a_page_for_who_is_signed_in_sends_others_to_sign_in_and_back(staff: Staff) -> None:
    await staff.account("nurse", "nurse-1")
    async with staff.browser() as browser:
        sent = await browser.get("/auth/me?x=1")
        assert (sent.status_code, sent.headers["location"]) == (303, "/auth/sign-in?to=/auth/me%3Fx%3D1")
        answer = await sign_in(browser, "nurse-1", PASSWORD, "/auth/me%3Fx%3D1")
        assert answer.headers["location"] == "/auth/me%3Fx%3D1"
        again = await browser.get("/auth/sign-in?to=/")
        assert (again.status_code, again.headers["location"]) == (303, "/")


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_signing_in_leads_nowhere_else(staff: Staff, to: str) -> None:
    if "nurse-2" not in staff.made:
        staff.made["nurse-2"] = await staff.account("nurse", "nurse-2")
    async with staff.browser() as browser:
        answer = await send(browser, "/auth/sign-in", "/auth/sign-in", name="nurse-2", password=PASSWORD, to=to)
        assert (answer.status_code, answer.headers["location"]) == (303, "/department")


def plain(page: httpx.Response, name: str) -> str:
    """The page without what must differ: the name that was typed and the form's own value."""
    token = page.text.split('name="form_token" value="')[1][:64]
    return page.text.replace(name, "NAME").replace(token, "TOKEN")


async def test_an_unknown_name_a_wrong_password_a_locked_and_an_ended_account_look_the_same(staff: Staff) -> None:
    for name in ("same-known", "same-locked", "same-ended"):
        await staff.account("nurse", name)
    async with staff.connection() as connection:
        act = Administration(connection, staff.schema, staff.department.clock.now())
        await act.lock("same-locked", by="test")
        await act.end("same-ended", by="test")
    async with staff.browser() as browser:
        tried = [("same-known", "wrong"), ("same-nobody", "wrong"), ("same-locked", PASSWORD), ("same-ended", PASSWORD)]
        pages = [(await sign_in(browser, name, password), name) for name, password in tried]
    assert {page.status_code for page, _ in pages} == {401}
    assert len({plain(page, name) for page, name in pages}) == 1
    assert COOKIE not in browser.cookies
    assert (await staff.audits("same-known"))[-1][:2] == ("sign-in-refused", 401)
    async with staff.connection() as connection:
        told = await connection.fetchval("SELECT count(*) FROM audit WHERE resource LIKE '%same-nobody%'")
    assert told == 0, "a name without account may be a password in the wrong field"


async def test_after_five_wrong_passwords_the_right_one_waits_and_the_waits_grow(staff: Staff) -> None:
    await staff.account("technologist", "slow-1")
    async with staff.browser() as browser:
        for _ in range(5):
            assert (await sign_in(browser, "slow-1", "wrong")).status_code == 401
        locked = await sign_in(browser, "slow-1", PASSWORD)
        assert locked.status_code == 401
        assert (await staff.audits("slow-1"))[-1][0] == "lockout"
        staff.department.clock.advance(timedelta(seconds=61))
        assert (await sign_in(browser, "slow-1", "wrong")).status_code == 401  # the sixth: 120 s
        staff.department.clock.advance(timedelta(seconds=61))
        assert (await sign_in(browser, "slow-1", PASSWORD)).status_code == 401
        staff.department.clock.advance(timedelta(seconds=61))
        assert (await sign_in(browser, "slow-1", PASSWORD)).status_code == 303


async def test_an_administrator_ends_the_wait(staff: Staff) -> None:
    await staff.account("technologist", "slow-2")
    async with staff.browser() as browser:
        for _ in range(6):
            await sign_in(browser, " SLOW-2 ", "wrong")
        assert (await sign_in(browser, "slow-2", PASSWORD)).status_code == 401
        async with staff.connection() as connection:
            await Administration(connection, staff.schema, staff.department.clock.now()).unlock("slow-2", by="test")
        assert (await sign_in(browser, "Slow-2", PASSWORD)).status_code == 303


async def test_guesses_that_come_together_count_each(staff: Staff) -> None:
    await staff.account("technologist", "slow-3")
    browsers = [staff.browser() for _ in range(8)]
    await asyncio.gather(*(sign_in(browser, "slow-3", "wrong") for browser in browsers))
    assert (await sign_in(browsers[0], "slow-3", PASSWORD)).status_code == 401
    for browser in browsers:
        await browser.aclose()


async def test_a_first_password_must_be_changed_before_anything_else(staff: Staff) -> None:
    first = await staff.account("nurse", "fresh-1", password="")
    async with staff.browser() as browser:
        await sign_in(browser, "fresh-1", first)
        sent = await browser.get("/auth/me")
        assert sent.headers["location"] == "/auth/password?to=/auth/me"
        page = "/auth/password"
        for new, why in [
            ("short", "at least 15 characters"),
            ("passwordpassword123", "too common"),
            ("aaaaaaaaaaaaaaaaaaaa", "too common"),
            ("fresh-1fresh-1fresh-1", "too common"),
            (first, "is the old one"),
        ]:
            refused = await send(browser, page, page, old=first, new=new, repeated=new)
            assert refused.status_code == 422 and why in refused.text, new
        unlike = await send(browser, page, page, old=first, new=PASSWORD, repeated=PASSWORD + ".")
        assert unlike.status_code == 422 and "do not agree" in unlike.text
        wrong = await send(browser, page, page, old="wrong", new=PASSWORD, repeated=PASSWORD)
        assert wrong.status_code == 401
        before = browser.cookies[COOKIE]
        done = await send(browser, page, page, old=first, new=PASSWORD, repeated=PASSWORD)
        assert done.status_code == 303
        assert browser.cookies[COOKIE] != before
        assert (await browser.get("/auth/me")).status_code == 200
        assert (await sign_in(staff.browser(), "fresh-1", first)).status_code == 401
    assert ("password-change", 200, []) in await staff.audits("fresh-1")


async def test_a_session_ends_by_rest_by_age_and_by_sign_out(staff: Staff) -> None:
    clock = staff.department.clock
    browser = await staff.signed_in("requester", name="session-1")
    clock.advance(timedelta(minutes=29))
    assert (await browser.get("/auth/me")).status_code == 200
    clock.advance(timedelta(minutes=29))
    assert (await browser.get("/auth/me")).status_code == 200
    clock.advance(timedelta(minutes=30))
    assert (await browser.get("/auth/me")).status_code == 303
    browser = await staff.signed_in("requester", name="session-1")
    for _ in range(25):
        clock.advance(timedelta(minutes=29))
        last = (await browser.get("/auth/me")).status_code
    assert last == 303, "twelve hours are over"
    browser = await staff.signed_in("requester", name="session-1")
    kept = browser.cookies[COOKIE]
    assert (await send(browser, "/auth/me", "/auth/sign-out")).status_code == 303
    browser.cookies.set(COOKIE, kept)
    assert (await browser.get("/auth/me")).status_code == 303


async def test_signing_in_gives_a_new_cookie_and_the_old_one_means_nothing(staff: Staff) -> None:
    browser = await staff.signed_in("requester", name="session-2")
    first = browser.cookies[COOKIE]
    again = await send(
        browser, "/auth/sign-in?again=1", "/auth/sign-in", name="somebody-else", password=PASSWORD, again="1"
    )
    assert again.status_code == 303, "the name of who is signed in counts"
    assert browser.cookies[COOKIE] != first
    async with staff.browser() as thief:
        thief.cookies.set(COOKIE, first)
        assert (await thief.get("/auth/me")).status_code == 303
        thief.cookies.set(COOKIE, "x" * 43)
        assert (await thief.get("/auth/me")).status_code == 303


@pytest.mark.parametrize("act", ["lock", "end", "reset", "roles", "everywhere"])
async def test_what_an_administrator_takes_is_taken_from_every_session_at_once(staff: Staff, act: str) -> None:
    first = await staff.signed_in("nurse", name=f"taken-{act}")
    second = await staff.signed_in("nurse", name=f"taken-{act}")
    if act == "everywhere":
        await send(first, "/auth/me", "/auth/sign-out", everywhere="1")
    else:
        async with staff.connection() as connection:
            administration = Administration(connection, staff.schema, staff.department.clock.now())
            given = {"roles": ["receptionist"]} if act == "roles" else {}
            await getattr(administration, "give_roles" if act == "roles" else act)(f"taken-{act}", **given, by="test")
    assert [(await browser.get("/auth/me")).status_code for browser in (first, second)] == [303, 303]


async def test_an_account_that_runs_out_lets_nobody_in_any_more(staff: Staff) -> None:
    clock = staff.department.clock
    ends_at = clock.now() + timedelta(days=20)
    browser = await staff.signed_in("ward duty", name="assessor-1", roles=["assessor"], ends_at=ends_at)
    clock.advance(timedelta(days=21))
    assert (await browser.get("/auth/me")).status_code == 303
    assert (await sign_in(browser, "assessor-1", PASSWORD)).status_code == 401


async def test_a_sign_out_from_another_site_is_refused(staff: Staff) -> None:
    browser = await staff.signed_in("nurse", name="crossing-1")
    refused = await browser.post("/auth/sign-out", data={"everywhere": "1"}, headers={"origin": "https://evil.example"})
    assert refused.status_code == 403
    assert (await browser.get("/auth/me")).status_code == 200


async def test_a_lock_after_wrong_passwords_is_counted_for_whoever_watches(staff: Staff) -> None:
    await staff.account("nurse", "counted-lock")

    async def locks(browser: httpx.AsyncClient) -> float:
        text = (await browser.get("/metrics")).text
        return float(next(line.split()[1] for line in text.splitlines() if line.startswith("slipring_lockouts_total")))

    async with staff.browser() as browser:
        before = await locks(browser)
        for number in range(30):
            await sign_in(browser, "counted-lock", f"wrong {number}")
            if await locks(browser) > before:
                break
        assert await locks(browser) == before + 1

"""Emergency access: for a reason, for fifteen minutes, said loudly, in the audit, and listed for the quality manager."""

from __future__ import annotations

from datetime import timedelta

from slipring.identity.clients import Client, register

from tests.people.conftest import Staff, send
from tests.people.test_authorizing import BACK, answer_in, asked, claims, exchange, renew

NOTE = "Bleeding after the biopsy, nobody of the ward can be reached"


async def test_it_opens_what_the_table_says_for_fifteen_minutes_and_nothing_of_it_is_hidden(staff: Staff) -> None:
    scopes = ["user/*.cruds", "online_access"]
    async with staff.connection() as connection:
        await register(connection, staff.schema, Client("ward", "Ward", {"keys": []}, scopes, "", [BACK], True))
    browser = await staff.signed_in("nurse", name="glass-1", roles=["ward-nurse"])
    clock = staff.department.clock

    async def token() -> tuple[dict[str, str], dict[str, str]]:
        code = answer_in(await browser.get(asked("user/*.cruds online_access", client_id="ward")))["code"]
        answer = (await exchange(browser, code, client_id="ward")).json()
        return answer, {"authorization": f"Bearer {answer['access_token']}"}

    _, before = await token()
    assert (await browser.get("/fhir/Observation?_count=0", headers=before)).status_code == 403

    page = "/auth/emergency"
    assert (await send(browser, page, page, reason="", note=NOTE)).status_code == 422
    assert (await send(browser, page, page, reason="curious", note=NOTE)).status_code == 422
    short = await send(browser, page, page, reason="life-threatening", note="   x ")
    assert short.status_code == 422 and "Say what happened" in short.text
    assert (await send(browser, page, page, reason="life-threatening", note=NOTE)).status_code == 303
    me = (await browser.get("/auth/me")).text
    assert "Emergency access" in me and "Everything you open is listed" in me
    assert "Everything you open is listed" in (await browser.get("/")).text, "every page says so"

    given, during = await token()
    assert claims(given["access_token"])["purpose_of_use"] == "BTG"
    assert (await browser.get("/fhir/Observation?_count=0", headers=during)).status_code == 200
    assert (await browser.get("/fhir/Composition?_count=0", headers=during)).status_code == 403, (
        "no more than the table"
    )
    order = staff.department.house.services["order"].kernel.store.pool
    seen = await order.fetchval("SELECT count(*) FROM audit WHERE client = 'ward' AND purpose = 'BTG'")
    assert seen > 0, "what was opened says why"

    clock.advance(timedelta(minutes=14))
    late = (await renew(browser, given["refresh_token"], client_id="ward")).json()
    assert late["expires_in"] <= 60
    clock.advance(timedelta(seconds=61))
    gone = {"authorization": f"Bearer {late['access_token']}"}
    assert (await browser.get("/fhir/Observation?_count=0", headers=gone)).status_code == 401
    assert "Everything you open is listed" not in (await browser.get("/auth/me")).text
    after = (await renew(browser, late["refresh_token"], client_id="ward")).json()
    assert "user/Observation" not in after["scope"]
    assert ("break-glass", 200, ["life-threatening"]) in await staff.audits("glass-1")


async def test_the_quality_manager_sees_every_use_and_nobody_else_the_list(staff: Staff) -> None:
    user = await staff.signed_in("requester", name="glass-2")
    await send(user, "/auth/emergency", "/auth/emergency", reason="responsible-away", note=NOTE + " again")
    assert (await user.get("/auth/emergencies")).status_code == 403
    manager = await staff.signed_in("second reader", name="glass-3")
    listed = (await manager.get("/auth/emergencies")).text
    assert "glass-2" in listed and NOTE + " again" in listed
    assert staff.people["requester"] in listed
    assert ("break-glass-list", 200, []) in await staff.audits("glass-3")


async def test_it_can_be_given_back_and_who_gains_nothing_gets_nothing(staff: Staff) -> None:
    user = await staff.signed_in("requester", name="glass-4")
    await send(user, "/auth/emergency", "/auth/emergency", reason="transfer", note=NOTE)
    assert "End emergency access now" in (await user.get("/auth/me")).text
    await send(user, "/auth/me", "/auth/emergency", end="1")
    assert "End emergency access now" not in (await user.get("/auth/me")).text
    administrator = await staff.signed_in("ward duty", name="glass-5")
    assert (await administrator.get("/auth/emergency")).status_code == 403
    assert "Emergency access" not in (await administrator.get("/auth/me")).text
    forced = await send(administrator, "/auth/me", "/auth/emergency", reason="transfer", note=NOTE)
    assert forced.status_code == 403

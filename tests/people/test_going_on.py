"""A form is not lost over who sends it: signed out meanwhile, or asked once more who he is; what was typed is kept."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
from slipring.fhir.store.engine import open_pool
from slipring.front.app import PAGE_ROOMS
from slipring.identity.keys import page_form_key
from slipring.identity.people.going_on import GoingOn
from slipring.identity.people.sessions import Session
from slipring.identity.people.sign_in_pages import SignInPages
from slipring.identity.people.signing_in import People
from slipring.pages.frame import Pages
from slipring.runtime.postgres import ensure_running
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.department.morning import a_patient, a_request
from tests.people.conftest import PASSWORD, Staff, send, token_in

HERE = {"origin": "http://127.0.0.1:8100"}
CHEST = ("24627-2", "CT chest", "816094009", "Chest")


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the form that asks who it is."""
    form = page[page.index('name="proof_token"') - 100 :]
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))


async def a_held_request(staff: Staff) -> str:
    """A request of a pregnant woman, which waits for a physician."""
    department = staff.department
    patient = (await department.post("Patient", a_patient("虞", "1994-07-08", "female"))).json()
    pregnant = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "subject": {"reference": f"Patient/{patient['id']}"},
        "effectiveDateTime": department.clock.now().isoformat(timespec="seconds"),
        "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA15173-0"}]},
    }
    known = (await department.post("Observation", pregnant)).json()
    subject, requester = f"Patient/{patient['id']}", staff.people["requester"]
    request = a_request(subject, requester, *CHEST, at=department.clock.now())
    request["supportingInfo"] = [{"reference": f"Observation/{known['id']}"}]
    made = await department.post("ServiceRequest", request)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def test_passing_what_the_rules_asked_wants_a_fresh_sign_in_and_keeps_what_was_typed(staff: Staff) -> None:
    one = await a_held_request(staff)
    reader = await staff.signed_in("second reader", name="going-on-1", roles=["radiologist-d"])
    address = f"/department/requests/{one}/decision"
    form = token_in((await reader.get(address)).text)
    staff.department.clock.advance(timedelta(minutes=6))
    typed = {
        "form_token": form,
        "decision": "justified",
        "reason": "benefit-outweighs-risk",
        "note": '<b>"agreed" & noted</b>',
    }
    asked = await reader.post(address, data=typed, headers=HERE)
    assert asked.status_code == 401 and "Please prove that it is you" in asked.text
    assert "<b>" not in asked.text and 'name="form_token"' in asked.text
    kept = {name: httpx.QueryParams(f"x={value}")["x"] for name, value in hidden(asked.text).items()}
    assert kept["decision"] == "justified"
    kept["note"] = typed["note"]
    wrong = await reader.post(address, data={**kept, "proof_password": "not it"}, headers=HERE)
    assert wrong.status_code == 401 and 'name="reason" value="benefit-outweighs-risk"' in wrong.text
    done = await reader.post(address, data={**kept, "proof_password": PASSWORD}, headers=HERE)
    assert (done.status_code, done.headers["location"]) == (303, f"/department/requests/{one}")
    shown = (await reader.get(f"/department/requests/{one}")).text
    assert "Decision: justified" in shown and "<b>" not in shown


async def test_an_emergency_is_not_asked_once_more(staff: Staff) -> None:
    one = await a_held_request(staff)
    reader = await staff.signed_in("second reader", name="going-on-2", roles=["radiologist-d"])
    address = f"/department/requests/{one}/decision"
    staff.department.clock.advance(timedelta(minutes=6))
    done = await send(reader, address, address, decision="justified", reason="emergency")
    assert done.status_code == 303, done.text


async def test_who_was_signed_out_meanwhile_signs_in_and_goes_on(staff: Staff) -> None:
    desk = await staff.signed_in("nurse", name="going-on-3", roles=["receptionist"])
    form = token_in((await desk.get("/department/reception")).text)
    await send(desk, "/auth/me", "/auth/sign-out", everywhere="1")
    sent = {"form_token": form, "text": "CT20990101000001"}
    elsewhere = await desk.post("/department/reception", data=sent, headers={"origin": "https://evil.example"})
    assert elsewhere.status_code == 401 and "CT2099" not in elsewhere.text, "a form from elsewhere is not kept"
    silent = await desk.post("/department/reception", data=sent)
    assert silent.status_code == 401 and "CT2099" not in silent.text
    asked = await desk.post("/department/reception", data=sent, headers=HERE)
    assert asked.status_code == 401 and 'value="CT20990101000001"' in asked.text
    fields = hidden(asked.text)
    forged = {**fields, "proof_token": "0" * 64, "proof_name": "going-on-3", "proof_password": PASSWORD}
    assert (await desk.post("/department/reception", data=forged, headers=HERE)).status_code == 403
    proof = {**fields, "proof_name": "going-on-3", "proof_password": PASSWORD}
    done = await desk.post("/department/reception", data=proof, headers=HERE)
    assert done.status_code == 200 and "Nobody is found" in done.text
    assert (await desk.get("/department/reception")).status_code == 200, "he is signed in"


async def test_an_open_screen_that_asks_by_itself_keeps_nobody_signed_in(staff: Staff) -> None:
    desk = await staff.signed_in("nurse", name="going-on-4", roles=["receptionist"])
    now = staff.department.clock.now().isoformat(timespec="milliseconds")
    live = {"x-slipring-live": "1"}
    told = await desk.get("/department/live", params={"since": now}, headers=live)
    assert told.status_code == 200 and told.headers["x-slipring-changed"] in ("0", "1")
    for _ in range(4):
        staff.department.clock.advance(timedelta(minutes=10))
        last = await desk.get("/department/live", headers=live)
    assert last.status_code == 303, "half an hour without use"
    again = await staff.signed_in("nurse", name="going-on-4", roles=["receptionist"])
    for rubbish in ("x", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "'"):
        assert (await again.get("/department/live", params={"since": rubbish}, headers=live)).status_code in (200, 204)


async def test_an_open_screen_is_told_that_a_scanner_changed(staff: Staff) -> None:
    technologist = await staff.signed_in("technologist", name="going-on-5", roles=["technologist"])
    staff.department.clock.advance(timedelta(minutes=1))
    since = staff.department.clock.now().isoformat(timespec="milliseconds")
    live = {"x-slipring-live": "1"}
    still = await technologist.get("/department/live", params={"since": since}, headers=live)
    assert still.headers["x-slipring-changed"] == "0"
    made = await staff.department.post("Device", {"resourceType": "Device", "status": "inactive"})
    assert made.status_code == 201, made.text
    told = await technologist.get("/department/live", params={"since": since}, headers=live)
    assert told.headers["x-slipring-changed"] == "1"


async def done_for(request: Request, session: Session) -> Response:
    return PlainTextResponse(f"done for {session.account.name}")


async def test_beside_the_hospitals_sign_in_no_password_is_no_wrong_password(staff: Staff) -> None:
    await staff.account("nurse", name="going-on-6", roles=["receptionist"])
    pool = await open_pool(ensure_running(staff.department.data_dir), staff.schema, size=2)
    try:
        pages = Pages(await page_form_key(pool, staff.schema), rooms=PAGE_ROOMS)
        signing_in = SignInPages(People(pool, staff.schema, staff.department.clock.now), pages, "/auth/provider")
        form = pages.guarded(GoingOn(signing_in).kept(done_for))
        transport = httpx.ASGITransport(
            Starlette(routes=[*signing_in.routes(), Route("/form", form, methods=["POST"])])
        )
        async with httpx.AsyncClient(
            transport=transport, base_url=HERE["origin"], headers={"accept-language": "en"}
        ) as browser:
            await browser.get("/auth/sign-in")
            fields = hidden((await browser.post("/form", data={"note": "kept"}, headers=HERE)).text)
            before = await staff.audits("going-on-6")
            for _ in range(12):
                asked = await browser.post("/form", data={**fields, "proof_name": "going-on-6"}, headers=HERE)
                assert asked.status_code == 401 and "Nothing proves yet that it is you" in asked.text
                assert 'name="note" value="kept"' in asked.text and 'value="going-on-6"' in asked.text
            assert await staff.audits("going-on-6") == before, "no try is counted"
            proof = {**fields, "proof_name": "going-on-6", "proof_password": PASSWORD}
            done = await browser.post("/form", data=proof, headers=HERE)
            assert (done.status_code, done.text) == (200, "done for going-on-6")
    finally:
        await pool.close()

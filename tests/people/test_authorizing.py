"""Applications that people sign in to: codes once, PKCE, exact addresses, rotating refresh tokens, never beyond the roles."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from slipring.identity.client import BackendAuth
from slipring.identity.clients import Client, register
from slipring.identity.keys import new_client_key, public_half
from slipring.identity.people.administering import Administration
from slipring.identity.people.app_command import may_lead_back

from tests.people.conftest import PASSWORD, Staff, send, token_in

FRONT = "http://127.0.0.1:8100"
FHIR = f"{FRONT}/fhir"
BACK = "https://app.example/back"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPES = "openid fhirUser launch/patient offline_access online_access user/*.cruds patient/*.rs slipring/draft-read may-receive-critical"
KEY = new_client_key()


@pytest.fixture(scope="session")
async def apps(staff: Staff) -> Staff:
    """The department with a public and a confidential application."""
    async with staff.connection() as connection:
        kept = {"keys": [public_half(KEY)]}
        await register(
            connection, staff.schema, Client("reader", "Reader", {"keys": []}, SCOPES.split(), "", [BACK], True)
        )
        await register(
            connection, staff.schema, Client("reader-2", "Reader 2", {"keys": []}, SCOPES.split(), "", [BACK], True)
        )
        await register(
            connection, staff.schema, Client("signer", "Signer", kept, SCOPES.split(), "", [BACK, f"{BACK}?a=1"])
        )
    return staff


def asked(scope: str = "user/*.cruds", **others: str) -> str:
    given = {
        "response_type": "code",
        "client_id": "reader",
        "redirect_uri": BACK,
        "scope": scope,
        "state": "xyz",
        "aud": FHIR,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return "/auth/authorize?" + urlencode({k: v for k, v in (given | others).items() if v})


def answer_in(response: httpx.Response, to: str = BACK) -> dict[str, str]:
    assert response.status_code == 303, response.text
    address = response.headers["location"]
    assert address.startswith(to), address
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def exchange(browser: httpx.AsyncClient, code: str, **others: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": "reader",
        "code_verifier": VERIFIER,
    }
    return await browser.post("/auth/token", data=form | others)


async def renew(browser: httpx.AsyncClient, token: str, **others: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "reader"}
    return await browser.post("/auth/token", data=form | others)


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    tree: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return tree


async def test_a_person_signs_in_to_an_application_which_then_acts_in_his_name(apps: Staff) -> None:
    await apps.account("first reader", "app-1")
    async with apps.browser() as browser:
        sent = await browser.get(asked("openid fhirUser user/*.cruds slipring/draft-read", nonce="n-1"))
        assert sent.headers["location"].startswith("/auth/sign-in?to=/auth/authorize")
        to = parse_qs(urlsplit(sent.headers["location"]).query)["to"][0]
        back = await send(browser, sent.headers["location"], "/auth/sign-in", name="app-1", password=PASSWORD, to=to)
        given = answer_in(await browser.get(back.headers["location"]))
        assert (given["state"], given["iss"]) == ("xyz", FRONT)
        answered = await exchange(browser, given["code"])
        assert answered.status_code == 200, answered.text
        assert answered.headers["cache-control"] == "no-store"
        answer = answered.json()
        told = claims(answer["access_token"])
        assert told["fhirUser"] == apps.people["first reader"]
        assert told["sub"] == "app-1" and told["client_id"] == "reader"
        assert told["exp"] - told["iat"] == 300 == answer["expires_in"]
        assert told["auth_time"] <= told["iat"]
        assert "slipring/draft-read" in answer["scope"] and "may-receive-critical" not in answer["scope"]
        assert "user/DiagnosticReport.crus" in answer["scope"] and "user/*" not in answer["scope"]
        identity = claims(answer["id_token"])
        assert identity["aud"] == "reader" and identity["nonce"] == "n-1"
        assert identity["fhirUser"] == f"{FHIR}/{apps.people['first reader']}"
        assert "refresh_token" not in answer
        bearer = {"authorization": f"Bearer {answer['access_token']}"}
        assert (await browser.get(f"/fhir/{apps.people['first reader']}", headers=bearer)).status_code == 200
        person = {"resourceType": "Practitioner", "name": [{"family": "X"}]}
        beyond = await browser.post("/fhir/Practitioner", json=person, headers=bearer)
        assert beyond.status_code == 403
        as_access = {"authorization": f"Bearer {answer['id_token']}"}
        assert (await browser.get(f"/fhir/{apps.people['first reader']}", headers=as_access)).status_code == 401


@pytest.mark.parametrize(
    ("others", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"aud": ""}, "invalid_target"),
        ({"aud": "https://other.example/fhir"}, "invalid_target"),
        ({"launch": "abc"}, "invalid_request"),
        ({"prompt": "consent"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_what_is_wrong_is_told_to_the_application(apps: Staff, others: dict[str, str], error: str) -> None:
    async with apps.browser() as browser:
        told = answer_in(await browser.get(asked(**others)))
    assert told["error"] == error
    assert "code" not in told


@pytest.mark.parametrize(
    "others",
    [
        {"client_id": "nobody"},
        {"client_id": "demo-his"},
        {"client_id": ""},
        {"redirect_uri": ""},
        {"redirect_uri": f"{BACK}/"},
        {"redirect_uri": f"{BACK}?x=1"},
        {"redirect_uri": "https://app.example:443/back"},
        {"redirect_uri": "https://app.example/back/../evil"},
        {"redirect_uri": "https://evil.example/back"},
    ],
)
async def test_nothing_is_sent_to_an_address_that_is_not_registered(apps: Staff, others: dict[str, str]) -> None:
    async with apps.browser() as browser:
        refused = await browser.get(asked(**others))
        assert refused.status_code == 400
        assert "location" not in refused.headers
        twice = await browser.get(asked() + "&redirect_uri=https://evil.example")
        assert twice.status_code == 400


async def test_a_code_is_good_once_for_a_minute_for_its_client_with_its_verifier(apps: Staff) -> None:
    browser = await apps.signed_in("first reader", name="app-2")

    async def code() -> str:
        return answer_in(await browser.get(asked("user/*.rs offline_access")))["code"]

    for wrong in (
        {"code_verifier": "w" * 50},
        {"code_verifier": ""},
        {"redirect_uri": f"{BACK}/"},
        {"client_id": "reader-2"},
        {"client_id": "signer"},
    ):
        refused = await exchange(browser, await code(), **wrong)
        assert refused.status_code in (400, 401), wrong
        assert "access_token" not in refused.json()
    late = await code()
    apps.department.clock.advance(timedelta(seconds=61))
    assert (await exchange(browser, late)).json()["error"] == "invalid_grant"
    once = await code()
    first = (await exchange(browser, once)).json()
    assert (await exchange(browser, once)).json()["error"] == "invalid_grant"
    ended = await renew(browser, first["refresh_token"])
    assert ended.json()["error"] == "invalid_grant", "a code that comes twice ends what came from it"
    assert ("token-reuse", 400, []) in await apps.audits("app-2")


async def test_a_refresh_token_is_good_once_and_a_second_use_ends_its_family(apps: Staff) -> None:
    browser = await apps.signed_in("first reader", name="app-3")
    code = answer_in(await browser.get(asked("user/*.rs offline_access")))["code"]
    first = (await exchange(browser, code)).json()
    assert (await renew(browser, first["refresh_token"], client_id="reader-2")).status_code == 400
    second = (await renew(browser, first["refresh_token"], scope="user/Patient.rs")).json()
    assert second["scope"] == "user/Patient.rs"
    third = (await renew(browser, second["refresh_token"])).json()
    assert len(third["scope"].split()) > 5, "a narrowed renewal narrows nothing for good"
    assert (await renew(browser, first["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await renew(browser, third["refresh_token"])).json()["error"] == "invalid_grant"


async def test_without_offline_access_renewing_ends_with_the_session(apps: Staff) -> None:
    browser = await apps.signed_in("first reader", name="app-4")
    code = answer_in(await browser.get(asked("user/*.rs online_access")))["code"]
    first = (await exchange(browser, code)).json()
    second = (await renew(browser, first["refresh_token"])).json()
    await send(browser, "/auth/me", "/auth/sign-out")
    assert (await renew(browser, second["refresh_token"])).json()["error"] == "invalid_grant"


async def test_roles_that_are_taken_away_are_gone_at_the_next_renewal(apps: Staff) -> None:
    browser = await apps.signed_in("first reader", name="app-5")
    code = answer_in(await browser.get(asked("user/*.cruds offline_access")))["code"]
    first = (await exchange(browser, code)).json()
    async with apps.connection() as connection:
        act = Administration(connection, apps.schema, apps.department.clock.now())
        await act.give_roles("app-5", ["receptionist"], by="test")
    refused = await renew(browser, first["refresh_token"])
    assert refused.json()["error"] == "invalid_grant", "other roles: sign in anew"


async def test_a_revoked_refresh_token_is_good_for_nothing(apps: Staff) -> None:
    browser = await apps.signed_in("first reader", name="app-6")
    code = answer_in(await browser.get(asked("user/*.rs offline_access")))["code"]
    first = (await exchange(browser, code)).json()
    other = await browser.post("/auth/revoke", data={"token": first["refresh_token"], "client_id": "reader-2"})
    assert other.status_code == 200, "another client's token is none of its business"
    second = (await renew(browser, first["refresh_token"])).json()
    done = await browser.post("/auth/revoke", data={"token": second["refresh_token"], "client_id": "reader"})
    assert (done.status_code, done.json()) == (200, {})
    assert (await renew(browser, second["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await browser.post("/auth/revoke", data={"token": "x", "client_id": "nobody"})).status_code == 401


async def test_a_confidential_application_proves_itself_by_its_key(apps: Staff) -> None:
    browser = await apps.signed_in("second reader", name="app-7")
    address = f"{BACK}?a=1"
    sent = await browser.get(asked("user/*.rs", client_id="signer", redirect_uri=address))
    code = answer_in(sent, f"{address}&code=")["code"]
    bare = await exchange(browser, code, client_id="signer", redirect_uri=address)
    assert (bare.status_code, bare.json()["error"]) == (401, "invalid_client")
    auth = BackendAuth(f"{FRONT}/auth/token", "signer", KEY, now=apps.department.clock.now)
    proof = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": auth.assertion(),
    }
    done = await exchange(browser, code, client_id="signer", redirect_uri=address, **proof)
    assert done.status_code == 200, done.text
    alone = await browser.send(auth.token_request())
    assert alone.status_code == 400, "the scopes of people are not its own"


async def test_an_application_that_asks_again_makes_the_person_prove_himself_again(apps: Staff) -> None:
    browser = await apps.signed_in("first reader", name="app-8")
    clock = apps.department.clock
    for others in ({"prompt": "login"}, {"max_age": "0"}):
        sent = await browser.get(asked("user/*.rs", **others))
        assert sent.headers["location"].startswith("/auth/sign-in?again=1&to=")
        to = parse_qs(urlsplit(sent.headers["location"]).query)["to"][0]
        clock.advance(timedelta(seconds=5))
        again = await send(browser, sent.headers["location"], "/auth/sign-in", password=PASSWORD, to=to, again="1")
        code = answer_in(await browser.get(again.headers["location"]))["code"]
        told = claims((await exchange(browser, code)).json()["access_token"])
        assert told["iat"] - told["auth_time"] == 0
    clock.advance(timedelta(seconds=100))
    assert "code" in answer_in(await browser.get(asked("user/*.rs", max_age="120")))
    assert (await browser.get(asked("user/*.rs", max_age="60"))).headers["location"].startswith("/auth/sign-in?again=1")
    told = answer_in(await browser.get(asked("user/*.rs", max_age="60", prompt="none")))
    assert told["error"] == "login_required"


async def test_an_application_for_one_patient_sees_the_chosen_patient_only(apps: Staff) -> None:
    browser = await apps.signed_in("first reader", name="app-9")
    page = await browser.get(asked("launch/patient patient/*.rs"))
    assert page.status_code == 200
    assert "form-action 'self' https://app.example" in page.headers["content-security-policy"]
    query = re.search(r'name="request" value="([^"]+)"', page.text)
    assert query
    from html import unescape

    form = {"form_token": token_in(page.text), "request": unescape(query[1])}
    nobody = await browser.post("/auth/authorize/patient", data=form | {"number": "DEMO-9999"})
    assert "No patient with this number" in nobody.text
    found = await browser.post("/auth/authorize/patient", data=form | {"number": "DEMO-0001"})
    assert "章虚构" in found.text and "1958-04-12" in found.text
    chosen = re.search(r'name="patient" value="([^"]+)"', found.text)
    assert chosen
    unseen = await browser.post("/auth/authorize/patient", data=form | {"number": "DEMO-9999", "patient": chosen[1]})
    assert unseen.status_code == 200, "only who was found can be chosen"
    sent = await browser.post("/auth/authorize/patient", data=form | {"number": "DEMO-0001", "patient": chosen[1]})
    answer = (await exchange(browser, answer_in(sent)["code"])).json()
    assert answer["patient"] == chosen[1] == claims(answer["access_token"])["patient"]
    bearer = {"authorization": f"Bearer {answer['access_token']}"}
    assert (await browser.get(f"/fhir/Patient/{chosen[1]}", headers=bearer)).status_code == 200
    other = (await apps.department.post("Patient", {"resourceType": "Patient", "active": True})).json()["id"]
    assert (await browser.get(f"/fhir/Patient/{other}", headers=bearer)).status_code in (403, 404)
    refused = await browser.post("/auth/authorize/patient", data=form | {"refuse": "1"})
    assert answer_in(refused)["error"] == "access_denied"


async def test_patient_scopes_without_a_patient_in_context_grant_nothing(apps: Staff) -> None:
    browser = await apps.signed_in("first reader", name="app-10")
    assert answer_in(await browser.get(asked("patient/*.rs")))["error"] == "invalid_scope"
    assert answer_in(await browser.get(asked("system/*.rs")))["error"] == "invalid_scope"


async def test_a_client_finds_everything_in_the_smart_configuration(apps: Staff) -> None:
    async with apps.browser() as browser:
        smart = (await browser.get("/fhir/.well-known/smart-configuration")).json()
        openid = (await browser.get("/.well-known/openid-configuration")).json()
    assert smart["authorization_endpoint"] == f"{FRONT}/auth/authorize"
    assert smart["code_challenge_methods_supported"] == ["S256"]
    assert {"authorization_code", "refresh_token", "client_credentials"} == set(smart["grant_types_supported"])
    assert {"launch-standalone", "context-standalone-patient", "permission-v2"} <= set(smart["capabilities"])
    assert openid["issuer"] == smart["issuer"] == FRONT
    assert openid["id_token_signing_alg_values_supported"] == ["ES256"]


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("https://app.example/back", True),
        ("http://127.0.0.1:8123/back", True),
        ("http://localhost/back", True),
        ("org.hospital.app:/back", True),
        ("http://app.example/back", False),
        ("https://app.example/back#x", False),
        ("https://user@app.example/back", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://", False),
        ("https://app.example/a b", False),
        ("https://[::1", False),
    ],
)
def test_codes_are_sent_in_clear_to_this_machine_only(address: str, may: bool) -> None:
    assert may_lead_back(address) is may


async def ends(browser: httpx.AsyncClient, token: str) -> bool:
    """Whether an access token is turned away before its time: the services take up the list within seconds."""
    for _ in range(100):
        read = await browser.get("/fhir/Patient?_count=1", headers={"authorization": f"Bearer {token}"})
        if read.status_code == 401:
            return True
        assert read.status_code == 200, read.text
        await asyncio.sleep(0.1)
    return False


async def test_signing_out_ends_the_access_tokens_of_the_session_at_once(apps: Staff) -> None:
    browser = await apps.signed_in("first reader", name="app-7")
    code = answer_in(await browser.get(asked("user/*.rs online_access")))["code"]
    token = (await exchange(browser, code)).json()["access_token"]
    used = await browser.get("/fhir/Patient?_count=1", headers={"authorization": f"Bearer {token}"})
    assert used.status_code == 200, "it was good until then, and is remembered"
    await send(browser, "/auth/me", "/auth/sign-out")
    assert await ends(browser, token)


async def test_offline_access_outlives_the_session_and_ends_with_its_refresh_token(apps: Staff) -> None:
    browser = await apps.signed_in("first reader", name="app-8")
    code = answer_in(await browser.get(asked("user/*.rs offline_access")))["code"]
    first = (await exchange(browser, code)).json()
    await send(browser, "/auth/me", "/auth/sign-out")
    await asyncio.sleep(6)  # longer than any service goes on with an older list
    read = await browser.get("/fhir/Patient?_count=1", headers={"authorization": f"Bearer {first['access_token']}"})
    assert read.status_code == 200, read.text
    await browser.post("/auth/revoke", data={"token": first["refresh_token"], "client_id": "reader"})
    assert await ends(browser, first["access_token"])

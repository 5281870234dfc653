"""Signing and overrides ask for a sign-in within five minutes; facts and ordinary work do not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
from slipring.identity.clients import Client, register

from tests.people.conftest import Staff
from tests.people.test_authorizing import BACK, answer_in, asked, exchange, renew

C = "https://slipring.example/fhir"
SIGN = "/fhir/DiagnosticReport/r-none/$sign"
BODY = {
    "resourceType": "Parameters",
    "parameter": [{"name": "jws", "valueString": "a..b"}, {"name": "role", "valueCode": "author"}],
}


def injection(status: str, patient: str, **others: Any) -> dict[str, Any]:
    override = {
        "url": f"{C}/StructureDefinition/override",
        "extension": [
            {"url": "by", "valueReference": {"reference": "Practitioner/o-1"}},
            {
                "url": "reason",
                "valueCodeableConcept": {"coding": [{"system": f"{C}/CodeSystem/override-reason", "code": "x"}]},
            },
        ],
    }
    return {
        "resourceType": "MedicationAdministration",
        "status": status,
        "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02"}]},
        "subject": {"reference": patient},
        "effectiveDateTime": "2026-11-23T08:00:00+08:00",
        "extension": [override],
        **others,
    }


async def tokens(staff: Staff, name: str) -> tuple[httpx.AsyncClient, dict[str, str]]:
    async with staff.connection() as connection:
        scopes = ["user/*.cruds", "offline_access", "slipring/record-late"]
        await register(connection, staff.schema, Client("desk", "Desk", {"keys": []}, scopes, "", [BACK], True))
    browser = await staff.signed_in("first reader", name=name)
    wanted = asked("user/*.cruds offline_access slipring/record-late", client_id="desk")
    code = answer_in(await browser.get(wanted))["code"]
    return browser, (await exchange(browser, code, client_id="desk")).json()


async def test_a_signature_asks_for_a_sign_in_within_five_minutes(staff: Staff) -> None:
    browser, given = await tokens(staff, "step-1")
    bearer = {"authorization": f"Bearer {given['access_token']}"}
    assert (await browser.post(SIGN, json=BODY, headers=bearer)).status_code == 404, "fresh: only the report is missing"
    staff.department.clock.advance(timedelta(seconds=290))
    given = (await renew(browser, given["refresh_token"], client_id="desk")).json()
    staff.department.clock.advance(timedelta(seconds=11))
    bearer = {"authorization": f"Bearer {given['access_token']}"}
    late = await browser.post(SIGN, json=BODY, headers=bearer)
    assert late.status_code == 401
    challenge = late.headers["www-authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge and 'max_age="300"' in challenge
    issue = late.json()["issue"][0]
    assert issue["code"] == "login"
    assert issue["details"]["coding"][0]["code"] == "kernel.fresh-sign-in-needed"
    entry = {"resource": BODY, "request": {"method": "POST", "url": SIGN.removeprefix("/fhir/")}}
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    inside = (await browser.post("/fhir", json=bundle, headers=bearer)).json()
    assert inside["entry"][0]["response"]["status"].startswith("401"), "a batch is no way round"
    ordinary = await browser.get("/fhir/DiagnosticReport?_count=0", headers=bearer)
    assert ordinary.status_code == 200
    reading = await browser.post(SIGN.replace("$sign", "$signing-input"), json=BODY, headers=bearer)
    assert reading.status_code != 401


async def test_an_override_asks_for_a_fresh_sign_in_and_a_fact_does_not(staff: Staff) -> None:
    browser, given = await tokens(staff, "step-2")
    patient = f"Patient/{(await staff.department.found('Patient'))[0]['id']}"
    staff.department.clock.advance(timedelta(seconds=290))
    given = (await renew(browser, given["refresh_token"], client_id="desk")).json()
    staff.department.clock.advance(timedelta(seconds=11))
    bearer = {"authorization": f"Bearer {given['access_token']}"}
    over = await browser.post("/fhir/MedicationAdministration", json=injection("in-progress", patient), headers=bearer)
    assert over.status_code == 401, over.text
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": injection("in-progress", patient),
                "request": {"method": "POST", "url": "MedicationAdministration"},
            }
        ],
    }
    assert (await browser.post("/fhir", json=bundle, headers=bearer)).status_code == 401, "nor is a transaction"
    plain = injection("in-progress", patient, extension=[])
    asking = await browser.post("/fhir/MedicationAdministration", json=plain, headers=bearer)
    assert asking.status_code != 401, "asking the gate itself is ordinary work"
    fact = await browser.post("/fhir/MedicationAdministration", json=injection("completed", patient), headers=bearer)
    assert fact.status_code != 401, "what happened is recorded"

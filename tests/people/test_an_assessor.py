"""An assessor reads the sample that was kept for him and the kept verdicts, until his day; nothing else, and it is all on record."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.service import CANONICAL
from slipring.identity.clients import Client, register
from slipring.verdicts.history import VERDICT

from tests.people.conftest import PASSWORD, Staff, sign_in
from tests.people.test_authorizing import BACK, answer_in, asked, claims, exchange, renew

_SAMPLE = {"coding": [{"system": f"{CANONICAL}/CodeSystem/sample-document", "code": "case"}]}
_OTHER = {"coding": [{"system": f"{CANONICAL}/CodeSystem/department-document", "code": "radiation-safety-licence"}]}


@pytest.mark.clause("A.1")
@pytest.mark.clause("5.10.1")
async def test_an_assessor_reads_his_sample_and_the_verdicts_and_is_refused_all_else(staff: Staff) -> None:
    department = staff.department
    scopes = ["user/*.cruds", "online_access"]
    async with staff.connection() as connection:
        await register(connection, staff.schema, Client("assess", "Assess", {"keys": []}, scopes, "", [BACK], True))
    kept = [
        (await department.post("DocumentReference", _document(kind))).raise_for_status().json()
        for kind in (_SAMPLE, _OTHER)
    ]
    clause: dict[str, Any] = {"resourceType": "Parameters", "parameter": [{"name": "clause", "valueString": "5.7.2"}]}
    assert (await department.post("Measure/$clause-record", clause)).status_code == 200
    days = [("periodStart", "2001-01-01"), ("periodEnd", "2001-03-31")]
    clause["parameter"] = [*clause["parameter"], *({"name": name, "valueDate": day} for name, day in days)]
    assert (await department.post("Measure/$clause-record", clause)).status_code == 200
    await department.settle()

    ends_at = department.clock.now() + timedelta(minutes=9)
    browser = await staff.signed_in("ward duty", name="assessor-2", roles=["assessor"], ends_at=ends_at)
    code = answer_in(await browser.get(asked("user/*.cruds online_access", client_id="assess")))["code"]
    answer = (await exchange(browser, code, client_id="assess")).json()
    token = {"authorization": f"Bearer {answer['access_token']}"}

    async def status(method: str, path: str, body: Any = None) -> int:
        return (await browser.request(method, f"/fhir/{path}", headers=token, json=body)).status_code

    found = (await browser.get("/fhir/DocumentReference?_count=50", headers=token)).json()
    assert [one["resource"]["id"] for one in found["entry"]] == [kept[0]["id"]]
    assert await status("GET", f"DocumentReference/{kept[0]['id']}") == 200
    assert await status("GET", f"DocumentReference/{kept[1]['id']}") == 404, "what is not his is not there"
    verdicts = (await browser.get(f"/fhir/MeasureReport?measure={VERDICT}", headers=token)).json()
    assert verdicts["total"] >= 1
    every = (await browser.get("/fhir/MeasureReport?_count=100", headers=token)).json()
    assert {one["resource"]["measure"].rpartition("/")[2] for one in every["entry"]} <= {
        "clause-check",
        "clause-verdict",
    }

    for kind in (
        "Patient",
        "ServiceRequest",
        "Task",
        "DiagnosticReport",
        "Consent",
        "Communication",
        "AuditEvent",
        "Provenance",
    ):
        assert await status("GET", f"{kind}?_count=1") == 403, kind
    refused = [
        await status("POST", "DocumentReference", _document(_SAMPLE)),
        await status("PUT", f"DocumentReference/{kept[0]['id']}", kept[0]),
    ]
    refused += [
        await status("DELETE", f"DocumentReference/{kept[0]['id']}"),
        await status("POST", "Task", {"resourceType": "Task"}),
    ]
    for operation in ("clause-check", "clause-record", "sample-evidence", "assessor-sample"):
        refused.append(await status("POST", f"Measure/${operation}", {"resourceType": "Parameters"}))
    assert set(refused) == {403}, refused
    assert (await send_emergency(browser)) == 403
    await _board(browser, kept[0]["id"], kept[1]["id"])

    pool = department.house.services["order"].kernel.store.pool
    person = staff.people["ward duty"]
    seen = await pool.fetchval(
        "SELECT count(*) FROM audit WHERE client = 'assess' AND practitioner = $1 AND outcome = 200 AND interaction <> 'capabilities'",
        person,
    )
    assert seen >= 3, "all that he read is on record under his name"

    department.clock.advance(timedelta(minutes=8))
    last = (await renew(browser, answer["refresh_token"], client_id="assess")).json()
    assert claims(last["access_token"])["exp"] == int(ends_at.timestamp()), "no token outlives the account"
    department.clock.advance(timedelta(minutes=2))
    late = {"authorization": f"Bearer {last['access_token']}"}
    assert (await browser.get("/fhir/MeasureReport", headers=late)).status_code == 401
    assert (await renew(browser, last["refresh_token"], client_id="assess")).status_code == 400
    assert (await sign_in(browser, "assessor-2", PASSWORD)).status_code == 401


def _document(kind: dict[str, Any]) -> dict[str, Any]:
    content = [{"attachment": {"contentType": "application/json", "data": "e30="}}]
    return {"resourceType": "DocumentReference", "status": "current", "type": kind, "content": content}


async def _board(browser: Any, sample: str, other: str) -> None:
    """His page of the clauses: what was kept over the period, what was drawn for him, and no act."""
    shown = await browser.get("/clauses?period=2001-Q1")
    assert shown.status_code == 200, shown.text
    assert re.findall(r'<h3 id="row-\d+">(\S+)', shown.text) == ["5.7.2"], "the row that was kept, and none computed"
    work = shown.text.partition("<h1>")[2]
    assert re.findall(r"/clauses/records/(\S+?)\"", work) == [f"DocumentReference/{sample}"]
    assert "/clauses/keep" not in work and "/clauses/report" not in work
    assert (await browser.get(f"/clauses/records/DocumentReference/{sample}")).status_code == 200
    assert (await browser.get(f"/clauses/records/DocumentReference/{other}")).status_code == 404
    assert (await browser.get("/clauses/report?period=2001-Q1")).status_code == 403
    assert "No verdict was kept" in (await browser.get("/clauses?period=2001-Q2")).text


async def send_emergency(browser: Any) -> int:
    """What emergency access answers to somebody whom it gives nothing."""
    return int((await browser.get("/auth/emergency")).status_code)

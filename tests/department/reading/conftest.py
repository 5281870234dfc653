"""Reports in the department's reading room, each standing differently."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect
from slipring.reading.draft import Typed, begun
from slipring.runtime.clock import utc_now
from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring.signing.jws import jws_sha256, sign_payload
from slipring_demo.cast import C
from slipring_demo.ordering import identity_confirmed
from slipring_demo.scene import Cast
from slipring_demo.teller import parameters, value_of

from tests.department.bedside.contrast_morning import until_found
from tests.department.morning import Morning, a_patient, order, posted
from tests.support.server import Server

Comes = Callable[..., str]
expect.set_options(timeout=30_000)  # a machine that does much else


@pytest.fixture(scope="session")
def comes(served: Server, morning: Morning) -> Comes:
    """Somebody is ordered a CT that the reading room knows of; the request's id."""

    def coming(who: str, **members: Any) -> str:
        with served.client() as http:
            morning.patients[who] = posted(http, a_patient(who, "1961-02-03", "female"))
            request = order(http, morning, who, "24627-2", "CT chest", "816094009", "Chest", **members)
            until_found(http, f"Task?code=exam&focus=ServiceRequest/{request['id']}")
        return str(request["id"])

    return coming


@pytest.fixture(scope="session")
def acquired(served: Server, morning: Morning, comes: Comes) -> Comes:
    """Somebody was scanned, and the case waits to be read; the request's id. `ended`: when the scan was over, else now."""

    def scanned(who: str, ended: str = "", **members: Any) -> str:
        exam = comes(who, **members)
        cast = Cast(
            staff=morning.staff, hospital="", ward="", patient=morning.patients[who], request=morning.requests[who]
        )
        with served.client() as http:
            for state in ("scheduled", "arrived", "ready", "in-progress", "acquired"):
                [task] = until_found(http, f"Task?code=exam&focus=ServiceRequest/{exam}")
                if state == "ready":
                    http.post(f"/fhir/Task/{task['id']}/$check", json=identity_confirmed(cast)).raise_for_status()
                    continue
                task["businessStatus"] = {"coding": [{"system": f"{C}/CodeSystem/exam-state", "code": state}]}
                if ended and state in ("in-progress", "acquired"):
                    task["executionPeriod"] = {"start": ended, "end": ended}
                headers = {"If-Match": f'W/"{task["meta"]["versionId"]}"'}
                answer = http.put(f"/fhir/Task/{task['id']}", json=task, headers=headers)
                assert answer.status_code == 200, answer.text
            until_found(http, f"Task?code=reading&focus=ServiceRequest/{exam}")
        return exam

    return scanned


@pytest.fixture
def department(served: Server) -> Any:
    """The department's own system, which sees drafts."""
    with served.department() as http:
        yield http


def released(http: httpx.Client, served: Server, morning: Morning, exam: str, words: str) -> str:
    """A report of an exam, signed by two; its id."""
    report = written(http, morning, exam, words)
    sign(http, served, morning, report, ("first reader", "author"), ("second reader", "reviewer"))
    return report


def written(http: httpx.Client, morning: Morning, exam: str, words: str) -> str:
    """A draft of an exam's report; its id."""
    request = http.get(f"/fhir/ServiceRequest/{exam}").raise_for_status().json()
    typed = Typed({"59776-5": words, "19005-8": words, "conclusion": words})
    bundle = begun(request, [], typed, morning.staff["first reader"], utc_now())
    answer = http.post("/fhir", json=bundle)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["entry"][0]["response"]["location"].split("DiagnosticReport/")[1].split("/")[0])


def sign(http: httpx.Client, served: Server, morning: Morning, report: str, *signers: tuple[str, str]) -> None:
    """Signatures on a report, one after the other."""
    authority, prev = make_authority(served.data_dir / "signing", now=utc_now()), ""
    for name, role in signers:
        key, csr = make_key_and_csr(name)
        chain = issue(authority, csr, morning.staff[name], name, now=utc_now())
        asked = http.post(f"/fhir/DiagnosticReport/{report}/$signing-input", json=parameters(role=("Code", role)))
        payload = base64.b64decode(value_of(asked.raise_for_status().json(), "payload"))
        jws = sign_payload(payload, key, chain, role, prev, utc_now())
        given = parameters(jws=("String", jws), role=("Code", role))
        signed = http.post(f"/fhir/DiagnosticReport/{report}/$sign", json=given)
        assert signed.is_success, signed.text
        prev = jws_sha256(jws)


def report_of(http: httpx.Client, exam: str) -> dict[str, Any]:
    """The report of an exam, once there is one."""
    [found] = until_found(http, f"DiagnosticReport?based-on=ServiceRequest/{exam}")
    return found


def text_of(http: httpx.Client, report: dict[str, Any]) -> dict[str, Any]:
    """Its Composition."""
    [named] = [one["valueReference"]["reference"] for one in report["extension"] if "valueReference" in one]
    found: dict[str, Any] = http.get(f"/fhir/{named}").raise_for_status().json()
    return found

"""Whether a scanner is in service is read here as it is where it is booked."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from slipring.department.bookings import STATE, Scanner
from slipring.fhir.service import CANONICAL
from slipring_demo.cast import SYNTHETIC
from slipring_order.rooms.scanner import in_service

from tests.department.morning import PASSWORD, Morning
from tests.people.conftest import token_in
from tests.support.server import Server

PROPERTY = {"coding": [{"system": f"{CANONICAL}/CodeSystem/scanner-property", "code": "service-state"}]}


def extended(state: str) -> dict[str, Any]:
    return {"extension": [{"url": STATE, "valueCode": state}]}


def stated(state: str) -> dict[str, Any]:
    return {"property": [{"type": PROPERTY, "valueCode": [{"coding": [{"code": state}]}]}]}


@pytest.mark.parametrize(
    ("said", "serves"),
    [
        ({}, True),
        ({"status": "inactive"}, False),
        ({"status": "inactive", **extended("in-service")}, False),
        (extended("in-service"), True),
        (extended("out-of-service"), False),
        (extended("being-moved"), False),
        (stated("in-service"), True),
        (stated("out-of-service"), False),
        (stated("being-moved"), False),
        ({**extended("in-service"), **stated("out-of-service")}, True),
        ({**extended("out-of-service"), **stated("in-service")}, False),
        ({"property": [{"type": PROPERTY}]}, False),
    ],
)
def test_the_extension_counts_before_the_property_and_an_unknown_state_is_no_service(
    said: dict[str, Any], *, serves: bool
) -> None:
    device = {"resourceType": "Device", "id": "ct", **said}
    assert (Scanner(device).in_service, in_service(device)) == (serves, serves)


def test_a_device_that_is_not_in_use_is_not_brought_back_by_its_service_state() -> None:
    assert not Scanner({"id": "ct", "status": "inactive", **extended("in-service")}).in_use
    assert Scanner({"id": "ct", "status": "active", **extended("out-of-service")}).in_use


def test_the_page_of_a_device_that_is_not_in_use_says_why_it_cannot_be_brought_back(
    served: Server, morning: Morning
) -> None:
    ct = {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]}
    retired = {"resourceType": "Device", "meta": SYNTHETIC, "status": "inactive", "type": ct}
    with served.client() as http:
        made = http.post("/fhir/Device", json=retired, headers={"Prefer": "return=representation"}).json()
    try:
        with httpx.Client(
            base_url=morning.url, headers={"accept-language": "en"}, timeout=60, trust_env=False
        ) as browser:
            form = token_in(browser.get("/auth/sign-in").text)
            browser.post("/auth/sign-in", data={"form_token": form, "name": "tech", "password": PASSWORD})
            address = f"/department/scanners/{made['id']}"
            shown = browser.get(address).text
            assert "no device in use (status: inactive)" in shown and 'name="reason"' not in shown
            assert "Why it is out of use" in browser.get("/department/day").text
            sent = {"seen": "1", "state": "in-service", "reason": "back"}
            token = token_in(browser.get("/department/requests").text)
            refused = browser.post(address, data={"form_token": token, **sent})
            assert refused.status_code == 422 and "no device in use" in refused.text
            with served.client() as http:
                assert "note" not in http.get(f"/fhir/Device/{made['id']}").json()
    finally:
        with served.client() as http:
            http.delete(f"/fhir/Device/{made['id']}").raise_for_status()

"""Critical findings that ring in the department, and a telephone that hears them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect
from slipring_demo.cast import C
from slipring_demo.receivers import Receiver

from tests.department.bedside.contrast_morning import until_found
from tests.department.conftest import looked_at
from tests.department.morning import PASSWORD, Morning, a_patient, order, posted
from tests.support.server import Server

PIN = "482913"
Rings = Callable[..., dict[str, Any]]
expect.set_options(timeout=30_000)  # a machine that does much else


@pytest.fixture(scope="package")
def phone(served: Server, morning: Morning) -> Iterator[Receiver]:
    """The requester's telephone; he is not rung any more once these tests are over."""
    receiver = Receiver("requester")
    route = {"valueReference": {"reference": morning.staff["requester"]}}
    with served.client() as http:
        kept = posted(
            http,
            {
                "resourceType": "Endpoint",
                "status": "active",
                "extension": [{"url": f"{C}/StructureDefinition/route-of", **route}],
                "connectionType": {"system": f"{C}/CodeSystem/channel", "code": "webhook"},
                "payloadType": [{"text": "slipring critical message"}],
                "address": receiver.url,
            },
        )
    yield receiver
    with served.client() as http:
        version = {"If-Match": f'W/"{kept["meta"]["versionId"]}"'}
        http.put(f"/fhir/Endpoint/{kept['id']}", json=kept | {"status": "off"}, headers=version).raise_for_status()
    receiver.close()


@pytest.fixture(scope="package")
def rings(served: Server, morning: Morning, phone: Receiver) -> Rings:
    """Somebody's CT shows a pneumothorax: the case, and the telephone has been rung for it."""

    def ringing(who: str, *, drill: bool = False) -> dict[str, Any]:
        with served.client() as http:
            morning.patients[who] = posted(http, a_patient(who, "1961-02-03", "female"))
            request = order(http, morning, who, "24627-2", "CT chest", "816094009", "Chest")
            until_found(http, f"Task?code=exam&focus=ServiceRequest/{request['id']}")
            given = [
                {"name": "finding", "valueCode": "CV-CT-07"},
                {"name": "exam", "valueReference": {"reference": f"ServiceRequest/{request['id']}"}},
                {"name": "performer", "valueReference": {"reference": morning.staff["first reader"]}},
                {"name": "drill", "valueBoolean": drill},
            ]
            case = opened_by_hand(http, given)
            sent = f"Communication?part-of=Task/{case['id']}&status=completed"
            until_found(http, sent)
        return case

    return ringing


def opened_by_hand(http: httpx.Client, given: list[dict[str, Any]]) -> dict[str, Any]:
    """The case that `$open-case` answers with, once what it is about has reached critical."""
    for _ in range(50):
        answer = http.post("/fhir/Task/$open-case", json={"resourceType": "Parameters", "parameter": given})
        if answer.status_code != 422:
            break
        http.get("/health")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    return dict(told if told["resourceType"] == "Task" else told["parameter"][0]["resource"])


def link_to(phone: Receiver, case: dict[str, Any]) -> str:
    """The path of the newest link that the telephone got for a case."""
    links = [message["link"] for message in phone.received if message.get("case") == f"Task/{case['id']}"]
    return "/a/" + str(links[-1]).rpartition("/a/")[2]


@pytest.fixture(scope="module")
def pin(served: Server, morning: Morning, chromium: Browser) -> str:
    """The requester has chosen a PIN, on the page for it."""
    context = chromium.new_context(locale="en-GB", base_url=morning.url)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto("/alerts/pin")
    page.locator("input[name=name]").fill("doctor")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("input[name=pin]").fill("123456")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("This PIN is too easily guessed")).to_be_visible()
    page.locator("input[name=pin]").fill(PIN)
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("The PIN is kept.")).to_be_visible()
    looked_at(page, "alerts-pin")
    context.close()
    return PIN

"""A receiver answers by text message, through a gateway that listens on loopback and posts his replies back, signed."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from slipring.fhir.delivery.signature import HEADER, Secret, signed
from slipring_demo.cast import C
from slipring_demo.receivers import Receiver

from tests.department.alerts.conftest import Rings
from tests.department.conftest import REPLY_SECRET
from tests.department.morning import Morning, posted
from tests.support.server import Server

pytestmark = pytest.mark.clause("5.9.1")


class AGateway:
    """Carries the messages of a house to telephones, and what is typed there back."""

    def __init__(self, url: str) -> None:
        self.url, self.telephone = url, Receiver("gateway")

    def post(self, *, secret: str = REPLY_SECRET, age: float = 0, header: str = "", **said: Any) -> httpx.Response:
        body = json.dumps({"id": uuid.uuid4().hex, "conversation": "+8613900000009", "medium": "sms"} | said).encode()
        now = datetime.now(UTC) - timedelta(seconds=age)
        headers = {HEADER: header or signed([Secret(secret)], body, now), "Content-Type": "application/json"}
        return httpx.post(f"{self.url}/a/replies", content=body, headers=headers, timeout=60, trust_env=False)

    def says(self, text: str, **said: Any) -> dict[str, Any]:
        answer = self.post(text=text, **said)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture(scope="module")
def gateway(served: Server, morning: Morning) -> Iterator[AGateway]:
    """The mobile telephone of the ward, behind a text message gateway."""
    gateway = AGateway(morning.url)
    with served.client() as http:
        kept = posted(
            http,
            {
                "resourceType": "Endpoint",
                "status": "active",
                "extension": [{"url": f"{C}/StructureDefinition/route-of", "valueCode": "ward"}],
                "connectionType": {"system": f"{C}/CodeSystem/channel", "code": "sms"},
                "payloadType": [{"text": "slipring critical message"}],
                "address": gateway.telephone.url.replace("http://", "json://"),
            },
        )
    yield gateway
    with served.client() as http:
        version = {"If-Match": f'W/"{kept["meta"]["versionId"]}"'}
        http.put(f"/fhir/Endpoint/{kept['id']}", json=kept | {"status": "off"}, headers=version).raise_for_status()
    gateway.telephone.close()


def the_text(served: Server, gateway: AGateway, case: dict[str, Any], medium: str = "sms") -> tuple[str, str]:
    """The code of the message that rang by a medium for a case, and the text as the telephone shows it."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with served.client() as http:
            found = http.get(f"/fhir/Communication?part-of=Task/{case['id']}&status=completed").json()
        for entry in found.get("entry", []):
            attempt = entry["resource"]
            codes = [one["value"] for one in attempt["identifier"] if one["system"].endswith("/reply-code")]
            if codes and attempt["medium"][0]["coding"][0]["code"] == medium:
                shown = [str(got.get("message", "")) for got in gateway.telephone.received]
                return codes[0], next((text for text in shown if codes[0] in text), "")
    raise AssertionError("nothing rang")


def staff_number(served: Server, morning: Morning, who: str) -> str:
    with served.client() as http:
        return str(http.get(f"/fhir/{morning.staff[who]}").json()["identifier"][0]["value"])


def the_case(served: Server, case: dict[str, Any]) -> dict[str, Any]:
    with served.client() as http:
        return dict(http.get(f"/fhir/Task/{case['id']}").json())


def in_state(served: Server, case: dict[str, Any]) -> str:
    return str(the_case(served, case)["businessStatus"]["coding"][0]["code"])


def test_a_text_message_is_answered_turn_by_turn(
    served: Server, morning: Morning, rings: Rings, gateway: AGateway, pin: str
) -> None:
    case = rings("戚")
    code, text = the_text(served, gateway, case)
    assert text and len(text) <= 134, "two joined messages of UCS-2"
    assert not re.search(r"戚|气胸|pneumothorax|CT20", text)
    me = staff_number(served, morning, "requester")

    assert gateway.says(code)["expects"] == "pin"
    assert "4" in gateway.says(f"{code} {me} 000000")["say"]
    assert gateway.says(f"{code}＃{me}＃{pin}＃")["expects"] == "tail"
    assert in_state(served, case) == "delivered"
    offered = gateway.says(morning.number("戚")[-4:].lower())
    assert offered["expects"] == "choice"
    number = next(one.split()[0] for one in re.split("[：;] ?", offered["say"]) if "气胸" in one)
    told = gateway.says(number)

    assert told["expects"] == "nothing"
    assert in_state(served, case) == "read-back-confirmed"
    assert the_case(served, case)["owner"]["reference"] == morning.staff["requester"]
    with served.client() as http:
        talk = http.get(f"/fhir/Communication?based-on=Task/{case['id']}").text
        proof = http.post(f"/fhir/Task/{case['id']}/$proof", json={"resourceType": "Parameters"})
    assert talk.count('"received"') == 5 and talk.count('"sent"') == 5
    assert pin not in talk and "13900000009" not in talk
    assert proof.status_code == 200


def test_the_owner_of_a_route_needs_no_name(
    served: Server, morning: Morning, rings: Rings, gateway: AGateway, pin: str
) -> None:
    case = rings("谢")
    code, _ = the_text(served, gateway, case, "webhook")
    keypad = {"medium": "webhook", "conversation": "call-1"}
    assert gateway.post(digits=f"{code}*{pin}#", **keypad).json()["expects"] == "tail"
    assert gateway.post(digits="0000", **keypad).json()["expects"] == "choice"
    again = gateway.post(digits="1", **keypad).json()
    assert again["expects"] == "tail" and in_state(served, case) == "delivered"


def test_five_wrong_pins_end_the_message_and_the_next_step_rings(
    served: Server, rings: Rings, gateway: AGateway, pin: str
) -> None:
    case = rings("邹")
    code, _ = the_text(served, gateway, case, "webhook")
    keypad = {"medium": "webhook", "conversation": "call-2"}
    for sent in ("first", *"2345"):
        told = gateway.post(digits=f"{code} 999111", id=f"{code} {sent}", **keypad).json()
        if sent == "first":  # a gateway that heard no answer posts it again, which is no second try
            assert gateway.post(digits=f"{code} 999111", id=f"{code} {sent}", **keypad).status_code == 409
        assert in_state(served, case) == ("escalated" if sent == "5" else "notifying")
    assert told["expects"] == "nothing"
    assert gateway.post(digits=f"{code} {pin}", **keypad).json()["expects"] == "nothing"
    assert in_state(served, case) == "escalated"


def test_a_reply_is_signed_fresh_and_taken_once(gateway: AGateway) -> None:
    for refused in (
        gateway.post(text="1", secret="of somebody else"),
        gateway.post(text="1", age=330),
        gateway.post(text="1", age=-330),
        gateway.post(text="1", header="t=1,v1=00"),
        gateway.post(text="1", header="nonsense"),
        gateway.post(text="1", header="t=" + "9" * 400 + ",v1=0"),
        gateway.post(text="1", header="t=-1,v1=,,v1="),
    ):
        assert refused.status_code == 401, refused.text
        assert refused.json()["issue"][0]["details"]["coding"][0]["code"] == "alerts.reply-not-signed"
    assert gateway.says("12345", id="once")["expects"] == "nothing"
    again = gateway.post(text="12345", id="once")
    assert again.status_code == 409
    assert again.json()["issue"][0]["expression"] == ["id"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        (name, value)
        for name in ("id", "conversation", "medium", "text")
        for value in (7, None, [], {}, "x" * 2000, "\0")
    ]
    + [("id", ""), ("conversation", " "), ("medium", "pigeon"), ("medium", "s m s"), ("digits", 5)],
)
def test_an_odd_reply_is_refused_at_its_member(gateway: AGateway, member: str, value: Any) -> None:
    said: dict[str, Any] = {member: value} if member in ("text", "digits") else {"text": "1", member: value}
    answer = gateway.post(**said)
    assert answer.status_code in (400, 422), answer.text
    issue = answer.json()["issue"][0]
    assert issue["expression"] == [member]
    assert issue["diagnostics"] and issue["details"]["text"]


@pytest.mark.parametrize(
    "text", ["", " ", "#", "０", "\u202e", "1,2|3", "' OR 1=1", "99999 1 2 3 4 5", "\ud7ff", "9" * 999]
)
def test_odd_words_are_answered_in_words(gateway: AGateway, text: str) -> None:
    assert gateway.says(text, conversation=uuid.uuid4().hex)["expects"] == "nothing"

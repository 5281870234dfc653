"""A device that rang is told who has answered; a message that was taken while the answer was stored is on record as sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.service import Errand, Resource, Write
from slipring_critical.cases.facts import CASE_STATE, CHANNEL, code_of
from slipring_critical.guards import route_written
from slipring_critical.ringing.climbing import SEND
from slipring_critical.service import SERVICE
from slipring_critical.settings import CriticalSettings

from tests.support.browsers import a_browser, decrypted
from tests.support.ringing import FINDING, ARinging, a_department, a_finding, a_handover, a_route

RIGHT: dict[str, Any] = {"patientCheck": "0123", "finding": FINDING, "medium": "webhook"}
REQUESTER = {"reference": "Practitioner/o-requester"}
ACTION = {"text": "chest drain"}


class Ward:
    """A department whose ward has a browser, and whose requester has one beside his webhook."""

    def __init__(self, data_dir: Path) -> None:
        settings = CriticalSettings(data_dir=data_dir, push_contact="him@hospital.test", message_language="en")
        self.ringing = ARinging(*a_department(), settings=settings)
        self.ringing.desk.hold({**self._person(), "name": [{"text": "Dr Wang"}]})
        self.keys: dict[str, Any] = {}

    def _person(self) -> Resource:
        return self.ringing.desk.held["Practitioner/o-requester"].resource

    async def opened(self) -> Ward:
        for owner, host in (("Location/o-ward", "ward.test"), ("Practitioner/o-requester", "pocket.test")):
            key, auth, fragment = a_browser()
            self.keys[host] = (key, auth)
            channel = {"system": CHANNEL, "code": "browser"}
            route = a_route(owner, host, connectionType=channel, address=f"https://{host}/push/a{fragment}")
            desk = self.ringing.desk
            before = desk.held.get(f"Endpoint/{route['id']}")
            desk.carry_out(await route_written(Write("create", route, before), desk), route)
        await self.ringing.arrive(a_handover())
        await self.ringing.arrive(a_finding())
        return self

    def heard(self, host: str) -> list[dict[str, Any]]:
        """What a browser was told."""
        got = [one for one in self.ringing.receivers.heard if one.host == host]
        return [decrypted(one.content, *self.keys[host]) for one in got]


@pytest.fixture
async def ward(tmp_path: Path) -> Ward:
    return await Ward(tmp_path).opened()


def notices(ringing: ARinging) -> list[Resource]:
    attempts = [s.resource for s in ringing.desk.held.values() if s.resource["resourceType"] == "Communication"]
    return [one for one in attempts if any(code_of(r, CASE_STATE) == "acknowledged" for r in one.get("reasonCode", []))]


@pytest.mark.clause("5.9.1")
async def test_each_device_that_rang_is_told_who_has_answered_and_no_system_is(ward: Ward) -> None:
    assert [one["kind"] for one in ward.heard("ward.test")] == ["message"]
    before = len([host for host in ward.ringing.rung if host == "requester.test"])

    await ward.ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    await ward.ringing.settle()

    rang, settled = ward.heard("ward.test")
    assert (settled["kind"], settled["case"]) == ("answered", rang["case"])
    assert "was answered by Dr Wang" in settled["text"]
    assert len([host for host in ward.ringing.rung if host == "requester.test"]) == before
    assert {code_of(one["medium"][0], CHANNEL) for one in notices(ward.ringing)} == {"browser"}
    assert not ward.ringing.silent_cases()
    await ward.ringing.call("act", action=ACTION)
    await ward.ringing.wait(90)
    assert len(ward.heard("ward.test")) == 2, "it is told once"


async def test_a_device_that_is_away_is_told_once_it_is_back_though_the_case_is_closed(ward: Ward) -> None:
    ward.ringing.receivers.answers["ward.test"] = 503
    await ward.ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    await ward.ringing.settle()
    await ward.ringing.call("act", action=ACTION)
    del ward.ringing.receivers.answers["ward.test"]
    tried = len(ward.heard("ward.test"))
    await ward.ringing.wait(5)
    assert [one["kind"] for one in ward.heard("ward.test")[tried:]] == ["answered"]
    assert {one["status"] for one in notices(ward.ringing)} == {"completed"}


async def test_one_who_is_rung_anew_is_not_told_that_it_is_answered(ward: Ward) -> None:
    ward.ringing.receivers.answers["ward.test"] = 503
    await ward.ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    await ward.ringing.wait(61)
    assert code_of(ward.ringing.case["businessStatus"], CASE_STATE) == "reopened"
    del ward.ringing.receivers.answers["ward.test"]
    tried = len(ward.heard("ward.test"))
    await ward.ringing.wait(10)
    assert not [one for one in ward.heard("ward.test")[tried:] if one["kind"] == "answered"]


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(("then", "kind"), [("acknowledge", "answered"), ("retract", "retraction")])
async def test_what_was_taken_while_the_case_was_settled_is_sent_on_record_and_followed_by_word_of_it(
    tmp_path: Path, then: str, kind: str
) -> None:
    ward = Ward(tmp_path)
    ringing = ward.ringing
    ringing.receivers.answers["ward.test"] = 503
    await ward.opened()
    ringing.receivers.answers["ward.test"] = 200
    key, armed = next((key, one) for key, one in ringing.armed.items() if key.startswith("send:"))
    errand = Errand(armed.wake.name, armed.wake.subject, key, armed.attempt_id, True, 2, armed.wake.payload)
    changes = await SERVICE.errands[SEND](errand, ringing.desk, ringing._client)
    told = len(ward.heard("ward.test"))

    if then == "acknowledge":
        await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    else:
        await ringing.call("retract", reason="another patient's images")
    stopped = ringing.desk.held[armed.wake.subject].resource
    assert (stopped["status"], key in ringing.armed) == ("stopped", False)
    assert changes.if_disarmed is not None
    ringing.carry_out(await changes.if_disarmed(ringing.desk))
    await ringing.settle()

    sent = ringing.desk.held[armed.wake.subject].resource
    assert (sent["status"], "sent" in sent, "statusReason" in sent) == ("completed", True, False)
    assert [one["kind"] for one in ward.heard("ward.test")[told:]] == [kind]
    again = await changes.if_disarmed(ringing.desk)
    assert again.nothing, "it is put on record once"

"""What a contact route keeps locked: shown by scheme and tail, never read back, used when a message goes out."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Resource, Stored, Write
from slipring_critical.cases.facts import CHANNEL
from slipring_critical.directory.kept_secrets import KEPT, line_of, shown
from slipring_critical.guards import route_written
from slipring_critical.operations.telling import application_server_key, preview, secret_rotated
from slipring_critical.settings import CriticalSettings

from tests.support.ringing import ARinging, a_department, a_finding, a_handover, a_route

ADDRESS = "wecombot://8c6d2f10-KEY-of-the-ward-4711"


def a_robot(**members: Any) -> Resource:
    connection = {"system": CHANNEL, "code": "wecom"}
    return a_route("ward-duty", "robot.test", connectionType=connection, address=ADDRESS, **members)


async def saved(ringing: ARinging, route: Resource) -> Stored:
    """The route as it stands after it was written."""
    before = ringing.desk.held.get(f"Endpoint/{route['id']}")
    changes = await route_written(Write("update" if before else "create", route, before), ringing.desk)
    ringing.desk.carry_out(changes, route)
    return ringing.desk.held[f"Endpoint/{route['id']}"]


async def called(handler: Any, ringing: ARinging, target: Stored | None = None, **values: Any) -> dict[str, Any]:
    given = [{"name": name, **value} for name, value in values.items()]
    changes = await handler(Call({"resourceType": "Parameters", "parameter": given}, target), ringing.desk)
    ringing.carry_out(changes)
    return {one["name"]: value for one in changes.answer["parameter"] for key, value in one.items() if key != "name"}


async def test_an_address_that_is_a_key_is_never_stored_in_the_clear() -> None:
    ringing = ARinging()
    stored = await saved(ringing, a_robot())
    assert stored.resource["address"] == "wecombot:********4711"
    assert "KEY-of-the-ward" not in json.dumps(stored.resource)
    assert line_of(stored.resource, ringing.desk.vault).address == ADDRESS


async def test_whoever_sends_back_what_he_read_changes_no_address() -> None:
    ringing = ARinging()
    stored = await saved(ringing, a_robot(header=["X-Ward: seven"]))
    assert stored.resource["header"] == ["X-Ward: ********"]
    again = await saved(ringing, {**stored.resource, "status": "suspended"})
    line = line_of(again.resource, ringing.desk.vault)
    assert (line.address, line.headers) == (ADDRESS, {"X-Ward": "seven"})
    moved = await saved(ringing, {**again.resource, "address": "wecombot://another-key-0123456789-99"})
    assert line_of(moved.resource, ringing.desk.vault).address == "wecombot://another-key-0123456789-99"


async def test_a_mask_that_stands_for_nothing_is_refused() -> None:
    """Neither a new route nor one moved to another channel has anything behind the stars."""
    ringing = ARinging()
    with pytest.raises(FhirError) as refused:
        await saved(ringing, {**a_robot(), "address": shown(ADDRESS)})
    assert {issue.detail for issue in refused.value.issues} == {"critical.address-not-kept"}
    stored = await saved(ringing, a_robot())
    with pytest.raises(FhirError):
        await saved(ringing, {**stored.resource, "connectionType": {"system": CHANNEL, "code": "dingtalk"}})


async def test_what_another_route_keeps_cannot_be_carried_over() -> None:
    ringing = ARinging()
    stored = await saved(ringing, a_robot())
    thief = a_route("ward-duty", "thief.test", extension=stored.resource["extension"])
    taken = await saved(ringing, thief)
    assert not any(one["url"] == KEPT for one in taken.resource["extension"])
    assert line_of(taken.resource, ringing.desk.vault).address == "https://thief.test/ring"


@pytest.mark.parametrize("header", ["Host: elsewhere", "Idempotency-Key: mine", "no colon"])
async def test_a_header_that_is_none_of_his_is_refused_where_it_stands(header: str) -> None:
    with pytest.raises(FhirError) as refused:
        await saved(ARinging(), a_robot(header=[header]))
    assert refused.value.issues[0].at == "Endpoint.header[0]"


async def test_a_webhook_is_signed_by_the_secret_that_was_told_once_and_for_a_while_by_the_one_before() -> None:
    ringing = ARinging(*a_department())
    route = await saved(ringing, a_route("Location/o-ward", "ward.test"))
    first = (await called(secret_rotated, ringing, route))["secret"]
    route = ringing.desk.held["Endpoint/k-ward.test"]
    second = await called(secret_rotated, ringing, route, overlapHours={"valueInteger": 1})
    assert "previousUntil" in second
    stored = await saved(ringing, {**ringing.desk.held["Endpoint/k-ward.test"].resource})
    assert first not in json.dumps(stored.resource) and second["secret"] not in json.dumps(stored.resource)

    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    message = next(heard for heard in ringing.receivers.heard if heard.host == "ward.test")
    time, *macs = message.headers["slipring-signature"].split(",")
    body = json.dumps(message.body, ensure_ascii=False, separators=(",", ":")).encode()
    for secret, mac in zip((second["secret"], first), macs, strict=True):
        expected = hmac.new(secret.encode(), f"{time[2:]}.".encode() + body, hashlib.sha256).hexdigest()
        assert mac == f"v1={expected}"


async def test_only_a_webhook_has_a_secret_and_only_for_so_long() -> None:
    ringing = ARinging()
    with pytest.raises(FhirError) as refused:
        await called(secret_rotated, ringing, await saved(ringing, a_robot()))
    assert refused.value.issues[0].detail == "critical.route-not-signed"
    route = await saved(ringing, a_route("ward-duty", "duty.test"))
    with pytest.raises(FhirError) as refused:
        await called(secret_rotated, ringing, route, overlapHours={"valueInteger": 10_000})
    assert refused.value.issues[0].detail == "critical.overlap-hours"


async def test_a_preview_shows_the_words_of_a_medium_and_knows_its_limit() -> None:
    ringing = ARinging(
        settings=CriticalSettings(public_url="https://ris.department-of-radiology.people-hospital.test/fhir")
    )
    sms = await called(preview, ringing, medium={"valueCode": "sms"}, language={"valueCode": "en"})
    assert sms["message"].startswith("Critical finding waits http") and sms["messageLength"] == len(sms["message"])
    assert sms["messageLength"] <= sms["limit"] == 134
    mail = await called(preview, ringing, medium={"valueCode": "email"})
    assert mail["message"].startswith("有一条危急值等待您确认")
    for asked, detail in (
        ({"medium": {"valueCode": "pigeon"}}, "critical.unknown-medium"),
        ({"medium": {"valueCode": "sms"}, "language": {"valueCode": "la"}}, "critical.unknown-language"),
    ):
        with pytest.raises(FhirError) as refused:
            await called(preview, ringing, **asked)
        assert refused.value.issues[0].detail == detail


async def test_a_browser_is_given_the_same_key_each_time(tmp_path: Path) -> None:
    ringing = ARinging()
    ringing.desk.settings = replace(ringing.desk.settings, data_dir=tmp_path)
    first = await called(application_server_key, ringing)
    assert len(first["key"]) == 87 and first == await called(application_server_key, ringing)

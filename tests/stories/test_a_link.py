"""The link of a message: looking does nothing, it is good once, and what is wrong with it never silences the case."""

from __future__ import annotations

import pytest
from slipring.fhir.caller import itself
from slipring_critical.cases.facts import case_facts
from slipring_critical.settings import CriticalSettings

from tests.support.one_case import OTHER, RIGHT, events, flag, rung, signed_in
from tests.support.ringing import ARinging, a_department, a_doctor, refused

pytestmark = pytest.mark.clause("5.9.1")


def link_of(ringing: ARinging, number: int = 0) -> str:
    return str(ringing.receivers.heard[number].body["link"]).rpartition("/a/")[2]


async def test_a_link_tells_nothing_and_is_another_one_in_every_message() -> None:
    ringing = await rung()
    await ringing.wait(3)

    links = [heard.body["link"] for heard in ringing.receivers.heard]

    assert len(set(links)) == len(links) == 5
    assert all(len(link.rpartition("/a/")[2]) == 22 for link in links)
    kept = str([stored.resource for stored in ringing.desk.held.values()])
    assert not any(link.rpartition("/a/")[2] in kept for link in links), "nobody opens a link by reading the record"


async def test_an_identified_receiver_is_shown_the_case_once_and_it_rings_on() -> None:
    ringing = await rung()

    await ringing.call("open-link", signed_in("requester"), link=link_of(ringing))

    assert (ringing.state, events(ringing.case)[-1]) == ("delivered", "shown")
    error = await refused(ringing.call("open-link", signed_in("duty"), link=link_of(ringing)))
    assert (error.status, error.issues[0].detail) == (409, "critical.link-used")
    await ringing.wait(3)
    assert len(ringing.rung) == 5
    await ringing.call("open-link", signed_in("duty"), link=link_of(ringing, 4))
    await ringing.call("acknowledge", signed_in("duty"), **{**RIGHT, "medium": "page"})
    assert ringing.state == "read-back-confirmed"


async def test_a_receiver_without_authority_is_kept_as_reached_and_shown_nothing() -> None:
    ringing = await rung()

    error = await refused(ringing.call("open-link", signed_in("porter"), link=link_of(ringing)))
    assert error.status == 403
    told = await refused(ringing.call("told", signed_in("porter")))

    assert told.status == 403
    last = case_facts(ringing.case).events[-1]
    assert (last.what, last.who, ringing.state) == ("reached-not-authorised", "Practitioner/o-porter", "notifying")
    await ringing.wait(3)
    assert len(ringing.rung) == 5


async def test_a_link_is_opened_by_a_person_and_a_made_up_one_is_none() -> None:
    ringing = await rung()

    assert (await refused(ringing.call("open-link", itself("his"), link=link_of(ringing)))).status == 403
    assert (await refused(ringing.call("open-link", signed_in("requester"), link="A" * 22))).status == 404
    assert (await refused(ringing.call("is-link", link=""))).status == 404


async def test_a_link_that_ended_after_wrong_pins_rings_the_next_step_at_once_under_new_ones() -> None:
    ringing = await rung()

    await ringing.call("end-link", itself("pages"), link=link_of(ringing))
    await ringing.settle()

    assert ringing.rung[2:] == ["requester.test", "ward.test", "duty.test"]
    assert (await refused(ringing.call("is-link", link=link_of(ringing)))).status == 409
    await ringing.call("open-link", signed_in("duty"), link=link_of(ringing, 4))
    assert ringing.state == "delivered"
    assert ringing.silent_cases() == []


async def test_whoever_opens_one_call_is_told_every_finding_of_the_exam() -> None:
    ringing = await rung()
    await flag(ringing, "2", OTHER)

    answer = await ringing.call("told", signed_in("requester"), on=ringing.of("CV-CT-07"))

    findings = [one["part"] for one in answer["parameter"] if one["name"] == "finding"]
    assert len(findings) == 2
    for parts in findings:
        finding = next(part["valueString"] for part in parts if part["name"] == "finding")
        choices = [part["part"][0]["valueString"] for part in parts if part["name"] == "choice"]
        assert len(set(choices)) == 5 and finding in choices


async def test_a_role_lasts_as_long_as_the_departments_own_last_day() -> None:
    """At noon in China the day before is not over yet in New York."""
    for zone, may in (("America/New_York", True), ("Asia/Shanghai", False)):
        kept = [one for one in a_department() if one["id"] != "o-duty-role"]
        role = {**a_doctor("duty")[1], "period": {"end": "2026-03-01"}}
        ringing = ARinging(*kept, role, settings=CriticalSettings(time_zone=zone))
        await flag(ringing)
        answer = ringing.call("acknowledge", signed_in("duty"), **RIGHT)
        assert (await answer) if may else (await refused(answer)).status == 403

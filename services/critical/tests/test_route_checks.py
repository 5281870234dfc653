"""A contact route is proven by a code said back, tested ever after, and rings all the same while it is not."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.caller import itself
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Resource
from slipring_critical.directory.proving import check_of, rhythm, state_of
from slipring_critical.handlers import asking
from slipring_critical.ringing.checking import due_key
from slipring_critical.service import SERVICE

from tests.support.alerting import in_person
from tests.support.on_call import ADirectory, a_roster
from tests.support.ringing import a_finding, a_handover, a_route

ROUTE = "Endpoint/k-dora.test"
DAY = 24 * 60


def a_new_route(host: str = "dora.test", **members: Any) -> Resource:
    return a_route("Practitioner/o-dora", host, id="k-dora.test", **members)


async def registered(*more: Resource) -> ADirectory:
    department = ADirectory(*more)
    await department.written(a_new_route())
    return department


async def said(department: ADirectory, name: str, by: str = "dora", on: str = ROUTE, **values: str) -> Resource:
    """Invoke an operation on the route; what a refusal stores is stored, then it is raised."""
    operation = next(one for one in SERVICE.operations if (one.type, one.name) == ("Endpoint", name))
    given = [{"name": key, "valueString": value} for key, value in values.items()]
    department.desk.caller = in_person(by) if by else itself("his")
    call = Call({"resourceType": "Parameters", "parameter": given}, department.desk.held.get(on))
    changes = await operation.handler(call, department.desk)
    department.carry_out(changes)
    if changes.refuse:
        raise changes.refuse
    await department.settle()
    return changes.answer or {}


async def refused(department: ADirectory, name: str, **values: str) -> str:
    with pytest.raises(FhirError) as error:
        await said(department, name, **values)
    assert all(issue.zh and issue.en for issue in error.value.issues)
    return str(error.value.issues[0].detail)


def messages(department: ADirectory, host: str = "dora.test") -> list[dict[str, Any]]:
    return [one.body for one in department.receivers.heard if one.host == host]


def state(department: ADirectory) -> str:
    route = department.desk.held[ROUTE].resource
    return state_of(route, department.desk.now, rhythm())


def tasks(department: ADirectory, status: str = "requested") -> list[str]:
    every = [one.resource for one in department.desk.held.values() if one.resource["resourceType"] == "Task"]
    return [
        one["statusReason"]["coding"][0]["code"]
        for one in every
        if one["code"]["coding"][0]["code"] == "route-check" and one["status"] == status
    ]


@pytest.mark.clause("5.9.1")
async def test_a_new_route_is_sent_a_code_and_is_proven_when_its_owner_says_it_back() -> None:
    department = await registered()
    [message] = messages(department)
    assert state(department) == "unverified", "a client that says it is verified is not heard"
    assert message["check"] == ROUTE and message["code"] in message["text"]["zh"] and "case" not in message
    assert "没有危急值" in message["text"]["zh"] and message["link"].endswith("/alerts/roster/routes")
    assert message["code"] not in str(department.desk.held[ROUTE].resource), "what is kept is a digest, locked"

    await said(department, "confirm", code=f" {message['code'][:3]} {message['code'][3:]}")
    assert state(department) == "verified"
    assert await refused(department, "confirm", code=message["code"]) == "critical.route-code-over"


async def test_a_wrong_code_costs_a_try_and_after_the_last_the_right_one_is_not_heard() -> None:
    department = await registered()
    right = messages(department)[0]["code"]
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for _ in range(rhythm().tries):
        assert await refused(department, "confirm", code=wrong) == "critical.route-code-wrong"
    assert await refused(department, "confirm", code=right) == "critical.route-code-over"
    assert await refused(department, "send-code") == "critical.route-code-just-sent"
    await department.wait(2)
    await said(department, "send-code")
    assert await refused(department, "confirm", code=right) == "critical.route-code-wrong"
    wide = (chr(ord(digit) + 0xFEE0) for digit in messages(department)[1]["code"])  # as a Chinese keyboard writes them
    await said(department, "confirm", code="".join(wide))
    assert state(department) == "verified"


async def test_a_code_is_good_for_a_day_and_nobody_else_says_it() -> None:
    department = await registered()
    code = messages(department)[0]["code"]
    assert await refused(department, "confirm", by="anne", code=code) == "critical.route-not-yours"
    assert await refused(department, "confirm", by="keeper", code=code) == "critical.route-not-yours"
    await department.wait(DAY + 1)
    assert await refused(department, "confirm", code=code) == "critical.route-code-over"
    assert tasks(department) == ["unverified"], "nobody has proven it, which is told"


async def test_an_office_route_is_proven_by_whoever_keeps_the_directory_or_by_its_system() -> None:
    for by in ("keeper", ""):
        department = ADirectory()
        await department.written({**a_new_route(), "extension": a_route("ward-duty", "x.test")["extension"]})
        assert await refused(department, "confirm", by="anne", code="1") == "critical.route-not-yours"
        await said(department, "confirm", by=by, code=messages(department)[0]["code"])
        assert state(department) == "verified"


@pytest.mark.clause("5.9.1")
async def test_an_unproven_route_rings_all_the_same_and_counts_as_a_gap() -> None:
    department = await registered()
    await department.written(a_roster("dora", first="2026-03-01"))
    assert {reason for reason, _, _ in department.gaps} == {"not-verified"}
    told = await department.asked(asking.who_is_rung, level="1")
    assert "not-verified" in str(told) and "unverified" in str(told)
    await department.arrive(a_handover())
    await department.arrive(a_finding())
    await department.wait(4)
    assert "case" in messages(department)[-1], "it rings"

    await said(department, "confirm", code=messages(department)[0]["code"])
    assert department.gaps == []


async def test_a_new_address_is_proven_anew_and_anything_else_is_not() -> None:
    department = await registered()
    await said(department, "confirm", code=messages(department)[0]["code"])
    kept = department.desk.held[ROUTE].resource
    await department.written({**kept, "name": "my telephone"})
    assert state(department) == "verified" and len(messages(department)) == 1
    await department.written({**kept, "extension": kept["extension"][:1], "status": "off"})
    assert due_key(ROUTE) not in department.armed
    await department.written({**kept, "extension": kept["extension"][:1]})
    assert state(department) == "verified" and due_key(ROUTE) in department.armed

    await department.written({**kept, "address": "https://elsewhere.test/ring"})
    assert state(department) == "unverified"
    assert [one["check"] for one in messages(department, "elsewhere.test")] == [ROUTE]


@pytest.mark.clause("5.9.1")
async def test_a_route_is_tested_every_quarter_and_one_tap_answers() -> None:
    department = await registered()
    first = messages(department)[0]["code"]
    assert await refused(department, "answer-test", by="", link=first) == "critical.route-code-needed"
    await said(department, "confirm", code=first)
    await department.wait(89 * DAY)
    assert len(messages(department)) == 1
    await department.wait(DAY)
    test = messages(department)[1]
    assert "定期测试" in test["text"]["zh"] and "Test" in test["text"]["en"] and state(department) == "verified"
    front, endpoint, secret = test["link"].rsplit("/", 2)
    assert (front.rpartition("/")[2], endpoint) == ("r", "k-dora.test")
    await said(department, "answer-test", by="", link=secret)
    await department.wait(2 * DAY)
    assert state(department) == "verified" and tasks(department) == []
    await department.wait(88 * DAY)
    assert len(messages(department)) == 3


@pytest.mark.clause("5.9.1")
async def test_a_test_that_nobody_answers_is_overdue_told_once_asked_again_after_a_week_and_settled_by_an_answer() -> (
    None
):
    department = await registered()
    await said(department, "confirm", code=messages(department)[0]["code"])
    await department.wait(92 * DAY)
    assert (state(department), tasks(department)) == ("overdue", ["overdue"])
    await department.wait(5 * DAY)
    assert len(messages(department)) == 2
    await department.wait(DAY + 60)
    assert len(messages(department)) == 3
    assert (state(department), tasks(department)) == ("overdue", ["overdue"]), "until somebody answers"
    await said(department, "confirm", code=messages(department)[2]["code"])
    assert (tasks(department), tasks(department, "completed")) == ([], ["overdue"])


async def test_a_route_that_takes_no_message_is_failing_at_once_and_stays_so_until_one_arrives() -> None:
    department = ADirectory()
    department.receivers.answers["dora.test"] = 404
    await department.written(a_new_route())
    assert (state(department), tasks(department)) == ("failing", ["failing"])
    assert check_of(department.desk.held[ROUTE].resource).failed == "http-404"
    department.receivers.answers.clear()
    await department.wait(2)
    await said(department, "send-code")
    assert state(department) == "unverified"
    await said(department, "confirm", code=messages(department)[-1]["code"])
    assert (state(department), tasks(department)) == ("verified", [])


async def test_a_provider_that_is_away_for_an_hour_gets_the_same_code_under_the_same_attempt() -> None:
    department = ADirectory()
    department.receivers.answers["dora.test"] = 503
    await department.written(a_new_route())
    await department.wait(60)
    assert tasks(department) == []
    department.receivers.answers.clear()
    await department.wait(60)
    assert len({(one["code"], one["attempt"]) for one in messages(department)}) == 1
    await said(department, "confirm", code=messages(department)[-1]["code"])
    assert state(department) == "verified"


async def test_routes_are_written_by_whoever_keeps_the_directory() -> None:
    department = await registered()
    with pytest.raises(FhirError) as error:
        await department.written({**department.desk.held[ROUTE].resource, "status": "off"}, by="anne")
    assert (error.value.status, error.value.issues[0].detail) == (403, "critical.roster-keeper")


async def test_who_sees_which_routes() -> None:
    department = await registered()

    async def seen(by: str, **values: bool) -> list[str]:
        told = await department.asked(next(o.handler for o in SERVICE.operations if o.name == "routes"), by, **values)
        if told["parameter"][0]["name"] == "outcome":
            return [one["diagnostics"] for one in told["parameter"][0]["resource"]["issue"]]
        return [one["part"][0]["valueReference"]["reference"] for one in told["parameter"]]

    assert await seen("dora") == [ROUTE]
    assert len(await seen("keeper", all=True)) > 5 and "to this person" in (await seen("keeper"))[0]
    assert len(await seen("", all=True)) > 5 and "is no person" in (await seen(""))[0]
    with pytest.raises(FhirError) as error:
        await seen("dora", all=True)
    assert error.value.issues[0].detail == "critical.routes-keeper"

"""Ladders end at a staffed desk; without one nothing is refused, and everybody is told that the end is open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Resource
from slipring.watch.verdict import Status, graded
from slipring_critical.directory.alarms import raised, settled
from slipring_critical.directory.desk import desk_looked
from slipring_critical.handlers import swapping
from slipring_critical.service import SERVICE
from slipring_critical.settings import CriticalSettings

from tests.support.desk import ADesk
from tests.support.on_call import ADirectory, a_roster, a_shift, on_call, refusal
from tests.support.ringing import a_doctor, a_finding, a_handover, a_route


def a_hospital(fallback: str = "", **members: Any) -> ADirectory:
    """Not a demo."""
    department = ADirectory()
    department.desk.settings = CriticalSettings(fallback_route=fallback, endpoints=EndpointPolicy(), **members)
    return department


def a_desk(**members: Any) -> Resource:
    return a_route("fallback", "desk.test", **members)


async def begun(department: ADirectory) -> None:
    department.carry_out(await desk_looked(department.desk))


def told(department: ADirectory) -> bool:
    task = department.desk.held.get("Task/k-staffed-desk")
    return task is not None and task.resource["status"] == "requested"


@pytest.mark.clause("5.9.1")
async def test_without_a_staffed_desk_a_finding_rings_and_the_open_end_is_an_alarm_that_fails() -> None:
    department = a_hospital()
    await begun(department)
    await begun(department)
    assert told(department)
    await department.arrive(a_handover())
    await department.arrive(a_finding())
    assert department.rung == ["requester.test", "ward.test"], "nothing is refused and nothing waits for it"
    assert graded("alarm:count", "staffed_desk_missing", 1).status == Status.FAIL
    assert SERVICE.alarms["staffed_desk_missing"] == "Task?code=staffed-desk&status=requested"


@pytest.mark.clause("5.9.1")
async def test_the_desks_own_route_settles_it_ends_the_ladder_and_is_missed_when_it_goes() -> None:
    department = a_hospital()
    await begun(department)
    await department.written(a_desk())
    assert not told(department)
    await department.arrive(a_handover())
    await department.arrive(a_finding())
    await department.wait(16)
    assert [host for host in department.rung if host != "requester.test"][-2:] == ["affairs.test", "desk.test"]
    await department.written(a_desk(id="k-second"))
    await department.written(a_desk(status="off"))
    assert not told(department), "another is left"
    await department.written(a_desk(id="k-second"), "delete")
    assert told(department)


async def test_the_route_of_the_settings_is_one_and_a_demo_needs_none() -> None:
    for department in (a_hospital("https://desk.test/ring"), ADirectory()):
        await begun(department)
        assert not told(department)


@pytest.mark.clause("5.9.1")
async def test_who_may_not_receive_is_put_on_no_roster_no_shift_and_no_swap() -> None:
    department = ADirectory(*a_doctor("porter", may_receive=False), a_route("Practitioner/o-porter", "porter.test"))
    found = await refusal(department.written(a_roster("anne", "porter")))
    assert found == [("critical.roster-may-not-receive", "Schedule.actor[1]")]
    await department.written(a_roster("anne", "bob"))
    hours = ("2026-03-02T10:00:00Z", "2026-03-02T12:00:00Z")
    found = await refusal(department.written(a_shift("porter", *hours)))
    assert found == [("critical.roster-may-not-receive", "Slot.extension")]
    with pytest.raises(FhirError) as refused:
        await department.asked(
            swapping.swap_asked, "anne", roster={"reference": "Schedule/k-roster"}, at=hours[0], with_=on_call("porter")
        )
    assert refused.value.issues[0].detail == "critical.swap-may-not-receive"


async def test_an_alarm_says_since_when_it_stands() -> None:
    desk = ADesk(letter="k")

    def says(about: str) -> str:
        task = next(iter(desk.held.values()), None)
        desk.carry_out(Changes(save=raised(task, {"description": about}, desk)))
        desk.now += timedelta(hours=1)
        return str(next(iter(desk.held.values())).resource["authoredOn"])

    first = says("one")
    assert (says("one"), says("two")) == (first, first)
    [task] = desk.held.values()
    assert task.version == 2, "what is said already is not said again"
    desk.carry_out(Changes(save=settled(task, desk)))
    assert says("two") > first

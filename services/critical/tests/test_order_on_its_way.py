"""A finding that comes before its order, as after an outage: its requester is rung all the same, and nobody waits long."""

from __future__ import annotations

from datetime import timedelta

from tests.support.ringing import ARinging, a_department, a_finding, a_handover, a_request


async def flagged(behind: timedelta) -> ARinging:
    """Everybody is known, the order is not here, and order's copies were complete so long before the finding came."""
    ringing = ARinging(*a_department())
    del ringing.desk.held["ServiceRequest/o-ct"]
    ringing.desk._as_of = {"order": ringing.desk.now - behind}
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    return ringing


async def test_the_case_waits_for_an_order_that_is_on_its_way_and_rings_its_requester_first() -> None:
    ringing = await flagged(timedelta(seconds=5))
    await ringing.wait(minutes=2 / 60)
    assert not ringing.cases
    ringing.desk.hold(a_request(), source="order")
    await ringing.wait(minutes=1 / 60)
    assert ringing.rung[0] == "requester.test"


async def test_an_order_that_does_not_come_is_not_waited_for_long() -> None:
    ringing = await flagged(timedelta(seconds=5))
    await ringing.wait(minutes=11 / 60)
    assert "duty.test" in ringing.rung


async def test_an_order_that_nobody_keeps_is_not_waited_for() -> None:
    ringing = await flagged(timedelta(0))
    assert "duty.test" in ringing.rung

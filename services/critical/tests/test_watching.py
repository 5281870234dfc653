"""An open case that lost its deadline goes on from where it stood."""

from __future__ import annotations

import pytest
from slipring.fhir.service import Due
from slipring_critical.cases.facts import case_facts
from slipring_critical.ringing.climbing import DEADLINE_MISSING
from slipring_critical.service import SERVICE

from tests.support.ringing import ARinging, a_department, a_finding, a_handover


async def a_case() -> ARinging:
    ringing = ARinging(*a_department())
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    return ringing


async def found_without(ringing: ARinging) -> None:
    """Every timer of the case is gone, and the watchdog looks."""
    ringing.armed.clear()
    subject = f"Task/{ringing.case['id']}"
    due = Due(DEADLINE_MISSING, subject, f"watchdog:{subject}", ringing.desk.now, {})
    ringing.carry_out(await SERVICE.timers[DEADLINE_MISSING](due, ringing.desk))
    await ringing.settle()


@pytest.mark.clause("5.9.1")
async def test_a_ringing_case_gets_its_deadline_back_and_no_step_is_left_out_or_comes_twice() -> None:
    ringing = await a_case()
    await ringing.wait(2)
    await found_without(ringing)
    assert len(ringing.rung) == 2, "the step that runs still has a minute"
    await ringing.wait(1)
    assert ringing.rung[2:] == ["requester.test", "ward.test", "duty.test"]
    assert [event.what for event in case_facts(ringing.case).events].count("deadline-missing") == 1


async def test_a_case_whose_time_was_over_meanwhile_rings_at_once() -> None:
    ringing = await a_case()
    ringing.armed.clear()
    await ringing.wait(30)
    await found_without(ringing)
    assert "duty.test" in ringing.rung
    assert ringing.silent_cases() == []


async def test_an_answered_case_has_what_is_left_of_the_time_to_act() -> None:
    ringing = await a_case()
    receiver = {"reference": "Practitioner/o-requester"}
    await ringing.call("acknowledge", receiver=receiver, patientCheck="0123", finding="CV-CT-07", medium="phone")
    await ringing.wait(50)
    await found_without(ringing)
    assert ringing.state == "read-back-confirmed"
    await ringing.wait(10)
    assert ringing.state == "reopened"
    assert SERVICE.repairs["open-case"] == DEADLINE_MISSING

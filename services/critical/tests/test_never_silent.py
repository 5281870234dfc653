"""The promise as a property: whatever happens in whatever order, an open case has a deadline ahead of it."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slipring.fhir.outcome import FhirError
from slipring_critical.cases.facts import case_facts

from tests.support.ringing import FINDING, ARinging, a_department, a_finding, a_handover

HOSTS = ("requester.test", "ward.test", "duty.test", "head.test", "affairs.test")
HAPPENINGS = st.one_of(
    st.tuples(st.just("wait"), st.floats(0, 90)),
    st.tuples(st.just("arrive"), st.sampled_from(["finding", "handover"])),
    st.tuples(st.just("answers"), st.tuples(st.sampled_from(HOSTS), st.sampled_from([0, 200, 404, 503]))),
    st.tuples(st.just("withdraw"), st.sampled_from(HOSTS)),
    st.tuples(st.just("acknowledge"), st.sampled_from(["right", "wrong", "porter"])),
    st.tuples(st.just("act"), st.just("drain")),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(HAPPENINGS, max_size=12))
def test_an_open_case_always_has_a_deadline_and_an_answered_one_is_quiet(happenings: list[tuple[str, Any]]) -> None:
    asyncio.run(_live_through(happenings))


async def _live_through(happenings: list[tuple[str, Any]]) -> None:
    ringing = ARinging(*a_department())
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    for what, detail in happenings:
        before = len(ringing.rung)
        quiet = ringing.state in ("closed", "read-back-confirmed")
        await _happen(ringing, what, detail)
        assert ringing.silent_cases() == []
        assert len(ringing.cases) == 1
        if quiet and ringing.state in ("closed", "read-back-confirmed"):
            assert len(ringing.rung) == before, "it rang although somebody has it"
        if ringing.state == "closed":
            assert ringing.armed == {}
        _climbs(ringing)


async def _happen(ringing: ARinging, what: str, detail: Any) -> None:
    if what == "wait":
        await ringing.wait(detail)
    elif what == "arrive":
        await ringing.arrive(a_finding() if detail == "finding" else a_handover())
    elif what == "answers":
        ringing.receivers.answers[detail[0]] = detail[1]
    elif what == "withdraw":
        endpoint = ringing.desk.held[f"Endpoint/k-{detail}"].resource
        ringing.desk.hold({**endpoint, "status": "off"})
    else:
        try:
            await _say(ringing, what, detail)
        except FhirError:
            await ringing.settle()


async def _say(ringing: ARinging, what: str, detail: str) -> None:
    if what == "act":
        await ringing.call("act", action={"text": detail})
        return
    who = "o-porter" if detail == "porter" else "o-requester"
    tail = "9999" if detail == "wrong" else "0123"
    receiver = {"reference": f"Practitioner/{who}"}
    await ringing.call("acknowledge", receiver=receiver, patientCheck=tail, finding=FINDING, medium="webhook")


def _climbs(ringing: ARinging) -> None:
    """No step is skipped and the ladder never goes down."""
    facts = case_facts(ringing.case)
    steps = [(taken.round - 1) * len(facts.policy.rungs) + taken.number for taken in facts.history]
    assert steps == list(range(1, len(steps) + 1))

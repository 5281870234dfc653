"""A message that was about to leave when somebody answered does not leave."""

from __future__ import annotations

from slipring.fhir.service import Changes, Errand
from slipring_critical.ringing.climbing import SEND
from slipring_critical.service import SERVICE

from tests.support.ringing import ARinging, a_department, a_finding, a_handover


async def test_what_is_disarmed_between_the_look_at_its_case_and_the_first_byte_is_not_sent() -> None:
    ringing = ARinging(*a_department())
    ringing.receivers.answers["requester.test"] = 503
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    heard = len(ringing.rung)
    assert not (await _tried_again(ringing, stands=True)).nothing
    assert len(ringing.rung) == heard + 1
    assert (await _tried_again(ringing, stands=False)).nothing
    assert len(ringing.rung) == heard + 1


async def _tried_again(ringing: ARinging, *, stands: bool) -> Changes:
    async def still() -> bool:
        return stands

    key, armed = next((key, one) for key, one in ringing.armed.items() if key.startswith("send:"))
    wake = armed.wake
    ringing._set_clock(armed.due_at)
    errand = Errand(wake.name, wake.subject, key, armed.attempt_id, True, 2, wake.payload, stands=still)
    return await SERVICE.errands[SEND](errand, ringing.desk, ringing._client)

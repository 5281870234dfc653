"""A provider that does not work: the same target is rung by his next channel at once, and by the first again as long as it may."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from slipring.fhir.service import Due
from slipring_critical.cases.facts import CHANNEL, case_facts
from slipring_critical.channels.media import media
from slipring_critical.ladders.choosing import shipped_ladders
from slipring_critical.service import SERVICE

from tests.support.alerting import a_ladder, a_step
from tests.support.ringing import ARinging, a_department, a_finding, a_handover, a_request, a_route, a_stay

# A ladder of webhooks alone, and a second way to the requester, of a channel that it does not name.
WEBHOOKS = a_ladder(a_step("requester", "ward"), a_step("ward-duty"), a_step("fallback"), status="active")
FHIR = {"system": CHANNEL, "code": "fhir"}


async def rung_with(*more: Any, **answers: int) -> ARinging:
    ringing = ARinging(*a_department(), *more)
    ringing.receivers.answers.update({f"{host}.test": status for host, status in answers.items()})
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    return ringing


def a_server(owner: str, host: str) -> Any:
    return a_route(owner, host, connectionType=FHIR)


def events(ringing: ARinging) -> list[str]:
    return [event.what for event in case_facts(ringing.case).events]


def attempts(ringing: ARinging) -> list[Any]:
    return [s.resource for s in ringing.desk.held.values() if s.resource["resourceType"] == "Communication"]


async def test_the_next_channel_of_the_same_target_rings_at_once_and_the_ladder_stays_where_it_is() -> None:
    ringing = await rung_with(WEBHOOKS, a_server("Practitioner/o-requester", "his.test"), requester=503)
    assert ringing.rung == ["requester.test", "ward.test", "his.test"]
    assert events(ringing) == ["opened", "step", "next-channel"]
    assert [heard.at for heard in ringing.receivers.heard] == [ringing.desk.now] * 3


async def test_a_target_that_one_route_reaches_is_not_rung_by_others() -> None:
    ringing = await rung_with(WEBHOOKS, a_server("Practitioner/o-requester", "his.test"))
    assert ringing.rung == ["requester.test", "ward.test"]


async def test_the_shipped_ladder_rings_by_everything_that_somebody_has() -> None:
    ringing = await rung_with(a_server("Practitioner/o-requester", "his.test"))
    assert sorted(ringing.rung) == ["his.test", "requester.test", "ward.test"]


def test_the_shipped_ladders_name_channels_that_ring_and_nobody_is_telephoned_for_what_has_days() -> None:
    ringing = {medium.code for medium in media().values() if medium.rings}
    named = {one.ladder.level: {by for rung in one.ladder.rungs for by in rung.channels} for one in shipped_ladders()}
    assert named["1"] == named["2"] == ringing
    assert ringing - named["3"] == {"sms", "voice"}


async def test_a_target_without_a_route_of_the_ladders_channels_is_rung_by_what_he_has() -> None:
    ringing = ARinging(WEBHOOKS, a_request(), a_stay(), a_server("Practitioner/o-requester", "his.test"))
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    assert ringing.rung == ["his.test"]
    assert "no-route" in events(ringing), "the ward has none at all"


async def test_when_no_channel_of_anybody_works_the_next_step_rings_at_once() -> None:
    ringing = await rung_with(a_server("Practitioner/o-requester", "his.test"), requester=503, ward=503, his=503)
    assert "duty.test" in ringing.rung
    assert "step-failed" in events(ringing)


async def test_a_failed_try_is_on_record_and_repeated_as_long_as_its_step_lasts() -> None:
    """Same attempt id, said to be a repeat, each time after a longer wait; over with the step."""
    ringing = await rung_with(requester=503)
    [failing] = [one for one in attempts(ringing) if one["status"] == "preparation"]
    assert failing["statusReason"]["text"] == "http-503"
    await ringing.wait(2.9)
    tries = [heard for heard in ringing.receivers.heard if heard.host == "requester.test"]
    waits = [(later.at - sooner.at).total_seconds() for sooner, later in pairwise(tries)]
    assert waits[:2] == [2, 4] and min(waits[2:]) >= 20, "after three failures it is given a rest"
    assert len({heard.headers["idempotency-key"] for heard in tries}) == 1
    assert [heard.headers["slipring-repeat"] for heard in tries][:2] == ["false", "true"]
    ringing.receivers.answers.clear()
    await ringing.wait(0.5)
    sent = next(one for one in attempts(ringing) if one["id"] == failing["id"])
    assert (sent["status"], "statusReason" in sent) in {("completed", False), ("stopped", True)}


async def test_a_finding_that_left_its_message_to_another_of_the_exam_looks_for_itself_when_that_fails() -> None:
    """One call for two findings: when it fails, both are without one."""
    ringing = await rung_with()
    ringing.receivers.answers.update({f"{host}.test": 503 for host in ("requester", "ward")})
    await ringing.wait(3)  # the second step rings the same routes, which have failed by now
    ringing.receivers.answers.clear()
    ringing.receivers.heard.clear()
    await ringing.arrive(a_handover("r-second", focus={"reference": "Observation/r-other"}))
    await ringing.arrive(a_finding("CV-CT-06", id="r-other"))
    assert {"requester.test", "ward.test"} <= set(ringing.rung), "a call that does not get through is none to share"


async def test_a_provider_that_is_down_is_not_asked_by_lower_levels_and_their_next_channel_rings() -> None:
    level = {"coding": [{"system": "https://slipring.example/fhir/CodeSystem/finding-level", "code": "3"}]}
    ringing = ARinging(*a_department(), a_server("Practitioner/o-requester", "his.test"))
    ringing.receivers.answers["requester.test"] = 503
    for number in range(5):
        ringing.desk.hold(a_request(id=f"o-{number}"))
        finding = a_finding(
            id=f"r-{number}", basedOn=[{"reference": f"ServiceRequest/o-{number}"}],
            component=[{"code": {"text": "level"}, "valueCodeableConcept": level}],
        )  # fmt: skip
        await ringing.arrive(a_handover(f"r-h{number}", focus={"reference": f"Observation/r-{number}"}))
        await ringing.arrive(finding)
    assert ringing.rung.count("requester.test") == 3
    assert ringing.rung.count("his.test") == 5
    assert ringing.desk.settings.providers.down() == {"webhook requester.test:443": 3}


async def test_an_answer_ends_the_tries_at_once() -> None:
    ringing = await rung_with(requester=503)
    receiver = {"reference": "Practitioner/o-requester"}
    await ringing.call("acknowledge", receiver=receiver, patientCheck="0123", finding="CV-CT-07", medium="phone")
    before = len(ringing.receivers.heard)
    await ringing.wait(50)
    assert len(ringing.receivers.heard) == before
    stopped = [one["statusReason"]["text"] for one in attempts(ringing) if one["status"] == "stopped"]
    assert stopped == ["answered"]


async def test_whoever_has_it_and_cannot_be_rung_any_more_is_not_the_only_one() -> None:
    """Acknowledged, then silence, and his route is dead: everyone of the ladder is rung, once."""
    ringing = await rung_with()
    receiver = {"reference": "Practitioner/o-requester"}
    await ringing.call("acknowledge", receiver=receiver, patientCheck="0123", finding="CV-CT-07", medium="phone")
    ringing.receivers.answers["requester.test"] = 404
    before = len(ringing.receivers.heard)
    await ringing.wait(61)
    rung = set(ringing.rung[before:])
    assert {"ward.test", "duty.test", "head.test", "affairs.test"} <= rung
    assert events(ringing).count("owner-not-reached") == 1


async def test_a_round_in_which_no_provider_worked_leaves_the_case_unreachable_and_ringing() -> None:
    dead = dict.fromkeys(("requester", "ward", "duty", "head", "affairs"), 503)
    ringing = await rung_with(**dead)
    assert ringing.state == "unreachable"
    assert ringing.silent_cases() == []
    ringing.receivers.answers.clear()
    await ringing.wait(5)
    assert ringing.state == "escalated"
    assert "requester.test" in ringing.rung


async def test_a_patient_with_more_cases_than_can_be_looked_at_is_rung_for_all_the_same() -> None:
    ringing = await rung_with()
    ringing.desk.limit_searches(of="Task", to=0)
    key = next(key for key in ringing.armed if key.startswith("step:"))
    due = Due("step-overdue", f"Task/{ringing.case['id']}", key, ringing.desk.now, {"steps": 1})
    ringing.carry_out(await SERVICE.timers["step-overdue"](due, ringing.desk))
    assert len(case_facts(ringing.case).history) == 2

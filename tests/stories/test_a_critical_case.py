"""The life of a critical case: one call for several findings, unchanged, severity rising, silence, another owner."""

from __future__ import annotations

from typing import Any

import pytest
from slipring_critical.cases.facts import case_facts
from slipring_critical.lifecycle import RINGING

from tests.support.one_case import (
    DUTY,
    OTHER,
    REQUESTER,
    RIGHT,
    at_level,
    events,
    flag,
    marked,
    rung,
    signed_in,
    state,
    told,
)
from tests.support.ringing import FINDING, ARinging, a_department, a_finding, a_request, a_route, refused

pytestmark = pytest.mark.clause("5.9.1")


async def test_two_findings_of_one_exam_ring_as_one_call_and_each_is_read_back() -> None:
    ringing = await rung()
    await ringing.wait(0.5)

    await flag(ringing, "2", OTHER)

    assert ringing.rung == ["requester.test", "ward.test"], "one call"
    assert events(ringing.of(OTHER))[-2:] == ["rings-with", "step"]
    assert ringing.silent_cases() == []
    await ringing.call("acknowledge", on=ringing.of(FINDING), receiver=REQUESTER, **RIGHT)
    assert state(ringing.of(OTHER)) in RINGING, "each has a read-back of its own"
    await ringing.wait(3.1)
    assert ringing.rung[2:] == ["requester.test", "ward.test", "duty.test"], (
        "and rings by itself once the other is answered"
    )


async def test_findings_that_both_stay_unanswered_go_on_as_one_call() -> None:
    ringing = await rung()
    await ringing.wait(0.5)
    await flag(ringing, "2", OTHER)

    await ringing.wait(14)

    hosts = ["requester.test", "ward.test", "requester.test", "ward.test", "duty.test", "head.test", "affairs.test"]
    assert ringing.rung == hosts


async def test_a_less_urgent_call_does_not_stand_for_a_more_urgent_one() -> None:
    ringing = ARinging(*a_department())
    await flag(ringing, "1", FINDING, **at_level("2"))

    await flag(ringing, "2", OTHER)

    assert len(ringing.rung) == 4


async def test_an_unchanged_finding_that_was_told_is_linked_and_rings_nobody() -> None:
    ringing = await told()
    ringing.desk.hold(a_request(id="o-later"))
    before = len(ringing.rung)

    await flag(ringing, "2", basedOn=[{"reference": "ServiceRequest/o-later"}], **marked("unchanged"))

    assert len(ringing.rung) == before
    assert [basis["reference"] for basis in ringing.case["basedOn"]] == ["Task/r-handover-1", "Task/r-handover-2"]
    assert events(ringing.case)[-1] == "flagged-unchanged"


@pytest.mark.parametrize(
    "members",
    [
        marked("unchanged", "ring-all-the-same"),
        {**marked("unchanged"), "subject": {"reference": "Patient/o-other"}},  # nobody told it of this patient
        {},
    ],
)
async def test_an_unchanged_finding_rings_when_its_author_says_so_or_nobody_was_told_of_this_patient(
    members: dict[str, Any],
) -> None:
    ringing = await told()
    ringing.desk.hold(a_request(id="o-later", subject=members.get("subject", {"reference": "Patient/o-p"})))

    await flag(ringing, "2", basedOn=[{"reference": "ServiceRequest/o-later"}], **members)

    assert len(ringing.cases) == 2
    assert len(ringing.rung) == 4


async def test_an_unchanged_finding_that_nobody_has_confirmed_yet_rings() -> None:
    ringing = await rung()
    ringing.desk.hold(a_request(id="o-later"))

    await flag(ringing, "2", basedOn=[{"reference": "ServiceRequest/o-later"}], **marked("unchanged"))

    assert len(ringing.cases) == 2


async def test_cases_of_two_patients_are_never_merged_even_under_one_exam() -> None:
    """The exam's patient was corrected, or two records were merged, after the first flag."""
    ringing = await rung()

    await flag(ringing, "2", subject={"reference": "Patient/o-other"})

    assert sorted(case["for"]["reference"] for case in ringing.cases) == ["Patient/o-other", "Patient/o-p"]
    assert len(ringing.rung) == 4


async def test_a_case_told_at_a_lower_level_reopens_and_rings_anew_when_the_severity_rises() -> None:
    ringing = ARinging(*a_department())
    await flag(ringing, "1", **at_level("3"))
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    before = len(ringing.rung)

    await flag(ringing, "2", **at_level("1"))

    assert (ringing.state, ringing.case["priority"]) == ("notifying", "stat")
    assert ringing.rung[before:] == ["requester.test", "ward.test"]
    await ringing.wait(3)
    assert "duty.test" in ringing.rung[before:], "on the ladder of the new level"
    assert ringing.silent_cases() == []
    assert [armed.wake.name for armed in ringing.armed.values()].count("acted-overdue") == 0


async def test_a_finding_corrected_to_a_more_urgent_level_rings_at_once() -> None:
    ringing = ARinging(*a_department())
    await flag(ringing, "1", **at_level("2"))

    await ringing.arrive(a_finding(id="r-finding-1", **at_level("1")))

    assert events(ringing.case).count("severity-rose") == 1
    assert len(ringing.rung) == 4


async def test_a_lower_level_flagged_later_changes_nothing() -> None:
    ringing = await told()

    await flag(ringing, "2", **at_level("3"))

    assert ringing.state == "read-back-confirmed"


async def test_acknowledged_and_then_silent_rings_its_owner_again() -> None:
    ringing = await told()
    before = len(ringing.rung)

    await ringing.wait(60)

    assert ringing.state == "reopened"
    assert ringing.rung[before:] == ["requester.test"]


async def test_a_case_is_its_owners_until_the_named_person_accepts() -> None:
    ringing = await told()
    ringing.desk.hold(a_route("Practitioner/o-duty", "duty-phone.test"))

    await ringing.call("hand-over", signed_in("requester"), to=DUTY, note="going to theatre")
    await ringing.settle()

    assert ringing.rung[-1] == "duty-phone.test"
    assert "handed over" in ringing.receivers.heard[-1].body["text"]["en"]
    assert ringing.case["owner"] == REQUESTER
    error = await refused(ringing.call("accept", signed_in("requester")))
    assert (error.status, ringing.case["owner"]) == (409, REQUESTER)
    await ringing.call("accept", signed_in("duty"))
    assert ringing.case["owner"] == DUTY
    await ringing.wait(60)
    assert ringing.rung[-1] == "duty-phone.test", "he is rung when nothing is done"


async def test_a_declined_offer_leaves_the_case_where_it_was_and_can_be_made_again() -> None:
    ringing = await told()
    await ringing.call("hand-over", signed_in("requester"), to=DUTY)

    await ringing.call("decline", signed_in("duty"))

    assert ringing.case["owner"] == REQUESTER
    assert (await refused(ringing.call("accept", signed_in("duty")))).status == 409


@pytest.mark.parametrize(
    ("by", "to", "status"), [("duty", "author", 403), ("requester", "porter", 422), ("requester", "requester", 409)]
)
async def test_only_the_owner_hands_over_and_only_to_somebody_who_may_receive(by: str, to: str, status: int) -> None:
    ringing = await told()

    error = await refused(ringing.call("hand-over", signed_in(by), to={"reference": f"Practitioner/o-{to}"}))

    assert error.status == status
    assert case_facts(ringing.case).offered_to == ""


async def test_when_the_shared_call_fails_for_good_the_other_finding_rings_by_itself_at_once() -> None:
    ringing = ARinging(*a_department())
    ringing.receivers.answers.update({"requester.test": 0, "ward.test": 0})
    await flag(ringing)
    await flag(ringing, "2", OTHER)
    ringing.receivers.answers.update({"requester.test": 404, "ward.test": 404})

    await ringing.wait(1)

    taken = [event for event in case_facts(ringing.of(OTHER)).events if event.what == "step"]
    assert len(taken) >= 2, "it does not wait for three minutes on a call that nobody gets"
    assert "duty.test" in ringing.rung
    assert ringing.silent_cases() == []

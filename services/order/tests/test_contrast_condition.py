"""What an exam shows of the consents to its contrast: what the gate of consent would say of the same ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.service import CANONICAL, Arrival, Resource
from slipring_order import resources
from slipring_order.handlers.followed import consent_arrived

from tests.support.desk import ADesk
from tests.support.ordering import a_contrast_consent, a_desk, a_request, received, the_exam


async def contrast_after(desk: ADesk, *consents: Resource) -> str:
    """What the exam shows once these have arrived."""
    for one in consents:
        before = desk.held.get(f"Consent/{one['id']}")
        desk.hold(one, source="consent")
        desk.carry_out(await consent_arrived(Arrival("consent", one, 1, before=before), desk))
    return str((await the_exam(desk))["extension"][0]["valueCode"])


async def a_contrast_exam() -> ADesk:
    desk = a_desk()
    exam = await received(desk, a_request(code={"coding": [{"system": "http://loinc.org", "code": "24628-0"}]}))
    assert exam["extension"] == [{"url": resources.CONTRAST_CONDITION, "valueCode": "open"}]
    return desk


def saying(**members: Any) -> Resource:
    return {"provision": {**a_contrast_consent()["provision"], **members}}


async def test_the_contrast_condition_follows_the_consent() -> None:
    desk = await a_contrast_exam()
    assert await contrast_after(desk, a_contrast_consent()) == "cleared"
    assert await contrast_after(desk, a_contrast_consent(status="rejected")) == "refused"


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("members", "shown"),
    [
        (saying(type="deny"), "refused"),
        ({"policyRule": {"coding": [{"code": "OPTOUT"}]}}, "refused"),
        ({"policyRule": {"coding": [{"code": "OPTOUT"}]}, **saying(type="permit")}, "cleared"),
        (saying(provision=[{"type": "deny"}]), "open"),
        (saying(provision=[{"type": "permit", "provision": [{"type": "deny"}]}]), "open"),
        (saying(provision=[{"type": "permit"}]), "cleared"),
        (saying(period={"start": "2026-04", "end": "2026-05-01"}), "open"),
        (saying(period={"start": "2026-03", "end": "2026-05-01"}), "cleared"),
        (saying(period={"start": "2026-03-03T10:01:00+08:00", "end": "2026-05-01"}), "open"),
        (saying(period={"start": "2026-03-05", "end": "2026-03-06"}), "open"),
        (saying(period={"end": "2026-03-01"}), "expired"),
        (saying(period={}), "expired"),
        ({"status": "inactive"}, "refused"),
        ({"status": "entered-in-error"}, "open"),
        ({"patient": {"reference": "Patient/o-other"}}, "open"),
        ({"scope": {"coding": [{"code": "research"}]}}, "open"),
        ({"performer": []}, "open"),
    ],
)
async def test_an_exam_shows_of_a_consent_what_the_gate_would_say(members: Resource, shown: str) -> None:
    assert await contrast_after(await a_contrast_exam(), a_contrast_consent(**members)) == shown


@pytest.mark.clause("5.4.1")
async def test_a_denial_that_came_after_a_consent_is_a_refusal_also_before_its_end_arrives() -> None:
    desk, denied = await a_contrast_exam(), a_contrast_consent(id="c-no", **saying(type="deny"))
    assert await contrast_after(desk, a_contrast_consent(), denied) == "refused"
    desk.now += timedelta(minutes=5)
    assert await contrast_after(desk, a_contrast_consent(id="c-again")) == "cleared"


async def test_what_a_mistaken_refusal_ended_is_open_again_and_refused_by_nobody() -> None:
    desk = await a_contrast_exam()
    ended = {"url": f"{CANONICAL}/StructureDefinition/ended-by", "valueReference": {"reference": "Consent/c-refusal"}}
    refusal = a_contrast_consent(id="c-refusal", status="rejected")
    assert await contrast_after(desk, a_contrast_consent(status="inactive", extension=[ended]), refusal) == "refused"
    assert await contrast_after(desk, {**refusal, "status": "entered-in-error"}) == "open"


async def test_contrast_that_an_emergency_excepts_from_consent_is_not_shown_as_cleared() -> None:
    desk = await a_contrast_exam()
    excepted = [{"url": f"{CANONICAL}/StructureDefinition/emergency-exception"}]
    for extension, shown in ((excepted, "emergency-exception"), ([], "cleared")):
        assert await contrast_after(desk, a_contrast_consent(extension=extension)) == shown


async def test_a_consent_that_is_for_another_exam_now_clears_this_one_no_more() -> None:
    desk = await a_contrast_exam()
    assert await contrast_after(desk, a_contrast_consent()) == "cleared"
    elsewhere = [{"meaning": "instance", "reference": {"reference": "ServiceRequest/o-x"}}]
    assert await contrast_after(desk, a_contrast_consent(**saying(data=elsewhere))) == "open"

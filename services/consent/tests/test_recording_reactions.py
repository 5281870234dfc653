"""A reaction at the bedside: two taps write it down, and everything added has its time and its person."""

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.checks.shape import check
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call, Changes, Resource
from slipring_consent.handlers.recording import noticed, recorded
from slipring_consent.reactions.said import effect_of, kind_of, measures_of, phase_of, symptoms_of

from tests.support.contrast import EXAM, PATIENT
from tests.support.desk import ADesk
from tests.support.reacting import RING, a_room, refusals

A_NURSE = Caller(client="a-tablet", scopes=frozenset({"user/*.cruds"}), practitioner="Practitioner/o-nurse")
INJECTION = {"reference": "MedicationAdministration/c-injection"}
WHICH = "2026-03-02 12:00 碘海醇 40 ml / 2026-03-02 12:00 iohexol 40 ml"


def a_call(target: Any = None, **values: Any) -> Call:
    given = [
        {"name": name, **value} for name, one in values.items() for value in (one if isinstance(one, list) else [one])
    ]
    return Call({"resourceType": "Parameters", "parameter": given}, target)


def code(text: str) -> Resource:
    return {"valueCode": text}


def parts(**values: Resource) -> Resource:
    return {"part": [{"name": name, **value} for name, value in values.items()]}


def event_of(changes: Changes) -> Resource:
    assert changes.answer is not None
    event: Resource = changes.answer["parameter"][0]["resource"]
    return event


async def tapped(desk: ADesk, **values: Any) -> Resource:
    """Two taps at the injection; what was written."""
    changes = await noticed(a_call(injection={"valueReference": INJECTION}, **values), desk)
    desk.carry_out(changes)
    return event_of(changes)


async def added(desk: ADesk, event: Resource, **values: Any) -> Changes:
    changes = await recorded(a_call(desk.held[f"AdverseEvent/{event['id']}"], **values), desk)
    for save in changes.save:
        assert check(save.resource) == []
    if changes.refuse is None:
        desk.carry_out(changes)
    return changes


@pytest.mark.clause("4.13")
async def test_two_taps_write_down_who_what_and_when() -> None:
    desk = a_room(caller=A_NURSE)
    event = await tapped(desk, kind=code("allergic-like"))
    assert check(event) == []
    assert event["subject"] == PATIENT and event["suspectEntity"] == [{"instance": INJECTION | {"display": WHICH}}]
    assert event["recorder"]["reference"] == "Practitioner/o-nurse" and event["date"]
    assert (kind_of(event), phase_of(event)) == ("allergic-like", "noticed")
    assert [one["valueReference"]["reference"] for one in event["extension"] if "valueReference" in one] == [EXAM]
    assert allergy_of(desk, event)["code"]


def allergy_of(desk: ADesk, event: Resource) -> Resource:
    return desk.held[f"AllergyIntolerance/{event['id']}-allergy"].resource


async def test_a_second_tap_finds_the_first_and_adds_to_it() -> None:
    desk = a_room(caller=A_NURSE)
    first = await tapped(desk, kind=code("allergic-like"))
    second = await tapped(desk, severity={"valueCoding": {"system": RING, "code": "III"}})
    assert second["id"] == first["id"] and kind_of(second) == "allergic-like"
    assert second["severity"]["coding"][-1] == {"system": RING, "code": "III", "userSelected": True}
    events = [one for one in desk.held if one.startswith("AdverseEvent/")]
    assert len(events) == 1
    again = await noticed(a_call(injection={"valueReference": INJECTION}, kind=code("allergic-like")), desk)
    assert [one["name"] for one in again.answer["parameter"]] == ["return", "handover", "timing"]  # type: ignore[index]


async def test_a_reaction_told_by_telephone_needs_a_patient_only_and_one_without_any_is_refused() -> None:
    desk = a_room(caller=A_NURSE)
    told = await noticed(a_call(patient={"valueReference": PATIENT}), desk)
    assert "suspectEntity" not in event_of(told) and kind_of(event_of(told)) == ""
    words = {"valueString": " iohexol, county hospital "}
    other = await noticed(
        a_call(patient={"valueReference": PATIENT}, elsewhere=words, kind=code("allergic-like")), desk
    )
    assert event_of(other)["suspectEntity"] == [{"instance": {"display": "iohexol, county hospital"}}]
    for save in other.save:
        assert check(save.resource) == []
    desk.carry_out(other)
    assert allergy_of(desk, event_of(other))["code"]
    with pytest.raises(FhirError) as refused:
        await noticed(a_call(injection={"valueReference": {"reference": "MedicationAdministration/c-none"}}), desk)
    assert refused.value.issues[0].detail == "consent.reaction-patient"


@pytest.mark.clause("4.13")
async def test_what_is_done_is_kept_with_its_time_and_person_and_says_that_the_patient_is_treated() -> None:
    desk = a_room(caller=A_NURSE)
    event = await tapped(desk)
    dose = {"valueQuantity": {"value": 0.3, "unit": "mg"}}
    changes = await added(desk, event, measure=[parts(what=code("adrenaline"), dose=dose), parts(what=code("oxygen"))])
    event = event_of(changes)
    adrenaline, oxygen = measures_of(event)
    assert adrenaline["dose"]["value"] == 0.3 and adrenaline["by"]["reference"] == "Practitioner/o-nurse"
    assert adrenaline["at"] and oxygen["what"]["coding"][0]["code"] == "oxygen"
    assert phase_of(event) == "under-treatment"


async def test_a_tap_that_is_felt_twice_is_one_dose_and_a_later_one_is_another() -> None:
    desk = a_room(caller=A_NURSE)
    event = await tapped(desk)
    given = {"measure": parts(what=code("adrenaline"), dose={"valueQuantity": {"value": 0.3, "unit": "mg"}})}
    await added(desk, event, **given)
    desk.now += timedelta(seconds=2)
    assert len(measures_of(event_of(await added(desk, event, **given)))) == 1
    other = {"measure": parts(what=code("adrenaline"), dose={"valueQuantity": {"value": 0.5, "unit": "mg"}})}
    assert len(measures_of(event_of(await added(desk, event, **other)))) == 2
    desk.now += timedelta(minutes=5)
    assert len(measures_of(event_of(await added(desk, event, **other)))) == 3


async def test_vital_signs_are_an_observation_of_the_injection() -> None:
    desk = a_room(caller=A_NURSE)
    event = await tapped(desk)
    vital = parts(systolic={"valueDecimal": 82}, diastolic={"valueDecimal": 45}, spo2={"valueDecimal": 89})
    changes = await added(desk, event, vital=vital)
    [observed] = [one.resource for one in changes.save if one.resource["resourceType"] == "Observation"]
    assert observed["partOf"] == [INJECTION]
    assert [one["valueQuantity"]["value"] for one in observed["component"]] == [82, 45, 89]
    assert f"Observation/{observed['id']}" in str(event_of(changes)["extension"])


@pytest.mark.clause("4.13")
async def test_a_reaction_is_closed_at_the_bedside_once_nothing_is_missing() -> None:
    desk = a_room(caller=A_NURSE)
    event = await tapped(desk, kind=code("physiologic"))
    early = await added(desk, event, phase=code("closed"))
    assert refusals(early) == {
        "consent.reaction-grade",
        "consent.reaction-measures",
        "consent.reaction-outcome",
        "consent.reaction-effect",
    }
    mild = {"valueCoding": {"system": f"{CANONICAL}/CodeSystem/reaction-grade-acr", "code": "mild"}}
    said = {"severity": mild, "measure": parts(what=code("observed")), "outcome": code("resolved")}
    done = await added(
        desk, event, **said, effect=code("limited"), effectText={"valueString": "动脉期运动伪影"}, phase=code("closed")
    )
    assert done.refuse is None
    assert phase_of(event_of(done)) == "closed" and effect_of(event_of(done)) == ("limited", "动脉期运动伪影")
    assert refusals(await added(desk, event, manifestation=code("nausea"))) == {"consent.reaction-amendment"}
    reasoned = await added(desk, event, manifestation=code("nausea"), reason={"valueString": "补记"})
    assert reasoned.refuse is None


async def test_an_extravasation_keeps_what_was_said_of_it_before() -> None:
    desk = a_room(caller=A_NURSE)
    event = await tapped(desk, kind=code("extravasation"))
    await added(
        desk, event, extravasation=parts(volume={"valueDecimal": 40}, site={"valueCodeableConcept": {"text": "左肘"}})
    )
    changes = await added(
        desk,
        event,
        extravasation={"part": [{"name": "symptom", **code("pain")}, {"name": "symptom", **code("swelling")}]},
    )
    assert symptoms_of(event_of(changes)) == ["pain", "swelling"]
    assert "左肘" in str(event_of(changes)) and "40" in str(event_of(changes))


@pytest.mark.parametrize(
    "values",
    [
        {"kind": code("angry")},
        {"manifestation": code("angry")},
        {"measure": parts(what=code("prayer"))},
        {"outcome": code("fine")},
        {"effect": code("fine")},
        {"phase": code("over")},
        {"severity": {"valueCoding": {"system": "urn:elsewhere", "code": "9"}}},
        {"at": {"valueDateTime": "2030-01-01T00:00:00Z"}},
        {"at": {"valueDateTime": "2026-03-02"}},
    ],
    ids=lambda values: next(iter(values)),
)
async def test_a_code_or_a_time_that_can_be_none_is_refused_and_nothing_is_written(values: dict[str, Any]) -> None:
    desk = a_room(caller=A_NURSE)
    event = await tapped(desk)
    with pytest.raises(FhirError) as refused:
        await recorded(a_call(desk.held[f"AdverseEvent/{event['id']}"], **values), desk)
    assert refused.value.status == 422
    assert refused.value.issues[0].at.startswith("Parameters.parameter[")

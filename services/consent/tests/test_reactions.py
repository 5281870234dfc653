"""A reaction from the first look to its closing: what it must say, what it leaves behind, and what may change it."""

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Changes, Resource
from slipring_consent.reactions.grades import as_severity, meant, worst_of
from slipring_consent.reactions.said import EXTRAVASATION

from tests.support.contrast import a_department
from tests.support.reacting import (
    NURSE,
    RING,
    SEVERITY,
    a_reaction,
    a_room,
    allergy,
    an_amendment,
    closed,
    in_phase,
    logged,
    refusals,
    standing,
)


@pytest.mark.clause("4.13")
async def test_the_first_save_needs_a_patient_and_nothing_more() -> None:
    desk = a_room()
    needed = ("resourceType", "id", "actuality", "subject")
    bare = {name: value for name, value in a_reaction("", "").items() if name in needed}
    assert check(bare) == []
    assert await logged(desk, bare) == Changes.none(), "a patient who telephones days later: kept, no injection known"


@pytest.mark.clause("4.13")
async def test_closing_names_everything_that_is_missing_at_once() -> None:
    bare = a_reaction("", "", extension=[in_phase("closed")])
    del bare["date"]
    assert refusals(await logged(a_room(), bare)) == {
        "consent.reaction-kind",
        "consent.reaction-grade",
        "consent.reaction-onset",
        "consent.reaction-measures",
        "consent.reaction-outcome",
        "consent.reaction-effect",
    }


@pytest.mark.clause("4.13")
async def test_what_is_closed_changes_only_with_a_reason_and_a_name() -> None:
    desk = a_room()
    assert (await logged(desk, closed())).refuse is None
    changed = closed(detected="2026-03-02T12:05:00+08:00")
    assert refusals(await logged(desk, changed)) == {"consent.reaction-amendment"}
    nameless = changed | {"extension": [*changed["extension"], an_amendment("  ")]}
    assert refusals(await logged(desk, nameless)) == {"consent.reaction-amendment"}
    reasoned = changed | {"extension": [*changed["extension"], an_amendment()]}
    assert (await logged(desk, reasoned)).refuse is None
    back = reasoned | {"extension": [in_phase("under-treatment"), *reasoned["extension"][1:]]}
    assert refusals(await logged(desk, back)) == {"consent.illegal-move"}


async def test_a_phase_moves_along_its_table() -> None:
    desk = a_room()
    for phase in ("noticed", "under-treatment", "resolved", "under-treatment", "resolved"):
        assert (await logged(desk, a_reaction(extension=[in_phase(phase)]))).refuse is None, phase
    assert refusals(await logged(desk, a_reaction(extension=[in_phase("noticed")]))) == {"consent.illegal-move"}


@pytest.mark.parametrize(
    ("system", "code", "grade"),
    [
        (SEVERITY, "severe", "severe"),
        (RING, "I", "mild"),
        (RING, "II", "moderate"),
        (RING, "III", "severe"),
        (f"{CANONICAL}/CodeSystem/reaction-grade-ctcae", "4", "severe"),
        (f"{CANONICAL}/CodeSystem/reaction-grade-acr", "moderate", "moderate"),
        (RING, "V", ""),
        ("urn:elsewhere", "III", ""),
    ],
)
def test_a_grade_of_any_scale_is_read_and_kept_as_it_was_given(system: str, code: str, grade: str) -> None:
    assert meant(system, code) == grade
    if grade:
        kept = as_severity({"system": system, "code": code})
        assert check(a_reaction(severity=kept)) == []
        assert worst_of(kept) == grade and {"system": system, "code": code}.items() <= kept["coding"][-1].items()


async def test_two_scales_that_disagree_are_read_as_the_worse_and_said_so() -> None:
    desk = a_room()
    both = {"coding": [{"system": SEVERITY, "code": "moderate"}, {"system": RING, "code": "III"}]}
    changes = await logged(desk, a_reaction(severity=both))
    assert "consent.reaction-grades-agree" in [rule_of(one.resource) for one in changes.save]
    assert allergy(desk)["criticality"] == "high" and "Task" in [one.resource["resourceType"] for one in changes.save]
    again = await logged(desk, a_reaction(severity=both, detected="2026-03-02T12:05:00+08:00"))
    assert again == Changes.none(), "what is on record is not put on record again"


@pytest.mark.clause("5.4.1")
async def test_the_allergy_follows_a_grade_upward_and_downward_only_with_a_reason() -> None:
    desk = a_room()
    await logged(desk, a_reaction())
    assert (allergy(desk)["criticality"], allergy(desk)["reaction"][0]["severity"]) == ("low", "mild")
    assert allergy(desk)["recorder"] == NURSE
    await logged(desk, a_reaction(grade="severe"))
    assert (allergy(desk)["criticality"], allergy(desk)["reaction"][0]["severity"]) == ("high", "severe")
    await logged(desk, a_reaction(grade="moderate"))
    assert allergy(desk)["criticality"] == "high", "a slip of the finger makes no patient safe"
    await logged(desk, a_reaction(grade="mild", extension=[an_amendment("误触")]))
    assert (allergy(desk)["criticality"], allergy(desk)["reaction"][0]["severity"]) == ("low", "mild")


@pytest.mark.clause("5.4.1")
async def test_an_allergy_falls_with_its_reaction_and_comes_back_with_it() -> None:
    desk = a_room()
    await logged(desk, a_reaction())
    await logged(desk, a_reaction("physiologic"))
    assert standing(allergy(desk), "verificationStatus") == "refuted"
    await logged(desk, a_reaction())
    assert standing(allergy(desk), "clinicalStatus") == "active"
    await logged(desk, a_reaction(extension=[in_phase("entered-in-error"), an_amendment("另一位患者")]))
    assert standing(allergy(desk), "verificationStatus") == "entered-in-error"
    assert "clinicalStatus" not in allergy(desk)


async def test_a_reaction_marked_as_wrong_without_a_reason_is_refused() -> None:
    desk = a_room()
    await logged(desk, a_reaction())
    assert refusals(await logged(desk, a_reaction(extension=[in_phase("entered-in-error")]))) == {
        "consent.reaction-amendment"
    }


async def test_what_a_person_said_of_the_allergy_stands_until_the_reaction_itself_changes() -> None:
    desk = a_room()
    await logged(desk, a_reaction())
    refuted = {"coding": [{"code": "refuted"}]}
    desk.hold(allergy(desk) | {"verificationStatus": refuted})
    assert await logged(desk, a_reaction(detected="2026-03-02T12:05:00+08:00")) == Changes.none()
    assert allergy(desk)["verificationStatus"] == refuted


@pytest.mark.clause("4.13")
async def test_an_extravasation_asks_for_a_surgeon_by_its_symptoms_and_is_described_at_closing() -> None:
    desk = a_room()
    symptom = {"coding": [{"system": f"{CANONICAL}/CodeSystem/extravasation-symptom", "code": "sensation"}]}
    parts: list[Resource] = [{"url": "symptom", "valueCodeableConcept": symptom}]
    changes = await logged(desk, a_reaction("extravasation", extension=[{"url": EXTRAVASATION, "extension": parts}]))
    assert [rule_of(one.resource) for one in changes.save] == ["consent.extravasation-surgeon"]
    half = closed(event=a_reaction("extravasation")["event"])
    half["extension"] = [*half["extension"], {"url": EXTRAVASATION, "extension": parts}]
    assert refusals(await logged(a_department(), half)) == {"consent.reaction-extravasation"}


@pytest.mark.clause("5.4.4.1")
async def test_an_allergy_names_no_recorder_that_only_the_reaction_contains() -> None:
    contained = {"contained": [{"resourceType": "Practitioner", "id": "who"}], "recorder": {"reference": "#who"}}
    desk = a_room()
    await logged(desk, a_reaction() | contained)
    assert "recorder" not in allergy(desk)

"""Assessments make competence in the same commit; nobody writes it by hand; failing and suspension end it (5.1.6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Resource, Stored, Write
from slipring.staff import may
from slipring_order.handlers.forms import response_written
from slipring_order.handlers.staff import practitioner_written, suspended
from slipring_order.people import person_and_roles

from tests.support.desk import ADesk
from tests.support.staffing import a_house, a_member, an_answer, held, written

TECH = "Practitioner/o-t"


def a_team(now: datetime = datetime(2026, 3, 2, 4, tzinfo=UTC), *, since: str = "2019-01-01", **members: Any) -> ADesk:
    """A head who may assess, and a technologist without competence."""
    certificates = [
        held(code, "2019-01-01", "2030-01-01") for code in ("radiation-worker-certificate", "ct-equipment-certificate")
    ]
    return a_house(
        *a_member("o-head", "associate-chief-physician", roles=("ct-head",)),
        *a_member("o-t", "technologist", *certificates, roles=("technologist",), since=since),
        now=now,
        **members,
    )


def an_assessment(id: str = "o-a1", on: str = "2026-03-02", result: str = "passed", **changed: Any) -> Resource:
    """A technologist's assessment by the head; by keyword what is otherwise."""
    passed = result == "passed"
    said = {"duty": "technologist", "skills": True, "first_aid": passed, "protection": True, "result": result}
    return an_answer(
        id,
        "competence",
        changed.pop("subject", TECH),
        on,
        changed.pop("author", "Practitioner/o-head"),
        **said | changed,
    )


async def lacks(desk: ADesk, act: str = "operate-ct", at: datetime | None = None) -> list[str]:
    person, roles = await person_and_roles(TECH, desk)
    return [reason.code for reason in may(act, person, roles, at or desk.now)]


async def competence(desk: ADesk) -> list[dict[str, Any]]:
    person = await desk.read(TECH)
    assert person is not None
    return [q["period"] for q in person.resource["qualification"] if q["code"]["coding"][0]["code"] == "competence"]


async def tasks(desk: ADesk, code: str) -> list[Resource]:
    return [one.resource for one in await desk.search(f"Task?code={code}")]


@pytest.mark.clause("5.1.6")
async def test_a_passed_assessment_lets_a_person_work_until_a_year_later() -> None:
    desk = a_team()
    assert await lacks(desk) == ["competence"]
    await written(desk, an_assessment(), response_written)
    assert await competence(desk) == [{"start": "2026-03-02", "end": "2027-03-02"}]
    assert await lacks(desk) == []
    assert await lacks(desk, at=datetime(2027, 3, 2, 15, 59, tzinfo=UTC)) == []
    assert await lacks(desk, at=datetime(2027, 3, 2, 16, tzinfo=UTC)) == ["competence"]
    assert await desk.read("Questionnaire/o-competence")


@pytest.mark.clause("5.1.6")
async def test_new_staff_are_assessed_twice_in_their_first_six_months() -> None:
    desk = a_team(since="2026-01-15")
    await written(desk, an_assessment(), response_written)
    assert await competence(desk) == [{"start": "2026-03-02", "end": "2026-07-15"}]
    desk.now = datetime(2026, 6, 1, 4, tzinfo=UTC)
    await written(desk, an_assessment("o-a2", "2026-06-01"), response_written)
    assert (await competence(desk))[-1] == {"start": "2026-06-01", "end": "2027-06-01"}


@pytest.mark.clause("5.1.6")
async def test_an_assessment_without_first_aid_is_not_passed_and_a_failed_one_ends_what_ran() -> None:
    desk = a_team()
    with pytest.raises(FhirError) as refused:
        await written(desk, an_assessment(first_aid=False), response_written)
    assert refused.value.issues[0].detail == "order.assessment-contradicts"
    await written(desk, an_assessment("o-a0", "2026-02-02"), response_written)
    assert await lacks(desk) == []
    await written(desk, an_assessment(result="failed"), response_written)
    assert await competence(desk) == [{"start": "2026-02-02", "end": "2026-03-01"}]
    assert await lacks(desk) == ["competence"]
    faults = await tasks(desk, "nonconformity")
    assert {task["focus"]["reference"] for task in faults} == {TECH} and len(faults) == 2  # first aid, and the result


@pytest.mark.clause("5.1.6")
async def test_an_assessment_entered_in_error_takes_its_competence_back() -> None:
    desk = a_team()
    form = await written(desk, an_assessment(), response_written)
    await written(desk, form | {"status": "entered-in-error"}, response_written)
    assert await competence(desk) == [] and await lacks(desk) == ["competence"]


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        ({"author": "Practitioner/o-t"}, "order.assessor-other"),
        ({"author": "Practitioner/o-nobody"}, "staff.unknown-person"),
        ({"subject": "Practitioner/o-nobody"}, "order.form-subject"),
        ({"subject": "Device/o-ct"}, "order.form-subject"),
        ({"on": "2026-03-03"}, "order.form-authored"),
        ({"shoe_size": True}, "order.form-item"),
    ],
)
@pytest.mark.clause("5.1.6")
async def test_an_assessment_names_whom_by_whom_and_when(changed: dict[str, Any], detail: str) -> None:
    desk = a_team()
    with pytest.raises(FhirError) as refused:
        await written(desk, an_assessment(**changed), response_written)
    assert refused.value.status == 422
    assert {issue.detail for issue in refused.value.issues} == {detail}
    assert await competence(desk) == []


async def test_each_item_that_must_be_answered_is_named_at_its_place() -> None:
    form = an_assessment()
    form["item"] = [item for item in form["item"] if item["linkId"] not in ("first-aid", "result")]
    with pytest.raises(FhirError) as refused:
        await written(a_team(), form, response_written)
    places = [issue.at for issue in refused.value.issues]
    assert places == [f"QuestionnaireResponse.item.where(linkId='{link}')" for link in ("first-aid", "result")]


async def test_who_signs_in_assesses_in_his_own_name_only() -> None:
    other = Caller("page", frozenset({"system/*.cruds"}), practitioner="Practitioner/o-t")
    with pytest.raises(FhirError) as refused:
        await written(a_team(caller=other), an_assessment(), response_written)
    assert (refused.value.status, refused.value.issues[0].detail) == (403, "order.assessor-himself")


async def test_a_completed_form_is_never_reopened_nor_deleted() -> None:
    desk = a_team()
    form = await written(desk, an_assessment(), response_written)
    for method, changed in (("update", form | {"status": "in-progress"}), ("delete", form)):
        with pytest.raises(FhirError) as refused:
            await response_written(Write(method, changed, await desk.read("QuestionnaireResponse/o-a1")), desk)  # type: ignore[arg-type]
        assert refused.value.status == 409


@pytest.mark.parametrize("changed", [{"subject": {"reference": "Practitioner/o-head"}}, {"subject": None}])
async def test_a_completed_assessment_stays_about_whom_it_was(changed: Resource) -> None:
    desk = a_team()
    form = await written(desk, an_assessment(), response_written)
    before = await desk.read("QuestionnaireResponse/o-a1")
    for status in ("amended", "entered-in-error"):
        told = {name: value for name, value in {**form, **changed, "status": status}.items() if value is not None}
        with pytest.raises(FhirError) as refused:
            await response_written(Write("update", told, before), desk)
        assert (refused.value.status, refused.value.issues[0].detail) == (409, "order.form-subject-fixed")
    assert await competence(desk) == [{"start": "2026-03-02", "end": "2027-03-02"}]


@pytest.mark.clause("5.1.6")
async def test_a_suspension_is_not_written_over_by_a_second_competence() -> None:
    desk = a_team()
    await written(desk, an_assessment(), response_written)
    person = await desk.read(TECH)
    assert person is not None
    stood = [*person.resource["qualification"], held("suspension")]
    before = Stored({**person.resource, "qualification": stood}, 9, person.updated_at)
    competent = next(q for q in stood if q["code"]["coding"][0]["code"] == "competence")
    twice = {**person.resource, "qualification": [*stood[:-1], competent]}
    with pytest.raises(FhirError) as refused:
        await practitioner_written(Write("update", twice, before), desk)
    assert refused.value.issues[0].detail == "order.competence-follows-assessment"


@pytest.mark.clause("5.1.6")
async def test_competence_is_not_written_by_hand_comes_back_when_left_out_and_stays_as_it_is() -> None:
    desk = a_team()
    await written(desk, an_assessment(), response_written)
    person = await desk.read(TECH)
    assert person is not None
    mine = [q for q in person.resource["qualification"] if "extension" not in q]
    bare = {**person.resource, "qualification": [*mine, held("contrast-training", "2026-01-01")]}
    kept = await written(desk, bare, practitioner_written)
    assert (await competence(desk)) == [{"start": "2026-03-02", "end": "2027-03-02"}] and len(
        kept["qualification"]
    ) == len(mine) + 2
    assert await written(desk, kept, practitioner_written) == kept
    longer = [
        {**q, "period": {"start": "2026-03-02", "end": "2036-03-02"}} if "extension" in q else q
        for q in kept["qualification"]
    ]
    for forged in (
        longer,
        [*mine, held("competence", "2026-01-01", "2030-01-01")],
        [*kept["qualification"], held("suspension")],
    ):
        with pytest.raises(FhirError) as refused:
            await written(desk, kept | {"qualification": forged}, practitioner_written)
        assert refused.value.issues[0].at.startswith("Practitioner.qualification[")
    newcomer: Resource = {
        "resourceType": "Practitioner",
        "id": "o-n",
        "qualification": [held("competence", "2026-01-01")],
    }
    with pytest.raises(FhirError):
        await practitioner_written(Write("create", newcomer), desk)
    history = Write("create", newcomer, imported=True)
    assert (await practitioner_written(history, desk)).refuse is None


def a_suspension(desk: ADesk, reason: str = "change-of-procedure", by: str = "Practitioner/o-head") -> Call:
    given: list[Resource] = [
        {"name": "reason", "valueCodeableConcept": {"coding": [{"code": reason}]}},
        {"name": "performer", "valueReference": {"reference": by}},
    ]
    return Call({"resourceType": "Parameters", "parameter": given}, desk.held[TECH])


@pytest.mark.clause("5.1.6")
async def test_a_suspension_ends_competence_until_training_and_assessment_anew() -> None:
    desk = a_team()
    await written(desk, an_assessment("o-a0", "2026-02-02"), response_written)
    desk.carry_out(await suspended(a_suspension(desk), desk))
    assert await lacks(desk) == ["competence", "suspension"]
    await written(desk, an_assessment(), response_written)
    assert await lacks(desk) == ["suspension"]
    person = desk.held[TECH].resource
    trained = {**person, "qualification": [*person["qualification"], held("re-training", "2026-03-02")]}
    await written(desk, trained, practitioner_written)
    assert await lacks(desk) == []
    [record] = await desk.search(f"Provenance?target={TECH}")
    assert record.resource["agent"][0]["who"]["reference"] == "Practitioner/o-head"


async def test_only_a_named_person_who_may_suspends_and_with_a_known_reason() -> None:
    desk = a_team()
    for call, status in ((a_suspension(desk, by="Practitioner/o-t"), 403), (a_suspension(desk, reason="dislike"), 422)):
        with pytest.raises(FhirError) as refused:
            await suspended(call, desk)
        assert refused.value.status == status

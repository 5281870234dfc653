"""The HIS merges two records, or takes them apart: rules see both, permissions wait, nothing is rewritten."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slipring.fhir.caller import Caller
from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Write
from slipring_order import resources
from slipring_order.handlers.exams import task_written
from slipring_order.handlers.patients import patient_written
from slipring_order.handlers.tasks import guarded

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_patient, a_request, moved, received, the_exam

OLD = a_patient(id="o-old")


def link(kind: str, other: str) -> list[Resource]:
    return [{"type": kind, "other": {"reference": f"Patient/{other}"}}]


async def written(desk: ADesk, patient: Resource) -> None:
    before = await desk.read(f"Patient/{patient['id']}")
    desk.hold(patient)  # the kernel shows the handler what is about to be written
    desk.carry_out(await patient_written(Write("update", patient, before), desk))


async def merged(desk: ADesk) -> None:
    await written(desk, OLD | {"link": link("replaced-by", "o-pat"), "active": False})


def an_old_scan() -> Resource:
    return {
        "resourceType": "ImagingStudy", "id": "o-study", "status": "available",
        "subject": {"reference": "Patient/o-old"}, "started": "2026-02-25T08:00:00+08:00",
        "series": [{"uid": "1.2", "modality": {"code": "CT"}, "bodySite": {"code": "51185008"}}],
    }  # fmt: skip


async def waiting(desk: ADesk) -> list[Resource]:
    return [one.resource for one in await desk.search("Task?code=identity-confirmation&status=requested")]


async def test_after_a_merge_the_rules_count_the_scans_of_both_records() -> None:
    desk = a_desk(OLD, an_old_scan())
    assert resources.state_of(await received(desk, a_request())) == "justified"
    await merged(desk)
    assert resources.state_of(await the_exam(desk)) == "awaiting-information"
    codes = {i.resource["code"]["coding"][0]["code"] for i in desk.held.values() if "severity" in i.resource}
    assert "order.repeat-exam" in codes


@pytest.mark.clause("5.5.1.1")
async def test_an_open_permission_waits_until_a_named_person_has_confirmed_the_identity() -> None:
    desk = a_desk(OLD)
    await received(desk, a_request())
    await moved(desk, "scheduled", "arrived", "ready")
    await merged(desk)
    exam = await the_exam(desk)
    before = await desk.read(f"Task/{exam['id']}")
    start = exam | {"businessStatus": resources.state_concept("in-progress")}
    refused = await task_written(Write("update", start, before), desk)
    assert refused.refuse and refused.refuse.issues[0].detail == "order.identity-confirmed"
    assert [save.resource["resourceType"] for save in refused.save] == ["DetectedIssue"]
    [asked] = await waiting(desk)
    stored = await desk.read(f"Task/{asked['id']}")
    with pytest.raises(FhirError) as unnamed:
        await guarded(Write("update", asked | {"status": "completed"}, stored), desk)
    assert unnamed.value.issues[0].at == "Task.owner"
    done = asked | {"status": "completed", "owner": {"reference": "Practitioner/o-rad"}}
    desk.carry_out(await guarded(Write("update", done, stored), desk), done)
    assert resources.state_of(await moved(desk, "in-progress")) == "in-progress"


async def test_a_stat_exam_starts_although_the_question_is_open() -> None:
    desk = a_desk(OLD)
    await received(desk, a_request(priority="stat"))
    await moved(desk, "scheduled", "arrived", "ready")
    await merged(desk)
    assert await waiting(desk)
    assert resources.state_of(await moved(desk, "in-progress")) == "in-progress"


async def test_taking_records_apart_asks_again_and_the_rules_look_at_one_record_only() -> None:
    desk = a_desk(OLD, an_old_scan())
    await merged(desk)
    assert resources.state_of(await received(desk, a_request())) == "awaiting-information"
    await written(desk, OLD)
    assert resources.state_of(await the_exam(desk)) == "justified"
    assert len(await waiting(desk)) == 1


async def test_a_merge_rewrites_no_record_but_what_it_was_written_on() -> None:
    desk = a_desk(OLD, an_old_scan())
    await received(desk, a_request())
    await merged(desk)
    for reference in ("Patient/o-pat", "ImagingStudy/o-study", "ServiceRequest/o-req"):
        assert desk.held[reference].version == 1, reference
    assert (await the_exam(desk))["for"] == {"reference": "Patient/o-pat"}


async def test_the_his_may_name_the_other_record_of_the_same_person_and_no_other_patient() -> None:
    desk = a_desk(OLD, a_patient(id="o-third"))
    await received(desk, a_request())
    await merged(desk)
    await received(desk, a_request(subject={"reference": "Patient/o-old"}))
    with pytest.raises(FhirError) as refused:
        await received(desk, a_request(subject={"reference": "Patient/o-third"}))
    assert refused.value.issues[0].at == "ServiceRequest.subject"


async def test_the_exam_is_of_the_record_that_its_order_names_also_when_the_records_are_taken_apart() -> None:
    desk = a_desk(OLD)
    await received(desk, a_request())
    await merged(desk)
    exam = await received(desk, a_request(subject={"reference": "Patient/o-old"}))
    assert exam["for"] == {"reference": "Patient/o-old"}
    await written(desk, OLD)
    assert (await the_exam(desk))["for"] == {"reference": "Patient/o-old"}
    assert len(await waiting(desk)) == 1, "and somebody looks who he is"


async def test_who_is_no_member_of_the_department_confirms_nothing() -> None:
    desk = a_desk(OLD)
    await received(desk, a_request())
    await merged(desk)
    [asked] = await waiting(desk)
    answer: dict[str, Any] = asked | {"status": "completed", "owner": {"reference": "Practitioner/o-nobody"}}
    with pytest.raises(FhirError) as refused:
        await guarded(Write("update", answer, await desk.read(f"Task/{asked['id']}")), desk)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("scopes", "method", "may"),
    [
        ("system/Patient.crs", "create", True),
        ("system/Patient.crus", "update", True),
        ("system/Patient.us", "create", True),  # PUT where a deleted record was
        ("system/Patient.crs", "update", False),
        ("patient/Patient.cruds", "create", False),
        ("patient/Patient.cruds", "update", False),
    ],
)
async def test_records_are_linked_by_whoever_may_write_so_about_every_patient(
    scopes: str, method: Any, may: bool
) -> None:
    desk = a_desk(OLD, caller=Caller("adt", frozenset({scopes}), patient="o-pat"))
    new = a_patient(id="o-new", link=link("replaces", "o-old"))
    before = desk.hold(a_patient(id="o-new")) if method == "update" else None
    write = Write(method, new, before)
    if may:
        assert (await patient_written(write, desk)).refuse is None
        return
    with pytest.raises(FhirError) as refused:
        await patient_written(write, desk)
    assert (refused.value.status, refused.value.issues[0].detail) == (403, "order.merge-beyond-rights")


EDGES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["replaces", "replaced-by"])))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EDGES)
async def test_all_records_of_one_person_agree_on_who_is_one_person(edges: list[tuple[int, int, str]]) -> None:
    links: dict[int, list[Resource]] = {n: [] for n in range(7)}
    for one, other, kind in edges:
        links[one] += link(kind, f"o-{other}")
    desk = ADesk(holding=[{"resourceType": "Patient", "id": f"o-{n}", "link": held} for n, held in links.items()])
    sets = {n: await merge_set(f"Patient/o-{n}", desk) for n in links}
    for n, found in sets.items():
        assert f"Patient/o-{n}" in found
        assert all(sets[int(other.removeprefix("Patient/o-"))] == found for other in found)
    for one, other, _ in edges:
        assert sets[one] == sets[other]

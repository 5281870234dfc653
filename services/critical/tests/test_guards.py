"""What outside writes may not do to cases, attempts and contact routes."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import Changes, Resource, Write
from slipring_critical.cases.facts import CASE_STATE, LADDER_SNAPSHOT
from slipring_critical.guards import communication_written, route_written, task_written

from tests.support.ringing import ARinging, a_department, a_finding, a_handover, a_route, refused


async def an_open_case() -> ARinging:
    ringing = ARinging(*a_department())
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    return ringing


async def test_a_case_is_not_moved_by_hand() -> None:
    ringing = await an_open_case()
    held = ringing.desk.held[f"Task/{ringing.case['id']}"]
    disguised: Resource = {**ringing.case, "code": {"text": "nothing to see"}, "status": "completed"}

    for resource in ({**ringing.case, "status": "completed"}, disguised):
        error = await refused(task_written(Write("update", resource, held), ringing.desk))
        assert error.status == 409
    assert (await refused(task_written(Write("create", ringing.case), ringing.desk))).status == 409


async def test_imported_history_and_other_tasks_are_stored_as_they_are() -> None:
    ringing = await an_open_case()

    assert await task_written(Write("create", ringing.case, imported=True), ringing.desk) == Changes.none()
    assert await task_written(Write("create", a_handover("k-x")), ringing.desk) == Changes.none()


@pytest.mark.parametrize("extension", [None, [], [{"url": LADDER_SNAPSHOT, "valueString": "{"}]])
async def test_an_open_case_that_could_not_ring_is_not_imported(extension: list[Resource] | None) -> None:
    ringing = await an_open_case()
    case = {name: value for name, value in ringing.case.items() if name != "extension"}
    case |= {} if extension is None else {"extension": extension}

    error = await refused(task_written(Write("create", case, imported=True), ringing.desk))
    assert (error.status, error.issues[0].detail) == (422, "critical.imported-without-ladder")
    closed = {**case, "businessStatus": {"coding": [{"system": CASE_STATE, "code": "closed"}]}}
    assert await task_written(Write("create", closed, imported=True), ringing.desk) == Changes.none()


async def test_the_attempts_of_a_case_are_not_rewritten() -> None:
    ringing = await an_open_case()
    held = next(s for s in ringing.desk.held.values() if s.resource["resourceType"] == "Communication")

    error = await refused(communication_written(Write("update", {**held.resource, "partOf": []}, held), ringing.desk))

    assert error.status == 409


async def test_a_communication_about_something_else_is_kept() -> None:
    ringing = await an_open_case()
    note: Resource = {"resourceType": "Communication", "id": "k-n", "status": "completed"}

    assert await communication_written(Write("create", note), ringing.desk) == Changes.none()


@pytest.mark.parametrize(
    ("members", "at"),
    [
        (
            {"connectionType": {"system": "https://slipring.example/fhir/CodeSystem/channel", "code": "pigeon"}},
            "connectionType",
        ),
        ({"extension": []}, "route-of"),
        ({"address": "ftp://ward.test/"}, "address"),
        ({"address": "https://"}, "address"),
        ({"address": "http://169.254.169.254/latest/"}, "address"),
    ],
)
async def test_a_route_that_could_not_ring_is_refused_when_it_is_saved(members: dict[str, Any], at: str) -> None:
    route = a_route("ward-duty", "duty.test", **members)

    error = await refused(route_written(Write("create", route), ARinging().desk))

    assert error.status == 422
    assert at in error.issues[0].at


async def test_a_good_route_and_an_endpoint_of_another_kind_are_kept() -> None:
    other = a_route("ward-duty", "pacs.test", connectionType={"system": "dicom", "code": "dicom-wado-rs"}, extension=[])

    assert await route_written(Write("create", other), ARinging().desk) == Changes.none()
    kept = await route_written(Write("create", a_route("ward-duty", "duty.test")), ARinging().desk)
    assert set(kept.members) == {"extension"}, "what is known of it is the service's to say, the rest the client's"

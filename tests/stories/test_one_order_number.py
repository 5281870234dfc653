"""One order number is one request, however often and from however many places the HIS sends it (5.4.6)."""

from __future__ import annotations

import asyncio

from slipring_demo.cast import C
from slipring_demo.ordering import a_request

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam


async def numbered(story: OneExam) -> tuple[dict[str, object], str]:
    request = a_request(story.cast)
    return request, f"identifier={C}/his-order|{request['identifier'][0]['value']}"


async def test_sixty_four_conditional_creates_at_once_are_one_request(department: Department) -> None:
    story = await one_exam(department)
    request, condition = await numbered(story)
    answers = await asyncio.gather(
        *(department.post("ServiceRequest", request, If_None_Exist=condition) for _ in range(64))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 63 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    [stored] = await department.found(f"ServiceRequest?{condition}")
    assert len(await department.found(f"Task?focus=ServiceRequest/{stored['id']}&code=exam")) == 1
    number = next(i["value"] for i in stored["identifier"] if i["type"]["coding"][0]["code"] == "ACSN")
    assert all(number in answer.text for answer in answers), "everyone is told the same imaging number"


async def test_the_same_number_without_a_condition_is_refused_and_names_the_standing_request(
    department: Department,
) -> None:
    story = await one_exam(department)
    request, condition = await numbered(story)
    first = await department.post("ServiceRequest", request)
    assert first.status_code == 201, first.text
    again = await department.post("ServiceRequest", request)
    assert again.status_code == 409, again.text
    assert first.json()["id"] in again.text
    assert len(await department.found(f"ServiceRequest?{condition}")) == 1


async def test_imaging_numbers_are_never_handed_out_twice(department: Department) -> None:
    story = await one_exam(department)
    answers = await asyncio.gather(*(department.post("ServiceRequest", a_request(story.cast)) for _ in range(20)))
    numbers = [
        identifier["value"]
        for answer in answers
        for identifier in answer.json()["identifier"]
        if identifier["type"]["coding"][0]["code"] == "ACSN"
    ]
    assert len(numbers) == len(set(numbers)) == 20

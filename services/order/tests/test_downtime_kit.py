"""Downtime: reserved numbers on paper, the day's work beside them, and late entry with those numbers."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Write
from slipring_order.downtime.kit import RESERVED_NUMBER, RESERVED_SYSTEM
from slipring_order.handlers.downtime_kit import kit_made
from slipring_order.handlers.requests import request_written
from slipring_order.handlers.tasks import guarded
from slipring_order.reading import identifier_of

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_patient, a_request, received, the_exam
from tests.support.rooms import a_booking_desk, a_scanner, another_exam, call, schedule


async def made(desk: ADesk, count: int = 3) -> tuple[str, list[str]]:
    changes = await kit_made(call(None, count=("Integer", count)), desk)
    desk.carry_out(changes)
    kit, task = (changes.answer or {})["parameter"]
    page = base64.b64decode(kit["valueAttachment"]["data"]).decode()
    return page, [one["value"] for one in task["resource"]["identifier"]]


class Outside(HTMLParser):
    """What a page would fetch from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag for name, _ in attrs if name in ("src", "href")] + (
            [tag] if tag in ("script", "link") else []
        )


@pytest.mark.clause("5.10.1")
@pytest.mark.clause("5.4.6")
async def test_the_kit_holds_the_days_work_and_a_form_for_each_reserved_number() -> None:
    desk = a_desk(a_patient(name=[{"text": "<b>测试 & 患者</b>"}]))
    await received(desk, a_request())
    page, numbers = await made(desk)
    assert len(set(numbers)) == 3 and all(len(number) == 16 for number in numbers)
    assert all(f'aria-label="{number}"' in page for number in numbers)
    assert "CT20260303000001" in page and "CT20260303000001" not in numbers
    assert "&lt;b&gt;测试 &amp; 患者&lt;/b&gt;" in page and "<b>测试" not in page
    outside = Outside()
    outside.feed(page)
    assert outside.found == [], "it stands by itself, also without a network"


async def entered(desk: ADesk, number: str, **members: Any) -> Resource:
    extension = [{"url": RESERVED_NUMBER, "valueString": number}]
    request = a_request(extension=extension, **members)
    kept = desk.carry_out(await request_written(Write("create", request), desk), request)
    assert kept
    return kept


async def test_a_form_is_entered_afterwards_with_the_number_printed_on_it_and_the_sequence_goes_on() -> None:
    desk = a_desk()
    _, numbers = await made(desk)
    request = await entered(desk, numbers[1])
    found = identifier_of(request, "ACSN")
    assert found and found["value"] == numbers[1]
    other = a_request(id="o-next", identifier=[])
    kept = desk.carry_out(await request_written(Write("create", other), desk), other)
    following = identifier_of(kept or {}, "ACSN")
    assert following and following["value"] not in numbers


async def test_each_scanner_has_a_kit_of_its_own_and_a_kit_made_again_has_other_numbers() -> None:
    desk = a_booking_desk(a_scanner("o-ct2"))
    await received(desk, a_request())
    await schedule(desk, scanner=("Reference", {"reference": "Device/o-ct2"}))
    waiting = await another_exam(desk, "o-b")
    booked = (await the_exam(desk))["groupIdentifier"]["value"]
    pages, numbers = dict[str, str](), list[str]()
    for scanner in ("o-ct1", "o-ct2", "o-ct2"):
        asked = call(None, count=("Integer", 2), scanner=("Reference", {"reference": f"Device/{scanner}"}))
        changes = await kit_made(asked, desk)
        desk.carry_out(changes)
        kit, task = (changes.answer or {})["parameter"]
        pages[scanner] = base64.b64decode(kit["valueAttachment"]["data"]).decode()
        numbers += [one["value"] for one in task["resource"]["identifier"]]
    assert len(set(numbers)) == 6
    assert booked in pages["o-ct2"] and booked not in pages["o-ct1"]
    assert all(waiting["groupIdentifier"]["value"] in page for page in pages.values()), (
        "no time yet: either may scan it"
    )
    assert "示例 CT o-ct1" in pages["o-ct1"] and "示例 CT o-ct2" in pages["o-ct2"]
    for number in (numbers[0], numbers[2], numbers[5]):
        found = identifier_of(await entered(desk, number, id=f"o-{number}", identifier=[]), "ACSN")
        assert found and found["value"] == number


async def test_a_kit_is_for_a_scanner_of_the_department() -> None:
    with pytest.raises(FhirError) as refused:
        await kit_made(call(None, scanner=("Reference", {"reference": "Device/o-x"})), a_desk())
    assert (refused.value.issues[0].detail, refused.value.issues[0].at) == (
        "order.scanner-unknown",
        "Parameters.parameter[0]",
    )


async def test_a_number_that_was_not_reserved_is_refused() -> None:
    with pytest.raises(FhirError) as refused:
        await entered(a_desk(), "CT20260303000009")
    assert (refused.value.status, refused.value.issues[0].detail) == (422, "order.reserved-number-unknown")


@pytest.mark.parametrize("count", [0, 101, -1])
async def test_a_kit_has_one_to_a_hundred_forms(count: int) -> None:
    with pytest.raises(FhirError) as refused:
        await made(a_desk(), count)
    assert refused.value.status == 422


async def test_a_reservation_is_nobodys_to_write() -> None:
    desk = a_desk()
    forged = {
        "resourceType": "Task", "id": "o-t", "status": "ready", "intent": "plan",
        "identifier": [{"system": RESERVED_SYSTEM, "value": "CT20991231000001"}],
    }  # fmt: skip
    with pytest.raises(FhirError) as refused:
        await guarded(Write("create", forged), desk)
    assert (refused.value.status, refused.value.issues[0].detail) == (409, "order.kit-made-by-department")

"""What an address says of the next page is a mark that a search gave, and nothing else is asked for."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest
from slipring.department.road import Hand, in_portions
from slipring.fhir.outcome import FhirError


@pytest.mark.parametrize("mark", ["_summary=count", "_count=1", "_elements=id", "_total=none", "_cursor=a&_count=1"])
async def test_a_next_page_is_no_other_question(mark: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={"resourceType": "Bundle"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://front") as client:
        hand = Hand(client, "token")
        with pytest.raises(FhirError) as refused:
            await hand.sheet("Task", [], mark)
        assert (refused.value.status, asked) == (404, [])
        await hand.sheet("Task", [], "_cursor=abc")
        await hand.sheet("Task", [], "_position=abc")
        assert [one.rpartition("?")[2] for one in asked] == ["_cursor=abc", "_position=abc"]


async def test_what_the_roles_do_not_open_is_none_and_any_other_refusal_is_told() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        status = {"$slots": 200, "$queue": 403}.get(request.url.path.rpartition("/")[2], 422)
        told = {"parameter": [{"name": "slot"}]} if status == 200 else {"issue": [{"code": "forbidden"}]}
        return httpx.Response(status, json=told)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://front") as client:
        hand = Hand(client, "token")
        assert await hand.called_if_allowed("Device/ct/$slots") == [{"name": "slot"}]
        assert await hand.called_if_allowed("Task/$queue") is None
        with pytest.raises(FhirError) as refused:
            await hand.called_if_allowed("Task/$arrivals")
        assert refused.value.status == 422


async def test_a_number_keeps_its_digits_on_its_way_through_a_page() -> None:
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(200, content=b'{"resourceType":"Observation","valueQuantity":{"value":7.50}}')

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://front") as client:
        hand = Hand(client, "token")
        read = await hand.read("Observation/a")
        assert read["valueQuantity"]["value"] == Decimal("7.50")
        await hand.made(read)
    assert b'"value":7.50' in sent[1]


def test_more_than_one_search_can_name_is_asked_for_in_portions() -> None:
    every = [str(number) for number in range(250)]
    portions = in_portions(every)
    assert [len(portion) for portion in portions] == [100, 100, 50]
    assert [one for portion in portions for one in portion] == every and in_portions([]) == []

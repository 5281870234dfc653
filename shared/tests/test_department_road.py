"""What an address says of the next page is a mark that a search gave, and nothing else is asked for."""

from __future__ import annotations

import httpx
import pytest
from slipring.department.road import Hand
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

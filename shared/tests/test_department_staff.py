"""The people whom a page names are looked for in portions that one search can name, and nothing else is."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import httpx
from slipring.department.road import Hand
from slipring.department.staff import people_named


async def test_many_people_are_named_by_as_few_searches_as_can_name_them() -> None:
    asked: list[list[str]] = []

    def front(request: httpx.Request) -> httpx.Response:
        ids = parse_qs(request.content.decode())["_id"][0].split(",")
        asked.append(ids)
        found = [{"resource": {"resourceType": "Practitioner", "id": one}} for one in ids]
        return httpx.Response(200, content=json.dumps({"entry": found}))

    async with httpx.AsyncClient(transport=httpx.MockTransport(front), base_url="http://front") as client:
        hand = Hand(client, "token")
        assert await people_named(hand, ["", "PractitionerRole/o-1"]) == {} and not asked
        everybody = [f"Practitioner/o-{number}" for number in range(150)]
        assert (await people_named(hand, [*everybody, *everybody])).keys() == set(everybody)
    assert [len(ids) for ids in asked] == [100, 50]

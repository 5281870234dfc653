"""Through the front: pages stay whole while others write, and odd but valid JSON comes back as it was sent."""

from __future__ import annotations

import asyncio
import json
import uuid
from urllib.parse import quote

import pytest
from slipring.fhir.text import tokens

from tests.requirements.address import Address, every_base, sample

ODD = [
    '"valueQuantity": {"value": 0.10, "unit": "mg"}',
    '"valueQuantity":\t{"value": 1E2}',
    '"valueQuantity": {"value": -0.000000000000000000000012345678901234567890}',
    '"valueQuantity": {"unit": "\\u00b5g\\/\\u4f60", "value": 123456789012345678.90}',
    '"note": [ {"text":"\\ud83e\\ude7b \\"quoted\\" \\\\ \\t 影像"} ]  ',
]


@every_base
async def test_the_union_of_pages_is_the_query_while_others_write(at: Address) -> None:
    """What stood before the first page and stays is on exactly one page."""
    tag = {"system": "urn:pages", "code": uuid.uuid4().hex}
    body = {**sample("Task"), "meta": {"tag": [tag]}}
    stood = {answer.json()["id"] for answer in await asyncio.gather(*(at.ask("POST", "Task", body) for _ in range(17)))}
    seen: list[str] = []
    path = f"Task?_tag={quote('urn:pages|' + tag['code'])}&_count=4&_sort=-_lastUpdated"
    while path:
        page = await at.bundle(path)
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        path = at.below(following[0]) if following else ""
        await asyncio.gather(*(at.ask("POST", "Task", body) for _ in range(3)))
    assert stood <= set(seen)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("base", ["order", "consent", "report", "front"])
@pytest.mark.parametrize("odd", ODD)
async def test_odd_json_comes_back_as_it_was_sent(at: Address, odd: str) -> None:
    text = f'{{"status":"final" ,"code" : {{"text":"one"}},\n "resourceType":"Observation", {odd} }}'
    made = await at.ask("POST", "Observation", text)
    assert made.status_code == 201, made.text
    served = (await at.ask("GET", f"Observation/{made.json()['id']}")).text
    sent = [written for _, written in tokens("{" + odd + "}")][1:-1]
    kept = [written for _, written in tokens(served)]
    assert any(kept[start : start + len(sent)] == sent for start in range(len(kept))), served
    assert [name for name in json.loads(served) if name in ("status", "code", "resourceType")] == [
        "status",
        "code",
        "resourceType",
    ]

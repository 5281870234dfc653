"""Conditional create, update, patch and delete of every kept type: none, one and several matches."""

from __future__ import annotations

import asyncio
from collections import Counter
from urllib.parse import quote

from tests.requirements.address import UNION, Address, Resource, every_base, every_kept_type, refused, sample, tag_of


async def twins(at: Address, kind: str) -> tuple[str, Resource]:
    """Two resources with one tag; the condition that matches both."""
    body = sample(kind)
    for _ in range(2):
        assert (await at.ask("POST", kind, body)).status_code == 201
    return f"_tag={quote(tag_of(body))}", body


@every_kept_type
async def test_a_conditional_create_finds_the_first(at: Address, kind: str) -> None:
    body = sample(kind)
    condition = f"_tag={quote(tag_of(body))}"
    first = await at.ask("POST", kind, body, If_None_Exist=condition)
    assert first.status_code == 201, first.text
    second = await at.ask("POST", kind, body, If_None_Exist=condition)
    assert second.status_code == 200, second.text
    assert second.headers["location"] == first.headers["location"]
    assert second.headers["etag"] == first.headers["etag"]
    assert len(await at.found(f"{kind}?{condition}")) == 1


@every_kept_type
async def test_a_condition_that_several_match_decides_nothing(at: Address, kind: str) -> None:
    condition, body = await twins(at, kind)
    refused(await at.ask("POST", kind, body, If_None_Exist=condition), 412)
    refused(await at.ask("PUT", f"{kind}?{condition}", body), 412)
    assert len(await at.found(f"{kind}?{condition}")) == 2


@every_kept_type
async def test_a_condition_that_says_nothing_or_nonsense_is_refused(at: Address, kind: str) -> None:
    body = sample(kind)
    refused(await at.ask("POST", kind, body, If_None_Exist=""), 400)
    refused(await at.ask("POST", kind, body, If_None_Exist="nonsense=1"), 400)
    refused(await at.ask("POST", kind, body, If_None_Exist="_count=1"), 400)
    refused(await at.ask("PUT", f"{kind}?nonsense=1", body), 400)
    refused(await at.ask("DELETE", f"{kind}?nonsense=1"), 400)
    refused(await at.ask("DELETE", kind), 400, 405)
    assert await at.found(f"{kind}?_tag={quote(tag_of(body))}") == []


@every_kept_type
async def test_a_conditional_update_creates_then_replaces(at: Address, kind: str) -> None:
    body = sample(kind)
    condition = f"_tag={quote(tag_of(body))}"
    first = await at.ask("PUT", f"{kind}?{condition}", body)
    assert first.status_code == 201, first.text
    match = {"If_Match": first.headers["etag"]} if UNION[kind].if_match else {}
    second = await at.ask("PUT", f"{kind}?{condition}", {**body, "language": "zh"}, **match)
    assert second.status_code == 200, second.text
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["language"] == "zh"
    other = {**body, "id": "another"}
    refused(await at.ask("PUT", f"{kind}?{condition}", other, **match), 400)


@every_kept_type
async def test_a_conditional_delete_hides_the_one_it_matches(at: Address, kind: str) -> None:
    body = sample(kind)
    condition = f"_tag={quote(tag_of(body))}"
    assert (await at.ask("DELETE", f"{kind}?{condition}")).status_code in (204, 404)
    made = (await at.ask("POST", kind, body)).json()
    answer = await at.ask("DELETE", f"{kind}?{condition}")
    if answer.status_code == 409:
        refused(answer, 409)
        assert (await at.ask("GET", f"{kind}/{made['id']}")).status_code == 200
        return
    assert answer.status_code == 204, answer.text
    refused(await at.ask("GET", f"{kind}/{made['id']}"), 410)


@every_kept_type
async def test_several_matches_of_a_conditional_delete_stay(at: Address, kind: str) -> None:
    condition, _ = await twins(at, kind)
    answer = await at.ask("DELETE", f"{kind}?{condition}")
    refused(answer, 412, 409)
    assert len(await at.found(f"{kind}?{condition}")) == 2


@every_kept_type
async def test_sixteen_conditional_creates_at_once_make_one(at: Address, kind: str) -> None:
    body = sample(kind)
    condition = f"_tag={quote(tag_of(body))}"
    answers = await asyncio.gather(*(at.ask("POST", kind, body, If_None_Exist=condition) for _ in range(16)))
    told = Counter(answer.status_code for answer in answers)
    held = await at.found(f"{kind}?{condition}")
    assert told == {200: 15, 201: 1}, f"{told}, {held}, {[a.text for a in answers if a.status_code > 201][:1]}"
    assert {at.below(answer.headers["location"]) for answer in answers} == {f"{kind}/{held[0]}/_history/1"}


@every_base
async def test_sixty_four_conditional_creates_and_updates_at_once_make_one(at: Address) -> None:
    body = sample("Task")
    condition = f"_tag={quote(tag_of(body))}"
    creates = [at.ask("POST", "Task", body, If_None_Exist=condition) for _ in range(32)]
    updates = [at.ask("PUT", f"Task?{condition}", body) for _ in range(32)]
    answers = await asyncio.gather(*creates, *updates)
    assert {answer.status_code for answer in answers} <= {200, 201, 409, 503}, {a.status_code for a in answers}
    assert [answer.status_code for answer in answers].count(201) == 1
    assert len(await at.found(f"Task?{condition}")) == 1


@every_kept_type
async def test_a_conditional_patch_changes_the_one_it_matches(at: Address, kind: str) -> None:
    body = sample(kind)
    condition = f"_tag={quote(tag_of(body))}"
    patch = [{"op": "add", "path": "/language", "value": "zh"}]
    send = {"Content_Type": "application/json-patch+json", "If_Match": 'W/"1"'}
    refused(await at.ask("PATCH", f"{kind}?{condition}", patch, **send), 404, 412)
    made = (await at.ask("POST", kind, body)).json()
    answer = await at.ask("PATCH", f"{kind}?{condition}", patch, **send)
    assert answer.status_code == 200, answer.text
    assert (await at.ask("GET", f"{kind}/{made['id']}")).json()["language"] == "zh"
    assert (await at.ask("POST", kind, body)).status_code == 201
    refused(await at.ask("PATCH", f"{kind}?{condition}", patch, **send), 412)

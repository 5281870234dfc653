"""JSON Patch of every kept type: what it changes, what it refuses, and that nothing half-done stays."""

from __future__ import annotations

from typing import Any

from tests.requirements.address import Address, every_kept_type, refused

JSON_PATCH = "application/json-patch+json"


def steps(*operations: dict[str, Any]) -> list[dict[str, Any]]:
    """A patch document."""
    return list(operations)


@every_kept_type
async def test_a_patch_changes_what_it_names_and_nothing_else(at: Address, kind: str) -> None:
    made = await at.made(kind)
    address = f"{kind}/{made['id']}"
    patch = steps({"op": "test", "path": "/id", "value": made["id"]}, {"op": "add", "path": "/language", "value": "zh"})
    answer = await at.ask("PATCH", address, patch, Content_Type=JSON_PATCH, If_Match='W/"1"')
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == 'W/"2"'
    after = (await at.ask("GET", address)).json()
    assert after["language"] == "zh"
    assert {**after, "meta": 0, "language": 0} == {**made, "meta": 0, "language": 0}
    assert (await at.ask("GET", f"{address}/_history/1")).json() == made


@every_kept_type
async def test_a_patch_that_does_not_fit_changes_nothing(at: Address, kind: str) -> None:
    made = await at.made(kind)
    address = f"{kind}/{made['id']}"
    wrong: list[Any] = [
        steps({"op": "test", "path": "/language", "value": "nothing"}),
        steps({"op": "remove", "path": "/notHere"}),
        steps({"op": "add", "path": "/notHere", "value": 1}),
        steps({"op": "replace", "path": "/resourceType", "value": "Binary"}),
        steps({"op": "replace", "path": "/id", "value": "other"}),
        steps({"op": "add", "path": "/language", "value": "zh"}, {"op": "add", "path": "/language", "value": 7}),
        steps({"op": "nonsense", "path": "/language"}),
        steps({"op": "add", "path": "language", "value": "zh"}),
        steps({"op": "replace", "path": "", "value": []}),
        steps({"op": "move", "from": "/meta", "path": "/meta/tag/0"}),
        {"op": "add"},
        [1],
        "[",
    ]
    for patch in wrong:
        answer = await at.ask("PATCH", address, patch, Content_Type=JSON_PATCH, If_Match='W/"1"')
        refused(answer, 400, 409, 412, 422)
    refused(await at.ask("PATCH", address, [], Content_Type="application/fhir+xml", If_Match='W/"1"'), 415)
    fitting = steps({"op": "add", "path": "/language", "value": "zh"})
    refused(await at.ask("PATCH", address, fitting, Content_Type=JSON_PATCH, If_Match='W/"7"'), 412)
    refused(await at.ask("PATCH", f"{kind}/never", fitting, Content_Type=JSON_PATCH), 404)
    assert (await at.ask("GET", address)).json() == made

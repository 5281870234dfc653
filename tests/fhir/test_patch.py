"""PATCH: a JSON Patch changes what it names, keeps every other character, and says which operation does not fit."""

import asyncio
import json
from collections import Counter
from decimal import Decimal
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.json_patch import Patch
from slipring.fhir.outcome import FhirError

from tests.fhir.place import Place, a_patient, a_request, a_task, where

PATCH = {"Content-Type": "application/json-patch+json"}
OBSERVED = (
    '{"resourceType":"Observation","status":"final","code":{"text":"\\u4f60"},'
    '"valueQuantity":{"value":1.50},"component":[{"code":{"text":"a"},"valueQuantity":{"value":1.0E2}}]}'
)


async def patched(place: Place, path: str, *operations: Any, **headers: str) -> Any:
    return await place.ask("PATCH", path, list(operations), headers={**PATCH, **headers})


async def test_a_patch_changes_what_it_names_and_no_other_character(place: Place) -> None:
    made = (await place.ask("POST", "Observation", OBSERVED)).json()
    address = f"Observation/{made['id']}"
    answer = await patched(
        place,
        address,
        {"op": "test", "path": "/valueQuantity/value", "value": 1.5},
        {"op": "add", "path": "/component/0/valueQuantity/unit", "value": "mg"},
        {"op": "replace", "path": "/status", "value": "amended"},
    )
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"'), answer.text
    assert '"code":{"text":"\\u4f60"}' in answer.text
    assert '"value":1.50' in answer.text
    assert '{"value":1.0E2,"unit":"mg"}' in answer.text
    assert answer.json()["status"] == "amended"
    assert (await place.ask("GET", address)).text == answer.text


async def test_of_parallel_patches_none_is_lost(place: Place) -> None:
    task = await place.make(a_task(note=[]) | {"note": [{"text": "0"}]})
    answers = await asyncio.gather(
        *(
            patched(place, f"Task/{task['id']}", {"op": "add", "path": "/note/-", "value": {"text": str(n)}})
            for n in range(1, 4)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    notes = (await place.ask("GET", f"Task/{task['id']}")).json()["note"]
    assert sorted(note["text"] for note in notes) == ["0", "1", "2", "3"]


async def test_a_patch_of_an_old_version_is_412(place: Place) -> None:
    task = await place.make(a_task())
    change = {"op": "replace", "path": "/status", "value": "completed"}
    for tag, status in (('W/"2"', 412), ('W/"1"', 200), ('W/"1"', 412)):
        answer = await patched(place, f"Task/{task['id']}", change, **{"If-Match": tag})
        assert answer.status_code == status, tag
    assert (await patched(place, "Task/none", change)).status_code == 404
    await place.ask("DELETE", f"Task/{task['id']}")
    assert (await patched(place, f"Task/{task['id']}", change)).status_code == 410


@pytest.mark.parametrize(
    ("operations", "status", "at"),
    [
        ({"op": "add"}, 400, []),
        ([5], 400, ["[0]"]),
        ([{"op": "append", "path": "/status", "value": "x"}], 400, ["[0].op"]),
        ([{"path": "/status"}], 400, ["[0].op"]),
        ([{"op": "add", "path": "/status"}], 400, ["[0].value"]),
        ([{"op": "move", "path": "/status"}], 400, ["[0].from"]),
        ([{"op": "remove", "path": "status"}], 400, ["[0].path"]),
        ([{"op": "remove", "path": 7}], 400, ["[0].path"]),
        ([{"op": "remove", "path": "/a~2"}], 400, ["[0].path"]),
        ([{"op": "remove", "path": "/nothing"}], 422, ["[0].path"]),
        ([{"op": "replace", "path": "/note/9/text", "value": "x"}], 422, ["[0].path"]),
        ([{"op": "copy", "from": "/nothing", "path": "/status"}], 422, ["[0].from"]),
        ([{"op": "test", "path": "/status", "value": "requested"}] * 2 + [{"op": "test", "path": "/status", "value": 1}], 422, ["[2]"]),
        ([{"op": "remove", "path": "/id"}], 422, ["[0].path"]),
        ([{"op": "replace", "path": "", "value": []}], 422, ["[0].path"]),
        ([{"op": "replace", "path": "/resourceType", "value": "Patient"}], 422, ["[0].path"]),
        ([{"op": "replace", "path": "/meta/versionId", "value": "7"}], 422, ["[0].path"]),
        ([{"op": "remove", "path": "/meta"}], 422, ["[0].path"]),
        ([{"op": "add", "path": "/status", "value": "nonsense"}], 400, ["Task.status"]),
        ([{"op": "add", "path": "/nonsense", "value": 1}], 400, ["Task.nonsense"]),
        ([{"op": "test", "path": "/status", "value": "requested"}] * 1001, 413, []),
    ],
)  # fmt: skip
async def test_what_does_not_fit_names_its_operation(place: Place, operations: Any, status: int, at: list[str]) -> None:
    task = await place.make(a_task())
    answer = await place.ask("PATCH", f"Task/{task['id']}", json.dumps(operations), headers=PATCH)
    assert (answer.status_code, where(answer)) == (status, at), answer.text
    assert (await place.ask("GET", f"Task/{task['id']}")).headers["etag"] == 'W/"1"'


async def test_a_patch_that_grows_without_end_is_refused_before_it_grows(place: Place) -> None:
    task = await place.make(a_task(note=[{"text": "x"}]))
    doubled = [{"op": "copy", "from": "/note", "path": "/note/0/text"}] * 200
    wide = [{"op": "copy", "from": "", "path": f"/x{n}"} for n in range(40)]
    for operations in (doubled, wide):
        answer = await place.ask("PATCH", f"Task/{task['id']}", operations, headers=PATCH)
        assert answer.status_code in (400, 413, 422), answer.text
        assert where(answer)[0].startswith("[")


async def test_what_the_service_owns_and_what_its_handler_refuses_stay(place: Place) -> None:
    made = await place.make(a_request("patch-owned"))
    address = f"ServiceRequest/{made['id']}"
    altered = await patched(place, address, {"op": "replace", "path": "/identifier/1/value", "value": "CT0"})
    assert (altered.status_code, where(altered)) == (422, ["ServiceRequest.identifier"])
    refused = await patched(place, address, {"op": "add", "path": "/note", "value": [{"text": "no"}]})
    assert (refused.status_code, where(refused)) == (422, ["ServiceRequest.note[0]"])
    removed = await patched(place, address, {"op": "remove", "path": "/identifier/1"})
    assert made["identifier"][1] in removed.json()["identifier"]


async def test_other_patches_are_refused_by_name(place: Place) -> None:
    task = await place.make(a_task())
    parameters = {"resourceType": "Parameters"}
    answer = await place.ask("PATCH", f"Task/{task['id']}", parameters)
    assert (answer.status_code, answer.headers["accept-patch"]) == (415, "application/json-patch+json")
    scopes = "system/Task.crds"
    denied = await place.ask("PATCH", f"Task/{task['id']}", [], headers=PATCH, scopes=scopes)
    assert denied.status_code == 403


async def test_sixty_four_conditional_patches_come_one_after_the_other(place: Place) -> None:
    await place.make(a_patient(identifier=[{"system": "urn:p", "value": "many"}], multipleBirthInteger=1))
    place_of = "/multipleBirthInteger"
    change = [{"op": "test", "path": place_of, "value": 1}, {"op": "replace", "path": place_of, "value": 2}]
    answers = await asyncio.gather(*(patched(place, "Patient?identifier=urn:p|many", *change) for _ in range(64)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 422: 63}


_LEAF = (
    st.none() | st.booleans() | st.integers() | st.text('ab\u4f60\\" /~', max_size=3) | st.decimals(-99, 99, places=2)
)
_NAME = st.sampled_from("abc")
_TREE = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAME, inner, max_size=3),
    max_leaves=8,
)
_STEPS = st.lists(st.sampled_from(["a", "b", "c", "0", "1", "-"]), max_size=3)
_POINTER = _STEPS.map(lambda steps: "".join(f"/{step}" for step in ["x", *steps]))
_OPERATION = st.one_of(
    st.fixed_dictionaries({"op": st.sampled_from(["add", "replace", "test"]), "path": _POINTER, "value": _TREE}),
    st.fixed_dictionaries({"op": st.just("remove"), "path": _POINTER}),
    st.fixed_dictionaries({"op": st.sampled_from(["move", "copy"]), "path": _POINTER, "from": _POINTER}),
)


def dumped(tree: Any) -> str:
    from slipring.fhir.text import encode

    return encode(tree)


def exact(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


@given(_TREE, st.lists(_OPERATION, max_size=5))
def test_the_result_is_the_librarys_result_or_both_refuse(tree: Any, operations: list[Any]) -> None:
    text = dumped({"resourceType": "Task", "id": "1", "x": tree})
    written = dumped(operations)
    try:
        expected = jsonpatch.JsonPatch(exact(written)).apply(exact(text))
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, KeyError, IndexError, TypeError):
        expected = None
    try:
        result = exact(Patch.read(written.encode(), 10**6).applied(text))
    except FhirError as error:
        assert error.status in (400, 422)
        result = None
    assert result == expected


@given(
    st.lists(
        st.from_regex(r"-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,6})?([eE][+-]?[0-9])?", fullmatch=True), min_size=1, max_size=6
    )
)
def test_numbers_keep_their_characters_wherever_they_go(numbers: list[str]) -> None:
    text = f'{{"resourceType":"Task","id":"1","x":[{",".join(numbers)}],"y":{{}}}}'
    patch = '[{"op":"copy","from":"/x","path":"/y/z"},{"op":"add","path":"/x/-","value":7.00}]'
    result = Patch.read(patch.encode(), 10**6).applied(text)
    assert result == (
        f'{{"resourceType":"Task","id":"1","x":[{",".join([*numbers, "7.00"])}],"y":{{"z":[{",".join(numbers)}]}}}}'
    )

"""What a token limited by search parameters does not show, asked on every road with real requests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fhir.limited import HIDDEN, LAB, LIMITED, OPEN, PATCH, an_observation, ids, one_patient, ward
from tests.fhir.place import Place, Resource, a_bundle, a_task, opened


@pytest.fixture(scope="module")
async def place(data_dir: Path) -> AsyncIterator[Place]:
    async with opened(data_dir, ward(), pool_size=8) as street:
        yield street["order"]


@pytest.fixture(scope="module")
async def held(place: Place) -> dict[str, Resource]:
    return await one_patient(place)


async def same_as_absent(place: Place, method: str, path: str, secret: str, **asked: Any) -> None:
    """The answer about the hidden resource differs from that about one that never was in nothing but its id."""
    never = "o-00000000-0000-4000-8000-000000000000"
    asked.setdefault("scopes", LIMITED)
    body = asked.pop("body", None)
    told = []
    for name in (secret, never):
        sent = json.loads(json.dumps(body).replace("ID", name)) if body is not None else None
        answer = await place.ask(method, path.replace("ID", name), sent, **asked)
        told.append((answer.status_code, answer.text.replace(name, "ID"), answer.headers.get("etag")))
    assert told[0] == told[1]
    assert told[0][0] in (404, 412), told


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", "Observation/ID", None, {}),
        ("HEAD", "Observation/ID", None, {}),
        ("GET", "Observation/ID?_summary=true", None, {}),
        ("GET", "Observation/ID?_elements=status", None, {}),
        ("GET", "Observation/ID", None, {"If-None-Match": 'W/"1"'}),
        ("GET", "Observation/ID", None, {"If-Modified-Since": "Wed, 21 Oct 2099 07:28:00 GMT"}),
        ("GET", "Observation/ID/_history/1", None, {}),
        ("GET", "Observation/ID/_history", None, {}),
        ("GET", "Observation/ID/_history?_summary=count", None, {}),
        ("PUT", "Observation/ID", an_observation(OPEN, id="ID"), {}),
        ("PUT", "Observation/ID", an_observation(OPEN, id="ID"), {"If-Match": 'W/"1"'}),
        ("PUT", "Observation/ID", an_observation(OPEN, id="ID"), {"If-Match": 'W/"9"'}),
        ("PATCH", "Observation/ID", [{"op": "replace", "path": "/category/0/coding/0/code", "value": OPEN}], PATCH),
        ("PATCH", "Observation/ID", [{"op": "test", "path": "/valueString", "value": "secret"}], PATCH),
        ("PATCH", "Observation/ID", [], PATCH | {"If-Match": 'W/"1"'}),
        ("DELETE", "Observation/ID", None, {}),
        ("DELETE", "Observation/ID", None, {"If-Match": 'W/"1"'}),
        ("POST", "Observation/ID/$look", None, {}),
        ("GET", "Observation/ID/$meta", None, {}),
        ("GET", "Observation/ID/$validate", None, {}),
        ("POST", "Observation/ID/$validate?mode=delete", None, {}),
    ],
)
async def test_what_is_hidden_is_absent(
    place: Place, held: dict[str, Resource], method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    await same_as_absent(place, method, path, held["secret"]["id"], body=body, headers=headers)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_a_bundle_reads_no_more_than_its_sender(place: Place, held: dict[str, Resource], kind: str) -> None:
    secret = held["secret"]["id"]
    for url in (f"Observation/{secret}", f"Observation/{secret}/_history/1", f"Observation/{secret}/_history"):
        answer = await place.ask("POST", "", a_bundle(kind, ("GET", url, None)), scopes=LIMITED)
        statuses = [answer.status_code, *(e["response"]["status"] for e in answer.json().get("entry", []))]
        assert 404 in statuses or "404" in statuses
        assert "secret" not in answer.text
    found = await place.ask("POST", "", a_bundle(kind, ("GET", "Observation?status=final", None)), scopes=LIMITED)
    assert held["inside"]["id"] in found.text and secret not in found.text


@pytest.mark.parametrize(
    "query",
    [
        "Observation",
        "Observation?_sort=date",
        "Observation?_sort=-_lastUpdated",
        "Observation?_sort=value-string",
        "Observation?category=urn:category|psychiatry",
        "Observation?category:not=lab",
        "Observation?identifier=s",
        "Observation?value-string=secret",
        "Observation?_id=SECRET,INSIDE",
        "Observation?_has:Observation:subject:status=final",
    ],
)
async def test_a_search_finds_nothing_hidden(place: Place, held: dict[str, Resource], query: str) -> None:
    secret, inside = held["secret"]["id"], held["inside"]["id"]
    asked = query.replace("SECRET", secret).replace("INSIDE", inside)
    answer = await place.ask("GET", asked, scopes=LIMITED)
    if answer.status_code == 400:  # no such search, with or without limits
        assert (await place.ask("GET", asked)).status_code == 400
        return
    assert secret not in ids(answer)
    joined = "&" if "?" in asked else "?"
    everything = await place.ask("GET", f"{asked}{joined}_total=accurate&_count=1000")
    for counting in ("_summary=count", "_total=accurate", "_count=0"):
        told = (await place.ask("GET", f"{asked}{joined}{counting}", scopes=LIMITED)).json()
        assert told["total"] == len(ids(answer)) < everything.json()["total"] + 1


async def test_the_total_counts_what_is_seen(place: Place, held: dict[str, Resource]) -> None:
    asked = f"Observation?subject=Patient/{held['patient']['id']}&_summary=count"
    assert (await place.ask("GET", asked)).json()["total"] == 2
    assert (await place.ask("GET", asked, scopes=LIMITED)).json()["total"] == 1


async def test_includes_add_nothing_hidden(place: Place, held: dict[str, Resource]) -> None:
    me, scopes = held["patient"]["id"], LIMITED.replace("Patient.r", "Patient.rs")
    for asked in (
        f"Patient?_id={me}&_revinclude=Observation:subject",
        f"Patient?_id={me}&_revinclude=*",
        f"Observation?subject=Patient/{me}&_include=Observation:subject&_revinclude:iterate=Observation:subject",
    ):
        if asked.endswith("*"):  # every type refers to a patient: all of them must be granted
            assert (await place.ask("GET", asked, scopes=scopes)).status_code == 403
            continue
        found = ids(await place.ask("GET", asked, scopes=scopes))
        assert held["inside"]["id"] in found and held["secret"]["id"] not in found
        assert held["secret"]["id"] in ids(await place.ask("GET", asked))


async def test_an_include_needs_what_a_search_needs(place: Place, held: dict[str, Resource]) -> None:
    asked = f"Observation?subject=Patient/{held['patient']['id']}&_include=Observation:subject"
    assert (await place.ask("GET", asked, scopes="system/Observation.rs system/Patient.r")).status_code == 403
    assert (await place.ask("GET", asked, scopes="system/Observation.rs system/Patient.s")).status_code == 200


async def test_a_chain_is_no_oracle_on_what_is_hidden(place: Place, held: dict[str, Resource]) -> None:
    me = held["patient"]["id"]
    scopes = f"system/Patient.rs system/Task.rs system/Observation.rs?category={LAB}"
    task = await place.make(a_task(focus={"reference": f"Observation/{held['secret']['id']}"}))
    plain = await place.make(a_task(focus={"reference": f"Observation/{held['inside']['id']}"}))
    chained = "Task?focus:Observation.status=final"
    assert {task["id"], plain["id"]} <= ids(await place.ask("GET", chained))
    found = ids(await place.ask("GET", chained, scopes=scopes))
    assert plain["id"] in found and task["id"] not in found
    for value, seen in (("secret", False), ("x", False)):
        asked = f"Patient?_id={me}&_has:Observation:subject:value-string={value}"
        assert (me in ids(await place.ask("GET", asked, scopes=scopes))) is seen
    asked = f"Patient?_id={me}&_has:Observation:subject:value-string=secret"
    assert me in ids(await place.ask("GET", asked))
    # Two steps: the patient is open, the observation behind him is not.
    asked = "Task?focus:Observation.subject:Patient._has:Observation:subject:value-string=secret"
    assert not ids(await place.ask("GET", asked, scopes=scopes)) & {plain["id"], task["id"]}
    # A type that is not granted at all may not be passed through.
    assert (await place.ask("GET", chained, scopes="system/Task.rs")).status_code == 403
    assert (await place.ask("GET", chained, scopes="system/Task.rs system/Observation.r")).status_code == 403


async def test_a_history_shows_the_versions_that_were_inside(place: Place) -> None:
    one = await place.make(an_observation(OPEN, valueString="one"))
    moved = {**one, "category": [{"coding": [{"system": "urn:category", "code": HIDDEN}]}], "valueString": "two"}
    assert (await place.ask("PUT", f"Observation/{one['id']}", moved)).status_code == 200
    # It left: what stands today is not reached, so nothing of it is.
    for path in (
        f"Observation/{one['id']}",
        f"Observation/{one['id']}/_history/1",
        f"Observation/{one['id']}/_history",
    ):
        assert (await place.ask("GET", path, scopes=LIMITED)).status_code == 404
    back = {**moved, "category": one["category"], "valueString": "three"}
    assert (await place.ask("PUT", f"Observation/{one['id']}", back)).status_code == 200
    answer = await place.ask("GET", f"Observation/{one['id']}/_history", scopes=LIMITED)
    assert [entry["resource"]["valueString"] for entry in answer.json()["entry"]] == ["three", "one"]
    assert (await place.ask("GET", f"Observation/{one['id']}/_history/2", scopes=LIMITED)).status_code == 404
    for path in ("Observation/_history?_count=1000",):
        told = await place.ask("GET", path, scopes=LIMITED)
        assert '"two"' not in told.text and '"three"' in told.text and "psychiatry" not in told.text
    count = await place.ask("GET", f"Observation/{one['id']}/_history?_summary=count", scopes=LIMITED)
    assert count.json()["total"] == 2
    assert (await place.ask("GET", "_history", scopes=LIMITED)).status_code == 403


async def test_history_pages_of_a_limited_token_are_whole(place: Place) -> None:
    made = [(await place.make(an_observation(OPEN if n % 3 else HIDDEN)))["id"] for n in range(12)]
    path, found = "Observation/_history?_count=2", []
    for _ in range(40):
        answer = (await place.ask("GET", path, scopes=LIMITED)).json()
        found += [entry["resource"]["id"] for entry in answer.get("entry", [])]
        following = [link["url"] for link in answer["link"] if link["relation"] == "next"]
        if not following:
            break
        path = following[0].partition("/fhir/")[2]
    assert [one for one in found if one in made] == [one for n, one in reversed(list(enumerate(made))) if n % 3]


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        (LIMITED, 403),
        ("system/Patient.r", 403),
        ("system/Patient.r system/Observation.c", 403),
        ("system/Patient.r patient/Observation.rs", 403),
        ("system/Patient.r system/Observation.rs", 200),
        ("system/*.rs", 200),
    ],
)
async def test_an_operation_that_tells_of_all_answers_only_who_reaches_all(
    place: Place, held: dict[str, Resource], scopes: str, status: int
) -> None:
    answer = await place.ask("POST", "Patient/$tell", scopes=scopes)
    assert answer.status_code == status, answer.text
    assert (held["secret"]["id"] in answer.text) is (status == 200)


async def test_a_part_that_must_be_said_is_named_where_it_is_missing(place: Place) -> None:
    whole = {"name": "line", "part": [{"name": "word", "valueString": "x"}]}
    lacking = {"name": "line", "part": [{"name": "by", "valueString": "x"}]}
    for given, status, at in (([], 200, []), ([whole], 200, []), ([whole, lacking, lacking], 400, [1, 2])):
        body = {"resourceType": "Parameters"} | ({"parameter": given} if given else {})
        answer = await place.ask("POST", "Task/$note", body)
        assert answer.status_code == status, answer.text
        places = [f"Parameters.parameter[{n}].part.where(name='word')" for n in at]
        assert [issue["expression"][0] for issue in answer.json().get("issue", [])] == places

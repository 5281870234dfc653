"""Conditional interactions: known versions, criteria that find none, one or several, and many who ask at once."""

import asyncio
from collections import Counter

from tests.fhir.place import IMPORT, Place, a_patient, a_task, where


async def test_a_version_known_already_is_304(place: Place) -> None:
    task = await place.make(a_task())
    address = f"Task/{task['id']}"
    read = await place.ask("GET", address)
    for headers, status in (
        ({"If-None-Match": 'W/"1"'}, 304),
        ({"If-None-Match": 'W/"7", W/"1"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": 'W/"7"'}, 200),
        ({"If-None-Match": 'W/"7"', "If-Modified-Since": read.headers["last-modified"]}, 200),
        ({"If-Modified-Since": read.headers["last-modified"]}, 304),
        ({"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
    ):
        for path in (address, f"{address}/_history/1"):
            answer = await place.ask("GET", path, headers=headers)
            assert (answer.status_code, answer.headers["etag"]) == (status, 'W/"1"'), headers
            assert bool(answer.content) == (status == 200)


async def test_a_conditional_update_creates_changes_or_refuses(place: Place) -> None:
    def body(**members: object) -> dict[str, object]:
        return a_patient(identifier=[{"system": "urn:cu", "value": "1"}], **members)

    path = "Patient?identifier=urn:cu|1"
    made = await place.ask("PUT", path, body())
    assert (made.status_code, made.headers["location"].rpartition("/")[2]) == (201, "1"), made.text
    changed = await place.ask("PUT", path, body(active=True))
    assert (changed.status_code, changed.json()["id"], changed.headers["etag"]) == (200, made.json()["id"], 'W/"2"')
    named = await place.ask("PUT", path, body(id=made.json()["id"], active=False))
    assert (named.status_code, named.headers["etag"]) == (200, 'W/"3"')
    other = await place.ask("PUT", path, body(id="other"), scopes=IMPORT)
    assert (other.status_code, where(other)) == (400, ["Patient.id"])
    stale = await place.ask("PUT", path, body(), headers={"If-Match": 'W/"1"'})
    assert stale.status_code == 412
    await place.make(body())
    assert (await place.ask("PUT", path, body())).status_code == 412
    assert (await place.ask("PUT", "Patient", body())).status_code == 400
    assert (await place.ask("PUT", "Patient?nonsense=1", body())).status_code == 400


async def test_a_conditional_update_brings_its_own_id_only_when_it_imports(place: Place) -> None:
    chosen = a_patient(id="cu-2", identifier=[{"system": "urn:cu", "value": "2"}])
    path = "Patient?identifier=urn:cu|2"
    assert (await place.ask("PUT", path, chosen)).status_code == 403
    made = await place.ask("PUT", path, chosen, scopes=IMPORT)
    assert (made.status_code, made.json()["id"]) == (201, "cu-2")


async def test_sixty_four_conditional_updates_make_one_with_sixty_four_versions(place: Place) -> None:
    body = a_patient(identifier=[{"system": "urn:cu", "value": "many"}])
    path = "Patient?identifier=urn:cu|many"
    creating = {"If-None-Exist": "identifier=urn:cu|many"}
    answers = await asyncio.gather(
        *(place.ask("PUT", path, body) for _ in range(32)),
        *(place.ask("POST", "Patient", body, headers=creating) for _ in range(32)),
    )
    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert {answer.status_code for answer in answers} == {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await place.found(path)) == 1


async def test_a_conditional_delete_takes_one_or_none(place: Place) -> None:
    path = "Task?identifier=urn:cd|1"
    assert (await place.ask("DELETE", path)).status_code == 204
    made = [await place.make(a_task(identifier=[{"system": "urn:cd", "value": "1"}])) for _ in range(2)]
    assert (await place.ask("DELETE", path)).status_code == 412
    assert (await place.ask("DELETE", f"Task/{made[0]['id']}", headers={"If-Match": 'W/"2"'})).status_code == 412
    assert (await place.ask("DELETE", f"Task/{made[0]['id']}", headers={"If-Match": 'W/"1"'})).status_code == 204
    assert (await place.ask("DELETE", path)).status_code == 204
    assert (await place.ask("GET", f"Task/{made[1]['id']}")).status_code == 410
    assert (await place.ask("DELETE", "Task")).status_code == 400


async def test_an_update_if_none_stands_changes_nothing_that_stands(place: Place) -> None:
    body = a_patient(id="inm-1")
    answers = await asyncio.gather(
        *(place.ask("PUT", "Patient/inm-1", body, headers={"If-None-Match": "*"}, scopes=IMPORT) for _ in range(16))
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 412: 15}
    assert (await place.ask("GET", "Patient/inm-1")).headers["etag"] == 'W/"1"'


async def test_the_answer_to_a_write_is_as_long_as_preferred(place: Place) -> None:
    for prefer, expected in (
        ("return=minimal", ""),
        ("return=representation", "Task"),
        ('foo; bar=1, return="OperationOutcome"', "OperationOutcome"),
        ("respond-async, unknown=return=minimal", "Task"),
        ("RETURN=Minimal", ""),
    ):
        answer = await place.ask("POST", "Task", a_task(), headers={"Prefer": prefer})
        assert answer.status_code == 201
        assert (answer.json()["resourceType"] if answer.content else "") == expected, prefer
        applied = answer.headers.get("preference-applied", "")
        assert ("return=" in applied) == ("unknown" not in prefer)
        assert (answer.headers["etag"], "location" in answer.headers) == ('W/"1"', True)

"""A token about one patient reaches all of his records while the HIS has them merged, on every road, and no longer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.delivery.rights import subscriber
from slipring.fhir.delivery.telling import listener_of
from slipring.fhir.merged import with_records

from tests.fhir.limited import an_observation, ids, ward
from tests.fhir.place import Place, Resource, a_patient, opened


@pytest.fixture(scope="module")
async def place(data_dir: Path) -> AsyncIterator[Place]:
    async with opened(data_dir, ward(), pool_size=4) as street:
        yield street["order"]


async def two_records(place: Place) -> tuple[Resource, Resource, list[str]]:
    """Two records of one person, each with an observation, and those of somebody else."""
    patients = [await place.make(a_patient()) for _ in range(3)]
    seen = [
        (await place.make(an_observation("lab", subject={"reference": f"Patient/{one['id']}"})))["id"]
        for one in patients
    ]
    return patients[0], patients[1], seen


async def linked(place: Place, one: Resource, *links: tuple[str, Resource]) -> None:
    link = [{"type": kind, "other": {"reference": f"Patient/{other['id']}"}} for kind, other in links]
    body = {name: value for name, value in one.items() if name != "link"} | ({"link": link} if link else {})
    answer = await place.ask("PUT", f"Patient/{one['id']}", body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("bearer", ["replaced-by", "replaces"])
async def test_both_records_are_reached_from_either_while_they_are_merged(place: Place, bearer: str) -> None:
    one, other, seen = await two_records(place)
    tokens = [f"patient/*.rs patient={each['id']}" for each in (one, other)]
    for token, own in zip(tokens, seen[:2], strict=True):
        assert ids(await place.ask("GET", "Observation", scopes=token)) == {own}
    await linked(place, one, (bearer, other))
    for token in tokens:
        assert ids(await place.ask("GET", "Observation", scopes=token)) == set(seen[:2])
        assert ids(await place.ask("GET", "Patient", scopes=token)) == {one["id"], other["id"]}
        for name in seen[:2]:
            assert (await place.ask("GET", f"Observation/{name}", scopes=token)).status_code == 200
        assert (await place.ask("GET", f"Observation/{seen[2]}", scopes=token)).status_code == 404
    await linked(place, one)
    for token, own, gone in zip(tokens, seen[:2], reversed(seen[:2]), strict=True):
        assert ids(await place.ask("GET", "Observation", scopes=token)) == {own}
        assert (await place.ask("GET", f"Observation/{gone}", scopes=token)).status_code == 404


async def test_a_chain_of_merges_and_a_ring_of_them_end(place: Place) -> None:
    first, second, _ = await two_records(place)
    third, _, _ = await two_records(place)
    await linked(place, first, ("replaced-by", second))
    await linked(place, second, ("replaced-by", third))
    await linked(place, third, ("replaced-by", first))
    kernel = place.running.kernel
    caller = Caller("somebody", frozenset({"patient/*.rs"}), patient=first["id"])
    assert set((await with_records(caller, kernel.desk(caller))).records) == {
        one["id"] for one in (first, second, third)
    }
    await linked(place, second)
    await linked(place, third)
    assert set((await with_records(caller, kernel.desk(caller))).records) == {first["id"], second["id"]}


async def test_see_also_is_no_merge(place: Place) -> None:
    one, other, seen = await two_records(place)
    await linked(place, one, ("seealso", other))
    assert ids(await place.ask("GET", "Observation", scopes=f"patient/*.rs patient={one['id']}")) == {seen[0]}


async def test_a_subscriber_about_one_patient_is_told_of_his_other_records_too(place: Place) -> None:
    one, other, _ = await two_records(place)
    lane = {"client": "app", "scopes": ["patient/*.rs"], "practitioner": "", "patient": one["id"]}
    kernel = place.running.kernel
    assert subscriber(lane).records == (one["id"],)
    await linked(place, other, ("replaced-by", one))
    assert set((await listener_of(kernel, lane)).records) == {one["id"], other["id"]}


async def test_a_search_by_patient_finds_what_all_records_of_the_person_carry(place: Place) -> None:
    one, other, seen = await two_records(place)
    queries = [
        f"{name}={kind}{each['id']}"
        for each in (one, other)
        for name, kind in (("patient", ""), ("subject", "Patient/"), ("subject", ""))
    ]
    await linked(place, one, ("replaced-by", other))
    for query in queries:
        answer = await place.ask("GET", f"Observation?{query}&_total=accurate")
        assert ids(answer) == set(seen[:2]), query
        assert answer.json()["total"] == 2
        assert f"?{query.partition('=')[0]}=" in answer.json()["link"][0]["url"]
        assert other["id"] not in answer.json()["link"][0]["url"] or other["id"] in query
    assert ids(await place.ask("GET", f"Patient?_id={one['id']}")) == {one["id"]}
    shown = await place.ask("GET", f"Patient/{other['id']}/$everything")
    assert set(seen[:2]) <= ids(shown) and {one["id"], other["id"]} <= ids(shown)
    await linked(place, one)
    assert ids(await place.ask("GET", f"Observation?patient={one['id']}")) == {seen[0]}


@pytest.mark.parametrize("chain", ["patient.identifier", "subject:Patient.identifier"])
async def test_a_number_of_one_record_finds_what_is_of_the_other_as_its_reference_does(
    place: Place, chain: str
) -> None:
    made = [await two_records(place) for _ in range(2)]
    numbered = []
    for number, (one, other, seen) in enumerate(made):
        identifier = [{"system": "urn:mr", "value": f"{chain[:4]},{number}"}]
        numbered.append((one | {"identifier": identifier}, seen))
        await linked(place, numbered[-1][0], ("replaced-by", other))
    (one, seen), (_, others) = numbered

    async def found(value: str) -> set[str]:
        return ids(await place.ask("GET", f"Observation?{chain}={quote(value)}&_count=200"))

    by_reference = ids(await place.ask("GET", f"Observation?patient={one['id']}"))
    assert by_reference == set(seen[:2])
    for value in (rf"urn:mr|{chain[:4]}\,0", rf"{chain[:4]}\,0"):
        assert await found(value) == by_reference
    assert await found(rf"{chain[:4]}\,0,{chain[:4]}\,1") == {*seen[:2], *others[:2]}
    assert await found("urn:other|1") == set()
    total = (await place.ask("GET", f"Observation?{chain}={quote('urn:mr|')}&_summary=count")).json()["total"]
    assert total >= 2, "all numbers of a system: nobody in particular"
    await linked(place, {name: each for name, each in one.items() if name != "link"})
    assert await found(rf"{chain[:4]}\,0") == {seen[0]}

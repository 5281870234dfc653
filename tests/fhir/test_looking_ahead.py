"""What a handler will look at comes in one statement, says the same as one look after the other, and still stands at the commit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.caller import itself
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Ahead, Changes, Desk, Keeps, Service, Write

from tests.fhir.place import Place, a_patient, a_task, opened

_LOINC = "http://loinc.org"


def ahead(write: Write) -> Ahead:
    """The patient, and what is known of him."""
    patient = write.resource.get("for", {}).get("reference", "")
    return Ahead([patient], [_observations(patient), _notes(write.reference)])


async def judged(write: Write, desk: Desk) -> Changes:
    """A task about a patient with a result of a kind is refused; so is one that something is said about already."""
    patient = write.resource.get("for", {}).get("reference", "")
    if not patient:
        return Changes.none()
    if await desk.read(patient) is None or await desk.search(_notes(write.reference)):
        raise unprocessable("Nobody.", "没有。")
    if await desk.search(_observations(patient)):
        raise unprocessable("Not now.", "现在不行。")
    return Changes.none()


def _observations(patient: str) -> str:
    return f"Observation?subject={patient}&combo-code=1-8,2-6"


def _notes(reference: str) -> str:
    return f"Observation?focus={reference}"


@pytest.fixture(scope="module")
async def place(data_dir: Path) -> AsyncIterator[Place]:
    keeps = [Keeps("Task", judged, ahead, must_exist=("for",)), Keeps("Patient"), Keeps("Observation")]
    async with opened(data_dir, Service("order", "o", "x", keeps=keeps)) as street:
        yield street["order"]


def an_observation(patient: str, code: str, **members: Any) -> dict[str, Any]:
    coded = {"coding": [{"system": _LOINC, "code": code}]}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": coded,
        "subject": {"reference": patient},
    } | members


async def statements(place: Place, method: str, path: str, body: Any, **sent: Any) -> int:
    """How many statements the answer took."""
    meter = place.running.kernel.meters.statements

    def counted() -> int:
        [metric] = meter.collect()
        return int(sum(sample.value for sample in metric.samples if sample.name.endswith("_count")))

    before = counted()
    assert (await place.ask(method, path, body, **sent)).status_code in (200, 201)
    return counted() - before


async def test_a_decision_on_a_patient_takes_a_look_and_four_statements_to_store(place: Place) -> None:
    """Locks, what was looked at, the write, the commit; that nothing refers to a new resource needs no look."""
    patient = f"Patient/{(await place.make(a_patient()))['id']}"
    task = a_task(**{"for": {"reference": patient}})
    await place.make(task)  # the first of a connection also learns its types
    assert await statements(place, "POST", "Task", task) == 5


async def test_one_statement_finds_what_each_read_and_search_finds(place: Place) -> None:
    one, other = [f"Patient/{(await place.make(a_patient()))['id']}" for _ in range(2)]
    gone = f"Patient/{(await place.make(a_patient()))['id']}"
    assert (await place.ask("DELETE", gone)).status_code == 204
    for patient, code in ((one, "1-8"), (one, "3-4"), (other, "2-6")):
        await place.make(an_observation(patient, code))
    await place.make(an_observation(one, "4-2", component=[{"code": {"coding": [{"code": "2-6"}]}}]))
    await place.make(an_observation(one, "5-9", status="preliminary", performer=[{"reference": other}]))
    queries = [
        f"Observation?subject={one}",
        f"Observation?subject={one},{other}",
        _observations(one),
        f"Observation?subject={one}&status=final",
        f"Observation?subject={one}&code={_LOINC}|1-8,{_LOINC}|3-4",
        f"Observation?subject={one}&code=|1-8",
        f"Observation?performer={other}&subject={one}",
        f"Observation?subject={one}&code=1-8&status=final",
        f"Observation?subject={one}&status:not=final",
        f"Observation?patient={one}",
        "Observation?subject=Patient/none&code=1-8",
        f"Patient?_id={one.partition('/')[2]}",
    ]
    kernel = place.running.kernel
    foreseen = kernel.desk(itself("order"))
    await foreseen.foresee(Ahead([one, other, gone, "Patient/none", f"{one}/_history/1", "urn:uuid:x", ""], queries))
    for query in queries:
        found = {stored.reference for stored in await foreseen.search(query)}
        told = {
            f"Observation/{tree['id']}" for tree in await place.found(query) if tree["resourceType"] == "Observation"
        }
        told |= {f"Patient/{tree['id']}" for tree in await place.found(query) if tree["resourceType"] == "Patient"}
        assert found == told, query
    alone = kernel.desk(itself("order"))
    for reference in (one, other, gone, "Patient/none", f"{one}/_history/1", ""):
        assert await foreseen.read(reference) == await alone.read(reference), reference
    assert await foreseen.read(gone) is None
    assert foreseen.relied.versions[gone] == 2
    assert {one: 1, gone: 2, "Patient/none": 0}.items() <= foreseen.relied.versions.items()


async def test_what_was_only_foreseen_is_not_relied_on(place: Place) -> None:
    patient = f"Patient/{(await place.make(a_patient()))['id']}"
    desk = place.running.kernel.desk(itself("order"))
    await desk.foresee(Ahead([patient], [_observations(patient)]))
    assert not desk.relied
    await desk.search(_observations(patient))
    assert desk.relied.pointed


async def test_what_the_same_transaction_says_of_a_new_resource_is_seen(place: Place) -> None:
    """Nothing stored can refer to it, what is stored with it can."""
    patient = f"Patient/{(await place.make(a_patient()))['id']}"
    about = {"focus": [{"reference": "urn:uuid:new"}]}
    entries = [
        {"fullUrl": "urn:uuid:new", "resource": a_task(**{"for": {"reference": patient}}), "request": _post("Task")},
        {"resource": an_observation(patient, "9-9") | about, "request": _post("Observation")},
    ]
    answer = await place.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code == 422, answer.text
    del entries[1]
    assert (await place.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})).is_success


def _post(kind: str) -> dict[str, str]:
    return {"method": "POST", "url": kind}

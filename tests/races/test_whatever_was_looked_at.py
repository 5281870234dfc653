"""Whatever a handler looked at still stands when its act is committed, although no handler says what it relied on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from slipring.fhir.outcome import unprocessable
from slipring.fhir.search.criteria import parse
from slipring.fhir.search.index import Rows
from slipring.fhir.service import Changes, Desk, Keeps, Service, Write
from slipring.fhir.store import guard
from slipring.fhir.store.batch import Version
from slipring.fhir.store.relied import Relied

from tests.fhir.place import IMPORT, Place, a_bundle, a_task, opened
from tests.races.race import Done, race, sound

_QUERIES = {
    "by-reference": "Consent?patient=Patient/{subject}&status=inactive",
    "by-identifier": "Consent?identifier=urn:case|{subject}",
    "by-type": "Consent?status=rejected",
}


async def permitted(write: Write, desk: Desk) -> Changes:
    """A task is accepted only while what its description asks about does not exist, or still is active."""
    way, _, subject = write.resource.get("description", "").partition(" ")
    if way == "absent":
        forbidden: Any = await desk.read(f"Consent/{subject}")
    elif way == "stands":
        consent = await desk.read(f"Consent/{subject}")
        forbidden = consent is None or consent.resource["status"] != "active"
    else:
        forbidden = way in _QUERIES and await desk.search(_QUERIES[way].format(subject=subject))
    await asyncio.sleep(0.002)  # as a handler that has more to think about
    return Changes(refuse=unprocessable("Not permitted.", "不允许。")) if forbidden else Changes.none()


def gated(looked_up: frozenset[str] = frozenset()) -> Service:
    """Tasks are judged by consents."""
    keeps = [Keeps("Task", permitted), Keeps("Consent"), Keeps("Patient")]
    return Service("consent", "c", "A gate", keeps=keeps, looked_up=looked_up)


@pytest.fixture(scope="module", params=[frozenset(), frozenset({"Consent"})], ids=["alone", "looked-up"])
async def place(data_dir: Path, request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    async with opened(data_dir, gated(request.param), pool_size=8) as street:
        yield street["consent"]


def a_consent(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "policyRule": {"text": "synthetic"},
        "patient": {"reference": "Patient/1"},
        **members,
    }


async def _accepted(place: Place, description: str) -> Done:
    made = await place.ask("POST", "Task", a_task(description=description))
    assert made.status_code in (201, 422, 503), made.text
    return Done((f"Task/{made.json()['id']}", 1) if made.status_code == 201 else None)


async def _stored(place: Place, method: str, path: str, body: Any, scopes: str = "system/*.cruds") -> Done:
    answer = await place.ask(method, path, body, scopes=scopes)
    assert answer.is_success, answer.text
    tree = answer.json()
    return Done((f"{tree['resourceType']}/{tree['id']}", int(tree["meta"]["versionId"])))


@pytest.mark.parametrize("bundled", [False, True])
@pytest.mark.parametrize(("way", "members"), [
    ("by-reference", {"status": "inactive"}),
    ("by-identifier", {}),
    ("by-type", {"status": "rejected"}),
])  # fmt: skip
async def test_what_was_not_found_is_not_there_when_the_decision_is_stored(
    place: Place, way: str, members: dict[str, Any], bundled: bool
) -> None:
    """One more resource that a search would find: alone (one statement) or in a transaction."""
    subject = f"{way}-{bundled}".replace("_", "-")
    named = {"patient": {"reference": f"Patient/{subject}"}, "identifier": [{"system": "urn:case", "value": subject}]}
    made: list[str] = []

    async def change(_: int) -> Done:
        consent = a_consent(**named, **members)
        if not bundled:
            done = await _stored(place, "POST", "Consent", consent)
        else:
            answer = await place.ask(
                "POST",
                "",
                a_bundle("transaction", ("POST", "Consent", consent), ("POST", "Patient", {"resourceType": "Patient"})),
            )
            assert answer.status_code == 200, answer.text
            where = answer.json()["entry"][0]["response"]["location"].split("/fhir/")[1]
            done = Done((where.partition("/_history")[0], 1))
        assert done.written
        made.append(done.written[0])
        return done

    async def again(_: int) -> None:
        for reference in made:
            assert (await place.ask("DELETE", reference)).status_code == 204
        made.clear()

    tally = await race(
        f"{way} bundled={bundled}", place.pool, lambda n: _accepted(place, f"{way} {subject}"), change, again
    )
    sound(tally)


async def test_what_was_found_standing_still_stands(place: Place) -> None:
    consent = await place.make(a_consent())
    path = f"Consent/{consent['id']}"

    async def change(_: int) -> Done:
        return await _stored(place, "PUT", path, {**consent, "status": "inactive"})

    async def again(_: int) -> None:
        await _stored(place, "PUT", path, consent)

    sound(await race("stands", place.pool, lambda n: _accepted(place, f"stands {consent['id']}"), change, again))


async def test_what_was_read_as_absent_is_still_absent(place: Place) -> None:
    async def decide(number: int) -> Done:
        return await _accepted(place, f"absent imported-{number}")

    async def change(number: int) -> Done:
        name = f"imported-{number}"
        return await _stored(place, "PUT", f"Consent/{name}", a_consent(id=name), scopes=IMPORT)

    async def again(_: int) -> None:
        return None

    sound(await race("absent", place.pool, decide, change, again))


async def test_many_decisions_on_one_fact_do_not_starve(place: Place) -> None:
    """Sixty-four at once that look at the same search and add to what it looks at: each is stored or asked to come again."""
    consent = await place.make(a_consent())
    answers = await asyncio.gather(*(_accepted(place, f"stands {consent['id']}") for _ in range(64)))
    assert all(answer.written for answer in answers)


async def test_decisions_on_what_is_looked_up_wait_for_its_writers_and_not_for_each_other(data_dir: Path) -> None:
    """Two decisions on the same type hold their locks at once; a write of it waits for both, and they for a write."""
    up = frozenset({"Consent"})
    relied, written = Relied(), [_version("Consent")]
    relied.found(parse("Consent", [("status", "rejected")]), ())
    async with opened(data_dir, gated(up)) as street:
        connections = [await street["consent"].pool.acquire() for _ in range(3)]
        one, two, three = connections
        for connection in connections:
            await connection.execute("BEGIN; SET LOCAL lock_timeout = '300ms'")
        await one.execute(guard.locking(relied, [_version("Task")], up))
        await two.execute(guard.locking(relied, [_version("Task")], up))
        with pytest.raises(asyncpg.LockNotAvailableError):
            await three.execute(guard.locking(Relied(), written, up))
        for connection in connections:
            await connection.execute("ROLLBACK; BEGIN; SET LOCAL lock_timeout = '300ms'")
        await three.execute(guard.locking(Relied(), written, up))
        with pytest.raises(asyncpg.LockNotAvailableError):
            await one.execute(guard.locking(relied, [_version("Task")], up))
        for connection in connections:
            await connection.execute("ROLLBACK")
            await street["consent"].pool.release(connection)


def _version(kind: str) -> Version:
    return Version(kind, "c-1", 1, "POST", "{}", Rows())

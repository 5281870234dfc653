"""Erasing after the term: only what is due, only by two people, and the record of it stays."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from slipring.client.token import read_key_file
from slipring.identity.clients import register_with_key_file
from slipring.identity.keys import new_client_key
from slipring.runtime.postgres import ensure_running
from slipring.upkeep.audit.verify import Given, verify
from slipring.upkeep.purge.due import cutoff, digest, find_due
from slipring.upkeep.purge.erase import NoPurge, erase, propose
from slipring.upkeep.purge.person import NotEntitled, Person, proved

from tests.support.department import Department

ANNA, BO = Person("anna", "Practitioner/o-a"), Person("bo", "Practitioner/o-b")


@dataclass
class Archive:
    """A department with old records, its database, and the moment thirty years and a day later."""

    department: Department
    connection: asyncpg.Connection
    prefix: str
    later: datetime

    async def due(self) -> list[str]:
        async with self.connection.transaction():
            return [found.reference for found in await find_due(self.connection, self.prefix, self.later)]

    async def rows(self, schema: str, sql: str, *values: Any) -> list[Any]:
        return list(await self.connection.fetch(sql.replace("{}", f'"{self.prefix}{schema}"'), *values))

    async def make(self, resource: dict[str, Any]) -> str:
        answer = await self.department.post(resource["resourceType"], resource)
        assert answer.status_code == 201, answer.text
        return f"{resource['resourceType']}/{answer.json()['id']}"


@pytest.fixture
async def archive(department: Department) -> AsyncIterator[Archive]:
    connection = await asyncpg.connect(ensure_running(department.data_dir))
    prefix = department.house.services["order"].kernel.store.schema.removesuffix("order")
    now = department.clock.now()
    yield Archive(department, connection, prefix, now.replace(year=now.year + 30) + timedelta(days=1))
    await connection.close()


async def _still_whole(archive: Archive) -> None:
    """What was erased is not missed by the verification: its audit row says that it was."""
    for running in archive.department.house.services.values():
        await running.sealer.catch_up()
    told = await verify(ensure_running(archive.department.data_dir), archive.prefix, Given(), lambda *_: None)
    dated = ("row-dated-back", "row-dated-ahead")  # the department's clock is moved by hand, the database's is not
    assert [f.text() for report in told.schemas for f in report.findings if f.kind not in dated] == []


def a_patient(value: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": "urn:test", "value": value}], "gender": "other"}


def a_visit(patient: str) -> dict[str, Any]:
    visit = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}}
    return {**visit, "subject": {"reference": patient}}


@pytest.mark.clause("5.7.2")
async def test_nothing_is_due_before_its_term_and_what_stays_keeps_what_it_refers_to(archive: Archive) -> None:
    patient = await archive.make(a_patient("kept"))
    visit = await archive.make(a_visit(patient))
    person = await archive.make({"resourceType": "Practitioner", "name": [{"text": "Synthetic"}]})
    sheet = await archive.make(
        {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": {"reference": person}}
    )
    due = await archive.due()
    assert {patient, visit} <= set(due)
    assert person not in due, "staff is on no list"
    assert sheet not in due, "a sheet about staff is kept for life"
    now = archive.department.clock.now()
    async with archive.connection.transaction():
        assert await find_due(archive.connection, archive.prefix, now) == []
    assert cutoff(datetime.fromisoformat("2056-02-29T00:00:00+00:00")).isoformat() == "2026-02-28T00:00:00+00:00"
    await archive.department.wait(days=30)
    await archive.make(a_visit(patient))
    due = await archive.due()
    assert visit in due
    assert patient not in due, "a later visit refers to this patient"


@pytest.mark.clause("5.7.2")
async def test_a_second_person_erases_exactly_what_the_first_proposed_and_the_record_stays(archive: Archive) -> None:
    patient = await archive.make(a_patient("gone"))
    visit = await archive.make(a_visit(patient))
    await archive.department.settle()
    copies = "SELECT count(*) AS n FROM {}.resource WHERE type || '/' || id = ANY($1::text[])"
    assert (await archive.rows("consent", copies, [patient, visit]))[0]["n"] == 2, "consent follows both"
    texts = await archive.rows(
        "order",
        "SELECT body FROM {}.version v JOIN {}.resource r USING (key) WHERE r.type || '/' || r.id = $1",
        patient,
    )
    found = await propose(archive.connection, archive.prefix, ANNA, archive.later)
    assert {patient, visit} <= {due.reference for due in found}
    wanted = digest(found)
    for who in (ANNA, Person("anna-too", ANNA.practitioner), Person(ANNA.client, "Practitioner/o-x")):
        with pytest.raises(NotEntitled):
            await erase(archive.connection, archive.prefix, who, wanted, archive.later)
    with pytest.raises(NoPurge):
        await erase(archive.connection, archive.prefix, BO, "0" * 64, archive.later)
    with pytest.raises(NoPurge, match="7 days"):
        await erase(archive.connection, archive.prefix, BO, wanted, archive.later + timedelta(days=8))
    erased = await erase(archive.connection, archive.prefix, BO, wanted, archive.later)
    assert erased == found
    everywhere = [due.reference for due in found]
    for schema in ("order", "consent", "report", "critical"):
        assert (await archive.rows(schema, copies, everywhere))[0]["n"] == 0, schema
        for table in ("version", "search_token", "search_reference", "outbox", "delivery"):
            orphans = f"SELECT count(*) AS n FROM {{}}.{table} t WHERE NOT EXISTS (SELECT FROM {{}}.resource r WHERE r.key = t.key)"
            assert (await archive.rows(schema, orphans))[0]["n"] == 0, (schema, table)
    answer = await archive.department.his.get(f"/fhir/{patient}")
    assert answer.status_code == 404
    [mark] = await archive.rows(
        "order", "SELECT * FROM {}.audit WHERE interaction = 'purge' AND resource = $1", patient
    )
    assert (mark["client"], mark["practitioner"]) == (BO.client, BO.practitioner)
    assert mark["parameters"] == ["proposed-by:anna", "confirmed-by:bo", "versions:1"]
    assert mark["body_sha256"] == hashlib.sha256(texts[0]["body"].encode()).hexdigest()
    with pytest.raises(NoPurge, match="no proposal"):
        await erase(archive.connection, archive.prefix, BO, wanted, archive.later)
    await _still_whole(archive)


async def test_a_record_that_changed_after_the_proposal_stops_it_whole(archive: Archive) -> None:
    patient = await archive.make(a_patient("changing"))
    found = await propose(archive.connection, archive.prefix, ANNA, archive.later)
    tree = await archive.department.get(patient)
    changed = await archive.department.put({**tree, "gender": "male"})
    assert changed.status_code == 200, changed.text
    before = await archive.rows("order", "SELECT count(*) AS n FROM {}.resource")
    with pytest.raises(NoPurge, match="changed"):
        await erase(archive.connection, archive.prefix, BO, digest(found), archive.later)
    assert await archive.rows("order", "SELECT count(*) AS n FROM {}.resource") == before


async def test_only_a_registered_administrator_who_stands_for_somebody_is_believed(archive: Archive) -> None:
    front, folder, now = f"{archive.prefix}front", archive.department.data_dir, archive.department.clock.now()
    scope = ["slipring/administer"]
    path = await register_with_key_file(
        archive.connection, front, folder, "purge-anna", scope, practitioner="Practitioner/o-a"
    )
    key = read_key_file(path)
    assert await proved(archive.connection, front, "purge-anna", key, now) == Person("purge-anna", "Practitioner/o-a")
    with pytest.raises(NotEntitled, match="key"):
        await proved(archive.connection, front, "purge-anna", new_client_key(), now)
    with pytest.raises(NotEntitled):
        await proved(archive.connection, front, "nobody", key, now)
    for name, scopes, person in (("purge-his", ["system/*.cruds"], "Practitioner/o-b"), ("purge-robot", scope, "")):
        path = await register_with_key_file(archive.connection, front, folder, name, scopes, practitioner=person)
        with pytest.raises(NotEntitled):
            await proved(archive.connection, front, name, read_key_file(path), now)

"""What a token reaches, judged in memory and by the database: the same resources, whatever the scopes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slipring.fhir.access import limits, reached, reaches, scope_fault, shows
from slipring.fhir.caller import Caller, grant_of
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.search.index import rows
from slipring.fhir.store import query
from slipring.fhir.store.commit import FAMILIES
from slipring.fhir.store.migrate import migrate
from slipring.identity.scopes import covers
from slipring.runtime.postgres import ensure_running

SCHEMA, ZONE = "reached", ZoneInfo("Asia/Shanghai")
Resource = dict[str, Any]

codes = st.sampled_from(["lab", "imaging", "vital"])
people = st.sampled_from(["1", "2", "3"])
days = st.sampled_from(["2025-12-31", "2026-01-01", "2026-02-01"])
audiences = st.sampled_from(
    [None, ["slipring/draft-read"], ["slipring/draft-read", "may-receive-critical"], ["Practitioner/9"]]
)
parameters = st.one_of(
    st.builds("category=urn:c|{}".format, codes),
    st.builds("category={},{}".format, codes, codes),
    st.builds("category:not={}".format, codes),
    st.builds("subject=Patient/{}".format, people),
    st.builds("date={}{}".format, st.sampled_from(["ge", "lt", "eq"]), days),
    st.builds("_tag={}".format, codes),
    st.builds("performer:missing={}".format, st.sampled_from(["true", "false"])),
    st.builds("_id={}".format, st.sampled_from(["a0", "a1", "a2"])),
)
scopes = st.builds(
    lambda context, letters, limited: f"{context}/Observation.{letters}" + (f"?{'&'.join(limited)}" if limited else ""),
    st.sampled_from(["system", "user", "patient"]),
    st.sampled_from(["rs", "s", "cruds", "r"]),
    st.lists(parameters, max_size=2),
)


@st.composite
def observations(draw: st.DrawFn) -> list[tuple[Resource, list[str] | None]]:
    made = []
    for number in range(draw(st.integers(1, 6))):
        tree: Resource = {
            "resourceType": "Observation",
            "id": f"a{number}",
            "subject": {"reference": f"Patient/{draw(people)}"},
            "category": [{"coding": [{"system": "urn:c", "code": code}]} for code in draw(st.lists(codes, max_size=2))],
            "effectiveDateTime": draw(days),
        }
        if draw(st.booleans()):
            tree["performer"] = [{"reference": f"Patient/{draw(people)}"}]
        if draw(st.booleans()):
            tree["meta"] = {"tag": [{"code": draw(codes)}]}
        made.append((tree, draw(audiences)))
    return made


@pytest.fixture(scope="module")
async def connection(data_dir: Path) -> AsyncIterator[asyncpg.Connection]:
    dsn = ensure_running(data_dir)
    await migrate(dsn, SCHEMA)
    opened = await asyncpg.connect(dsn, server_settings={"search_path": SCHEMA, "jit": "off"})
    yield opened
    await opened.close()


async def store(connection: asyncpg.Connection, held: list[tuple[Resource, list[str] | None]]) -> None:
    await connection.execute(
        "; ".join(f"DELETE FROM {table}" for table in ("resource", "version", *(table for table, *_ in FAMILIES)))
    )
    now = datetime(2026, 1, 1, tzinfo=UTC)
    numbered = list(enumerate(held, 1))
    columns = ["key", "type", "id", "version", "updated_at", "audience"]
    records: list[Any] = [(key, one["resourceType"], one["id"], 1, now, seen) for key, (one, seen) in numbered]
    await connection.copy_records_to_table("resource", records=records, columns=columns)
    records = [(key, 1, key, now, "PUT", json.dumps(one)) for key, (one, _) in numbered]
    columns = ["key", "version", "sequence", "updated_at", "method", "body"]
    await connection.copy_records_to_table("version", records=records, columns=columns)
    for table, names, _, attribute in FAMILIES:
        records = [(key, *row) for key, (one, _) in numbered for row in getattr(rows(one, ZONE), attribute)]
        await connection.copy_records_to_table(table, records=records, columns=["key", *names])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=observations(),
    granted=st.frozensets(scopes, max_size=3),
    extra=st.frozensets(st.sampled_from(["slipring/draft-read", "may-receive-critical"])),
    patient=st.one_of(st.none(), people),
    practitioner=st.sampled_from([None, "Practitioner/9"]),
)
async def test_memory_and_database_reach_the_same(
    connection: asyncpg.Connection,
    held: list[tuple[Resource, list[str] | None]],
    granted: frozenset[str],
    extra: frozenset[str],
    patient: str | None,
    practitioner: str | None,
) -> None:
    caller = Caller("c", granted | extra, practitioner, patient)
    await store(connection, held)
    sql, arguments = query.page(reached(Criteria("Observation"), caller, ZONE), source="", limit=100)
    by_database = {record["id"] for record in await connection.fetch(sql, *arguments)}
    if not caller.allows("Observation", "s"):
        assert limits(caller, "Observation", "s", ZONE)
    in_memory = {one["id"] for one, seen in held if reaches(caller, "s", one, ZONE) and shows(caller, seen)}
    assert by_database == in_memory


@given(have=scopes, want=scopes, held=observations())
def test_a_covered_scope_reaches_nothing_more(
    have: str, want: str, held: list[tuple[Resource, list[str] | None]]
) -> None:
    if not covers(have, want):
        return
    one, other = Caller("c", frozenset([have]), patient="1"), Caller("c", frozenset([want]), patient="1")
    for tree, _ in held:
        for letter in "cruds":
            if other.allows("Observation", letter) and reaches(other, letter, tree, ZONE):
                assert one.allows("Observation", letter) and reaches(one, letter, tree, ZONE)


@pytest.mark.parametrize(
    "scope",
    [
        "system/Patient.sr",  # the order of the letters is fixed
        "system/Patient.",
        "system/Patient.rsx",
        "system/patient.rs",
        "system/Patientt.rs",  # no such type
        "practitioner/Patient.rs",
        "system/Patient.rs?",
        "system/Patient.rs?name",  # no value
        "system/Observation.rs?categori=lab",  # no such parameter
        "system/Observation.rs?subject:Patient.name=x",  # what lies elsewhere limits no resource by itself
        "system/Observation.rs?_has:Provenance:target:agent=x",
        "system/Observation.rs?_include=Observation:subject",
        "system/Observation.rs?_sort=date",
        "system/Observation.rs?_lastUpdated=gt2026",
        "system/Observation.rs?date=tomorrow",
        "system/*.rs?category=lab",  # not every type has it
        "system/Patient.rs\n",
        "launch/patient",
    ],
)
def test_a_scope_that_cannot_be_honoured_is_named_as_such(scope: str) -> None:
    assert scope_fault(scope)


@pytest.mark.parametrize(
    "scope",
    [
        "system/*.cruds",
        "user/Observation.r",
        "patient/*.rs",
        "system/Patient.read",
        "system/Patient.write",
        "system/Patient.*",
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category%7Cimaging",
        "system/Observation.rs?category=a,b&date=ge2026",
        "system/*.rs?_tag=research",
        "system/Observation.rs?code:in=http://hl7.org/fhir/ValueSet/observation-status",
    ],
)
def test_a_scope_of_smart_is_understood(scope: str) -> None:
    assert scope_fault(scope) is None


def test_the_endings_of_version_1_mean_what_they_meant() -> None:
    assert [grant_of(f"system/Patient.{ending}").letters for ending in ("read", "write", "*")] == ["rs", "cud", "cruds"]  # type: ignore[union-attr]


def test_a_patient_scope_without_a_patient_grants_nothing() -> None:
    assert not Caller("c", frozenset(["patient/*.rs"])).allows("Patient", "r")
    one = Caller("c", frozenset(["patient/*.rs"]), patient="1")
    assert one.allows("Patient", "r")
    assert reaches(one, "r", {"resourceType": "Patient", "id": "1"})
    assert not reaches(one, "r", {"resourceType": "Patient", "id": "2"})
    # Outside of the compartment nothing belongs to a patient.
    assert not reaches(one, "r", {"resourceType": "Practitioner", "id": "1"})


def test_a_chain_passes_only_through_what_may_be_searched() -> None:
    caller = Caller("c", frozenset(["system/Observation.s", "system/Patient.s?_tag=research", "slipring/draft-read"]))
    asked = parse("Observation", [("subject:Patient.name", "a"), ("code", "x")], types=["Patient", "Observation"])
    chain, code = reached(asked, caller).clauses
    assert code == asked.clauses[1]
    assert chain != asked.clauses[0] and "Patient._tag" in repr(chain)


def test_numbers_stay_exact_in_the_judgement() -> None:
    caller = Caller("c", frozenset(["system/Observation.r?value-quantity=5.40"]))
    tree = {"resourceType": "Observation", "id": "a", "valueQuantity": {"value": Decimal("5.404")}}
    assert reaches(caller, "r", tree) and not reaches(caller, "r", tree | {"valueQuantity": {"value": Decimal("5.41")}})

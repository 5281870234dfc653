"""On a real PostgreSQL: SQL finds exactly what `matches` finds, and pages neither drop nor repeat."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.search.fold import folded
from slipring.fhir.search.index import Rows, rows
from slipring.fhir.search.match import matches
from slipring.fhir.store import query, tables
from slipring.runtime.postgres import ensure_running, stop
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

ZONE = ZoneInfo("Asia/Shanghai")
SEED = 20260203
HELD = 260
SYSTEMS = ["", "urn:a", "urn:b"]
CODES = ["x", "y", "z", "x,y", "a|b"]
DAYS = [
    "2025",
    "2026-01",
    "2026-01-15",
    "2026-01-15T23:30:00+08:00",
    "2026-01-15T16:00:00.500Z",
    "2026-01-16",
    "9999-12-31",
]
NAMES = ["Müller", "MULLER", "Mu", "张伟", "张", "%_\\", "a" * 210, "a" * 210 + "b", "O'Hara \ud7ff", "ｚ"]
AMOUNTS = [Decimal(text) for text in ("5.4", "5.40", "5.35", "0.0054", "100", "99.5", "100.5", "-3", "1e2", "0")]
UNITS: list[dict[str, str]] = [
    {},
    {"unit": "mg"},
    {"system": "http://unitsofmeasure.org", "code": "mg", "unit": "milligram"},
    {"system": "http://unitsofmeasure.org", "code": "g"},
    {"system": "urn:own", "code": "mg"},
]
TARGETS = ["Patient/p1", "Patient/p2", "Group/p1", "http://his.example/Patient/p1", "urn:x:1"]


@dataclass(frozen=True, repr=False)
class Held:
    """One resource as it stands in the database."""

    key: int
    resource: dict[str, Any]
    rows: Rows
    updated_at: datetime
    source: str
    deleted: bool

    def __repr__(self) -> str:
        """Short: a failing example would print every resource held."""
        return f"#{self.key}"


def a_concept(draw: random.Random) -> dict[str, Any]:
    codings = [{"system": draw.choice(SYSTEMS), "code": draw.choice(CODES)} for _ in range(draw.randint(0, 2))]
    return {"coding": [{name: value for name, value in coding.items() if value} for coding in codings]}


def a_period(draw: random.Random) -> dict[str, str]:
    return {name: draw.choice(DAYS) for name in ("start", "end") if draw.random() < 0.7}


def an_amount(draw: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {"value": draw.choice(AMOUNTS)}
    if draw.random() < 0.2:
        made["comparator"] = draw.choice(["<", "<=", ">", ">="])
    return made | draw.choice(UNITS)


def a_value(draw: random.Random) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = [
        {"valueQuantity": an_amount(draw)},
        {"valueQuantity": an_amount(draw)},
        {"valueCodeableConcept": a_concept(draw)},
        {"valueString": draw.choice(NAMES)},
        {"valueDateTime": draw.choice(DAYS)},
        {"valueSampledData": {"origin": an_amount(draw), "factor": 2, "data": draw.choice(["1 2 E 5", "E", "-3"])}},
        {},
    ]
    return draw.choice(kinds)


def an_observation(draw: random.Random) -> dict[str, Any]:
    components = [{"code": a_concept(draw), **a_value(draw)} for _ in range(draw.randint(0, 2))]
    subject = {"reference": f"Patient/i{draw.randint(1, HELD)}"}
    made = {"code": {**a_concept(draw), "text": draw.choice(NAMES)}, "subject": subject, **a_value(draw)}
    return {**made, "component": components}


def a_resource(draw: random.Random, number: int) -> dict[str, Any]:
    """A Task or Patient from a small vocabulary, so that queries meet something."""
    made: dict[str, Any] = {
        "resourceType": draw.choice(["Task", "Task", "Patient", "Observation", "Observation"]),
        "id": f"i{number}",
    }
    if made["resourceType"] == "Observation":
        return made | an_observation(draw)
    if made["resourceType"] == "Patient":
        possible: dict[str, Any] = {
            "name": [{"family": draw.choice(NAMES)} for _ in range(draw.randint(1, 2))],
            "birthDate": draw.choice(["1950", "1950-02", "1950-02-03"]),
            "identifier": [{"system": draw.choice(SYSTEMS), "value": draw.choice(CODES)}],
        }
    else:
        reference: dict[str, Any] = {"reference": draw.choice(TARGETS)}
        if draw.random() < 0.3:
            reference = {"identifier": {"system": "urn:a", "value": draw.choice(CODES)}}
        possible = {
            "status": draw.choice(["requested", "completed"]),
            "code": a_concept(draw),
            "businessStatus": a_concept(draw),
            "authoredOn": draw.choice(DAYS),
            "executionPeriod": a_period(draw),
            "for": reference,
            "meta": {
                "tag": [{"system": "urn:a", "code": draw.choice(CODES)}],
                "profile": [draw.choice(["urn:p", "http://a.example/p/q", "http://a.example/pq", "http://a.example"])],
            },
        }
    return made | {name: value for name, value in possible.items() if draw.random() < 0.8}


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("search")
    yield ensure_running(folder)
    stop(folder)


@pytest.fixture(scope="module")
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(dsn, server_settings={"search_path": "search_test"})
    await opened.execute("CREATE SCHEMA search_test; CREATE SEQUENCE search_test.version_sequence")
    for table in tables.metadata.sorted_tables:
        await opened.execute(str(CreateTable(table).compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]
        for index in table.indexes:
            await opened.execute(str(CreateIndex(index).compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def holding(connection: asyncpg.Connection) -> list[Held]:
    """The resources held: own, copies and a few deleted ones."""
    draw = random.Random(SEED)
    start = datetime(2026, 1, 15, tzinfo=UTC)
    held = []
    for number in range(1, HELD + 1):
        resource = a_resource(draw, number)
        moment = start + timedelta(hours=draw.randint(0, 40), microseconds=draw.choice([0, 1, 999999]))
        resource["meta"] = resource.get("meta", {}) | {"lastUpdated": moment.isoformat()}
        deleted = draw.random() < 0.1
        one = Held(number, resource, rows(resource, ZONE), moment, draw.choice(["", "", "order"]), deleted)
        held.append(one)
        await store(connection, one)
    await connection.execute("ANALYZE")
    return held


async def store(connection: asyncpg.Connection, one: Held) -> None:
    await connection.execute(
        "INSERT INTO resource (key, type, id, version, updated_at, deleted, source) VALUES ($1, $2, $3, 1, $4, $5, $6)",
        one.key, one.resource["resourceType"], one.resource["id"], one.updated_at, one.deleted, one.source,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO version (key, version, updated_at, method, body) VALUES ($1, 1, $2, 'PUT', $3)",
        one.key, one.updated_at, json.dumps(one.resource, default=float),
    )  # fmt: skip
    for table, columns, found in (
        ("search_token", "parameter, system, code", one.rows.tokens),
        ("search_reference", "parameter, type, id", one.rows.references),
        ("search_date", "parameter, low, high", one.rows.dates),
        ("search_string", "parameter, folded, exact", one.rows.strings),
        ("search_quantity", "parameter, low, high, system, code, unit", one.rows.quantities),
    ):
        places = ", ".join(f"${n}" for n in range(1, columns.count(",") + 3))
        statement = f"INSERT INTO {table} (key, {columns}) VALUES ({places})"
        await connection.executemany(statement, [(one.key, *row) for row in found])


def escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\,|$" else letter for letter in text)


codes = st.sampled_from(CODES).map(escaped)
tokens = codes | st.tuples(st.sampled_from(SYSTEMS), codes).map("|".join) | st.sampled_from(["urn:a|", "urn:b|"])
dates = st.tuples(
    st.sampled_from(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]),
    st.sampled_from([*DAYS, "2026-01-17"]),
).map("".join)
targets = st.sampled_from([*TARGETS, "p1", "p2", "Task/p1"])
names = st.sampled_from(NAMES).map(escaped) | st.sampled_from(["m", "u", "aa", "a" * 205, "z", "\ud7ff"])
flags = st.sampled_from(["true", "false"])


def listed(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=3).map(",".join)


def pairs(names_and_values: dict[str, st.SearchStrategy[str]]) -> st.SearchStrategy[list[tuple[str, str]]]:
    each = [st.tuples(st.just(name), values) for name, values in names_and_values.items()]
    return st.lists(st.one_of(each), min_size=0, max_size=3)


TASKS = pairs(
    {
        "code": listed(tokens), "code:not": listed(tokens), "code:missing": flags, "business-status": listed(tokens),
        "status": st.sampled_from(["requested", "http://hl7.org/fhir/task-status|completed", "urn:a|completed"]),
        "_tag": listed(tokens), "_lastUpdated": listed(dates),
        "_id": listed(st.sampled_from(["i1", "i2", "i3", "none"])),
        "authored-on": listed(dates), "period": listed(dates), "period:missing": flags, "subject": listed(targets),
        "subject:Patient": st.sampled_from(["p1", "Patient/p2"]), "patient": targets, "subject:missing": flags,
        "subject:identifier": listed(tokens), "code:in": st.just("http://hl7.org/fhir/ValueSet/task-status"),
        "status:in": st.just("http://hl7.org/fhir/ValueSet/task-status"),
        "status:not-in": st.just("http://hl7.org/fhir/ValueSet/request-status"),
        "_profile:below": st.sampled_from(["urn:p", "http://a.example/p", "http://a.example"]),
        "_profile:above": st.sampled_from(["http://a.example/p/q/r", "urn:p/x"]),
    }
)  # fmt: skip
PATIENTS = pairs(
    {
        "family": listed(names), "family:exact": listed(names), "family:contains": listed(names),
        "name:missing": flags, "birthdate": listed(dates), "identifier": listed(tokens), "deceased": flags,
    }
)  # fmt: skip
amounts = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]),
    st.sampled_from(["5.4", "5.40", "5", "100", "1e2", "5400", "0", "-3", "0.1"]),
    st.sampled_from(["", "||mg", "|http://unitsofmeasure.org|mg", "|http://unitsofmeasure.org|g", "|urn:own|mg"]),
)


def composed(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    first = codes | st.tuples(st.sampled_from(SYSTEMS), codes).map("|".join)
    return listed(st.tuples(first, values).map("$".join))


OBSERVATIONS = pairs(
    {
        "value-quantity": listed(amounts), "component-value-quantity": listed(amounts),
        "combo-value-quantity": listed(amounts), "value-quantity:missing": flags, "combo-value-quantity:missing": flags,
        "combo-code": listed(tokens), "combo-code:not": listed(tokens), "code:text": listed(names),
        "combo-value-concept": listed(tokens), "value-string": listed(names),
        "code-value-quantity": composed(amounts), "component-code-value-quantity": composed(amounts),
        "combo-code-value-quantity": composed(amounts), "code-value-concept": composed(tokens),
        "combo-code-value-concept": composed(tokens), "code-value-string": composed(names),
        "code-value-date": composed(dates),
    }
)  # fmt: skip
OBSERVED = st.tuples(st.just("Observation"), OBSERVATIONS)
SEARCHES = OBSERVED | st.tuples(st.just("Task"), TASKS) | st.tuples(st.just("Patient"), PATIENTS)


def expected(holding: list[Held], criteria: Criteria, source: str | None) -> list[Held]:
    return [
        one
        for one in holding
        if not one.deleted and source in (None, one.source) and matches(criteria, one.rows, one.resource)
    ]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(search=SEARCHES, source=st.sampled_from([None, "", "order"]))
async def test_sql_finds_what_the_match_finds(
    connection: asyncpg.Connection, holding: list[Held], search: tuple[str, list[tuple[str, str]]], source: str | None
) -> None:
    criteria = parse(*search, zone=ZONE)
    sql, arguments = query.page(criteria, source=source, limit=1000)
    records = await connection.fetch(sql, *arguments)
    wanted = expected(holding, criteria, source)
    assert [record["key"] for record in records] == [one.key for one in wanted]
    assert [json.loads(record["body"])["id"] for record in records] == [one.resource["id"] for one in wanted]
    sql, arguments = query.count(criteria, source=source)
    assert await connection.fetchval(sql, *arguments) == len(wanted)


def sort_value(one: Held, code: str, descending: bool) -> Any:
    """What a sort looks at, computed the slow way."""
    if code == "_lastUpdated":
        return one.updated_at
    if code == "_id":
        return one.resource["id"]
    key = f"{one.resource['resourceType']}.{code}"
    found: list[Any] = [row.code for row in one.rows.tokens if row.parameter == key]
    found += [row.low for row in one.rows.dates if row.parameter == key]
    found += [row.folded for row in one.rows.strings if row.parameter == key]
    found += [row.id for row in one.rows.references if row.parameter == key]
    found += [row.low for row in one.rows.quantities if row.parameter == key]
    return (max(found) if descending else min(found)) if found else None


def in_order(held: list[Held], criteria: Criteria) -> list[int]:
    """The keys sorted rule by rule from the last to the first (sorting is stable), missing values last."""
    backwards = bool(criteria.sort) and criteria.sort[-1].descending
    held = sorted(held, key=lambda one: one.key, reverse=backwards)
    for rule in reversed(criteria.sort):
        code, descending = rule.parameter.code, rule.descending
        there = [one for one in held if sort_value(one, code, descending) is not None]
        gone = [one for one in held if sort_value(one, code, descending) is None]
        by_value = partial(sort_value, code=code, descending=descending)
        held = sorted(there, key=by_value, reverse=descending) + gone  # equal ones keep their order either way
    return [one.key for one in held]


@pytest.mark.parametrize(
    "text",
    [
        "Task",
        "Task?_sort=_lastUpdated",
        "Task?_sort=-_lastUpdated",
        "Task?_sort=-_id",
        "Task?_sort=authored-on",
        "Task?_sort=-authored-on",
        "Task?_sort=-period,code",
        "Task?_sort=status,-authored-on,_id",
        "Task?_sort=business-status,-code&status=requested",
        "Task?code=x,y&_sort=-_tag,_lastUpdated",
        "Task?_sort=subject,-_id",
        "Observation?_sort=value-quantity",
        "Observation?_sort=-component-value-quantity,code",
        "Patient?_sort=family",
        "Patient?_sort=-family,birthdate",
    ],
)
@pytest.mark.parametrize("size", [1, 7])
async def test_pages_give_every_match_once_and_in_order(
    connection: asyncpg.Connection, holding: list[Held], text: str, size: int
) -> None:
    resource_type, _, asked = text.partition("?")
    criteria = parse(resource_type, parse_qsl(asked), zone=ZONE)
    keys: list[int] = []
    after = None
    while True:
        sql, arguments = query.page(criteria, source=None, after=after, limit=size)
        records = await connection.fetch(sql, *arguments)
        if not records:
            break
        keys += [record["key"] for record in records]
        after = json.loads(json.dumps(query.cursor_of(criteria, records[-1])))
        assert len(keys) <= HELD
    assert keys == in_order(expected(holding, criteria, None), criteria)


async def test_the_start_of_a_name_is_looked_up_in_the_index(
    connection: asyncpg.Connection, holding: list[Held]
) -> None:
    """The condition on `left(folded, 200)` is one that the expression index serves."""
    assert folded("Mü") == "mu"
    sql, arguments = query.count(parse("Patient", [("family", "Mü")]), source=None)
    async with connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on")
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute("DROP INDEX search_string_key")
        plan = "\n".join(record[0] for record in await connection.fetch(f"EXPLAIN {sql}", *arguments))
        assert "search_string_value" in plan
        assert '"left"(folded, 200) ~>=~' in plan.partition("Index Cond")[2]
        await connection.execute("CREATE INDEX search_string_key ON search_string (key)")

"""For every parameter of every type: the database finds what HL7's own expressions find over the whole resources."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from slipring.fhir.search.criteria import parse
from slipring.fhir.search.index import rows
from slipring.fhir.search.parameter import SearchParameter, parameters_for, searchable_types
from slipring.fhir.store import query
from slipring.fhir.store.commit import FAMILIES
from slipring.fhir.store.migrate import migrate
from slipring.runtime.postgres import ensure_running

from tests.fhir import made_up
from tests.fhir.naive import OFFICIAL, found

EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "fhir-r4-examples"
SCHEMA, EACH, EACH_COMPOSITE = "naive", 10, 30
ZONE = ZoneInfo("UTC")
# Columns of the resource, tested over HTTP.
NOT_BY_EXPRESSION = {"_id", "_lastUpdated"}
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
Resource = dict[str, Any]


@pytest.fixture(scope="module")
async def connection(data_dir: Path) -> AsyncIterator[asyncpg.Connection]:
    dsn = ensure_running(data_dir)
    await migrate(dsn, SCHEMA)
    settings = {"search_path": SCHEMA, "plan_cache_mode": "force_custom_plan", "jit": "off"}
    opened = await asyncpg.connect(dsn, server_settings=settings)
    yield opened
    await opened.close()


def examples(resource_type: str) -> list[Resource]:
    """The official examples of a type, where they lie beside this checkout."""
    found = []
    for number, file in enumerate(sorted(EXAMPLES.glob("*.json"))):
        tree = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        if tree["resourceType"] == resource_type:
            found.append(tree | {"id": f"example-{number}"})
    return found


def made(resource_type: str) -> list[Resource]:
    draw = random.Random(resource_type)
    return [
        made_up.of_parameter(draw, parameter, number)
        for parameter in parameters_for(resource_type).values()
        if parameter.code not in NOT_BY_EXPRESSION
        for number in range(EACH_COMPOSITE if parameter.parts else EACH)
    ]


async def store(connection: asyncpg.Connection, resources: list[Resource]) -> None:
    tables = ["resource", "version", *(table for table, *_ in FAMILIES)]
    await connection.execute(f"TRUNCATE {', '.join(tables)}")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    held = list(enumerate(resources, 1))
    columns = ["key", "type", "id", "version", "updated_at"]
    records: list[Any] = [(key, one["resourceType"], one["id"], 1, now) for key, one in held]
    await connection.copy_records_to_table("resource", records=records, columns=columns)
    records = [(key, 1, key, now, "PUT", "{}") for key, _ in held]
    columns = ["key", "version", "sequence", "updated_at", "method", "body"]
    await connection.copy_records_to_table("version", records=records, columns=columns)
    for table, names, _, attribute in FAMILIES:
        records = [(key, *row) for key, one in held for row in getattr(rows(one, ZONE), attribute)]
        await connection.copy_records_to_table(table, records=records, columns=["key", *names])
    await connection.execute("ANALYZE")


def searches(parameter: SearchParameter) -> Iterator[tuple[str, str]]:
    """Modifier and value of searches that a client would write, by the parameter's type."""
    if parameter.parts:
        plain = (text for modifier, text in _plain(parameter.parts[1].parameter) if not modifier)
        values = [text for text in plain if "," not in text and text != "1"]
        for text in values:
            yield "", f"x${text}"
        if parameter.parts[0].parameter.system == "":
            yield "", f"urn:a|x${values[0]},y${values[1]}"
        return
    yield from _plain(parameter)
    if "missing" in parameter.modifiers:
        yield from (("missing", "true"), ("missing", "false"))


def _plain(parameter: SearchParameter) -> Iterator[tuple[str, str]]:
    match parameter.type:
        case "token":
            yield from (("", "x"), ("", "x,y"), ("not", "x"), ("", "true"))
            if not parameter.system:
                yield from (("", "urn:a|x"), ("", "|x"), ("", "urn:a|"), ("not", "urn:b|y"))
            if "text" in parameter.modifiers:
                yield from (("text", "alp"), ("text", "gamma"))
            if "of-type" in parameter.modifiers:
                yield "of-type", "urn:a|x|y"
        case "reference" if parameter.canonical:
            yield from (("", url) for url in ("http://a.example/p", "http://a.example/p|2", "urn:oid:1.2"))
        case "reference":
            for target in (*parameter.targets[:2], "Patient"):
                yield from (("", f"{target}/1"), ("", f"http://his.example/fhir/{target}/1"))
            if len(parameter.targets) == 1:
                yield "", "1"
            elif not parameter.only:
                yield from (("", "1"), ("", "2"))
            for target in parameter.targets[:2]:
                yield target, "1"
            yield "identifier", "urn:a|x"
        case "date":
            yield from (
                ("", f"{prefix}{day}") for prefix in PREFIXES for day in ("2026", "2026-01-15", "2026-01-15T16:00:00Z")
            )
        case "string":
            yield from (("", "alp"), ("", "\u80ba"), ("exact", "Alpha"), ("contains", "beta"), ("", "gam,x"))
        case "uri":
            for url in ("http://a.example/p", "http://a.example/p/q", "http://a.example"):
                yield from (("", url), ("below", url), ("above", f"{url}/r"))
        case "quantity":
            for prefix in (*PREFIXES, "ap"):
                yield from (("", f"{prefix}{text}") for text in ("5.4", "60", "5.4||mg", f"5.4|{made_up.UCUM}|mg"))


@pytest.mark.parametrize("resource_type", [name for name in searchable_types() if name != "Bundle"])
async def test_the_database_finds_what_the_official_expressions_find(
    connection: asyncpg.Connection, resource_type: str
) -> None:
    resources = made(resource_type) + examples(resource_type)
    await store(connection, resources)
    met = set()
    for code, parameter in parameters_for(resource_type).items():
        if code in NOT_BY_EXPRESSION:
            continue
        assert code in OFFICIAL[resource_type] or code in OFFICIAL["Resource"]
        for modifier, text in searches(parameter):
            name = f"{code}:{modifier}" if modifier else code
            sql, arguments = query.page(parse(resource_type, [(name, text)], zone=ZONE), source="", limit=100_000)
            ours = {record["id"] for record in await connection.fetch(sql, *arguments)}
            implied = parameter.targets[0] if text == "1" and len(parameter.targets) == 1 else modifier
            theirs = found(resources, code, implied, text)
            assert ours == theirs, (name, text, [one for one in resources if one["id"] in ours ^ theirs][:3])
            if ours and modifier != "missing":
                met.add(code)
    assert set(parameters_for(resource_type)) - NOT_BY_EXPRESSION - met == set()

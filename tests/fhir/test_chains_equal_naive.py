"""Chains and `_has` in SQL find what following every reference by hand finds, over own and followed resources."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slipring.fhir.search.criteria import parse
from slipring.fhir.search.index import rows
from slipring.fhir.store import query
from slipring.fhir.store.commit import FAMILIES
from slipring.fhir.store.migrate import migrate
from slipring.runtime.postgres import ensure_running

Resource = dict[str, Any]
SCHEMA = "chains"
TYPES = ("Patient", "ServiceRequest", "Task", "Questionnaire", "QuestionnaireResponse")


@dataclass(frozen=True, repr=False)
class Held:
    """A resource as it stands."""

    tree: Resource
    source: str
    deleted: bool


def a_resource(draw: random.Random, number: int) -> Resource:
    kind = draw.choice(TYPES)
    made: Resource = {"resourceType": kind, "id": f"{kind[:3]}{number % 12}{kind[-1]}"}
    patient = {"reference": draw.choice(["Patient/", "Group/"]) + f"Pat{draw.randint(0, 11)}t"}
    request = {"reference": f"ServiceRequest/Ser{draw.randint(0, 11)}t"}
    members: dict[str, Resource] = {
        "Patient": {"name": [{"family": draw.choice("abc")}]},
        "ServiceRequest": {"subject": patient, "status": draw.choice(["active", "draft"])},
        "Task": {"focus": draw.choice([request, patient]), "status": draw.choice(["requested", "completed"])},
        "Questionnaire": {"url": f"urn:q{draw.randint(1, 3)}", "title": draw.choice("abc")},
        "QuestionnaireResponse": {
            "questionnaire": f"urn:q{draw.randint(1, 4)}" + draw.choice(["", "|1"]),
            "subject": patient,
        },
    }
    return made | members[kind]


@pytest.fixture(scope="module")
async def connection(data_dir: Path) -> AsyncIterator[asyncpg.Connection]:
    dsn = ensure_running(data_dir)
    await migrate(dsn, SCHEMA)
    opened = await asyncpg.connect(dsn, server_settings={"search_path": SCHEMA})
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def holding(connection: asyncpg.Connection) -> list[Held]:
    draw, by_id = random.Random(7), {}
    for number in range(160):
        tree = a_resource(draw, number)
        by_id[tree["resourceType"], tree["id"]] = Held(tree, draw.choice(["", "", "order"]), draw.random() < 0.1)
    held = list(by_id.values())
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for key, one in enumerate(held, 1):
        await connection.execute(
            "INSERT INTO resource (key, type, id, version, updated_at, deleted, source) VALUES ($1, $2, $3, 1, $4, $5, $6)",
            key, one.tree["resourceType"], one.tree["id"], now, one.deleted, one.source,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO version (key, version, updated_at, method, body) VALUES ($1, 1, $2, 'PUT', '')", key, now
        )
        for table, columns, _, attribute in FAMILIES:
            records = [(key, *row) for row in ([] if one.deleted else getattr(rows(one.tree), attribute))]
            await connection.copy_records_to_table(table, records=records, columns=["key", *columns])
    return held


def referred(held: list[Held], one: Held, member: str, wanted: str) -> list[Held]:
    """The standing resources of a type that a reference of this one leads to."""
    value = one.tree.get(member)
    if isinstance(value, str):
        return [o for o in held if o.tree.get("url") == value.partition("|")[0] and not o.deleted]
    literal = (value or {}).get("reference", "")
    return [
        o for o in held if f"{wanted}/{o.tree['id']}" == literal and o.tree["resourceType"] == wanted and not o.deleted
    ]


def by_hand(held: list[Held], one: Held, path: list[tuple[str, ...]], value: str) -> bool:
    """Whether a path of links ends at a resource with the value; a link is (member, type) or (has, type, member)."""
    if len(path) == 1:
        member = path[0][0]
        found = one.tree.get(member)
        return found[0]["family"] == value if member == "name" and found else found == value
    link = path[0]
    if link[0] == "has":
        others = [o for o in held if o.tree["resourceType"] == link[1] and not o.deleted]
        return any(
            one in referred(held, o, link[2], one.tree["resourceType"]) and by_hand(held, o, path[1:], value)
            for o in others
        )
    return any(by_hand(held, o, path[1:], value) for o in referred(held, one, link[0], link[1]))


REQUEST, PATIENT = ("focus", "ServiceRequest"), ("subject", "Patient")
ASKED: dict[str, list[tuple[str, ...]]] = {
    "ServiceRequest?subject:Patient.name": [PATIENT, ("name",)],
    "ServiceRequest?subject.name": [PATIENT, ("name",)],
    "Task?focus:ServiceRequest.status": [REQUEST, ("status",)],
    "Task?focus:ServiceRequest.subject:Patient.name": [REQUEST, PATIENT, ("name",)],
    "Task?focus:Patient.name": [("focus", "Patient"), ("name",)],
    "Patient?_has:ServiceRequest:subject:status": [("has", "ServiceRequest", "subject"), ("status",)],
    "Patient?_has:ServiceRequest:subject:_has:Task:focus:status": [
        ("has", "ServiceRequest", "subject"), ("has", "Task", "focus"), ("status",),
    ],
    "ServiceRequest?_has:Task:focus:focus:ServiceRequest.subject:Patient.name": [
        ("has", "Task", "focus"), REQUEST, PATIENT, ("name",),
    ],
    "QuestionnaireResponse?questionnaire:Questionnaire.title": [("questionnaire", "Questionnaire"), ("title",)],
    "Questionnaire?_has:QuestionnaireResponse:questionnaire:subject:Patient.name": [
        ("has", "QuestionnaireResponse", "questionnaire"), PATIENT, ("name",),
    ],
}  # fmt: skip
VALUES = {"name": "abc", "title": "abc", "status": ("active", "draft", "requested", "completed")}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), source=st.sampled_from(["", None]))
async def test_chains_find_what_following_by_hand_finds(
    connection: asyncpg.Connection, holding: list[Held], data: st.DataObject, source: str | None
) -> None:
    asked = data.draw(st.sampled_from(sorted(ASKED)))
    path = ASKED[asked]
    value = data.draw(st.sampled_from(VALUES[path[-1][0]]))
    kind, _, name = asked.partition("?")
    sql, arguments = query.page(parse(kind, [(name, value)], types=TYPES), source=source, limit=1000)
    ours = sorted(record["id"] for record in await connection.fetch(sql, *arguments))
    standing = [o for o in holding if o.tree["resourceType"] == kind and not o.deleted and source in (None, o.source)]
    assert ours == sorted(o.tree["id"] for o in standing if by_hand(holding, o, path, value))


def test_the_paths_are_met_at_all(holding: list[Held]) -> None:
    for asked, path in ASKED.items():
        kind = asked.partition("?")[0]
        mine = [one for one in holding if one.tree["resourceType"] == kind]
        assert any(by_hand(holding, one, path, value) for one in mine for value in VALUES[path[-1][0]]), asked

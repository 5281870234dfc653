"""The clauses prove themselves from the records: over the wire, at any moment, and not when a record was altered behind the API."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from slipring.clauses.register import register
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call
from slipring.runtime.postgres import ensure_running
from slipring.signing.jws import jws_sha256
from slipring.upkeep.audit.verify import Given, verify
from slipring.upkeep.installed import installed
from slipring_order.clauses.answering import CLAUSES
from slipring_order.settings import OrderSettings

from tests.support.department import Department
from tests.support.desk import ADesk
from tests.support.one_exam import OneExam, one_exam

Row = dict[str, Any]


async def checked(department: Department, **asked: str) -> dict[str, Row]:
    """Every row of the answer by its id: its parts by name, its checks by service and code."""
    kinds = {"periodStart": "valueDate", "periodEnd": "valueDate", "at": "valueDateTime", "clause": "valueString"}
    given = [{"name": name, kinds[name]: value} for name, value in asked.items()]
    body = {"resourceType": "Parameters", "parameter": given} if given else {"resourceType": "Parameters"}
    answer = await department.post("Measure/$clause-check", body)
    assert answer.status_code == 200, answer.text
    rows: dict[str, Row] = {}
    for one in answer.json()["parameter"]:
        if one["name"] == "clause":
            row = _parts(one)
            row["checks"] = {(c["service"], c["code"]): c for c in map(_parts, _named(one, "check"))}
            rows[row["id"]] = row
    return rows


def _parts(one: Row) -> Row:
    found = {part["name"]: next((v for n, v in part.items() if n != "name"), None) for part in one["part"]}
    return found | {"exception": [_parts(each) for each in _named(one, "exception")]}


def _named(one: Row, name: str) -> list[Row]:
    return [part for part in one["part"] if part["name"] == name]


def breaches(row: Row) -> set[tuple[str, str]]:
    """What breaks a row: kind and record."""
    return {
        (one["kind"], (one.get("record") or {}).get("reference", ""))
        for check in row["checks"].values()
        for one in check["exception"]
    }


async def a_released_report(department: Department) -> tuple[OneExam, str]:
    story = await one_exam(department)
    await story.requested()
    report = await story.drafted()
    await story.stood_for(report)
    first = await story.jws(report, "first reader", "author")
    assert (await story.signed(report, first, "author")).is_success
    second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
    assert (await story.signed(report, second, "reviewer")).is_success
    await department.settle()
    return story, report


@pytest.mark.clause("5.7.1")
@pytest.mark.clause("5.10.1")
async def test_a_report_with_two_signers_meets_its_clause_until_one_of_its_rows_is_altered(
    department: Department,
) -> None:
    start = department.clock.now()
    await department.wait(minutes=1)
    await department.fresh()  # who may sign is judged by copies of half a minute at most
    _, report = await a_released_report(department)
    before = await checked(department)
    assert list(before) == [row.id for row in register().clauses], "each row once, in the register's order"
    assert {before[row]["verdict"] for row in ("5.7.1", "5.6.1", "5.8.3", "5.1.2", "5.4.6")} == {"met"}
    assert before["5.7.1"]["checks"]["report", "two-signatures"]["population"] == 1
    assert before["4.2"]["verdict"] == "procedure"
    assert before["5.6.2.2"]["verdict"] == "not-met" and breaches(before["5.6.2.2"]) == {("absent", "")}

    then = (await checked(department, clause="5.7.1", at=start.isoformat()))["5.7.1"]
    assert (then["verdict"], then["population"]) == ("no-data", 0), "there was no report yet"
    await department.wait(minutes=1)
    again = (await checked(department, clause="CL02-A011:5.7.1"))["5.7.1"]
    assert again["sha256"] == before["5.7.1"]["sha256"] != then["sha256"], "the same records make the same hash"

    assert await altered(department) == set()
    schema = department.house.services["report"].kernel.store.schema
    await behind_the_api(department, schema, "UPDATE version v SET body = replace(body, '\"final\"', '\"final\" ') "
                         "FROM resource r WHERE r.key = v.key AND r.version = v.version AND r.type = 'DiagnosticReport'")  # fmt: skip
    after = await checked(department)
    for row in ("5.7.1", "5.6.1", "5.7.2"):
        assert after[row]["verdict"] == "not-met"
        assert ("altered", report) in breaches(after[row])
    assert after["5.7.1"]["sha256"] != before["5.7.1"]["sha256"]
    assert after["5.4.6"] == before["5.4.6"], "what rests on other records stands"
    assert any(about.startswith(report) for about in await altered(department)), "the audit check says so, too"


BEHIND = {
    "a text that no other check reads": (
        "order",
        "UPDATE version v SET body = replace(body, '\"gender\"', '\"gender\" ') {of} AND r.type = 'Patient'",
        "UPDATE version v SET body = replace(body, '\"gender\" ', '\"gender\"') {of} AND r.type = 'Patient'",
        "Patient",
    ),
    "a report that no search finds any more": (
        "report",
        "UPDATE resource SET deleted = true WHERE type = 'DiagnosticReport' AND source = ''",
        "UPDATE resource SET deleted = false WHERE type = 'DiagnosticReport' AND source = ''",
        "DiagnosticReport",
    ),
    "a report set back to what it said before": (
        "report",
        "UPDATE resource SET version = version - 1 WHERE type = 'DiagnosticReport' AND version > 1 AND source = ''",
        "UPDATE resource r SET version = (SELECT max(v.version) FROM version v WHERE v.key = r.key) "
        "WHERE type = 'DiagnosticReport' AND source = ''",
        "DiagnosticReport",
    ),
    "an earlier version that is gone": (
        "report",
        "CREATE TABLE aside AS SELECT v.* FROM version v JOIN resource r USING (key) WHERE r.type = 'DiagnosticReport' AND "
        "v.version = 1 AND r.source = ''; DELETE FROM version v USING aside a WHERE a.key = v.key AND a.version = v.version",
        "INSERT INTO version SELECT * FROM aside; DROP TABLE aside",
        "DiagnosticReport",
    ),
}


@pytest.mark.clause("5.10.1")
async def test_whatever_is_changed_or_hidden_behind_the_api_breaks_the_clause_of_the_system(
    department: Department,
) -> None:
    """Also records that no other check looks at, and those that no search finds any more."""
    await department.fresh()
    await a_released_report(department)
    of = "FROM resource r WHERE r.key = v.key AND r.version = v.version AND r.source = ''"
    before = await _of_the_system(department)
    assert before["order"]["population"] > 10
    for what, (service, change, undo, kind) in BEHIND.items():
        schema = department.house.services[service].kernel.store.schema
        await behind_the_api(department, schema, change.format(of=of))
        after = (await _of_the_system(department))[service]
        known = {str(one) for one in before[service]["exception"]}
        new = {one["record"]["reference"] for one in after["exception"] if str(one) not in known}
        assert after["verdict"] == "not-met" and {name.partition("/")[0] for name in new} == {kind}, what
        await behind_the_api(department, schema, undo.format(of=of))
    assert await _of_the_system(department) == before, "the same records make the same answer again"


async def _of_the_system(department: Department) -> dict[str, Row]:
    row = (await checked(department, clause="5.10.1"))["5.10.1"]
    return {service: check for (service, code), check in row["checks"].items() if code == "records-whole"}


@pytest.mark.clause("4.10")
@pytest.mark.clause("5.6.2.3")
async def test_a_nonconformity_breaks_its_clause_until_it_is_settled(department: Department) -> None:
    clause = {"coding": [{"system": f"{CANONICAL}/CodeSystem/clause", "code": "CL02-A011:5.6.2.3"}]}
    code = {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-code", "code": "nonconformity"}]}
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": code,
        "reasonCode": clause,
        "description": "x",
    }
    made = await department.post("Task", {**task, "authoredOn": department.clock.now().isoformat()})
    assert made.status_code == 201, made.text
    name = f"Task/{made.json()['id']}"
    rows = await checked(department, clause="5.6.2.3")
    assert rows["5.6.2.3"]["checks"]["order", "nonconformities"]["exceptions"] == 1
    assert ("nonconformity", name) in breaches(rows["5.6.2.3"])
    earlier = (await checked(department, periodStart="2020-01-01", periodEnd="2020-03-31"))["5.6.2.3"]
    assert ("order", "nonconformities") not in earlier["checks"], "another period's"
    before = department.clock.now()
    await department.wait(minutes=1)
    dismissed = {"coding": [{"system": f"{CANONICAL}/CodeSystem/quality-state", "code": "dismissed"}]}
    moved = made.json() | {"businessStatus": dismissed, "statusReason": {"text": "a drill"}}
    answered = await department.put(moved)
    assert answered.status_code == 200, answered.text
    settled = (await checked(department, clause="5.6.2.3"))["5.6.2.3"]["checks"]["order", "nonconformities"]
    assert (settled["verdict"], settled["population"]) == ("met", 1)
    as_of = (await checked(department, clause="5.6.2.3", at=before.isoformat()))["5.6.2.3"]
    assert ("nonconformity", name) in breaches(as_of), "as it stood before it was settled"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"clause": "9.9"}, "kernel.no-such-clause"),
        ({"periodStart": "2026-02-01", "periodEnd": "2026-01-01"}, "kernel.clause-period"),
        ({"periodStart": "2020-01-01", "periodEnd": "2026-01-01"}, "kernel.clause-period"),
        ({"periodStart": "9999-12-01", "periodEnd": "9999-12-31"}, "kernel.clause-period"),
        ({"periodStart": "2999-01-01", "periodEnd": "2999-01-31"}, "kernel.clause-period-ahead"),
        ({"at": "2999-01-01T00:00:00Z"}, "kernel.clause-moment"),
        ({"at": "2026-01-01"}, "kernel.clause-moment"),
    ],
)
async def test_what_cannot_be_asked_is_refused_at_its_parameter(given: dict[str, str], code: str) -> None:
    kinds = {"periodStart": "valueDate", "periodEnd": "valueDate", "at": "valueDateTime", "clause": "valueString"}
    parts = [{"name": name, kinds[name]: value} for name, value in given.items()]
    desk = ADesk(settings=OrderSettings())
    with pytest.raises(FhirError) as refused:
        await CLAUSES.told(Call({"resourceType": "Parameters", "parameter": parts}), desk)
    assert (refused.value.status, refused.value.issues[0].detail) == (422, code)
    assert refused.value.issues[0].at.startswith("Parameters.parameter[")


async def behind_the_api(department: Department, schema: str, sql: str) -> None:
    """SQL as the superuser of the database."""
    connection = await asyncpg.connect(ensure_running(department.data_dir), server_settings={"search_path": schema})
    try:
        assert (await connection.execute(sql)) != "UPDATE 0"
    finally:
        await connection.close()


async def altered(department: Department) -> set[str]:
    """What the audit check finds changed, in versions and in what is searched and counted."""
    kernel = department.house.services["report"].kernel
    given = Given(services=installed(), zone=kernel.zone)
    prefix = kernel.store.schema.removesuffix("report")
    told = await verify(ensure_running(department.data_dir), prefix, given, lambda *_: None)
    return {one.about for schema in told.schemas for one in schema.findings if one.grave}

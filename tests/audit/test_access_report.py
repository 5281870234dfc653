"""The access report about one patient: who, when, what, why and how, over the whole house, and no more than that."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
from slipring.fhir.checks.shape import check
from slipring.runtime.postgres import ensure_running
from slipring.upkeep.audit.report import access_lines

from tests.support.department import Department


def accesses(report: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for one in report["parameter"]:
        if one["name"] == "access":
            parts: dict[str, Any] = {"what": []}
            for part in one["part"]:
                value = next(value for name, value in part.items() if name != "name")
                if part["name"] == "what":
                    parts["what"].append(value["reference"])
                else:
                    parts[part["name"]] = value
            found.append(parts)
    return found


async def test_the_report_tells_every_access_to_one_patient_and_nothing_of_others(department: Department) -> None:
    ids = []
    for _ in range(2):
        ids.append((await department.post("Patient", {"resourceType": "Patient", "gender": "other"})).json()["id"])
    mine, other = ids
    for name in ids:
        visit = {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": {"reference": f"Patient/{name}"},
        }
        assert (await department.post("Encounter", visit)).status_code == 201
    assert len(await department.found("Encounter?status=finished&_count=1000")) >= 2
    await department.get(f"Patient/{mine}")
    async with department.client("demo-his", "system/AuditEvent.rs") as auditor:
        answer = await auditor.get(f"/fhir/Patient/{mine}/$access-report")
        assert answer.status_code == 200, answer.text
        report = answer.json()
        told = accesses(report)
        assert [access["how"] for access in told] == ["create", "create", "search", "read"]
        assert [access["when"] for access in told] == sorted(access["when"] for access in told)
        assert {access["client"] for access in told} == {"demo-department"}
        searched = next(access for access in told if access["how"] == "search")
        assert len(searched["what"]) == 1, "of what the search gave out only what is about this patient"
        assert other not in json.dumps(report)
        assert [issue for issue in check(report) if issue.severity in ("error", "fatal")] == []
        again = accesses((await auditor.get(f"/fhir/Patient/{mine}/$access-report?start=2026-11-23")).json())
        assert again[len(told) :][0]["how"] == "operation", "who looked at the report stands in the next one"
        assert accesses((await auditor.get(f"/fhir/Patient/{mine}/$access-report?end=2020")).json()) == []
        assert (await auditor.get(f"/fhir/Patient/{mine}/$access-report?start=soon")).status_code == 400
        assert (await auditor.get(f"/fhir/Patient/{mine}/$access-report?who=me")).status_code == 400
    async with department.client("demo-his", "system/*.cruds") as everything_else:
        refused = await everything_else.get(f"/fhir/Patient/{mine}/$access-report")
    assert refused.status_code == 403

    connection = await asyncpg.connect(ensure_running(department.data_dir))
    prefix = department.house.services["order"].kernel.store.schema.removesuffix("order")
    lines = await access_lines(
        connection, prefix, mine, "", "", department.clock.now(), department.house.services["order"].kernel.zone
    )
    await connection.close()
    assert [line.how for line in lines][:4] == ["create", "create", "search", "read"]
    assert other not in str(lines)


async def test_the_report_is_about_the_person_whichever_of_his_merged_records_is_asked_for(
    department: Department,
) -> None:
    one, other = [
        (await department.post("Patient", {"resourceType": "Patient", "gender": "other"})).json() for _ in range(2)
    ]
    await department.get(f"Patient/{one['id']}")

    async def reads_of(name: str) -> set[str]:
        async with department.client("demo-his", "system/AuditEvent.rs") as auditor:
            report = (await auditor.get(f"/fhir/Patient/{name}/$access-report")).json()
        read = (access["what"] for access in accesses(report) if access["how"] == "read")
        return {what.partition("/_history/")[0] for seen in read for what in seen}

    assert await reads_of(other["id"]) == set()
    merged = one | {"link": [{"type": "replaced-by", "other": {"reference": f"Patient/{other['id']}"}}]}
    assert (await department.put(merged)).status_code == 200
    for name in (one["id"], other["id"]):
        assert await reads_of(name) == {f"Patient/{one['id']}"}
    connection = await asyncpg.connect(ensure_running(department.data_dir))
    kernel = department.house.services["order"].kernel
    prefix = kernel.store.schema.removesuffix("order")
    lines = await access_lines(connection, prefix, other["id"], "", "", department.clock.now(), kernel.zone)
    await connection.close()
    assert f"Patient/{one['id']}/_history/1" in {what for line in lines for what in line.what}
    assert (await department.put(one)).status_code == 200
    assert await reads_of(other["id"]) == set()

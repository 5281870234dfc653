"""A round of comparison with others over HTTP and on PostgreSQL: planned, answered, judged, and told in the programme (5.6.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.department import Department
from tests.support.one_exam import one_exam


def given(*values: tuple[str, str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, f"value{kind}": value} for name, kind, value in values],
    }


@pytest.mark.clause("5.6.3")
async def test_a_round_is_planned_answered_and_judged_and_what_is_wrong_is_refused_at_its_place(
    department: Department,
) -> None:
    story = await one_exam(department)
    await story.joined("quality manager", "chief-physician", "quality-manager")
    lead = await department.client_of("eqa-lead", story.cast.staff["quality manager"])
    today = department.clock.now().astimezone(ZoneInfo("Asia/Shanghai")).date()
    plan = [
        ("kind", "Code", "proficiency-testing"), ("scheme", "String", "省质控中心"), ("partner", "String", "省内唯一计划"),
        ("exam", "String", "头颅平扫"), ("due", "Date", str(today + timedelta(days=7))), ("system", "Code", "B1"),
    ]  # fmt: skip

    async def refused(path: str, values: list[tuple[str, str, Any]], name: str) -> None:
        answer = await department.post(path, given(*values), lead)
        assert answer.status_code == 422, answer.text
        place = f"Parameters.parameter[{[one[0] for one in values].index(name)}]"
        [issue] = answer.json()["issue"]
        said = issue["details"]["text"]
        assert issue["expression"][0].startswith(place), issue
        assert not said.isascii() and issue["diagnostics"].isascii(), "in Chinese and in English"

    await refused("QuestionnaireResponse/$plan-eqa", [("kind", "Code", "by-telephone"), *plan[1:]], "kind")
    await refused("QuestionnaireResponse/$plan-eqa", [*plan[:-1], ("system", "Code", "B9")], "system")
    assert not await department.found(
        "QuestionnaireResponse?questionnaire=https://slipring.example/fhir/Questionnaire/eqa-round"
    )
    made = await department.post("QuestionnaireResponse/$plan-eqa", given(*plan), lead)
    assert made.status_code == 200, made.text
    address = f"QuestionnaireResponse/{made.json()['id']}"
    dated = [("sent", "Date", str(today)), ("returned", "Date", str(today))]
    late = [("sent", "Date", str(today)), ("returned", "Date", str(today + timedelta(days=1)))]
    await refused(f"{address}/$record-eqa", late, "returned")
    await refused(
        f"{address}/$record-eqa", [*dated, ("criterion", "Code", "stars"), ("score", "Decimal", 5)], "criterion"
    )
    assert (await department.get(address))["meta"]["versionId"] == "1", "nothing of what was refused is kept"

    failed = [*dated, ("criterion", "Code", "percent"), ("score", "Decimal", 12.5)]
    recorded = await department.post(f"{address}/$record-eqa", given(*failed), lead)
    assert recorded.status_code == 200 and recorded.json()["status"] == "completed", recorded.text
    held = await department.get(address)
    forged = await department.put({**held, "status": "amended"}, lead, If_Match=f'W/"{held["meta"]["versionId"]}"')
    assert forged.status_code == 409 and "$record-eqa" in forged.text, forged.text
    told = await department.post("QuestionnaireResponse/$eqa-programme", given(("year", "Integer", today.year)), lead)
    rounds = [one["part"] for one in told.json()["parameter"] if one["name"] == "round"]
    [ours] = [{part["name"]: part for part in one} for one in rounds if address in str(one)]
    assert (ours["state"]["valueCode"], float(ours["score"]["valueDecimal"])) == ("unacceptable", 12.5)
    systems = [one["part"] for one in told.json()["parameter"] if one["name"] == "system"]
    standing = {one[0]["valueCode"]: next(p["valueCode"] for p in one if p["name"] == "state") for one in systems}
    assert (standing["B1"], standing["B2"]) == ("failed", "missing")

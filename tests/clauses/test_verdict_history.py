"""Verdicts are kept: once for each change, chained by hash, told to subscribers, altered by nobody."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from typing import Any

import pytest
from slipring.fhir.service import CANONICAL
from slipring.verdicts.history import CHECK, VERDICT, kept_in, previous_of

from tests.support.backport import told, topical
from tests.support.department import Department
from tests.support.one_exam import phones

_PERIOD = [{"name": "clause", "valueString": one} for one in ("5.6.2.3", "4.2", "4.8")]


async def recorded(department: Department) -> int:
    """How many verdicts were new."""
    answer = await department.post("Measure/$clause-record", {"resourceType": "Parameters", "parameter": _PERIOD})
    assert answer.status_code == 200, answer.text
    await department.settle()
    return sum(one["valueInteger"] for one in answer.json()["parameter"] if one["name"] == "recorded")


async def whole(department: Department, row: str) -> list[dict[str, Any]]:
    """What all services came to for a row, oldest first."""
    found = await department.found(f"MeasureReport?measure={VERDICT}&_sort=date")
    return [one for one in found if (kept := kept_in(one)) and kept.row == row]


@pytest.mark.clause("4.14.7")
async def test_a_verdict_is_kept_when_it_changes_and_its_subscribers_are_told(department: Department) -> None:
    with phones("quality") as phone:
        asked = topical(
            "full-resource",
            topic=f"{CANONICAL}/SubscriptionTopic/clause-verdict-changed",
            channel={"endpoint": phone["quality"].url},
        )
        assert (await department.post("Subscription", asked)).status_code == 201
        assert await recorded(department) > 0
        assert await recorded(department) == 0, "nothing has changed"
        [first] = await whole(department, "4.8")
        assert (kept_in(first) or pytest.fail()).verdict == "no-data" and previous_of(first) == ""

        await department.wait(minutes=1)
        code = {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-code", "code": "nonconformity"}]}
        clause = {"coding": [{"system": f"{CANONICAL}/CodeSystem/clause", "code": "CL02-A011:4.8"}]}
        task = {"resourceType": "Task", "status": "requested", "intent": "order", "code": code, "reasonCode": clause}
        made = await department.post(
            "Task", task | {"description": "x", "authoredOn": department.clock.now().isoformat()}
        )
        assert made.status_code == 201, made.text
        assert await recorded(department) > 0
        before, after = await whole(department, "4.8")
        assert (kept_in(after) or pytest.fail()).verdict == "not-met"
        text = (await department.his.get(f"/order/fhir/MeasureReport/{before['id']}")).content
        assert previous_of(after) == f"MeasureReport/{before['id']} {hashlib.sha256(text).hexdigest()}"
        heard = [one for body in phone["quality"].received for one in _focus(body)]
        assert after["id"] in heard and heard.count(before["id"]) == 1

    forged = await department.put(after | {"group": before["group"]})
    assert forged.status_code == 422 and "kernel.clause-verdict-kept" in forged.text
    part = {name: value for name, value in before.items() if name not in ("id", "meta")} | {"measure": CHECK}
    assert (await department.post("MeasureReport", part)).status_code == 422


@pytest.mark.clause("4.14.7")
async def test_of_those_who_keep_verdicts_at_once_all_but_one_find_that_they_are_kept(department: Department) -> None:
    """Over a period of its own: each chain has one beginning."""
    earlier = {"periodStart": "2026-04-01", "periodEnd": "2026-06-30"}
    days = [{"name": name, "valueDate": day} for name, day in earlier.items()]
    body = {"resourceType": "Parameters", "parameter": [*_PERIOD, *days]}
    answers = await asyncio.gather(*(department.post("Measure/$clause-record", body) for _ in range(3)))
    assert [one.status_code for one in answers] == [200] * 3
    await department.settle()
    found = await department.found(f"MeasureReport?measure={CHECK},{VERDICT}&_count=200")
    told = [kept for one in found if (kept := kept_in(one)) and kept.first == earlier["periodStart"]]
    keys = Counter(one.key for one in told)
    assert keys["all/4.8/2026-04-01/2026-06-30"] == 1 and set(keys.values()) == {1}


def _focus(body: Any) -> list[str]:
    bundle = body if isinstance(body, dict) else told(body)
    return [
        entry["resource"]["id"]
        for entry in bundle.get("entry", [])
        if entry.get("resource", {}).get("resourceType") == "MeasureReport"
    ]

"""A comparison of scanners is kept, approved by a second person, and owed anew by the interval (5.6.4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Changes, Resource, Write
from slipring_order.handlers.due import due_told
from slipring_order.handlers.papers import document_written
from slipring_order.handlers.qc_comparison import comparison_approved, comparison_recorded

from tests.support.desk import ADesk
from tests.support.ordering import NOW
from tests.support.qc_rounds import APPROVER, TESTER, a_call, a_qc_desk, approved, value
from tests.support.rooms import a_scanner

pytestmark = pytest.mark.clause("5.6.4")
BOTH = ("Device/o-ct1", "Device/o-ct2")


async def measured(shift: float) -> ADesk:
    desk = a_qc_desk(a_scanner("o-ct2"))
    for days, number in ((8, 0.0), (7, 0.2), (6, -0.1)):
        at = NOW - timedelta(days=days)
        await approved(desk, value("water", number), at=at)
        await approved(desk, value("water", number + shift), at=at, scanner=BOTH[1])
    return desk


async def compare(desk: ADesk, *scanners: str, first: str = "2026-02-01", last: str = "2026-03-01") -> Changes:
    named = [{"name": "scanner", "valueReference": {"reference": one}} for one in scanners]
    days: dict[str, Any] = {"periodStart": ("Date", first), "periodEnd": ("Date", last)}
    changes = await comparison_recorded(a_call(None, *named, **days), desk)
    desk.carry_out(changes)
    return changes


async def approve(desk: ADesk, record: Resource, who: str = APPROVER) -> Changes:
    changes = await comparison_approved(a_call(await desk.read(f"DocumentReference/{record['id']}"), who=who), desk)
    desk.carry_out(changes)
    return changes


async def owed(desk: ADesk, on: str = "2026-03-03") -> str:
    asked: Resource = {"resourceType": "Parameters", "parameter": [{"name": "on", "valueDate": on}]}
    for item in ((await due_told(Call(asked), desk)).answer or {})["parameter"]:
        parts = {one["name"]: one for one in item.get("part", [])}
        if "what" in parts and parts["what"]["valueCoding"]["code"] == "scanner-comparison":
            return str(parts["state"]["valueCode"])
    return ""


@pytest.mark.parametrize(("shift", "outcome", "opened"), [(0.1, "comparable", 0), (9.0, "different", 1)])
async def test_a_comparison_counts_when_a_second_person_approved_it(shift: float, outcome: str, opened: int) -> None:
    desk = await measured(shift)
    assert await owed(desk) == "missing" and await owed(a_qc_desk()) == "", "one scanner is compared with nothing"
    said = (await compare(desk, *BOTH)).answer or {}
    record = said["parameter"][0]["resource"]
    [pair] = [{one["name"]: one for one in part["part"]} for part in said["parameter"] if part["name"] == "pair"]
    assert (pair["test"]["valueCode"], pair["outcome"]["valueCode"]) == ("water", outcome)
    assert await owed(desk) == "missing", "nobody has approved it"
    with pytest.raises(FhirError) as refused:
        await approve(desk, record, TESTER)
    assert refused.value.status == 403
    changes = await approve(desk, record)
    done, *tasks = [one.resource for one in changes.save]
    assert (done["docStatus"], done["authenticator"]) == ("final", {"reference": APPROVER})
    assert len(tasks) == opened and all(one["reasonCode"]["coding"][0]["code"] == "CL02-A011:5.6.4" for one in tasks)
    assert await owed(desk) == "" and await owed(desk, "2027-03-02") == "overdue"
    with pytest.raises(FhirError) as refused:
        await approve(desk, record)
    assert refused.value.issues[0].detail == "order.comparison-approved"


@pytest.mark.parametrize(
    ("scanners", "days", "detail"),
    [
        (BOTH[:1], {}, "comparison-scanners"),
        ((*BOTH[:1], "Device/o-none"), {}, "scanner-unknown"),
        (BOTH, {"first": "2025-12-01", "last": "2025-12-31"}, "comparison-nothing"),
        (BOTH, {"last": "2026-03-31"}, "comparison-period"),
    ],
)
async def test_a_comparison_of_nothing_is_refused(scanners: tuple[str, ...], days: dict[str, str], detail: str) -> None:
    with pytest.raises(FhirError) as refused:
        await compare(await measured(0.1), *scanners, **days)
    assert (refused.value.status, refused.value.issues[0].detail) == (422, f"order.{detail}")


async def test_a_kept_comparison_is_written_by_no_other_way() -> None:
    desk = await measured(0.1)
    record = ((await compare(desk, *BOTH)).answer or {})["parameter"][0]["resource"]
    held = await desk.read(f"DocumentReference/{record['id']}")
    for write in (
        Write("create", record),
        Write("update", record | {"docStatus": "final"}, held),
        Write("delete", record, held),
    ):
        with pytest.raises(FhirError) as refused:
            await document_written(write, desk)
        assert refused.value.issues[0].detail == "order.comparison-by-operation"

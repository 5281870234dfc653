"""Contrast given without permission is a fact: recorded late by who may, and kept for him when somebody else tells of it."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.checks.shape import check
from slipring.fhir.service import Changes, Resource, Write
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.reading import instant

from tests.support.contrast import a_cleared_department, an_injection
from tests.support.desk import A_NOON, ADesk

LATE = Caller("room", frozenset({"system/*.cruds", "slipring/record-late"}))
TOLD = {"status": "completed", "effectiveDateTime": instant(A_NOON), "statusReason": [{"text": "manual injection"}]}


async def told(desk: ADesk, **members: Any) -> Changes:
    changes = await contrast_written(Write("create", an_injection(**TOLD | members)), desk)
    desk.carry_out(changes)
    return changes


async def kept(desk: ADesk) -> list[Resource]:
    return [one.resource for one in await desk.search("Task?code=late-record&status=requested")]


@pytest.mark.clause("5.4.1")
async def test_without_the_right_it_is_403_and_what_was_sent_is_kept_once_for_the_named_person() -> None:
    desk = a_cleared_department()
    for _ in range(2):
        refused = (await told(desk)).refuse
        assert refused and (refused.status, refused.issues[0].detail) == (403, "consent.late-record")
    [task] = await kept(desk)
    sent = json.loads(base64.b64decode(task["input"][0]["valueAttachment"]["data"]))
    assert sent["effectiveDateTime"] == TOLD["effectiveDateTime"] and sent["performer"] == an_injection()["performer"]
    await told(desk, effectiveDateTime=instant(A_NOON.replace(hour=3)))
    assert len(await kept(desk)) == 2, "another injection is another record"
    desk.caller = LATE
    assert (await told(desk)).refuse is None
    assert [one["id"] for one in await kept(desk)] != [task["id"]] and len(await kept(desk)) == 1, "the other waits on"
    [nonconformity] = await desk.search("Task?code=nonconformity")
    assert nonconformity.resource["status"] == "requested"


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("subject", [{"display": "无名氏"}, {"identifier": {"value": "1"}}, {"reference": "#who"}])
@pytest.mark.parametrize("exam", [{}, {"supportingInformation": []}], ids=["an exam", "no exam"])
async def test_what_was_sent_of_somebody_who_has_no_record_here_is_kept_once_too(subject: Resource, exam: Any) -> None:
    desk = a_cleared_department()
    for _ in range(2):
        refused = (await told(desk, subject=subject, **exam)).refuse
        assert refused and refused.issues[0].detail == "consent.late-record"
    [task] = await kept(desk)
    assert check(task) == []
    desk.caller = LATE
    assert (await told(desk, subject=subject, **exam)).refuse is None
    assert await kept(desk) == []


def an_attachment(text: str) -> Resource:
    data = base64.b64encode(text.encode()).decode()
    return {"type": {"text": "a note"}, "valueAttachment": {"contentType": "text/plain", "data": data}}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"input": [{"type": {"text": "a note"}, "valueString": "by hand"}]},
        {"input": [{"type": {"text": "a note"}, "valueAttachment": {"url": "Binary/c-1"}}]},
        {"input": [an_attachment("not JSON")]},
        {"input": [an_attachment("[" * 100_000)]},
        {"input": [an_attachment("[]")]},
    ],
    ids=["no input", "no attachment", "no data", "no JSON", "too deep", "no resource"],
)
async def test_a_task_that_keeps_no_record_waits_on_and_hinders_no_late_record(given: Resource) -> None:
    desk = a_cleared_department()
    await told(desk)
    [held] = await desk.search("Task?code=late-record&status=requested")
    written = {name: value for name, value in held.resource.items() if name != "input"}
    desk.hold({**written, **given, "id": "c-written"})
    desk.caller = LATE
    assert (await told(desk)).refuse is None
    assert [one["id"] for one in await kept(desk)] == ["c-written"]


async def test_the_record_is_found_behind_what_else_a_task_carries() -> None:
    desk = a_cleared_department()
    await told(desk)
    [held] = await desk.search("Task?code=late-record&status=requested")
    note = {"type": {"text": "a note"}, "valueString": "by hand"}
    desk.hold({**held.resource, "input": [note, *held.resource["input"]]})
    desk.caller = LATE
    assert (await told(desk)).refuse is None
    assert await kept(desk) == []


@pytest.mark.clause("5.5.3")
@pytest.mark.parametrize(
    "when",
    [
        {"effectiveDateTime": instant(A_NOON + timedelta(minutes=1))},
        {"effectivePeriod": {"start": instant(A_NOON), "end": instant(A_NOON + timedelta(minutes=1))}},
        {},
    ],
    ids=["still to come", "ends later", "none"],
)
async def test_a_corrected_record_has_a_time_that_has_been(when: Resource) -> None:
    desk = a_cleared_department()
    given = {name: value for name, value in an_injection(status="completed").items() if name != "effectiveDateTime"}
    stands = desk.hold({**given, "effectiveDateTime": instant(A_NOON)})
    refused = (await contrast_written(Write("update", {**given, **when}, stands), desk)).refuse
    assert refused and (refused.status, refused.issues[0].at) == (422, "MedicationAdministration.effective")
    earlier = {**given, "effectiveDateTime": instant(A_NOON - timedelta(minutes=5))}
    assert await contrast_written(Write("update", earlier, stands), desk) == Changes.none()


async def test_history_that_names_only_a_month_is_corrected_in_all_else() -> None:
    desk = a_cleared_department()
    given = an_injection(status="completed", effectiveDateTime="2019-05")
    noted = {**given, "note": [{"text": "from the old system"}]}
    assert await contrast_written(Write("update", noted, desk.hold(given)), desk) == Changes.none()

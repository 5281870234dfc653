"""Drafts are kept; status, issue time and rendering belong to the service."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL
from slipring_report.handlers import records, writes

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REVIEWER, ReadingRoom, a_report

from tests.support.desk import A_NOON


@pytest.fixture
def room(tmp_path: Path) -> ReadingRoom:
    return ReadingRoom(tmp_path)


@pytest.mark.parametrize(
    ("members", "at"),
    [
        ({"status": "final"}, "DiagnosticReport.status"),
        ({"status": "preliminary"}, "DiagnosticReport.status"),
        ({"status": "amended"}, "DiagnosticReport.status"),
        ({"basedOn": None}, "DiagnosticReport.basedOn"),
        ({"basedOn": [{"reference": "ServiceRequest/o-unknown"}]}, "DiagnosticReport.basedOn"),
        ({"subject": {"reference": "Patient/o-other"}}, "DiagnosticReport.subject"),
        ({"presentedForm": [{"data": "eA=="}]}, "DiagnosticReport.presentedForm"),
        ({"issued": "2026-01-01T00:00:00Z"}, "DiagnosticReport.issued"),
    ],
)
async def test_what_a_draft_may_not_say_is_refused_by_name(room: ReadingRoom, members: dict[str, Any], at: str) -> None:
    with pytest.raises(FhirError) as refusal:
        await room.draft(**members)
    assert refusal.value.status == 422 and refusal.value.issues[0].at == at


@pytest.mark.parametrize("as_of", [{}, {"order": A_NOON - timedelta(seconds=6)}])
async def test_a_request_that_may_be_on_its_way_is_waited_for(tmp_path: Path, as_of: dict[str, datetime]) -> None:
    room = ReadingRoom(tmp_path, as_of=as_of)
    await room.draft()  # what is here is decided on
    with pytest.raises(FhirError) as refusal:
        await room.draft(basedOn=[{"reference": "ServiceRequest/o-unknown"}])
    assert (refusal.value.status, refusal.value.headers) == (503, {"Retry-After": "1"})


async def test_a_registered_report_becomes_a_draft_and_may_be_cancelled(room: ReadingRoom) -> None:
    await room.draft(status="registered")
    await room.draft(status="partial")
    await room.draft(status="cancelled")
    with pytest.raises(FhirError) as refusal:
        await room.draft(status="partial")
    assert refusal.value.status == 409


async def test_a_draft_does_not_go_back_to_registered(room: ReadingRoom) -> None:
    await room.draft()
    with pytest.raises(FhirError) as refusal:
        await room.draft(status="registered")
    assert refusal.value.status == 409 and "cancelled" in refusal.value.issues[0].en


async def test_an_imported_report_keeps_its_status(room: ReadingRoom) -> None:
    await room.write(writes.report_written, a_report(status="final", basedOn=None), imported=True)
    assert room.status == "final"


async def test_the_import_scope_changes_no_report_signed_here(room: ReadingRoom) -> None:
    await room.draft()
    await room.sign(AUTHOR, "author")
    with pytest.raises(FhirError):
        await room.write(writes.report_written, a_report(status="final"), imported=True)


async def test_a_signed_report_written_unchanged_keeps_its_signatures(room: ReadingRoom) -> None:
    await room.draft()
    await room.sign(AUTHOR, "author")
    changes = await room.draft(status="preliminary", meta={"tag": [{"code": "teaching"}]})
    assert not changes.save and room.status == "preliminary" and (await room.verified())[0]


async def test_a_signed_reports_status_is_not_set_by_hand(room: ReadingRoom) -> None:
    await room.draft()
    await room.sign(AUTHOR, "author")
    for status in ("partial", "final", "cancelled"):
        with pytest.raises(FhirError) as refusal:
            await room.draft(status=status)
        assert refusal.value.status == 422


async def test_nobody_writes_a_signature_by_hand(room: ReadingRoom) -> None:
    forged = {
        "resourceType": "Provenance",
        "id": "x",
        "target": [{"reference": "DiagnosticReport/r-1/_history/1"}],
        "signature": [{"who": {"reference": REVIEWER}}],
    }
    with pytest.raises(FhirError):
        await room.write(records.provenance_written, forged, imported=True)


async def test_nobody_closes_a_hand_over_by_hand(room: ReadingRoom) -> None:
    code = {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-code", "code": "hand-over"}]}
    with pytest.raises(FhirError):
        await room.write(
            records.task_written, {"resourceType": "Task", "id": "r-9", "status": "completed", "code": code}
        )

"""What order found in the images may still be on its way: nobody signs on copies that are too old (mechanisms 6)."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest
from slipring.fhir.copies import COPIES_AS_OF
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource
from slipring_report.settings import ReportSettings

from tests.support.desk import A_NOON

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, PATIENT, ReadingRoom


def kept(room: ReadingRoom, kind: str) -> list[Resource]:
    return [one.resource for one in room.desk.held.values() if one.resource["resourceType"] == kind]


async def drafted(folder: Path, seconds_behind: float | None) -> ReadingRoom:
    as_of = {} if seconds_behind is None else {"order": A_NOON + timedelta(seconds=1 - seconds_behind)}
    room = ReadingRoom(folder, as_of=as_of)
    await room.draft()
    return room


@pytest.mark.clause("5.6.2.3 images")
@pytest.mark.parametrize(("behind", "says"), [(31, "order is 31 s behind"), (None, "order is ? s behind")])
async def test_copies_that_are_too_old_let_nobody_sign_and_say_what_is_waited_for(
    tmp_path: Path, behind: float | None, says: str
) -> None:
    room = await drafted(tmp_path, behind)
    with pytest.raises(FhirError) as refused:
        await room.sign(AUTHOR, "author")
    assert (refused.value.status, refused.value.issues[0].detail) == (503, "report.copies-fresh")
    assert says in refused.value.issues[0].en and int(refused.value.headers["Retry-After"]) > 0
    assert room.status == "partial" and kept(room, "Provenance") == []


async def test_a_signature_keeps_up_to_when_the_copies_were_complete(tmp_path: Path) -> None:
    room = await drafted(tmp_path, 30)
    assert (await room.sign(AUTHOR, "author")).refuse is None
    [signature] = kept(room, "Provenance")
    [relied] = [part for part in signature["extension"] if part["url"] == COPIES_AS_OF]
    assert relied["extension"] == [
        {"url": "service", "valueCode": "order"},
        {"url": "at", "valueInstant": "2026-03-02T03:59:31.000Z"},
    ]
    assert (await room.verified())[0]


async def test_an_emergency_is_signed_without_waiting_and_the_signer_is_named(tmp_path: Path) -> None:
    room = await drafted(tmp_path, 600)
    room.desk.hold(
        {"resourceType": "ServiceRequest", "id": "o-q", "priority": "stat", "subject": {"reference": PATIENT}},
        source="order",
    )
    assert (await room.sign(AUTHOR, "author")).refuse is None
    assert room.status == "preliminary"
    [issue] = kept(room, "DetectedIssue")
    assert issue["code"]["coding"][0]["code"] == "report.copies-fresh"
    assert issue["mitigation"][0]["author"] == {"reference": AUTHOR}


def test_the_age_is_the_houses_setting() -> None:
    set_to = ReportSettings.from_env({"SLIPRING_FOLLOW_MAX_AGE_SECONDS": "5", "SLIPRING_SIGNING_TRUST": "x"})
    assert set_to.copy_max_age == timedelta(seconds=5)

"""A critical finding is handed over at once, once, and stays open until critical has it (CL02-A011:5.9.1)."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.clauses.critical_findings import critical_findings
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Arrival, Call, Changes, Due
from slipring_report.handlers import communication_printing, flagging

from tests.support.alerting import a_catalogue, an_entry

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, PATIENT, REPORT, REQUEST, ReadingRoom, named


@pytest.fixture
def room(tmp_path: Path) -> ReadingRoom:
    return ReadingRoom(tmp_path)


def a_finding(code: str = "CV-CT-06") -> dict[str, Any]:
    return {"valueCoding": {"system": f"{CANONICAL}/CodeSystem/critical-finding", "code": code}}


async def flagged(room: ReadingRoom, **values: Any) -> Changes:
    if REPORT not in room.desk.held:
        await room.draft()
    return await room.call(flagging.finding_flagged, **{"finding": a_finding(), **values})


def the_handover(room: ReadingRoom) -> dict[str, Any]:
    return next(s.resource for s in room.desk.held.values() if s.resource["resourceType"] == "Task")


def a_case(room: ReadingRoom, state: str) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "id": "k-1",
        "status": "in-progress",
        "code": {"coding": [{"system": f"{CANONICAL}/CodeSystem/task-code", "code": "critical-case"}]},
        "businessStatus": {"coding": [{"system": f"{CANONICAL}/CodeSystem/case-state", "code": state}]},
        "basedOn": [{"reference": f"Task/{the_handover(room)['id']}"}],
        "focus": the_handover(room)["focus"],
        "for": {"reference": PATIENT},
        "owner": {"reference": AUTHOR},
    }


async def arrives(room: ReadingRoom, case: dict[str, Any]) -> Changes:
    changes = await flagging.case_arrived(Arrival("critical", case, 1), room.desk)
    room.desk.carry_out(changes)
    return changes


async def test_a_closed_case_stands_beside_the_report_in_words(room: ReadingRoom) -> None:
    await flagged(room)
    parts = [
        {"url": "what", "valueCode": "read-back-confirmed"},
        {"url": "at", "valueInstant": "2026-03-02T04:05:00Z"},
        {"url": "outcome", "valueCode": "phone"},
    ]
    case = a_case(room, "closed") | {
        "extension": [{"url": f"{CANONICAL}/StructureDefinition/case-event", "extension": parts}],
        "output": [{"type": {"text": "action"}, "valueCodeableConcept": {"text": "chest drain"}}],
    }

    await arrives(room, case)

    [told] = [s.resource for s in room.desk.held.values() if s.resource["resourceType"] == "Communication"]
    words = told["payload"][0]["contentString"]
    assert all(said in words for said in ("2026-03-02T04:05:00Z", "phone", "chest drain", "处置"))


@pytest.mark.parametrize("code", list(critical_findings()))
async def test_each_finding_of_the_catalogue_makes_a_flag_and_a_hand_over(room: ReadingRoom, code: str) -> None:
    changes = await flagged(room, finding=a_finding(code), performer={"valueReference": {"reference": AUTHOR}})
    flag, task = (save.resource for save in changes.save)
    assert flag["code"]["coding"][0]["code"] == code and flag["interpretation"][0]["coding"][0]["code"] == "AA"
    assert flag["basedOn"] == [{"reference": REQUEST}] and flag["performer"] == [{"reference": AUTHOR}]
    assert task["status"] == "requested" and task["focus"] == {"reference": f"Observation/{flag['id']}"}
    assert task["basedOn"] == [{"reference": REPORT}] and task["for"] == {"reference": PATIENT}
    wake = changes.wake[0]
    assert wake.name == "handover-overdue" and wake.after.total_seconds() == 60
    answer = named(changes.answer)
    assert answer["handover"]["valueReference"]["reference"] == f"Task/{task['id']}"
    assert "Not yet taken over" in answer["note"]["valueString"]


async def test_a_finding_of_the_departments_own_catalogue_is_flagged_at_its_level(room: ReadingRoom) -> None:
    own = a_finding("DEPT-01")
    with pytest.raises(FhirError):
        await flagged(room, finding=own)
    period = {"start": "2026-01-01T00:00:00Z"}
    edition = a_catalogue(
        an_entry("DEPT-01", "urgent", "脊髓受压", "cord compression"), status="active", effectivePeriod=period
    )
    room.desk.hold(edition, source="critical")
    changes = await flagged(room, finding=own)
    flag = changes.save[0].resource
    assert flag["code"]["coding"][0]["code"] == "DEPT-01"
    assert "脊髓受压" in str(flag["code"]) and '"2"' in json.dumps(flag)


async def test_a_repeat_answers_the_first_flag_and_stores_nothing(room: ReadingRoom) -> None:
    first = await flagged(room)
    again = await flagged(room)
    assert not again.save and not again.wake and again.answer == first.answer


async def test_another_finding_of_the_same_report_is_a_flag_of_its_own(room: ReadingRoom) -> None:
    first, second = await flagged(room), await flagged(room, finding=a_finding("CV-CT-07"))
    assert len(second.save) == 2 and named(first.answer)["observation"] != named(second.answer)["observation"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"finding": a_finding("CV-CT-99")},
        {"finding": {"valueCoding": {"system": "http://other", "code": "CV-CT-06"}}},
        {"finding": {"valueString": "embolism"}},
        {"level": {"valueCode": "4"}},
        {"recognisedAt": {"valueDateTime": "2026-03-02T04:06:00Z"}},
        {"recognisedAt": {"valueDateTime": "2026-03-02"}},
    ],
)
async def test_a_flag_the_catalogue_does_not_know_is_refused(room: ReadingRoom, wrong: dict[str, Any]) -> None:
    with pytest.raises(FhirError) as refusal:
        await flagged(room, **wrong)
    assert refusal.value.status == 422 and refusal.value.issues[0].at.startswith("Parameters.parameter")


async def test_a_signed_report_keeps_its_signatures_when_it_is_flagged(room: ReadingRoom) -> None:
    await room.draft()
    await room.sign(AUTHOR, "author")
    await flagged(room)
    assert room.status == "preliminary" and (await room.verified())[0]


async def test_the_case_coming_back_closes_the_hand_over_and_stops_the_clock(room: ReadingRoom) -> None:
    await flagged(room)
    changes = await arrives(room, a_case(room, "notifying"))
    assert the_handover(room)["status"] == "completed"
    assert list(changes.cancel) == [f"handover:{the_handover(room)['id']}"]
    assert not (await arrives(room, a_case(room, "notifying"))).save
    assert "note" not in named((await flagged(room)).answer)


async def test_an_acknowledged_case_stands_beside_the_report_once_per_state(room: ReadingRoom) -> None:
    await flagged(room)
    await arrives(room, a_case(room, "notifying"))
    await arrives(room, a_case(room, "acknowledged"))
    assert not (await arrives(room, a_case(room, "acknowledged"))).save
    await arrives(room, a_case(room, "closed"))
    told = [s for s in room.desk.held.values() if s.resource["resourceType"] == "Communication"]
    assert len(told) == 1 and told[0].version == 2 and told[0].resource["about"][0] == {"reference": REPORT}


@pytest.mark.clause("5.9.1")
async def test_the_sheet_says_what_was_told_and_whether_its_seal_stands(room: ReadingRoom) -> None:
    await flagged(room, performer={"valueReference": {"reference": AUTHOR}})
    await arrives(room, a_case(room, "read-back-confirmed"))
    [told] = [s for s in room.desk.held.values() if s.resource["resourceType"] == "Communication"]

    async def sheet() -> str:
        answer = (
            await communication_printing.print_asked(Call({"resourceType": "Parameters"}, told), room.desk)
        ).answer
        assert answer is not None
        return base64.b64decode(answer["data"]).decode()

    assert "肺栓塞" in await sheet() and "read-back-confirmed" in await sheet() and "有效 stands" in await sheet()
    [flag] = [s.resource for s in room.desk.held.values() if s.resource["resourceType"] == "Observation"]
    for said, shown in (
        ("2026-03-02T04:05:06Z", "2026-03-02 12:05:06"),
        ("2026-03-02", "<bdi>2026-03-02</bdi>"),  # nobody said at which time
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ):
        flag["effectiveDateTime"] = said
        assert shown in await sheet()
    flag["code"] = {
        "coding": [{**flag["code"]["coding"][0], "code": "DEPT-01"}],
        "text": "脊髓受压 spinal cord compression",
    }
    assert "脊髓受压 spinal cord compression" in await sheet(), "the department's own finding is named, too"
    told.resource["recipient"] = [{"reference": "Practitioner/o-somebody-else"}]
    assert "seal covers other content" in await sheet() and "有效 stands" not in await sheet()
    del told.resource["extension"]
    assert "seal is missing" in await sheet()
    told.resource["topic"] = {"text": "another"}
    with pytest.raises(FhirError) as refused:
        await sheet()
    assert refused.value.issues[0].detail == "report.no-critical-communication"


async def test_a_foreign_task_closes_nothing(room: ReadingRoom) -> None:
    await flagged(room)
    case = a_case(room, "closed") | {"code": {"text": "something else"}}
    assert (await arrives(room, case)).save == ()
    assert the_handover(room)["status"] == "requested"


async def test_a_hand_over_nobody_took_is_overdue_and_stays_open(room: ReadingRoom) -> None:
    await flagged(room)
    due = Due("handover-overdue", f"Task/{the_handover(room)['id']}", "", room.desk.now, {})
    room.desk.carry_out(await flagging.handover_overdue(due, room.desk))
    task = the_handover(room)
    assert task["businessStatus"]["coding"][0]["code"] == "overdue" and task["status"] == "requested"
    await arrives(room, a_case(room, "notifying"))
    assert the_handover(room)["status"] == "completed"
    assert not (await flagging.handover_overdue(due, room.desk)).save

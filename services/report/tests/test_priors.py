"""What was examined before, under merged records too, and the link that opens each study in the viewer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.service import Resource
from slipring_report.handlers import priors
from slipring_report.settings import ReportSettings
from slipring_report.worklist.viewer import link, study_uid, viewer_template

sys.path.insert(0, str(Path(__file__).parent))
from worklist_room import PATIENT, REQUEST, WorklistRoom, an_exam

VIEWER = "https://pacs.example/viewer?StudyInstanceUIDs={study}"
OTHER = "Patient/o-before-merge"


def a_study(name: str, patient: str = PATIENT, request: str = "", **members: Any) -> Resource:
    study: Resource = {
        "resourceType": "ImagingStudy",
        "id": name,
        "status": "available",
        "subject": {"reference": patient},
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.840.99"}],
        "modality": [{"code": "CT"}],
    }
    return study | ({"basedOn": [{"reference": request}]} if request else {}) | members


def a_report(name: str, status: str, request: str = "", when: str = "2025-06-01") -> Resource:
    report: Resource = {
        "resourceType": "DiagnosticReport",
        "id": name,
        "status": status,
        "subject": {"reference": PATIENT},
    }
    report |= {"effectiveDateTime": when, "code": {"text": "CT chest"}}
    return report | ({"basedOn": [{"reference": request}]} if request else {})


async def asked(room: WorklistRoom) -> dict[str, list[dict[str, Any]]]:
    answer = (await room.call(priors.priors_asked)).answer
    assert answer is not None
    found: dict[str, list[dict[str, Any]]] = {"current": [], "prior": []}
    for one in answer.get("parameter", []):
        found[one["name"]].append(one)
    return found


def values(examination: dict[str, Any], name: str) -> list[Any]:
    """All values under a name, in the parts and their parts."""
    found = [
        next(v for k, v in one.items() if k.startswith("value"))
        for one in examination["part"]
        if one["name"] == name and "part" not in one
    ]
    inner = [part for one in examination["part"] for part in one.get("part", []) if part["name"] == name]
    found += [next(v for k, v in one.items() if k.startswith("value")) for one in inner]
    return [one["reference"] if isinstance(one, dict) else one for one in found]


async def test_priors_are_of_all_records_of_the_person_the_newest_first_and_one_examination_is_one() -> None:
    room = WorklistRoom(ReportSettings(viewer=VIEWER))
    await room.told(an_exam())
    for one in (
        {
            "resourceType": "Patient",
            "id": "o-before-merge",
            "link": [{"other": {"reference": PATIENT}, "type": "replaced-by"}],
        },
        a_study("o-now", request=REQUEST, started="2026-03-02T00:50:00Z"),
        a_study("o-old", OTHER, "ServiceRequest/o-old", started="2024-01-01T00:00:00Z"),
        a_study("o-alone", started="2025-01-01T00:00:00Z"),
        a_study("o-wrong", status="entered-in-error"),
        a_study("o-stranger", "Patient/o-stranger"),
    ):
        room.desk.hold(one, source="order")
    room.desk.hold(a_report("r-old", "final", "ServiceRequest/o-old", "2024-01-01"))
    room.desk.hold(a_report("r-elsewhere", "final"))
    room.desk.hold(a_report("r-draft", "partial"))
    found = await asked(room)
    [current] = found["current"]
    assert values(current, "viewer") == ["https://pacs.example/viewer?StudyInstanceUIDs=1.2.840.99"]
    assert [values(one, "reference") for one in found["prior"]] == [
        ["DiagnosticReport/r-elsewhere"],
        ["ImagingStudy/o-alone"],
        ["ImagingStudy/o-old", "DiagnosticReport/r-old"],
    ], "a draft is nobody's prior"
    told = json.dumps(found)
    assert "o-stranger" not in told and "o-wrong" not in told


async def test_without_a_viewer_or_a_uid_there_is_no_link() -> None:
    room = WorklistRoom()
    await room.told(an_exam())
    assert await asked(room) == {"current": [], "prior": []}
    room.desk.hold(a_study("o-now", request=REQUEST), source="order")
    [current] = (await asked(room))["current"]
    assert values(current, "viewer") == []
    odd = a_study("o-x", identifier=[{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3&patient=1"}])
    assert study_uid(odd) == "" and link(VIEWER, odd) == ""
    assert (
        study_uid(a_study("o-y", identifier=[{"system": "urn:dicom:uid", "value": "urn:oid:" + "1." * 40 + "1"}])) == ""
    )


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("pacs.example/{study}", "an http\\(s\\) address"),
        ("ftp://pacs.example/{study}", "an http\\(s\\) address"),
        ("https:///{study}", "an http\\(s\\) address"),
        ("https://user:secret@pacs.example/{study}", "no user name or password"),
        ("https://pacs.example/viewer", "holds {study} once"),
        ("https://pacs.example/{study}/{study}", "holds {study} once"),
        ("https://{study}.example/", "holds {study} once"),
        ("https://pacs.example/{study}?name={patient}", "no other placeholder"),
        ("https://pacs.example/{study}?a b", "no other placeholder"),
        ("javascript:alert('{study}')", "an http\\(s\\) address"),
    ],
)
def test_a_template_that_cannot_be_used_stops_the_start(template: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ReportSettings.from_env({"SLIPRING_VIEWER_URL": template, "SLIPRING_SIGNING_TRUST": "x"})


def test_a_template_holds_one_study_and_no_viewer_is_one_choice() -> None:
    assert viewer_template(VIEWER) == VIEWER and viewer_template("") == ""

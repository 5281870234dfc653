"""A HIS that knows `/fhir` and nothing else: it orders, follows, cancels nothing, and finds what a ward asks for.

Everything here is one client at one address; which service keeps what never shows.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from slipring.signing.jws import jws_sha256

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, phones

Tree = dict[str, Any]


def matched(bundle: Tree) -> list[Tree]:
    return [entry["resource"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]


def along(bundle: Tree, kind: str) -> list[Tree]:
    found = [entry["resource"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "include"]
    return [tree for tree in found if tree["resourceType"] == kind]


async def admitted(story: OneExam) -> Tree:
    """A stay on a ward, as the HIS tells it."""
    ward = await story.made({"resourceType": "Location", "status": "active", "name": "ward 9 (synthetic)"})
    return await story.made(
        {
            "resourceType": "Encounter",
            "status": "in-progress",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "subject": story.cast.subject,
            "location": [{"location": {"reference": f"Location/{ward['id']}"}}],
        }
    )


async def test_a_his_lives_on_one_address(department: Department) -> None:
    story = await one_exam(department)
    cast, get = story.cast, department.get
    name = cast.patient["name"][0]["family"] if "family" in cast.patient["name"][0] else cast.patient["name"][0]["text"]
    patient = cast.patient["id"]
    with phones("requester") as phone:
        await story.rung_at({"valueReference": cast.person("requester")}, phone["requester"])
        stay = await admitted(story)
        await story.requested(encounter={"reference": f"Encounter/{stay['id']}"})
        await story.moved("scheduled", "arrived")
        await story.cleared()
        await story.moved("ready", "in-progress")
        given = await story.injected()
        assert given.status_code == 201, given.text
        await department.put(given.json() | {"status": "completed"})
        await story.made(images(story))
        report = await story.drafted()
        case = await story.flagged(report)

        await asks_for_the_orders_of_its_ward(department, story, stay)
        await asks_what_was_agreed_and_given(department, story)
        await asks_for_open_critical_findings(department, story, case)

        assert (await story.read_back(case, "requester")).status_code == 200
        told = await get(f"Communication?subject=Patient/{patient}&_include=Communication:recipient")
        assert told["total"] >= 1 and along(told, "Practitioner")

    first = await story.jws(report, "first reader", "author")
    assert (await story.signed(report, first, "author")).is_success
    second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
    assert (await story.signed(report, second, "reviewer")).is_success
    await department.settle()
    await asks_for_reports_by_name(department, story, name)
    everything = await get(f"Patient?_id={patient}&_revinclude=*")
    kinds = {entry["resource"]["resourceType"] for entry in everything["entry"]}
    assert {"ServiceRequest", "Task", "Consent", "MedicationAdministration", "ImagingStudy", "Encounter"} <= kinds


def images(story: OneExam) -> Tree:
    number = {"system": "urn:dicom:uid", "value": "urn:oid:1.2.826.0.1.3680043.8.498.1"}
    return {
        "resourceType": "ImagingStudy", "status": "available", "subject": story.cast.subject, "identifier": [number],
        "basedOn": [{"reference": story.cast.exam}],
        "modality": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}],
    }  # fmt: skip


async def asks_for_the_orders_of_its_ward(department: Department, story: OneExam, stay: Tree) -> None:
    """Today's orders of this requester, each with its patient, its stay and where its exam stands."""
    today = quote(story.cast.request["authoredOn"][:10]) if "authoredOn" in story.cast.request else "2026-11-23"
    requester = story.cast.request["requester"]["reference"]
    page = await department.get(
        f"ServiceRequest?requester={requester}&_lastUpdated=ge{today}&status=active&_sort=-_lastUpdated"
        "&_include=ServiceRequest:subject&_include=ServiceRequest:encounter&_revinclude=Task:focus&_revinclude=ImagingStudy:basedon"
    )
    assert story.cast.request["id"] in {tree["id"] for tree in matched(page)}
    assert [tree["id"] for tree in along(page, "Patient")] == [story.cast.patient["id"]]
    assert stay["id"] in {tree["id"] for tree in along(page, "Encounter")}
    assert "exam" in {tree["code"]["coding"][0]["code"] for tree in along(page, "Task")}
    assert along(page, "ImagingStudy")
    states = await department.get(f"Task?code=exam&patient.identifier={_identifier(story)}&_sort=-modified")
    assert matched(states)[0]["businessStatus"]["coding"][0]["code"] == "acquired"


def _identifier(story: OneExam) -> str:
    identifier = story.cast.patient["identifier"][0]
    return quote(f"{identifier['system']}|{identifier['value']}")


async def asks_what_was_agreed_and_given(department: Department, story: OneExam) -> None:
    """Consent and contrast of the patient's exam, found from the order's side."""
    consents = await department.get(
        f"Consent?patient.identifier={_identifier(story)}&status=active&_include=Consent:patient"
    )
    assert len(matched(consents)) == 1 and along(consents, "Patient")
    given = await department.get(f"MedicationAdministration?subject:Patient.identifier={_identifier(story)}")
    assert [tree["status"] for tree in matched(given)] == ["completed"]
    injected = await department.get(
        f"Patient?_has:MedicationAdministration:patient:status=completed&identifier={_identifier(story)}"
    )
    assert [tree["id"] for tree in matched(injected)] == [story.cast.patient["id"]]


async def asks_for_open_critical_findings(department: Department, story: OneExam, case: Tree) -> None:
    """Cases nobody has read back yet, with patient and report beside them."""
    query = (
        "Task?code=critical-case&status:not=completed&_include=Task:patient&_include=Task:subject&_sort=-_lastUpdated"
    )
    opened = await department.get(query)
    assert case["id"] in {tree["id"] for tree in matched(opened)}
    assert story.cast.patient["id"] in {tree["id"] for tree in along(opened, "Patient")}
    mine = await department.get(f"Task?code=critical-case&patient.identifier={_identifier(story)}")
    assert [tree["id"] for tree in matched(mine)] == [case["id"]]


async def asks_for_reports_by_name(department: Department, story: OneExam, name: str) -> None:
    """Released reports of a patient by name, newest first, with all that a page of the HIS shows beside them."""
    found = await department.get(
        f"DiagnosticReport?subject:Patient.name={quote(name)}&status=final&_sort=-date&_include=DiagnosticReport:subject"
        "&_include=DiagnosticReport:result&_include=DiagnosticReport:based-on&_include:iterate=ServiceRequest:requester"
    )
    assert len(matched(found)) == 1
    assert [tree["id"] for tree in along(found, "Patient")] == [story.cast.patient["id"]]
    assert [tree["id"] for tree in along(found, "ServiceRequest")] == [story.cast.request["id"]]
    assert along(found, "Practitioner")

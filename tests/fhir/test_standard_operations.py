"""$validate, $meta and $everything: R4's own operations on what a service keeps."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.service import Keeps, Service

from tests.fhir.place import Place, Resource, a_patient, a_task, opened, where


def given(resource: Resource, mode: str) -> Resource:
    listed = [{"name": "resource", "resource": resource}, {"name": "mode", "valueCode": mode}]
    return {"resourceType": "Parameters", "parameter": listed}


def severities(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    return [issue["severity"] for issue in answer.json()["issue"]]


async def test_validation_says_what_a_write_would_say_and_stores_nothing(place: Place) -> None:
    before = await place.everything()
    well = severities(await place.ask("POST", "Task/$validate", a_task()))
    assert ("error" in well, well[-1]) == (False, "information")
    wrong = await place.ask("POST", "Task/$validate", a_task(status="nonsense", nonsense=1))
    assert {"Task.status", "Task.nonsense"} <= set(where(wrong))
    assert "error" in severities(wrong)
    inside = await place.ask("POST", "Task/$validate", given(resource=a_task(status="nonsense"), mode="create"))
    assert "Task.status" in where(inside)
    other = await place.ask("POST", "Task/$validate", a_patient())
    assert "resourceType" in where(other)
    unknown = await place.ask("POST", "Task/$validate?profile=http://nowhere.example/p", a_task())
    assert severities(unknown)[0] in ("error", "warning"), "a profile that is not known here is said to be so"
    assert await place.everything() == before


async def test_validation_of_what_stands_and_of_its_removal(place: Place) -> None:
    report = await place.make({"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "x"}})
    address = f"DiagnosticReport/{report['id']}"
    assert "error" not in severities(await place.ask("GET", f"{address}/$validate"))
    assert where(await place.ask("GET", f"{address}/$validate?mode=delete")) == ["DiagnosticReport.status"]
    moved = await place.ask("POST", f"{address}/$validate", given(resource={**report, "id": "x"}, mode="update"))
    assert "DiagnosticReport.id" in where(moved)
    for path, body in (
        (f"{address}/$validate?mode=x", None),
        ("Task/$validate", None),
        ("Task/$validate?x=1", a_task()),
    ):
        assert (await place.ask("POST", path, body)).status_code == 400, path
    assert (await place.ask("GET", "Task/none/$validate")).status_code == 404
    assert (await place.ask("POST", "Task/$validate", a_task(), scopes="system/Patient.cruds")).status_code == 403


async def test_labels_are_added_and_taken_away_as_a_new_version(place: Place) -> None:
    tag = {"system": "urn:t", "code": "a", "display": "A"}
    task = await place.make(a_task(meta={"tag": [tag]}, description="1.0"))
    address = f"Task/{task['id']}"

    def labelled(**meta: Any) -> Resource:
        return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}

    two = [{"system": "urn:t", "code": "a"}, {"code": "b"}]
    added = await place.ask("POST", f"{address}/$meta-add", labelled(tag=two, profile=["urn:p"]))
    assert added.status_code == 200, added.text
    meta = added.json()["parameter"][0]["valueMeta"]
    assert (meta["tag"], meta["profile"], meta["versionId"]) == ([tag, {"code": "b"}], ["urn:p"], "2")
    assert (await place.ask("GET", f"{address}/$meta")).json()["parameter"][0]["valueMeta"] == meta
    taken = await place.ask("POST", f"{address}/$meta-delete", labelled(tag=two))
    assert "tag" not in taken.json()["parameter"][0]["valueMeta"]
    assert (await place.ask("GET", f"{address}/_history/1")).json()["meta"]["tag"] == [tag]
    assert not await place.found(f"Task?_id={task['id']}&_tag=urn:t|a")
    stale = await place.ask("POST", f"{address}/$meta-add", labelled(tag=[tag]), headers={"If-Match": 'W/"1"'})
    assert stale.status_code == 412
    for wrong in (labelled(source="x"), {"resourceType": "Parameters"}, labelled(tag=[{"code": 5}])):
        assert (await place.ask("POST", f"{address}/$meta-add", wrong)).status_code == 400
    assert (await place.ask("GET", f"{address}/$meta-add")).status_code == 405
    assert (await place.ask("POST", "Task/$meta-add", labelled())).status_code == 404


@pytest.fixture
async def ward(data_dir: Path) -> AsyncIterator[Place]:
    """A service that keeps patients, what belongs to them, and who treats them."""
    keeps = [Keeps(kind) for kind in ("Patient", "Encounter", "Observation", "Task", "Practitioner", "Medication")]
    async with opened(data_dir, Service("order", "o", "A ward", keeps=keeps)) as street:
        yield street["order"]


def seen(subject: str, **members: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": subject},
        **members,
    }


async def pages(place: Place, address: str, **asked: Any) -> list[list[tuple[str, str]]]:
    found = []
    following: str | None = address
    while following:
        answer = await place.ask("GET", following, **asked)
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        assert [issue.at for issue in check(bundle)] == []
        found.append(
            [(e["search"]["mode"], e.get("fullUrl", "").partition("/fhir/")[2]) for e in bundle.get("entry", [])]
        )
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        following = links["next"].partition("/fhir/")[2] if "next" in links else None
    return found


async def test_everything_about_one_patient_and_nothing_about_another(ward: Place) -> None:
    doctor = await ward.make({"resourceType": "Practitioner"})
    await ward.make({"resourceType": "Practitioner"})
    patient, other = await ward.make(a_patient()), await ward.make(a_patient())
    me = f"Patient/{patient['id']}"
    mine = {me}
    for n in range(5):
        made = await ward.make(
            seen(me, performer=[{"reference": f"Practitioner/{doctor['id']}"}], effectiveDateTime=f"2026-0{n + 1}-01")
        )
        mine.add(f"Observation/{made['id']}")
    visit = {"resourceType": "Encounter", "status": "planned", "class": {"code": "AMB"}, "subject": {"reference": me}}
    mine.add(f"Encounter/{(await ward.make(visit))['id']}")
    mine.add(f"Task/{(await ward.make(a_task(focus={'reference': me})))['id']}")
    await ward.make(seen(f"Patient/{other['id']}"))
    whole = await pages(ward, f"{me}/$everything")
    assert {at for mode, at in whole[0] if mode == "match"} == mine
    assert [at for mode, at in whole[0] if mode == "include"] == [f"Practitioner/{doctor['id']}"]
    by_two = await pages(ward, f"{me}/$everything?_count=2")
    matched = [at for page in by_two for mode, at in page if mode == "match"]
    assert (len(matched), set(matched), len(by_two)) == (len(mine), mine, 4)
    dated = await pages(ward, f"{me}/$everything?_type=Observation&start=2026-02-01&end=2026-03-31")
    assert sum(mode == "match" for mode, _ in dated[0]) == 2
    later = await pages(ward, f"{me}/$everything?_since=2999-01-01T00:00:00Z")
    assert later == [[]]
    told = await ward.rows("SELECT disclosed FROM audit WHERE resource = $1 ORDER BY id LIMIT 1", f"{me}/$everything")
    assert set(told[0]["disclosed"]) == mine | {f"Practitioner/{doctor['id']}"}


async def test_everything_says_what_the_token_may_not_read(ward: Place) -> None:
    patient = await ward.make(a_patient())
    me = f"Patient/{patient['id']}"
    await ward.make(seen(me))
    scopes = "system/Patient.r system/Task.r"
    answer = (await ward.ask("GET", f"{me}/$everything", scopes=scopes)).json()
    assert [e["search"]["mode"] for e in answer["entry"]] == ["match", "outcome"]
    assert "Observation" in answer["entry"][1]["resource"]["issue"][0]["details"]["text"]
    assert (await ward.ask("GET", f"{me}/$everything?_type=Observation", scopes=scopes)).status_code == 403
    assert (await ward.ask("GET", f"{me}/$everything", scopes="system/Task.r")).status_code == 403
    for query in ("_type=Nonsense", "start=yesterday", "_count=0", "x=1", "_cursor=x"):
        assert (await ward.ask("GET", f"{me}/$everything?{query}")).status_code == 400, query
    assert (await ward.ask("GET", "Patient/none/$everything")).status_code == 404
    gone = f"Patient/{(await ward.make(a_patient()))['id']}"
    assert (await ward.ask("DELETE", gone)).status_code == 204
    assert (await ward.ask("GET", f"{gone}/$everything")).status_code == 410


async def test_patients_that_were_merged_are_answered_together(ward: Place) -> None:
    old = await ward.make(a_patient())
    link = [{"other": {"reference": f"Patient/{old['id']}"}, "type": "replaces"}]
    new = await ward.make(a_patient(link=link))
    made = await ward.make(seen(f"Patient/{old['id']}"))
    found = (await pages(ward, f"Patient/{new['id']}/$everything"))[0]
    assert {at for _, at in found} == {f"Patient/{new['id']}", f"Patient/{old['id']}", f"Observation/{made['id']}"}


async def test_a_service_without_patients_answers_its_part(data_dir: Path) -> None:
    async with opened(data_dir, Service("report", "r", "x", keeps=[Keeps("Observation")])) as street:
        made = await street["report"].make(seen("Patient/o-1"))
        assert await pages(street["report"], "Patient/o-1/$everything") == [[("match", f"Observation/{made['id']}")]]


async def test_every_listed_operation_is_defined_and_answers(place: Place) -> None:
    statement = (await place.ask("GET", "metadata")).json()
    listed = {
        (r["type"], o["name"], o["definition"])
        for r in statement["rest"][0]["resource"]
        for o in r.get("operation", [])
    }
    assert {name for kind, name, _ in listed if kind == "Patient"} >= {
        "validate",
        "meta",
        "meta-add",
        "meta-delete",
        "everything",
    }
    for _, name, url in listed:
        found = await place.ask("GET", f"OperationDefinition?url={url}")
        if url.startswith("http://hl7.org/fhir/OperationDefinition/Resource-") or name == "everything":
            assert [e["resource"]["code"] for e in found.json()["entry"]] == [name], url

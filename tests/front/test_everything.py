"""Patient/[id]/$everything through the front: the parts of all services as one, paged, and never silently less."""

from __future__ import annotations

import pytest

from tests.front.hospital import (
    IMPORTING,
    His,
    Tree,
    a_patient,
    a_report,
    a_request,
    an_observation,
    included,
    matches,
    reference,
    to,
)
from tests.support.department import Department


@pytest.fixture(scope="module")
async def his(department: Department) -> His:
    return His(department, IMPORTING)


@pytest.fixture(scope="module")
async def record(his: His, department: Department) -> dict[str, Tree]:
    """One patient with something at every service, a doctor, and another patient beside him."""
    patient, other = await his.made(a_patient("Whole")), await his.made(a_patient("Other"))
    doctor = await his.made({"resourceType": "Practitioner", "name": [{"family": "Demant"}]})
    request = await his.made(a_request(patient, requester=to(doctor), authoredOn="2026-11-01T08:00:00Z"))
    lab = await his.made(an_observation(patient, effectiveDateTime="2026-11-02T08:00:00Z"))
    finding = await his.made(an_observation(patient, "imaging", effectiveDateTime="2026-11-20T08:00:00Z"))
    reader = await his.made({"resourceType": "Practitioner", "name": [{"family": "Reader"}]})
    report = await his.made(a_report(request, result=[to(finding)], performer=[to(reader)]))
    message = await his.made(
        {"resourceType": "Communication", "status": "completed", "subject": to(patient), "recipient": [to(doctor)]}
    )
    await his.made(a_report(await his.made(a_request(other))))
    await department.settle()
    return {
        "patient": patient, "doctor": doctor, "request": request, "lab": lab, "finding": finding, "reader": reader,
        "report": report, "message": message,
    }  # fmt: skip


def names(bundle: Tree) -> list[str]:
    return [reference(entry["resource"]) for entry in matches(bundle)]


async def everything(his: His, record: dict[str, Tree], query: str = "") -> list[Tree]:
    return await his.pages(f"Patient/{record['patient']['id']}/$everything{query}")


async def test_everything_of_all_services_comes_patient_first(his: His, record: dict[str, Tree]) -> None:
    [page] = await everything(his, record)
    found = names(page)
    assert found[0] == reference(record["patient"])
    for key in ("request", "lab", "finding", "report", "message"):
        assert reference(record[key]) in found, key
    assert page["total"] == len(found) == len(set(found))
    assert {reference(record["doctor"]), reference(record["reader"])} <= set(included(page))
    assert all(
        name.partition("/")[0] in ("Practitioner", "Organization", "Location", "Device") for name in included(page)
    )
    patients = [name for name in [*found, *included(page)] if name.startswith("Patient/")]
    assert patients == [reference(record["patient"])]


async def test_its_pages_hold_each_once(his: His, record: dict[str, Tree]) -> None:
    [whole] = await everything(his, record)
    for count in (1, 2, 3):
        pages = await everything(his, record, f"?_count={count}")
        assert [name for page in pages for name in names(page)] == names(whole)
        assert all(len(names(page)) == count for page in pages[:-1])
        assert {page["total"] for page in pages} == {whole["total"]}


async def test_types_and_times_narrow_it_at_every_service(his: His, record: dict[str, Tree]) -> None:
    [page] = await everything(his, record, "?_type=Observation,DiagnosticReport")
    assert sorted(names(page)) == sorted(reference(record[key]) for key in ("lab", "finding", "report"))
    [page] = await everything(his, record, "?_type=Observation&start=2026-11-10&end=2026-11-30")
    assert names(page) == [reference(record["finding"])]
    [page] = await everything(his, record, "?_since=2100-01-01T00:00:00Z")
    assert names(page) == []
    given = {
        "resourceType": "Parameters",
        "parameter": [{"name": "_type", "valueString": "Observation"}, {"name": "_count", "valueInteger": 1}],
    }
    posted = await his.ask("POST", f"Patient/{record['patient']['id']}/$everything", given)
    assert posted.status_code == 200, posted.text
    assert len(names(posted.json())) == 1 and posted.json()["total"] == 2


@pytest.mark.parametrize("query", ["?shoe=1", "?_count=0x", "?start=soon", "?_type=Nonsense", "?_since=x"])
async def test_what_it_does_not_take_is_refused(his: His, record: dict[str, Tree], query: str) -> None:
    answer = await his.ask("GET", f"Patient/{record['patient']['id']}/$everything{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["issue"][0]["expression"]


async def test_nobodys_everything_is_not_found_and_a_deleted_ones_is_gone(his: His) -> None:
    assert (await his.ask("GET", "Patient/nobody/$everything")).status_code == 404
    gone = await his.made(a_patient("Gone"))
    assert (await his.ask("DELETE", f"Patient/{gone['id']}")).status_code in (200, 204)
    assert (await his.ask("GET", f"Patient/{gone['id']}/$everything")).status_code == 410


async def test_what_the_caller_may_not_see_is_left_out_and_said(
    department: Department, record: dict[str, Tree]
) -> None:
    narrow = His(department, "system/Patient.r system/Observation.rs")
    [page] = await everything(narrow, record)
    assert {name.partition("/")[0] for name in names(page)} == {"Patient", "Observation"}
    assert included(page) == []
    told = [e["resource"]["issue"][0] for e in page["entry"] if e["search"]["mode"] == "outcome"]
    assert any("DiagnosticReport" in issue["diagnostics"] for issue in told)
    assert (
        await His(department, "system/Observation.rs").ask("GET", f"Patient/{record['patient']['id']}/$everything")
    ).status_code == 403

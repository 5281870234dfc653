"""The assessor's sample: one file with the evidence of all services, patients masked, that anybody checks without a server."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from slipring.client.sample import Sample, exported
from slipring.client.wire import Wire
from slipring.signing.jws import jws_sha256
from slipring.signing.proof import ProofRefused
from slipring.signing.proof_file import judged_file

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, phones


class Bridge(httpx.BaseTransport):
    """What a client in a thread asks is asked of the department that runs in this loop."""

    def __init__(self, client: httpx.AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client, self._loop = client, loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The department's answer."""
        kept = {name: value for name, value in request.headers.items() if name.lower() in ("accept", "content-type")}
        sent = self._client.request(request.method, request.url.path, content=request.read(), headers=kept)
        answer = asyncio.run_coroutine_threadsafe(sent, self._loop).result(60)
        return httpx.Response(answer.status_code, content=answer.content, headers={"content-type": "application/json"})


async def the_sample(department: Department, seed: str = "2026-Q4-A") -> Sample:
    """Drawn and exported by the client, as the command does."""
    client = httpx.Client(
        base_url="http://127.0.0.1:8100", transport=Bridge(department.his, asyncio.get_running_loop())
    )
    return await asyncio.to_thread(exported, client, seed, wire=Wire(client))


async def a_finished_exam(department: Department) -> tuple[OneExam, str]:
    """With contrast, a critical finding that was read back, and two signatures."""
    story = await one_exam(department)
    with phones("requester") as phone:
        await story.rung_at({"valueReference": story.cast.person("requester")}, phone["requester"])
        await story.requested()
        await story.moved("scheduled", "arrived")
        await story.cleared()
        await story.moved("ready", "in-progress")
        given = await story.injected()
        assert given.status_code == 201, given.text
        assert (await department.put(given.json() | {"status": "completed"})).status_code == 200
        await story.moved("acquired")
        report = await story.drafted()
        case = await story.flagged(report)
        assert (await story.read_back(case, "requester")).status_code == 200
        await story.called(f"Task/{case['id']}/$act", action=("CodeableConcept", {"text": "begun"}))
        first = await story.jws(report, "first reader", "author")
        assert (await story.signed(report, first, "author")).is_success
        second = await story.jws(report, "second reader", "reviewer", jws_sha256(first))
        assert (await story.signed(report, second, "reviewer")).is_success
        await department.settle()
    return story, report


@pytest.mark.clause("A.1")
@pytest.mark.clause("A.2")
async def test_a_sample_shows_all_that_was_done_and_nobody_it_was_done_to(department: Department) -> None:
    story, report = await a_finished_exam(department)
    await department.wait(minutes=1)
    sample = await the_sample(department)
    assert sum(sample.cases.values()) == 1
    assert any("1 of" in en for _, en in sample.lacking), "what cannot be filled is said"

    proof, verdict = judged_file(sample.content, (department.data_dir / "signing" / "root.pem").read_bytes())
    assert verdict.holds and verdict.known, verdict.tree()
    records = {
        one["resource"]["resourceType"]: one
        for name, content in proof.members.items()
        if name.endswith("records.json")
        for one in json.loads(content)["records"]
    }
    wanted = {
        "ServiceRequest",
        "Task",
        "GuidanceResponse",
        "Consent",
        "QuestionnaireResponse",
        "MedicationAdministration",
    }
    wanted |= {
        "DiagnosticReport",
        "Composition",
        "Provenance",
        "Observation",
        "Communication",
        "Practitioner",
        "Patient",
    }
    assert wanted <= set(records), wanted - set(records)
    assert not any(one.get("altered") for one in records.values())

    text = b"".join(proof.members.values()).decode()
    patient = story.cast.patient
    for secret in _secrets(patient, story.cast.request, await story.task()):
        at = text.find(secret)
        assert at < 0, f"{secret}: {text[max(0, at - 80) : at + 40]}"
    person = records["Patient"]["resource"]
    assert (
        set(person) <= {"resourceType", "id", "meta", "gender", "birthDate", "active"} and len(person["birthDate"]) == 4
    )
    assert {f"Patient/{person['id']}"} == set(_patients(json.loads(one) for one in proof.members.values()))
    reader = await department.get(story.cast.staff["first reader"])
    assert reader["name"][0]["text"] in text, "who signed stays visible"

    checked = json.loads(proof.members["case-01-report-checked.json"])["checked"]
    assert [(one["record"], one["proved"], one["holds"]) for one in checked] == [(report, True, True)]
    [timeline] = json.loads(proof.members["case-01-critical-checked.json"])["checked"]
    assert timeline["holds"] and [one["part"] for one in timeline["parts"]][-1] == "end"
    for service, name in (("report", report), ("order", f"Patient/{patient['id']}")):
        pool = department.house.services[service].kernel.store.pool
        shown = await pool.fetchval("SELECT disclosed::text FROM audit WHERE resource = 'Measure/$sample-evidence'")
        assert name in shown, "the trail lists what each service showed"


@pytest.mark.clause("A.1")
async def test_whatever_is_altered_or_left_out_of_a_sample_is_found(department: Department, tmp_path: Path) -> None:
    content = (await the_sample(department, "another")).content
    tree = json.loads(content)
    root = (department.data_dir / "signing" / "root.pem").read_bytes()

    def judged(parts: list[str]) -> set[str]:
        again = json.dumps(tree | {"parts": parts}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        try:
            _, verdict = judged_file(again, root)
        except ProofRefused as refused:
            return {refused.code}
        return {reason.code for one in verdict.judgements for reason in one.reasons}

    assert judged(tree["parts"]) == set()
    assert judged(tree["parts"][1:]) == {"part-missing"}
    assert judged([*tree["parts"], tree["parts"][0]]) == {"part-twice"}
    other = json.loads((await the_sample(department, "a third")).content)["parts"]
    assert judged(other) == {"part-of-another-draw"}
    opened = base64.b64decode(tree["parts"][0])
    touched = base64.b64encode(opened.replace(b'"records.json"', b'"records_json"')).decode()
    assert judged([touched, *tree["parts"][1:]]) <= {"member-missing", "member-unlisted", "proof-rewritten"} != set()


def _secrets(*resources: dict[str, Any]) -> set[str]:
    """Names, numbers and ids of the patient and of the request."""
    found = {resources[0]["id"]}
    for one in resources:
        numbers = [one.get("identifier", []), [one["groupIdentifier"]] if "groupIdentifier" in one else []]
        found |= {each["value"] for listed in numbers for each in listed}
    for name in resources[0].get("name", []):
        found |= {name.get("text", ""), name.get("family", "")}
    found |= {one["value"] for one in resources[0].get("telecom", [])} | {resources[0].get("birthDate", "")}
    ours = {one["id"] for one in resources[1:]}  # by which the department finds the case again
    return {one for one in found - ours if len(one) > 1}


def _patients(trees: Any) -> list[str]:
    found = []
    for tree in trees:
        if isinstance(tree, dict):
            said = tree.get("reference")
            found += [said] if isinstance(said, str) and said.startswith("Patient/") else []
            found += _patients(tree.values())
        elif isinstance(tree, list):
            found += _patients(tree)
    return found

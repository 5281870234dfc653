"""`slipring load` before it sends, and against a front that remembers."""

from __future__ import annotations

import bz2
import gzip
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx
from slipring.front.load import LoadStopped, Summary, load_files
from slipring.front.parts import Unreadable, as_batch, gathered, in_batches, read_file, resolved

NPI = "http://hl7.org/fhir/sid/us-npi"


class RememberingFront:
    """Stores what a batch puts, finds by `_id` and by identifier."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.batches: list[list[str]] = []
        self.refuses: set[str] = set()
        self.busy: list[tuple[str, str]] = []  # status and Retry-After of the next answers to batches
        self.busy_once: set[str] = set()

    def search(self, request: httpx.Request, kept_type: str) -> httpx.Response:
        asked = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        found = [resource for resource in self.stored.values() if resource["resourceType"] == kept_type]
        if "_id" in asked:
            found = [resource for resource in found if resource["id"] in asked["_id"].split(",")]
        if "identifier" in asked:
            system, _, value = asked["identifier"].partition("|")
            found = [r for r in found if {"system": system, "value": value} in r.get("identifier", ())]
        entries = [] if asked["_count"] == "0" else [{"resource": resource} for resource in found]
        return httpx.Response(200, json={"resourceType": "Bundle", "total": len(found), "entry": entries})

    def batch(self, request: httpx.Request) -> httpx.Response:
        if self.busy:
            status, after = self.busy.pop(0)
            return httpx.Response(int(status), headers={"retry-after": after} if after else {}, json={})
        entries = json.loads(request.content)["entry"]
        self.batches.append([entry["request"]["url"] for entry in entries])
        answers = []
        for entry in entries:
            if entry["request"]["url"] in self.busy_once:
                self.busy_once.remove(entry["request"]["url"])
                answers.append({"response": {"status": "503 Service Unavailable"}})
                continue
            if entry["request"]["url"] in self.refuses:
                outcome = {
                    "resourceType": "OperationOutcome",
                    "issue": [{"diagnostics": "No.", "expression": ["Patient"]}],
                }
                answers.append({"response": {"status": "422", "outcome": outcome}})
                continue
            self.stored[entry["request"]["url"]] = entry["resource"]
            answers.append({"response": {"status": "201"}})
        return httpx.Response(200, json={"resourceType": "Bundle", "entry": answers})


@pytest.fixture
def front() -> Iterator[RememberingFront]:
    remembering = RememberingFront()
    with respx.mock:
        respx.post(url__regex=r"^http://front/fhir/(?P<kept_type>\w+)/_search$").mock(side_effect=remembering.search)
        respx.post("http://front/fhir").mock(side_effect=remembering.batch)
        yield remembering


def entry(resource: dict[str, Any], **request: str) -> dict[str, Any]:
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource, "request": {"method": "POST", **request}}


def a_hospital() -> dict[str, Any]:
    doctor = {"resourceType": "Practitioner", "id": "doc", "identifier": [{"system": NPI, "value": "7"}]}
    return {"resourceType": "Bundle", "type": "batch", "entry": [entry(doctor, ifNoneExist=f"identifier={NPI}|7")]}


def a_patient() -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            entry(
                {
                    "resourceType": "DiagnosticReport",
                    "id": "rep",
                    "subject": {"reference": "urn:uuid:pat"},
                    "performer": [{"reference": f"Practitioner?identifier={NPI}|7"}],
                    "resultsInterpreter": [
                        {"reference": f"Practitioner?identifier={NPI}|999", "display": "Dr. Nobody"}
                    ],
                }
            ),
            entry({"resourceType": "Patient", "id": "pat"}),
            entry({"resourceType": "Claim", "id": "claim"}),
        ],
    }


def load(tmp_path: Path, *trees: dict[str, Any], sleep: Callable[[float], None] = time.sleep) -> Summary:
    paths = [tmp_path / f"{number}.json" for number in range(len(trees))]
    for path, tree in zip(paths, trees, strict=True):
        path.write_text(json.dumps(tree))
    with httpx.Client(base_url="http://front") as http:
        return load_files(paths, http, lambda _: None, sleep=sleep)


def test_references_are_resolved_across_files_and_ids_are_kept(front: RememberingFront, tmp_path: Path) -> None:
    summary = load(tmp_path, a_hospital(), a_patient())
    assert front.batches == [["Practitioner/doc"], ["Patient/pat"], ["DiagnosticReport/rep"]]
    report = front.stored["DiagnosticReport/rep"]
    assert report["subject"] == {"reference": "Patient/pat"}
    assert report["performer"] == [{"reference": "Practitioner/doc"}]
    assert report["resultsInterpreter"] == [
        {"type": "Practitioner", "identifier": {"system": NPI, "value": "999"}, "display": "Dr. Nobody"}
    ]
    assert (summary.stored.total(), dict(summary.skipped), summary.unresolved) == (3, {"Claim": 1}, 1)
    assert any("skipped" in line and "Claim" in line for line in summary.lines())


def test_loading_twice_changes_nothing(front: RememberingFront, tmp_path: Path) -> None:
    load(tmp_path, a_hospital(), a_patient())
    sent = len(front.batches)
    again = load(tmp_path, a_hospital(), a_patient())
    assert len(front.batches) == sent
    assert (again.stored.total(), again.there.total()) == (0, 3)


def test_what_if_none_exist_finds_under_another_id_is_pointed_at(front: RememberingFront, tmp_path: Path) -> None:
    identifier = [{"system": NPI, "value": "7"}]
    front.stored["Practitioner/o-1"] = {"resourceType": "Practitioner", "id": "o-1", "identifier": identifier}
    summary = load(tmp_path, a_hospital(), a_patient())
    assert "Practitioner/doc" not in front.stored
    assert front.stored["DiagnosticReport/rep"]["performer"] == [{"reference": "Practitioner/o-1"}]
    assert summary.there["Practitioner"] == 1


def test_what_is_refused_is_counted_and_told(front: RememberingFront, tmp_path: Path) -> None:
    front.refuses = {"Patient/pat"}
    summary = load(tmp_path, a_hospital(), a_patient())
    assert summary.refused == {"Patient": 1}
    assert summary.reasons == ["Patient/pat: 422 No. Patient"]


def test_a_front_that_says_no_stops_the_load(tmp_path: Path) -> None:
    with respx.mock:
        respx.post(url__startswith="http://front").respond(403, json={"issue": [{"diagnostics": "Scope."}]})
        with pytest.raises(LoadStopped, match=r"403: Scope\."):
            load(tmp_path, a_hospital())


def test_a_busy_front_is_waited_for_as_it_asks(front: RememberingFront, tmp_path: Path) -> None:
    waited: list[float] = []
    front.busy = [("503", "7"), ("429", "2"), ("503", "")]
    summary = load(tmp_path, a_hospital(), sleep=waited.append)
    assert summary.stored.total() == 1
    assert waited == [7, 2, 4]


def test_entries_that_came_at_a_bad_moment_are_sent_again_alone(front: RememberingFront, tmp_path: Path) -> None:
    waited: list[float] = []
    patients = [entry({"resourceType": "Patient", "id": name}) for name in ("a", "b")]
    front.busy_once = {"Patient/b"}
    tree = {"resourceType": "Bundle", "type": "batch", "entry": patients}
    summary = load(tmp_path, tree, sleep=waited.append)
    assert front.batches == [["Patient/a", "Patient/b"], ["Patient/b"]]
    assert (summary.stored.total(), summary.refused.total(), waited) == (2, 0, [1])


def test_a_front_that_stays_busy_ends_the_load_with_what_was_not_stored(
    front: RememberingFront, tmp_path: Path
) -> None:
    waited: list[float] = []
    load(tmp_path, a_hospital())
    front.busy = [("503", "30")] * 1000
    with pytest.raises(LoadStopped, match="503") as stopped:
        load(tmp_path, a_hospital(), a_patient(), sleep=waited.append)
    assert sum(waited) <= 600
    assert stopped.value.summary is not None
    assert dict(stopped.value.summary.left) == {"Patient": 1, "DiagnosticReport": 1}
    assert any("2 not stored" in line for line in stopped.value.summary.lines())


@pytest.mark.parametrize(
    ("ending", "pack"), [(".json", bytes), (".json.bz2", bz2.compress), (".json.gz", gzip.compress)]
)
def test_packed_files_are_read_with_their_decimals_exact(tmp_path: Path, ending: str, pack: Any) -> None:
    path = tmp_path / f"observation{ending}"
    path.write_bytes(pack(b'{"resourceType": "Observation", "id": "a", "valueQuantity": {"value": 72.50}}'))
    [part] = gathered([read_file(path)], lambda _: True, lambda: "new").parts
    assert b'"value":72.50' in as_batch([part])


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b"\xff\xfe"])
def test_a_file_that_is_no_resource_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rubbish.json"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=r"rubbish\.json"):
        read_file(path)
    packed = tmp_path / "rubbish.json.bz2"
    packed.write_bytes(content or b"x")
    with pytest.raises(Unreadable):
        read_file(packed)


def test_a_resource_without_an_id_takes_that_of_its_full_url() -> None:
    tree = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:abc", "resource": {"resourceType": "Patient"}}]}
    assert [part.reference for part in gathered([tree], lambda _: True, lambda: "new").parts] == ["Patient/abc"]


def test_batches_are_of_one_type_and_owner_and_no_larger_than_asked() -> None:
    tree = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Observation", "id": str(number)}} for number in range(5)],
    }
    parts = gathered([tree], lambda _: True, lambda: "new").parts
    batches = list(in_batches(parts, lambda resource: "even" if int(resource["id"]) % 2 == 0 else "odd", 2))
    assert [(owner, len(batch)) for owner, batch in batches] == [("even", 2), ("even", 1), ("odd", 2)]


def test_a_reference_to_what_nobody_keeps_stays_readable() -> None:
    tree = {
        "resourceType": "Bundle",
        "entry": [
            entry({"resourceType": "Patient", "id": "p", "link": [{"other": {"reference": "urn:uuid:unknown"}}]})
        ],
    }
    loaded = gathered([tree], lambda _: True, lambda: "new")
    part = resolved(loaded.parts[0], loaded.references, {})
    assert part.resource["link"][0]["other"]["reference"] == "urn:uuid:unknown"

"""The story of one exam, from the order to the closed loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from slipring.fhir.caller import DRAFT_READ
from slipring.front.load import load_files
from slipring.front.parts import read_file
from slipring.identity.client import api_client
from slipring.identity.clients import DEMO_DEPARTMENT, DEMO_HIS
from slipring.identity.scopes import LOADING

from slipring_demo import contrast, ordering, reading, scanning
from slipring_demo.accounts import make_accounts
from slipring_demo.cast import cast_bundle, staff_of
from slipring_demo.receivers import Receiver
from slipring_demo.scene import Scene
from slipring_demo.servers import Servers
from slipring_demo.teller import StepFailed, Teller

Tree = dict[str, Any]
_DEAD = ("deceasedBoolean", "deceasedDateTime", "_deceasedDateTime")


def tell(servers: Servers, patients: Sequence[Path], dose_report: Path | None) -> None:
    """Play every step; StepFailed names the one that does not hold."""
    with opening(servers, patients) as scene:
        scene.dose_report = dose_report
        play(scene)


@contextmanager
def opening(servers: Servers, patients: Sequence[Path]) -> Iterator[Scene]:
    """The department, its people, their phones and the HIS: everything that stands before an exam is asked for."""
    receivers = {name: Receiver(name) for name in ("requester", "ward duty", "HIS")}
    try:
        with _client(servers, DEMO_DEPARTMENT, f"system/*.cruds {DRAFT_READ}") as http:
            scene = _people(Teller(http), servers, receivers, patients)
            reading.routes(scene)
            with _client(servers, DEMO_HIS, "system/*.cruds") as his:
                reading.subscribe(scene, Teller(his))
            yield scene
    finally:
        for receiver in receivers.values():
            receiver.close()


def _client(servers: Servers, name: str, scope: str) -> httpx.Client:
    return api_client(servers.url, name, scope, data_dir=servers.data_dir)


def play(scene: Scene) -> None:
    """One exam, from the request to the closed loop; a scene may be played again with another dose report."""
    for receiver in (*scene.phones.values(), scene.his):
        receiver.forget()
    ordering.order_with_a_missing_item(scene)
    ordering.completed_and_justified(scene)
    ordering.arrival(scene)
    contrast.consent_before_contrast(scene)
    scanning.exam_with_dose_report(scene)
    report = reading.draft(scene)
    case = reading.flag(scene, report)
    reading.answered(scene, case)
    reading.signed_twice(scene, report)
    reading.received(scene, report)
    reading.verified(scene, report)
    _closed(scene, report)


def made_by(answer: Tree) -> list[str]:
    """The references of what a transaction made."""
    return ["/".join(e["response"]["location"].split("/fhir/")[1].split("/")[:2]) for e in answer["entry"]]


def _people(teller: Teller, servers: Servers, receivers: dict[str, Receiver], patients: Sequence[Path]) -> Scene:
    """The cast; with given Bundles the patient comes from them."""
    teller.say("The department and its people (all invented)")
    with _client(servers, DEMO_DEPARTMENT, LOADING) as loading:  # their competence was assessed before: history
        made = made_by(Teller(loading).ask("POST", "", cast_bundle(with_patient=not patients)))
    study = None
    if patients:
        teller.note(f"loading {', '.join(path.name for path in patients)}")
        with api_client(servers.url, data_dir=servers.data_dir, scope=LOADING) as loader:
            summary = load_files(patients, loader, lambda text: print(f"      {text}", end="\r", flush=True))
        for line in summary.lines():
            teller.note(line)
        patient, study = _given(teller, patients)
    else:
        patient = teller.ask("GET", made[-1])
    staff = staff_of(made)
    path = make_accounts(servers.data_dir, staff)
    teller.note(f"they sign in at {servers.url}/auth/sign-in; names and passwords of this run: {path}")
    return Scene(
        teller=teller,
        data_dir=servers.data_dir,
        staff=staff,
        hospital=made[0],
        ward=made[1],
        patient=patient,
        phones={"requester": receivers["requester"], "ward duty": receivers["ward duty"]},
        his=receivers["HIS"],
        earlier_study=study,
    )


def _given(teller: Teller, patients: Sequence[Path]) -> tuple[Tree, Tree | None]:
    """The given patient, and the newest CT study among the loaded ones."""
    for path in reversed(patients):
        tree = read_file(path)
        entries = tree.get("entry", []) if tree["resourceType"] == "Bundle" else [{"resource": tree}]
        resources = [entry.get("resource", {}) for entry in entries]
        people = [found for found in resources if found.get("resourceType") == "Patient" and "id" in found]
        if people:
            patient = _alive(teller, teller.ask("GET", f"Patient/{people[0]['id']}"))
            studies = teller.found(f"ImagingStudy?patient=Patient/{patient['id']}&_count=500&_sort=-started")
            scans = [s for s in studies if _is_ct(s)]
            if studies:
                teller.note(f"{len(studies)} imaging studies, {len(scans)} of them CT")
            return patient, scans[0] if scans else None
    raise StepFailed("none of the given files holds a Patient with an id")


def _alive(teller: Teller, patient: Tree) -> Tree:
    """The patient; one who is recorded as dead is none of whom this story could be told, so the record is corrected."""
    if not any(name in patient for name in _DEAD):
        return patient
    teller.note("recorded as deceased: corrected, an exam of him would wait for a physician")
    return teller.ask("PUT", f"Patient/{patient['id']}", {k: v for k, v in patient.items() if k not in _DEAD})


def _is_ct(study: Tree) -> bool:
    modalities = [*study.get("modality", []), *(s["modality"] for s in study.get("series", []) if "modality" in s)]
    return any(modality.get("code") == "CT" for modality in modalities)


def _closed(scene: Scene, report: str) -> None:
    """The last line: the loop is closed."""
    teller = scene.teller
    teller.say("The loop is closed")
    teller.wait_for(
        f"Task?based-on={scene.exam}&code=exam",
        "the exam is closed",
        lambda task: task["businessStatus"]["coding"][0]["code"] in ("reported", "closed"),
    )
    told = (scene.times["read back"] - scene.times["flagged"]).total_seconds()
    rang = (scene.times["first ring"] - scene.times["flagged"]).total_seconds()
    teller.note(
        f"{datetime.now().astimezone():%H:%M:%S}  {scene.imaging_number}: justified -> consented -> scanned -> flagged -> rung after "
        f"{rang:.1f} s, read back after {told:.1f} s -> signed by two -> released ({report}) -> verified. Closed loop 闭环."
    )

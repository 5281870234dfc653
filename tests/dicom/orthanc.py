"""Orthanc as a second peer: a process of its own with its own configuration, gone after the tests."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom.dataset import Dataset
from slipring_demo.servers import free_port

from tests.dicom.objects import written

PROGRAM = shutil.which("Orthanc") or shutil.which("orthanc")
needs_orthanc = pytest.mark.skipif(PROGRAM is None, reason="Orthanc is not installed")
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc that knows us as the modality `slipring`."""

    http: httpx.Client
    folder: Path

    def echoes(self) -> bool:
        """Whether its C-ECHO is answered by us."""
        return self.http.post("/modalities/slipring/echo", json={}).status_code == 200

    def worklist(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """The entries that its C-FIND on our worklist gives, by keyword."""
        answer = self.http.post("/modalities/slipring/find-worklist", json=query, params={"simplify": ""})
        assert answer.status_code == 200, answer.text
        return [_plain(one) for one in answer.json()]

    def stores(self, *objects: Dataset) -> int:
        """Take these in, send them to us by C-STORE, and tell how many we refused."""
        names = [self._taken(one) for one in objects]
        answer = self.http.post("/modalities/slipring/store", json={"Resources": names, "Synchronous": True})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["FailedInstancesCount"])

    def _taken(self, dataset: Dataset) -> str:
        answer = self.http.post("/instances", content=written(dataset, self.folder).read_bytes())
        assert answer.status_code == 200, answer.text
        return str(answer.json()["ID"])


@contextmanager
def running(folder: Path, port: int) -> Iterator[Orthanc]:
    """Orthanc on ports of its own, with our DICOM port as its modality."""
    assert PROGRAM is not None
    http, dicom = free_port(), free_port()
    settings = {
        "Name": "peer", "StorageDirectory": str(folder / "kept"), "IndexDirectory": str(folder / "kept"), "Plugins": [],
        "HttpPort": http, "DicomPort": dicom, "DicomAet": "ORTHANC", "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "DefaultEncoding": "Utf8",
        "DicomModalities": {"slipring": {"AET": "SLIPRING", "Host": "127.0.0.1", "Port": port}},
    }  # fmt: skip
    written_at = folder / "orthanc.json"
    written_at.write_text(json.dumps(settings), encoding="utf-8")
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, str(written_at)], stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{http}", timeout=60, trust_env=False) as client:
            _wait(client, process)
            yield Orthanc(client, folder)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, "Orthanc did not start"
        try:
            if client.get("/system").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("Orthanc does not answer")


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    """By keyword, however Orthanc lists the elements: `{"0008,0050": {"Name": ..., "Value": ...}}` or `{name: value}`."""
    found = {}
    for name, held in entry.items():
        named = isinstance(held, dict) and "Name" in held
        value = held["Value"] if named else held
        found[held["Name"] if named else name] = [_plain(item) for item in value] if isinstance(value, list) else value
    return found

"""The DICOM port is part of the running service: seen in its health, looked at by the doctor, and stopped with it."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path

import httpx
import pytest
from slipring.runtime.postgres import stop
from slipring_demo.servers import free_port
from slipring_order.dicom.seen import dicom_seen

from tests.dicom.conftest import PEERS, with_port
from tests.dicom.modality import associated
from tests.support.server import Server


def codes(data_dir: Path) -> dict[str, str]:
    return {one.code: one.level for one in dicom_seen(data_dir)}


def test_health_tells_of_the_port_and_of_what_waits(served_port: Server, port: int) -> None:
    checks = httpx.get(f"{served_port.url}/order/health/engine", trust_env=False).json()["checks"]
    assert checks["dicom:port"][0] == {"status": "pass", "observedValue": port}
    assert {"dicom:associations", "dicom:turnedAway", "dicom:spool", "dicom:oldestWaiting", "dicom:putAside"} < set(
        checks
    )
    assert checks["dicom:intake"][0]["status"] == "pass" and checks["dicom:phantoms"][0]["status"] == "pass"


def test_the_doctor_knows_an_open_port(served_port: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in served_port.environment.items():
        monkeypatch.setenv(name, value)
    found = codes(served_port.data_dir)
    assert found["dicom-open"] == "ok"
    assert not {"dicom-silent", "dicom-nobody", "dicom-settings"} & set(found)


def test_the_doctor_knows_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert codes(tmp_path) == {}, "without a port there is nothing to say"
    monkeypatch.setenv("SLIPRING_DICOM_PORT", str(free_port()))
    assert codes(tmp_path) == {"dicom-nobody": "bad", "dicom-silent": "bad"}
    aside = tmp_path / "dicom" / "refused"
    aside.mkdir(parents=True)
    (aside / "x.dcm").write_bytes(b"x" * 900_000)
    monkeypatch.setenv("SLIPRING_DICOM_SPOOL_MB", "1")
    assert codes(tmp_path) | {} == {
        "dicom-nobody": "bad",
        "dicom-silent": "bad",
        "dicom-spool": "warn",
        "dicom-aside": "warn",
    }
    (tmp_path / "peers.toml").write_text('[[peer]]\ntitle = "CT1"\n', encoding="utf-8")
    monkeypatch.setenv("SLIPRING_DICOM_PEERS", str(tmp_path / "peers.toml"))
    assert codes(tmp_path) == {"dicom-settings": "bad"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[[peer]]\nae_title = 'CT1'\ncharacter_set = 'EBCDIC'\n", "character_set is one of"),
        ("[[peer]]\nae_title = 'CT1'\nfrom = ['nowhere']\n", "nowhere"),
        ("[[peer]]\nae_title = 'CT1'\ndevice = 'CT room 1'\n", "device is a reference"),
        ("[[peer]]\nae_title = 'CT1'\nport = 104\n", "port: known are"),
        ("peer = 'CT1'\n", "peers.toml"),
        ("[[peer\n", "peers.toml"),
    ],
)
def test_a_file_of_callers_that_cannot_be_meant_is_refused_with_its_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, said: str
) -> None:
    path = tmp_path / "peers.toml"
    path.write_text(content, encoding="utf-8")
    monkeypatch.setenv("SLIPRING_DICOM_PEERS", str(path))
    [seen] = dicom_seen(tmp_path)
    assert (seen.code, seen.level) == ("dicom-settings", "bad")
    assert said in seen.seen


def test_the_service_stops_although_scanners_hang_on_the_line(tmp_path: Path) -> None:
    """Order alone, with an association open and a half-open connection: SIGTERM ends it within its time."""
    server = with_port(Server(tmp_path), SLIPRING_DICOM_SECONDS="600")
    assert "CT1" in PEERS
    try:
        server.start(seconds=120)
        port = int(server.environment["SLIPRING_DICOM_PORT"])
        with socket.create_connection(("127.0.0.1", port)) as half_open, associated(port):
            half_open.send(b"\x01\x00")
            begun = time.monotonic()
            assert server.process is not None
            server.process.terminate()
            assert server.process.wait(60) == 0
            assert time.monotonic() - begun < 60
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), 2)
    finally:
        server.stop()
        stop(tmp_path)
        shutil.rmtree(tmp_path, ignore_errors=True)

"""One real process with a DICOM port, which the tests here share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slipring_demo.servers import free_port

from tests.dicom.scheduled import Hospital
from tests.support.server import Server, running

PEERS = """
[[peer]]
ae_title = "CT1"

[[peer]]
ae_title = "CT2"
character_set = "GB18030"

[[peer]]
ae_title = "ORTHANC"

[[peer]]
ae_title = "FARAWAY"
from = ["192.0.2.0/24"]
"""


def with_port(server: Server, **more: str) -> Server:
    """The server with a DICOM port and its callers."""
    peers = server.data_dir / "peers.toml"
    peers.write_text(PEERS, encoding="utf-8")
    server.environment |= {"SLIPRING_DICOM_PORT": str(free_port()), "SLIPRING_DICOM_PEERS": str(peers), **more}
    return server


@pytest.fixture(scope="session")
def served_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The front and the four services with a DICOM port, as one real process."""
    few = {"SLIPRING_DICOM_SECONDS": "2", "SLIPRING_DICOM_ASSOCIATIONS": "6"}
    with running(tmp_path_factory.mktemp("slipring-dicom"), lambda server: with_port(server, **few)) as server:
        yield server


@pytest.fixture(scope="session")
def port(served_port: Server) -> int:
    """Where scanners call."""
    return int(served_port.environment["SLIPRING_DICOM_PORT"])


@pytest.fixture(scope="session")
def hospital(served_port: Server) -> Hospital:
    """People, two scanners, and what tests do with them."""
    return Hospital(served_port)

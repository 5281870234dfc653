"""A start says in one line what keeps it, and one that was cut off is simply made again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from slipring.runtime.postgres import ensure_running, stop
from slipring_demo.servers import free_port

from tests.support.server import Server


@pytest.fixture(scope="module")
def own_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory with its database."""
    folder = tmp_path_factory.mktemp("start")
    yield folder
    stop(folder)


def _refused(data_dir: Path, **environment: str) -> str:
    """What a start says that must not succeed: one line on the error output, code 1, nothing on the other."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLIPRING_")}
    command = [str(Path(sys.executable).with_name("slipring")), "serve", "--all", "--demo"]
    command += ["--port", str(free_port()), "--data-dir", str(data_dir)]
    ran = subprocess.run(
        command, env=clean | environment, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (1, ""), ran.stderr
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    return ran.stderr


def test_a_database_that_is_away_is_named_by_its_setting(tmp_path: Path) -> None:
    nobody = f"postgresql://slipring:secret@127.0.0.1:{free_port()}/slipring"
    said = _refused(tmp_path, SLIPRING_DATABASE_URL=nobody)
    assert "does not answer" in said
    assert "SLIPRING_DATABASE_URL" in said
    assert "secret" not in said


def test_a_database_that_does_not_exist_is_named(own_data: Path) -> None:
    there = ensure_running(own_data)
    assert '"elsewhere" does not exist' in _refused(
        own_data, SLIPRING_DATABASE_URL=there.replace("@/slipring?", "@/elsewhere?")
    )


def test_a_data_directory_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert str(tmp_path / "file" / "data") in _refused(tmp_path / "file" / "data")


def test_roots_that_are_no_certificates_are_named(own_data: Path) -> None:
    (own_data / "roots.pem").write_text("no certificate")
    assert "SLIPRING_ENDPOINTS_ROOTS" in _refused(own_data, SLIPRING_ENDPOINTS_ROOTS=str(own_data / "roots.pem"))


def test_a_first_start_killed_at_any_moment_is_made_again(tmp_path: Path) -> None:
    """Whether it was making the database, the tables or the keys: what is half made is never taken for whole."""
    seed = random.Random(20261126)
    server = Server(tmp_path)
    try:
        for _ in range(2):
            _kill_while_starting(server, seed.uniform(0.5, 4))
        server.start()
        with server.client() as http:
            assert http.get("/fhir/Patient").status_code == 200
    finally:
        server.stop()
        stop(tmp_path)


def _kill_while_starting(server: Server, seconds: float) -> None:
    command = [str(Path(sys.executable).with_name("slipring")), "serve", "--all", "--demo"]
    command += ["--port", str(server.port), "--data-dir", str(server.data_dir)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.kill()
    process.wait()

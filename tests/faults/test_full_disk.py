"""A disk that is really full: 503 while it lasts, readiness says so, nothing acknowledged is lost, and all goes on after."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from slipring.runtime.postgres import ensure_running, stop

from tests.fhir.conftest import small_service
from tests.fhir.place import Place, a_patient, opened, until

_DISK = "192m"
_WAL_DISK = "64m"


def _mounted(folder: Path, size: str) -> None:
    """A small file system of its own, or a skipped test where that is not allowed."""
    folder.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.decode(errors='replace').strip()}")


@pytest.fixture(params=["everything on one disk", "the log on a disk of its own"])
def disk(request: pytest.FixtureRequest) -> Iterator[tuple[Path, Path]]:
    """A data directory, and the small disk that is to be filled."""
    if shutil.which("mount") is None:
        pytest.skip("there is no mount command")
    place = Path(tempfile.mkdtemp(prefix="slipring-disk-"))
    place.chmod(0o755)  # the server's account must reach its log
    data, full = place / "data", place / "data"
    mounted = []
    try:
        if request.param == "everything on one disk":
            _mounted(data, _DISK)
            mounted.append(data)
        else:
            full = place / "log"
            _mounted(full, _WAL_DISK)
            mounted.append(full)
            ensure_running(data)
            stop(data)
            wal = data / "postgres" / "pg_wal"
            shutil.copytree(wal, full / "pg_wal")
            for path in [full / "pg_wal", *(full / "pg_wal").rglob("*")]:
                os.chown(path, wal.stat().st_uid, wal.stat().st_gid)
            (full / "pg_wal").chmod(0o700)
            shutil.rmtree(wal)
            wal.symlink_to(full / "pg_wal")
        ensure_running(data)
        yield data, full
        stop(data)
    finally:
        for folder in mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)
        shutil.rmtree(place, ignore_errors=True)


def _fill(folder: Path) -> Path:
    """A file that takes all there is."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 65536)
    return ballast


async def test_a_full_disk_is_answered_503_and_recovered_from(disk: tuple[Path, Path]) -> None:
    data, full = disk
    async with opened(data, small_service(), pool_size=4) as street:
        place = street["order"]
        kept = [(await place.make(a_patient()))["id"]]
        ballast = _fill(full)
        refused = 0
        for _ in range(400):
            answer = await place.ask("POST", "Patient", _bulky())
            if answer.status_code == 201:
                kept.append(answer.json()["id"])
                continue
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) >= 1
            refused += 1
            if refused == 5:
                break
        assert refused == 5, "the disk did not become full"
        ready = await place.client.get("/order/health/ready")
        assert ready.status_code == 503
        assert ready.json()["status"] in ("the database's disk is full", "no database")
        assert (await place.client.get("/order/health/live")).status_code == 200

        ballast.unlink()
        # PostgreSQL gives up for good when even its log finds no room; then whoever watches it starts it again.
        await asyncio.to_thread(ensure_running, data)
        begun = time.monotonic()
        await until(lambda: _stored(place, kept), 60)
        await until(lambda: _ready(place), 30)
        print(f"{len(kept)} kept, {ready.json()['status']}, back after {time.monotonic() - begun:.1f} s")  # noqa: T201
        for one in kept:
            assert (await place.ask("GET", f"Patient/{one}")).status_code == 200, "acknowledged and lost"


def _bulky() -> dict[str, object]:
    """A patient with half a megabyte that no compression makes smaller."""
    return a_patient(photo=[{"contentType": "image/png", "data": secrets.token_hex(256 * 1024)}])


async def _stored(place: Place, kept: list[str]) -> bool:
    answer = await place.ask("POST", "Patient", a_patient())
    if answer.status_code == 201:
        kept.append(answer.json()["id"])
    return answer.status_code == 201


async def _ready(place: Place) -> bool:
    return (await place.client.get("/order/health/ready")).status_code == 200

"""A database that remembers when each transaction was committed: only so can a race be judged."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from slipring.runtime.postgres import ensure_running, stop


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory of its own, with commit timestamps."""
    folder = tmp_path_factory.mktemp("slipring-races")
    ensure_running(folder)
    stop(folder)
    with (folder / "postgres" / "postgresql.conf").open("a") as file:
        file.write("track_commit_timestamp = on\n")
    ensure_running(folder)
    yield folder
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def without_pdf() -> Iterator[None]:
    """A PDF takes a second before each release, and two acts would never meet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIPRING_REPORT_PDF", "no")
        yield

"""A database that remembers when each transaction was committed: only so can a race be judged."""

from __future__ import annotations

import os
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
    os.environ["SLIPRING_REPORT_PDF"] = "no"  # it takes a second before each release, and two acts would never meet
    yield folder
    del os.environ["SLIPRING_REPORT_PDF"]
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)

"""The real database and the department that tests share."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from slipring.runtime.postgres import ensure_running, stop

from tests.support.department import Department, open_department


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory with a running embedded PostgreSQL, gone after the session."""
    folder = tmp_path_factory.mktemp("slipring-data")
    ensure_running(folder)
    yield folder
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
async def department(data_dir: Path, request: pytest.FixtureRequest) -> AsyncIterator[Department]:
    """All four services and the front in this process, with a clock that stands still until it is moved."""
    async with open_department(data_dir, prefix=f"t{abs(hash(request.module.__name__)) % 10**8}_") as opened:
        yield opened

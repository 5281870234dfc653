"""The real database and the department that tests share."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from slipring.runtime.postgres import ensure_running, stop

from tests.support.department import Department, open_department
from tests.support.server import Server, running

_NUMBERS = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the fuzzing tests may look, and how far the model is explored; `make test` keeps both short."""
    parser.addoption("--model-states", type=int, default=150, help="states of a case and its ladder that are explored")
    parser.addoption(
        "--every-cut", action="store_true", help="cut the story of a case after every word to the database"
    )
    parser.addoption("--fuzz-seconds", type=float, default=50, help="seconds that each kind of fuzzing may take")


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory with a running embedded PostgreSQL, gone after the session."""
    folder = tmp_path_factory.mktemp("slipring-data")
    ensure_running(folder)
    yield folder
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
async def department(data_dir: Path) -> AsyncIterator[Department]:
    """All four services and the front in this process, with a clock that stands still until it is moved."""
    async with open_department(data_dir, prefix=f"t{next(_NUMBERS)}_") as opened:
        yield opened


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The front and the four services as one real process, for clients that speak HTTP."""
    with running(tmp_path_factory.mktemp("slipring-served")) as server:
        yield server

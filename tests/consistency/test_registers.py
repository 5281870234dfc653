"""Registers under kill -9 of servers and database: nothing acknowledged is lost, forked, torn or out of order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from slipring.runtime.postgres import stop

from tests.consistency.judging import judge
from tests.consistency.run import consistency


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A database of its own, because it is killed."""
    yield tmp_path
    stop(tmp_path)


async def test_what_clients_were_told_is_what_is_stored(folder: Path) -> None:
    """A short run; `python -m tests.consistency 600` is a long one."""
    run = await consistency(folder, seconds=9)
    print(dict(run.tally), f"longest silence {run.longest_silence():.1f} s, back after {run.back_after()}")  # noqa: T201
    assert await judge(run) == []
    assert {"server killed", "database killed"} <= {what for _, what in run.killed}
    assert run.tally["versions"] > 10

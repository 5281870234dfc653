"""A quarter of a department: in order, no check finds anything; with the frozen faults, each is found or was refused."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from slipring.runtime.postgres import ensure_running, stop

from tests.support.department import open_department

from .clean import LOADED, SESSIONS, the_quarter
from .judged import carried_out
from .living import Quarter
from .loading import exceptions
from .papers import KINDS

RESULTS = Path(__file__).with_name("results.toml")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory of its own: what is signed in July needs an authority that was made by then."""
    folder = tmp_path_factory.mktemp("slipring-quarter")
    ensure_running(folder)
    yield folder
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
async def quarter(data_dir: Path) -> AsyncIterator[Quarter]:
    """The department after its quarter, in order."""
    first = datetime(2026, 7, 1, 1, tzinfo=UTC)
    async with open_department(data_dir, prefix="quarter_", at=first, shipped_exams=True) as department:
        yield await the_quarter(department)


@pytest.mark.clause("4.14.7")
async def test_of_a_quarter_in_order_no_record_is_flagged(quarter: Quarter) -> None:
    assert len(quarter.exams) == len(SESSIONS) * len(KINDS) and quarter.numbers == len(quarter.exams) + LOADED
    assert await exceptions(quarter.department) == {}


async def test_each_frozen_fault_is_found_or_refused_as_the_results_say_and_no_clean_record_is_flagged(
    quarter: Quarter,
) -> None:
    results = tomllib.loads(RESULTS.read_text(encoding="utf-8"))
    judged = await carried_out(quarter)
    assert judged.flagged == []
    assert judged.outcomes == {id: one["outcome"] for id, one in results["fault"].items()}
    assert judged.codes == {
        id: one.get("codes", []) for id, one in results["fault"].items() if one["outcome"] != "untried"
    }

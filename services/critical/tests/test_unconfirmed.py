"""What waits for the department's word: not what its own ladders, approved by two, stand in the place of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from slipring.fhir.service import Resource, Stored
from slipring_critical.directory.ical_lines import SHIPPED as ROSTER_IMPORT
from slipring_critical.directory.proving import SHIPPED as ROUTE_CHECK
from slipring_critical.settings import CriticalSettings
from slipring_critical.unconfirmed import unconfirmed

from tests.support.alerting import a_ladder, a_step
from tests.support.desk import A_NOON

SHIPPED_LADDERS = ["ladder.level-1", "ladder.level-2", "ladder.level-3", "ladder.level-1-CV-CT-15"]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLIPRING_LADDER", "SLIPRING_ROUTE_CHECK", "SLIPRING_ROSTER_IMPORT"):
        monkeypatch.delenv(name, raising=False)


def an_own(level: str = "1", **given: str) -> Resource:
    return a_ladder(a_step("fallback"), level=level, status="active", effectivePeriod={"start": "2026-01-01"}, **given)


def waiting(*own: Resource) -> list[str]:
    stored: Sequence[Stored] = [Stored(one, 1, A_NOON) for one in own]
    return [limit.id for limit in unconfirmed(A_NOON, stored)]


@pytest.mark.parametrize(
    ("own", "gone"),
    [
        ([], []),
        ([an_own("1")], ["ladder.level-1"]),
        ([an_own("1"), an_own("2")], ["ladder.level-1", "ladder.level-2"]),
        ([an_own("1", finding="CV-CT-15")], ["ladder.level-1-CV-CT-15"]),
        ([an_own("1", finding="CV-CT-07")], []),
        ([an_own("1", venue="Location/o-ward")], []),
        ([an_own("1", hour="night")], []),
        ([an_own("1", hour=hour) for hour in ("day", "night", "holiday")], ["ladder.level-1"]),
        ([{**an_own("1"), "effectivePeriod": {"start": "2026-04-01"}}], []),
        ([{**an_own("1"), "action": []}], []),
    ],
)
def test_a_shipped_ladder_waits_as_long_as_a_case_could_climb_it(own: list[Resource], gone: list[str]) -> None:
    assert [one for one in waiting(*own) if one.startswith("ladder")] == [
        one for one in SHIPPED_LADDERS if one not in gone
    ]


@pytest.mark.parametrize(
    ("shipped", "variable", "figures"),
    [
        (ROUTE_CHECK, "SLIPRING_ROUTE_CHECK", {"route-check.interval"}),
        (
            ROSTER_IMPORT,
            "SLIPRING_ROSTER_IMPORT",
            {"roster-import.horizon", "roster-import.most-shifts", "roster-import.shortest-number"},
        ),
    ],
)
def test_the_figures_of_a_file_wait_until_the_departments_own_says_that_they_are_confirmed(
    shipped: Path, variable: str, figures: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert figures <= set(waiting())
    own = tmp_path / "own.toml"
    own.write_text(shipped.read_text("utf-8").replace('confidence = "U"', 'confidence = "S"'), encoding="utf-8")
    monkeypatch.setenv(variable, str(own))
    assert not figures & set(waiting())


@pytest.mark.parametrize(
    ("written", "instead"),
    [("horizon-days = 190", ""), ("seconds = 10", "seconds = 9999"), ("seconds = 10", "seconds = true"), ('"DAILY"', '"OFTEN"')],
)  # fmt: skip
def test_bounds_that_bound_nothing_stop_the_start(written: str, instead: str, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(ROSTER_IMPORT.read_text("utf-8").replace(written, instead, 1), encoding="utf-8")
    with pytest.raises(ValueError, match="own"):
        CriticalSettings.from_env({"SLIPRING_ROSTER_IMPORT": str(own)})

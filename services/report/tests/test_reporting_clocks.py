"""How long a report may take: which clock is an exam's, from when it runs, and what stands beside its figure (5.8.1)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from slipring.rules.calendar import calendar
from slipring_report.clocks.deadline import Moments, deadline
from slipring_report.clocks.policy import SHIPPED, clock_for
from slipring_report.settings import ReportSettings

ZONE = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 3, 2)
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=ZONE)


@pytest.mark.clause("5.8.1")
@pytest.mark.parametrize(
    ("priority", "encounter", "code", "minutes"),
    [
        ("stat", "", "green-channel", 30),
        ("stat", "EMER", "green-channel", 30),
        ("asap", "AMB", "emergency", 120),
        ("routine", "EMER", "emergency", 120),
        ("urgent", "IMP", "inpatient", 360),
        ("routine", "AMB", "ordinary", 240),
        ("routine", "", "ordinary", 240),
    ],
)
def test_priority_and_encounter_choose_the_clock(priority: str, encounter: str, code: str, minutes: int) -> None:
    clock = clock_for(priority, encounter, DAY)
    assert (clock.code, clock.minutes) == (code, minutes)
    assert clock.source and clock.clause == "CL02-A011:5.8.1"
    assert clock.confirmed is (code in ("green-channel", "emergency")), "a figure read in its source needs no word"


@pytest.mark.clause("5.8.1")
def test_the_green_channel_runs_from_the_end_of_the_exam_and_the_emergency_from_its_start() -> None:
    exam = Moments(acquired=NINE, started=NINE - timedelta(minutes=20))
    green = deadline(clock_for("stat", "", DAY), exam, calendar(), ZONE)
    assert (green.since, green.due_at - NINE) == (NINE, timedelta(minutes=30))
    assert green.due_at - green.warn_at == timedelta(minutes=10)
    emergency = deadline(clock_for("asap", "", DAY), exam, calendar(), ZONE)
    assert emergency.due_at - NINE == timedelta(minutes=100)
    unsaid = deadline(clock_for("asap", "", DAY), Moments(acquired=NINE), calendar(), ZONE)
    assert unsaid.due_at - NINE == timedelta(minutes=120), "a start that nobody told is taken as the end"


def test_others_wait_for_working_hours_and_the_green_channel_for_none() -> None:
    evening = Moments(acquired=datetime(2026, 2, 14, 17, 0, tzinfo=ZONE))  # before the Spring Festival
    ordinary = deadline(clock_for("routine", "", DAY), evening, calendar(), ZONE)
    assert ordinary.due_at == datetime(2026, 2, 24, 11, 30, tzinfo=ZONE)
    assert ordinary.warn_at == datetime(2026, 2, 24, 10, 30, tzinfo=ZONE)
    green = deadline(clock_for("stat", "", DAY), evening, calendar(), ZONE)
    assert green.due_at == datetime(2026, 2, 14, 17, 30, tzinfo=ZONE)


def test_a_deadline_over_the_end_of_the_known_years_says_so() -> None:
    last = Moments(acquired=datetime(2026, 12, 31, 16, 0, tzinfo=ZONE))
    assert deadline(clock_for("routine", "", DAY), last, calendar(), ZONE).uncovered == (2027,)


def own_clocks(folder: Path, old: str, new: str) -> str:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    (folder / "clocks.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return str(folder / "clocks.toml")


def test_a_departments_own_figure_counts_and_is_confirmed(tmp_path: Path) -> None:
    file = own_clocks(tmp_path, "minutes = 240", "minutes = 200")
    settings = ReportSettings.from_env({"SLIPRING_REPORT_CLOCKS": file, "SLIPRING_SIGNING_TRUST": "x"})
    clock = clock_for("routine", "AMB", DAY, settings.clocks)
    assert (clock.minutes, clock.confirmed) == (200, True)
    assert not clock_for("routine", "AMB", DAY).confirmed


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('since = "acquired"', 'since = "sometime"', "since is one of acquired, started, requested"),
        ("warn = 10", "warn = 30", "warns before its end"),
        ('code = "ordinary"\n', 'code = "ordinary"\npriority = ["routine"]\n', "the last clock fits every exam"),
        ("minutes = 240", "minutes = 100000", "too few hours for the reporting clock ordinary"),
        ("minutes = 30", 'minutes = "half an hour"', "no reporting clocks"),
    ],
)
def test_a_file_that_holds_no_clocks_stops_the_start(tmp_path: Path, old: str, new: str, says: str) -> None:
    environ = {"SLIPRING_REPORT_CLOCKS": own_clocks(tmp_path, old, new), "SLIPRING_SIGNING_TRUST": "x"}
    with pytest.raises(ValueError, match=says):
        ReportSettings.from_env(environ)


def test_a_newer_policy_counts_for_the_exams_from_its_day_on(tmp_path: Path) -> None:
    later = (
        "[[policy]]\nfrom = 2026-06-01\n[[policy.clock]]"
        + SHIPPED.read_text(encoding="utf-8").rpartition("[[policy.clock]]")[2]
    )
    file = tmp_path / "clocks.toml"
    text = SHIPPED.read_text(encoding="utf-8") + later.replace("minutes = 240", "minutes = 300")
    file.write_text(text, encoding="utf-8")
    assert clock_for("routine", "", date(2026, 5, 31), str(file)).minutes == 240
    assert clock_for("routine", "", date(2026, 6, 1), str(file)).minutes == 300

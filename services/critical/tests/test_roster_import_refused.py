"""What a calendar file says that no roster can take is named event by event, and nothing of it is stored."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from slipring_critical.directory.ical_lines import SHIPPED

from tests.support.calendars import a_calendar, a_department, an_event, answered, faults, issues
from tests.support.on_call import refusal


@pytest.mark.clause("5.9.1")
async def test_everything_that_is_not_known_is_named_event_by_event_and_nothing_is_stored() -> None:
    department = await a_department()
    good = an_event("good", "20260303T080000", "20260303T200000")
    hours = ("20260303T080000", "20260303T200000")
    said = await faults(
        department,
        a_calendar(good, an_event("u1", *hours, who="gone@hospital.test"), an_event("u2", *hours, who="7"),
                   an_event("u3", *hours, who="Anne Meyer / 王小明"),
                   an_event("u4", *hours, "ATTENDEE;PARTSTAT=DECLINED:mailto:bob@hospital.test")),
    )  # fmt: skip
    assert [(one.split(": ")[0], one.split(": ")[1][:9]) for one in said] == [
        ("Line 10 (UID u1)", "It is not"), ("Line 16 (UID u2)", "It is not"),
        ("Line 22 (UID u3)", "More than"), ("Line 28 (UID u4)", "An attend"),
    ]  # fmt: skip
    [said] = await faults(department, a_calendar(good, an_event("d", *hours, who="dora")), persons={"dora": "dora"})
    assert said.startswith("Line 10 (UID d): There is no route by which this person is rung on call 2026-03-03 08:00")
    assert "Anne" not in said
    assert await refusal(answered(department, a_calendar(good), by="anne")) == [("critical.roster-keeper", "Slot")]


_SHIFT = ("20260303T080000", "20260303T200000")


@pytest.mark.parametrize(
    ("text", "says", "code"),
    [
        ("", "This is no calendar", "calendar"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR", "This is no calendar", "calendar"),
        (a_calendar(an_event("a", *_SHIFT)) * 2, "This is no calendar", "calendar"),
        (a_calendar(an_event("a", *_SHIFT, "no line at all")), "Line 9: This is no line", "line"),
        (a_calendar(an_event("a", *_SHIFT)).replace("VEVENT", "VTODO"), "Line 4: A roster takes events (VEVENT), not VTODO", "component"),
        (a_calendar(an_event("", *_SHIFT)), "Line 4: The event has no UID", "uid"),
        (a_calendar(an_event("a", *_SHIFT), an_event("a", *_SHIFT)), "Line 10 (UID a): This UID is given twice", "uid-twice"),
        (a_calendar(an_event("a", "2026-03-03", "x")), "Line 4 (UID a): DTSTART is missing or", "property"),
        (a_calendar("UID:a|SUMMARY:T-104"), "Line 4 (UID a): DTSTART is missing", "property"),
        (a_calendar(an_event("a", *_SHIFT, zone="Mars/Base")), "Line 4 (UID a): The time zone is not known: DTSTART Mars/Base", "zone"),
        (a_calendar(an_event("a", *_SHIFT, "RRULE:FREQ=SECONDLY")), "Line 4 (UID a): RRULE: this FREQ", "rule"),
        (a_calendar(an_event("a", *_SHIFT, "RRULE:FREQ=DAILY;BYHOUR=8,20")), "Line 4 (UID a): RRULE: this BYHOUR", "rule"),
        (a_calendar(an_event("a", *_SHIFT, "RRULE:FREQ=NEVER")), "Line 4 (UID a): RRULE is missing or cannot be read", "property"),
        (a_calendar(an_event("a", *reversed(_SHIFT))), "Line 4 (UID a): It ends after it begins", "hours"),
        (a_calendar(an_event("a", "20260303T080000Z", "20260303T090000")), "Line 4 (UID a): It ends after it begins", "hours"),
        (a_calendar(an_event("a", "20260303T080000", "20260403T080000")), "Line 4 (UID a): It ends after it begins", "hours"),
        (a_calendar(*(an_event(f"e{n}", *_SHIFT) for n in range(501))), "Line 3004: There are more than 500 events", "events"),
        (a_calendar(*(an_event(f"e{n}", *_SHIFT, "RRULE:FREQ=DAILY") for n in range(7))), "There are more than 1000 shifts", "shifts"),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_told_at_its_line(text: str, says: str, code: str) -> None:
    told = await issues(await a_department(), text or " ")
    said = [one.en for one in told if one.detail == f"critical.import-{code}"]
    assert any(says in one for one in said), told
    assert all("…" not in one.en + one.zh for one in told), "what is meant is named"


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "FREQ=DAILY;INTERVAL=7;BYDAY=MO"]
)  # fmt: skip
async def test_a_rule_that_never_comes_true_holds_nobody_up(rule: str, tmp_path: Path) -> None:
    department = await a_department()
    events = [an_event(f"e{n}", "20260303T080000", "20260303T200000", f"RRULE:{rule}") for n in range(400)]
    own = tmp_path / "roster_import.toml"
    own.write_text(re.sub(r"(?m)^seconds = \d+", "seconds = 1", SHIPPED.read_text("utf-8")), encoding="utf-8")
    department.desk.settings = replace(department.desk.settings, roster_import=str(own))
    begun = time.monotonic()
    said = await faults(department, a_calendar(*events))
    assert time.monotonic() - begun < 10
    assert "Reading took too long" in said[-1] and "UID e" in said[-1], said

"""A calendar file becomes the shifts of a roster: people, zones, repetition; and the same file again changes nothing."""

from __future__ import annotations

import base64

import pytest

from tests.support.calendars import a_calendar, a_department, an_event, answered, faults, imported, slots
from tests.support.on_call import a_shift, refusal

_SHIFT = ("20260303T080000", "20260303T200000")
_TRUE = {"valueBoolean": True}


@pytest.mark.clause("5.9.1")
async def test_a_file_is_stored_once_changes_what_it_says_anew_and_touches_nothing_else() -> None:
    department = await a_department()
    await department.written(a_shift("carl", "2026-03-03T00:00:00Z", "2026-03-03T08:00:00Z"))
    week = an_event("w@x", "20260303T080000", "20260303T200000", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260304T080000")
    one = an_event("o@x", "20260310T000000Z", "20260310T120000Z", who="bob@hospital.test")
    by_hand = ("busy", "carl", "03-03T00:00", "03-03T08:00")

    paper = await imported(department, a_calendar(week, one), dryRun=_TRUE)
    assert [shift["action"] for shift in paper] == ["create"] * 3
    assert slots(department) == [by_hand], "a dry run stores nothing"

    await imported(department, a_calendar(week, one))
    kept = [
        ("busy", "anne", "03-03T00:00", "03-03T12:00"),
        ("busy", "anne", "03-05T00:00", "03-05T12:00"),
        ("busy", "bob", "03-10T00:00", "03-10T12:00"),
        by_hand,
    ]
    assert slots(department) == kept
    versions = {name: one.version for name, one in department.desk.held.items() if name.startswith("Slot/")}
    again = await imported(department, a_calendar(week, one))
    assert [shift["action"] for shift in again] == ["unchanged"] * 3
    assert versions == {name: one.version for name, one in department.desk.held.items() if name.startswith("Slot/")}

    moved = an_event("w@x", "20260305T100000", "20260305T200000", "RECURRENCE-ID:20260305T080000")
    called_off = an_event("o@x", "20260310T000000Z", "20260310T120000Z", "STATUS:CANCELLED", who="Nobody known")
    told = await imported(department, a_calendar(week, moved, called_off))
    assert [shift["action"] for shift in told] == ["unchanged", "update", "withdraw"]
    assert slots(department)[:3] == [
        ("busy", "anne", "03-03T00:00", "03-03T12:00"),
        ("busy", "anne", "03-05T02:00", "03-05T12:00"),
        by_hand,
    ]
    other = an_event("p@x", "20260311T000000Z", "20260311T120000Z")
    assert [shift["action"] for shift in await imported(department, a_calendar(other))] == ["create"]
    told = await imported(department, a_calendar(other), complete=_TRUE)
    assert [shift["action"] for shift in told] == ["withdraw", "withdraw", "unchanged"]
    assert [one for one in slots(department) if one[0] == "busy"] == [
        ("busy", "anne", "03-11T00:00", "03-11T12:00"),
        by_hand,
    ]


@pytest.mark.clause("5.9.1")
async def test_the_gaps_that_it_leaves_are_told_beforehand_and_who_is_rung_is_whom_it_names() -> None:
    department = await a_department()
    today = a_calendar(
        an_event("a", "20260302T120000", "20260302T180000"), an_event("b", "20260303T000000", "20260303T080000")
    )
    answer = await answered(department, today, dryRun=_TRUE)
    [gap] = [one["part"] for one in answer["parameter"] if one["name"] == "gap"]
    assert [part.get("valueInstant", part.get("valueCode")) for part in gap] == [
        "2026-03-02T10:00:00.000+00:00", "2026-03-02T16:00:00.000+00:00", "nobody-on-call",
    ]  # fmt: skip
    await imported(department, today)
    assert ("nobody-on-call", "03-02T10:00", "03-02T16:00") in department.gaps


@pytest.mark.clause("5.9.1")
async def test_both_days_on_which_the_clock_jumps_have_the_right_instants() -> None:
    """At two it was three on the 29th of March; an hour after two it was two again on the 25th of October."""
    department = await a_department("Europe/Berlin")
    night = an_event("n", "20260327T200000", "20260328T080000", "RRULE:FREQ=DAILY;COUNT=3", zone="Europe/Berlin")
    exact = "|".join(["UID:d", "DTSTART:20260328T200000", "DURATION:PT12H", "SUMMARY:T-104"])
    day = "|".join(["UID:a", "DTSTART;VALUE=DATE:20260329", "SUMMARY:王小明 值班"])
    told = await imported(department, a_calendar(night, exact, day))
    assert [(one["event"][0], one["start"][5:16], one["end"][5:16]) for one in told] == [
        ("n", "03-27T19:00", "03-28T07:00"),
        ("n", "03-28T19:00", "03-29T06:00"),  # eleven hours, to eight on the wall
        ("d", "03-28T19:00", "03-29T07:00"),  # twelve
        ("a", "03-28T23:00", "03-29T22:00"),  # a day of 23 hours
        ("n", "03-29T18:00", "03-30T06:00"),
    ]

    department = await a_department("Europe/Berlin")
    department._set_clock(department.desk.now.replace(month=10, day=20))
    night = an_event("n", "20261024T200000", "20261025T080000", zone="Europe/Berlin")
    twice = an_event("t", "20261025T023000", "20261025T100000")
    told = await imported(department, a_calendar(night, twice))
    assert [(one["event"], one["start"][5:16], one["end"][5:16]) for one in told] == [
        ("n", "10-24T18:00", "10-25T07:00"),  # thirteen hours
        ("t", "10-25T00:30", "10-25T09:00"),  # the first of the two
    ]


async def test_a_local_time_that_does_not_exist_is_told_where_it_stands() -> None:
    department = await a_department("Europe/Berlin")
    early = an_event("e@x", "20260327T023000", "20260327T100000", "RRULE:FREQ=DAILY;COUNT=4", zone="Europe/Berlin")
    [said] = await faults(department, a_calendar(early))
    assert said == "Line 4 (UID e@x): The clock jumps over this local time: 2026-03-29T02:30 Europe/Berlin."
    without = f"{early}|EXDATE;TZID=Europe/Berlin:20260329T023000"
    assert len(await imported(department, a_calendar(without))) == 3


async def test_all_day_events_begin_when_the_department_hands_over() -> None:
    department = await a_department()
    day = "|".join(["UID:a", "DTSTART;VALUE=DATE:20260303", "SUMMARY:T-104", "RRULE:FREQ=DAILY;COUNT=2"])
    await imported(department, a_calendar(day), allDayFrom={"valueTime": "08:00:00"})
    assert [one[2:] for one in slots(department)] == [("03-03T00:00", "03-04T00:00"), ("03-04T00:00", "03-05T00:00")]


@pytest.mark.clause("5.9.1")
async def test_who_is_meant() -> None:
    department = await a_department()
    says = {
        "ANNE@hospital.test": "anne",
        "Nacht: Anne Meyer": "anne",
        "T-104 Nacht": "anne",  # and not 104
        "Dienst (104)": "carl",
        "王小明夜班": "bob",  # and not 王小
        "Reserve A": "carl",
        "radio-1@hospital.test": "bob",
    }
    events = [
        an_event(f"e{place}", f"202603{place + 10}T080000", f"202603{place + 10}T100000", who=words)
        for place, words in enumerate(says)
    ]
    told = await imported(
        department, a_calendar(*events), persons={"reserve a": "carl", "radio-1@hospital.test": "bob"}
    )
    assert [one["person"]["reference"].rpartition("-")[2] for one in told] == list(says.values())

    room = "ATTENDEE;CUTYPE=ROOM:mailto:room@x"
    both = an_event("two", "20260401T080000", "20260401T100000", "ATTENDEE:mailto:bob@hospital.test", room)
    assert len(await imported(department, a_calendar(both))) == 2


async def test_a_file_comes_in_either_of_three_ways_and_only_once() -> None:
    department = await a_department()
    text = a_calendar(an_event("a", *_SHIFT))
    encoded = base64.b64encode(b"\xef\xbb\xbf" + text.encode()).decode()
    binary = {"resourceType": "Binary", "contentType": "text/calendar", "data": encoded}
    assert len(await imported(department, "", binary={"resource": binary})) == 1
    assert (await imported(department, "", file={"valueBase64Binary": encoded}))[0]["action"] == "unchanged"
    assert await refusal(answered(department, text, file={"valueBase64Binary": encoded})) == [
        ("critical.import-file", "Parameters.parameter[1]")
    ]
    assert await refusal(answered(department, "")) == [
        ("critical.import-file", "Parameters.parameter.where(name='text')")
    ]
    for wrong in ("%%%", base64.b64encode(b"\xff\xfe").decode()):
        assert await refusal(answered(department, "", file={"valueBase64Binary": wrong})) == [
            ("critical.import-encoding", "Parameters.parameter[0]")
        ]
    assert await refusal(answered(department, "x" * 524_289)) == [("critical.import-size", "Parameters.parameter[0]")]
    assert await refusal(answered(department, text, allDayFrom={"valueTime": "noon"})) == [
        ("critical.import-all-day", "Parameters.parameter[1]")
    ]

"""Codes on the worklist: none is cut short, because a code that is cut is another code (PS3.3 table 8.8-1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from slipring_order.dicom.entry import Entry, coded
from slipring_order.rooms.step import ScheduledStep

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)


def an_entry(code: str, protocol: str) -> Entry:
    step = ScheduledStep(
        "Task/o-s", "S1", "1.2.3", "C1", "Task/o-e", "ServiceRequest/o-r", "Patient/o-p", "Device/o-d", NOW,
        NOW + timedelta(minutes=15), protocol, "Chest without contrast", "routine", "accepted", "Appointment/o-a",
    )  # fmt: skip
    request = {"code": {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": "CT"}]}}
    return Entry(step, "CT1", {}, request, {}, {}, {}, NOW)


@pytest.mark.parametrize("protocol", ["o-protocol-chest-none-adult", "o-protocol-chest-with-adult"])
def test_a_long_code_is_told_whole(protocol: str) -> None:
    [item] = coded("ScheduledProtocolCodeSequence", an_entry("169069000", f"PlanDefinition/{protocol}"))
    assert item["LongCodeValue"] == protocol
    assert "CodeValue" not in item


def test_a_code_of_at_most_sixteen_characters_is_a_code_value() -> None:
    for code, keyword in (("169069000", "CodeValue"), ("900000000000207008", "LongCodeValue")):
        [item] = coded("RequestedProcedureCodeSequence", an_entry(code, ""))
        assert {name: text for name, text in item.items() if text == code} == {keyword: code}

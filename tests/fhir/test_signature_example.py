"""The example by which a receiver checks our signature does what it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.delivery.signature import Secret, read, rotated, signed, written

from tests.architecture.tree import ROOT


@pytest.fixture
def now() -> datetime:
    """The example judges by the clock of the machine: the moment of the test, not of its collection."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def genuine() -> Any:
    page = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
    [example] = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "def genuine" in block]
    names: dict[str, Any] = {}
    exec(example, names)
    return names["genuine"]


def test_a_signature_of_ours_is_known_by_either_secret_and_nothing_else_is(genuine: Any, now: datetime) -> None:
    secrets = rotated([Secret("old"), Secret("older", now)], "new", now + timedelta(hours=1))
    signature, body = signed(secrets, b'{"a": 1}', now), b'{"a": 1}'
    assert signature.count("v1=") == 2
    assert genuine(signature, body, "new") and genuine(signature, body, "old")
    assert not genuine(signature, body, "older")
    assert not genuine(signature, b'{"a": 2}', "new")
    assert not genuine(signature.replace("t=", "t=1"), body, "new")
    for garbage in ("", "t=", "t=²", "v1=", "t=x,v1=y", "t=" + "9" * 30 + ",v1=1"):
        assert not genuine(garbage, body, "new")


def test_an_old_notification_is_not_taken_again(genuine: Any, now: datetime) -> None:
    past = signed([Secret("s")], b"", now - timedelta(hours=1))
    assert not genuine(past, b"", "s")
    assert genuine(past, b"", "s", tolerance_seconds=7200)


def test_the_secret_before_signs_until_its_time_is_over(now: datetime) -> None:
    secrets = rotated([Secret("old")], "new", now)
    assert signed(secrets, b"", now - timedelta(seconds=1)).count("v1=") == 2
    assert signed(secrets, b"", now).count("v1=") == 1
    assert signed([], b"", now) == ""


@given(st.lists(st.builds(Secret, st.text(max_size=40), st.none() | st.datetimes(timezones=st.just(UTC))), max_size=3))
def test_what_is_written_is_read_again(secrets: list[Secret]) -> None:
    assert read(written(secrets)) == secrets
    assert read("") == []

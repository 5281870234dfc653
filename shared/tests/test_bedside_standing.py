"""What a Consent is worth on the pages beside the patient, and when something happened that is typed as a time of day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from slipring.bedside.ending import ended
from slipring.bedside.standing import EXCEPTION, consent_state
from slipring.bedside.typed_time import time_typed
from slipring.fhir.outcome import FhirError

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
CHINA = ZoneInfo("Asia/Shanghai")


def a_consent(kind: str = "permit", *, hours: int = 24, since: int = -1, **members: Any) -> dict[str, Any]:
    period = {"start": (NOW + timedelta(hours=since)).isoformat(), "end": (NOW + timedelta(hours=hours)).isoformat()}
    return {"status": "active", "provision": {"type": kind, "period": period}, **members}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("consent", "state"),
    [
        (None, "none"),
        (a_consent(), "given"),
        (a_consent(hours=0), "expired"),
        (a_consent(since=1), "not-yet"),
        (a_consent("deny"), "refused"),
        (a_consent(extension=[{"url": EXCEPTION}]), "exception"),
        (a_consent(extension=[{"url": EXCEPTION}], hours=0), "expired"),
        (a_consent(status="inactive"), "withdrawn"),
        (a_consent(status="proposed"), "begun"),
    ],
)
def test_only_what_somebody_consented_to_and_is_in_force_is_said_to_be_given(
    consent: dict[str, Any] | None, state: str
) -> None:
    assert consent_state(consent, NOW) == state


@pytest.mark.parametrize(
    ("typed", "now", "said"),
    [
        ("", "2026-03-02T14:04:00+08:00", "2026-03-02T14:04:00+08:00"),
        ("14:00", "2026-03-02T14:04:00+08:00", "2026-03-02T14:00:00+08:00"),
        ("14:10", "2026-03-02T14:04:00+08:00", "2026-03-02T14:10:00+08:00"),
        ("23:58", "2026-03-02T00:05:00+08:00", "2026-03-01T23:58:00+08:00"),
        ("00:01", "2026-03-02T00:05:00+08:00", "2026-03-02T00:01:00+08:00"),
    ],
)
def test_a_time_that_is_typed_after_midnight_is_of_the_night_before(typed: str, now: str, said: str) -> None:
    assert time_typed(typed, datetime.fromisoformat(now), CHINA, at="ended") == datetime.fromisoformat(said)


def test_an_injection_that_ended_before_midnight_is_recorded_after_it_as_it_was() -> None:
    running = {"effectiveDateTime": "2026-03-01T23:55:00+08:00", "status": "in-progress"}
    just_after = datetime.fromisoformat("2026-03-02T00:05:00+08:00")
    assert ended(running, {"ended": "23:58"}, just_after, CHINA)["effectivePeriod"] == {
        "start": "2026-03-01T23:55:00+08:00",
        "end": "2026-03-01T23:58:00+08:00",
    }
    with pytest.raises(FhirError):
        ended(running, {"ended": "25:00"}, just_after, CHINA)

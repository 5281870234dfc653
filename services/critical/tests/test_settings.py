"""The knobs of the service."""

from __future__ import annotations

import pytest
from slipring_critical.settings import CriticalSettings


@pytest.mark.parametrize(
    ("environ", "link"),
    [
        ({}, "http://127.0.0.1:8100/fhir"),
        ({"SLIPRING_URL": "https://ct.test/"}, "https://ct.test/fhir"),
        (
            {"SLIPRING_URL": "https://ct.test", "SLIPRING_PUBLIC_URL": "https://door.test/fhir/"},
            "https://door.test/fhir",
        ),
    ],
)
def test_links_lead_to_the_front_unless_told_otherwise(environ: dict[str, str], link: str) -> None:
    assert CriticalSettings.from_env(environ).public_url == link


def test_the_rest_is_read_by_name() -> None:
    found = CriticalSettings.from_env(
        {"SLIPRING_FALLBACK_ROUTE": "https://desk.test", "SLIPRING_CHANNEL_TIMEOUT_SECONDS": "2"}
    )

    assert (found.fallback_route, found.channel_timeout_seconds) == ("https://desk.test", 2.0)

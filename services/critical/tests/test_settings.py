"""The knobs of the service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from slipring_critical.directory.proving import SHIPPED, rhythm
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


@pytest.mark.parametrize("said", ["digits = 4", "tries = 0", 'interval-days = "often"'])
def test_a_rhythm_that_proves_nothing_is_refused_at_the_start(said: str, tmp_path: Path) -> None:
    name = said.partition(" ")[0]
    lines = SHIPPED.read_text("utf-8").splitlines()
    file = tmp_path / "route_check.toml"
    file.write_text("\n".join([*(line for line in lines if not line.startswith(name)), said]), encoding="utf-8")
    with pytest.raises(ValueError, match=name):
        rhythm(str(file))
    assert replace(rhythm(), tries=1).confirmed is False

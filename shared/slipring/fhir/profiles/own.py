"""The extensions that every service writes."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.profiles.profile import read_profiles

BETWEEN_SERVICES = read_profiles(Path(__file__).parent / "own.toml")

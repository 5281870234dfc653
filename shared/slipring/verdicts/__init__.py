"""Clauses that prove themselves: for each row of the register a verdict from the records, with its exceptions and its inputs."""

from pathlib import Path

from slipring.fhir.profiles import read_profiles

PROFILES = read_profiles(Path(__file__).with_name("profiles.toml"))

"""Profiles and extensions of our own: written as data, checked against resources, served as StructureDefinitions."""

from slipring.fhir.profiles.profile import Profile, read_profiles
from slipring.fhir.profiles.registry import declare, profile, profiles

__all__ = ["Profile", "declare", "profile", "profiles", "read_profiles"]

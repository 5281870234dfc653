"""What a subscriber may be told: what its client may read, judged by the rights that stand with its lane. Pure."""

from __future__ import annotations

from slipring.fhir.access import reaches, shows
from slipring.fhir.caller import Caller
from slipring.fhir.delivery.notification import Fields
from slipring.fhir.topics.hearing import Version


def subscriber(lane: Fields) -> Caller:
    """Who asked for this subscription last; lanes from before rights were kept hear what everybody may read."""
    scopes = frozenset(lane["scopes"]) if lane["client"] else frozenset({"system/*.r"})
    return Caller(lane["client"], scopes, lane["practitioner"] or None, lane["patient"] or None)


def may_be_told(caller: Caller, version: Version | None) -> bool:
    """Whether he may read this version: his scopes reach it, and it is shown to him (unreleased reports are not)."""
    if version is None:
        return False
    return shows(caller, version.audience) and reaches(caller, "r", version.tree, version.zone)

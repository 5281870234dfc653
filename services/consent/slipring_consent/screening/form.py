"""The screening questionnaire as this service ships it."""

from __future__ import annotations

import json
from functools import cache

from slipring.fhir.service import Resource

from slipring_consent.catalogue import read_data

QUESTIONNAIRE_ID = "c-contrast-screening-1"


@cache
def _questionnaire_text() -> str:
    return read_data("contrast-screening.json")


def questionnaire() -> Resource:
    """The screening questionnaire in its current version, a fresh tree."""
    tree: Resource = json.loads(_questionnaire_text())
    return tree


def questionnaire_canonical() -> str:
    """The questionnaire's canonical URL with its version."""
    tree = questionnaire()
    return f"{tree['url']}|{tree['version']}"

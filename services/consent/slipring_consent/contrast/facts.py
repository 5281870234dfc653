"""What is known about one dose of contrast before it is given: reads FHIR, facts out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slipring_consent.contrast.agents import Coding


@dataclass(frozen=True, slots=True)
class ContrastFacts:
    """The agent of one administration, as it is coded."""

    agent: tuple[Coding, ...] = ()


def contrast_facts(agent: Iterable[Coding]) -> ContrastFacts:
    """The facts of one dose."""
    return ContrastFacts(tuple(agent))

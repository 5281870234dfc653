"""How many signatures a report takes, and what each signer must be allowed to do (`data/chains.toml`; CL02-A011:5.6.1)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import Resource

from slipring_report.settings import ReportSettings
from slipring_report.vocabulary import REVIEW_FLAG

_BY_LENGTH: Mapping[int, str] = {2: "two", 3: "three"}


@dataclass(frozen=True, slots=True)
class Chain:
    """The acts of the signatures, in their order; the last one releases."""

    acts: tuple[str, ...]

    @property
    def length(self) -> int:
        """How many people sign."""
        return len(self.acts)

    def act(self, number: int) -> str:
        """What the n-th signer must be allowed to do."""
        return self.acts[min(number, self.length) - 1]


def chain_of(report: Resource, settings: ReportSettings) -> Chain:
    """The chain of a report: three levels for a flagged case, else as long as the department has it."""
    return named("flagged" if review_flags(report) else _BY_LENGTH[settings.chain_length])


def named(name: str) -> Chain:
    """A chain of the data file."""
    return Chain(tuple(_file()["chain"][name]["acts"]))


def review_flags(report: Resource) -> set[str]:
    """The tags of a report that ask for the third level."""
    tags = report.get("meta", {}).get("tag", [])
    return {str(tag.get("code")) for tag in tags if tag.get("system") == REVIEW_FLAG} & set(
        _file()["review-flag"]["codes"]
    )


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parents[1] / "data" / "chains.toml").read_text("utf-8"))

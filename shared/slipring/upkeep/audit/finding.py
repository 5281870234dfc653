"""What a verification found, by the kinds that `kinds.toml` lists with their texts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit: its kind, what it is about, and what exactly differs."""

    schema: str
    kind: str
    about: str  # "audit 17", "seal 4", "Patient/o-1/_history/2"
    differs: str = ""

    @property
    def grave(self) -> bool:
        """Whether it means that something was changed; else it only has to be known."""
        return bool(kinds()[self.kind]["grave"])

    @property
    def told(self) -> bool:
        """Whether it is only said, such as that a backup was restored once."""
        return bool(kinds()[self.kind].get("told"))

    def text(self) -> str:
        """One line, in English and Chinese."""
        told = kinds()[self.kind]
        detail = f" ({self.differs})" if self.differs else ""
        return f"{self.schema}: {self.about}: {told['en']}{detail} {told['zh']}"

    def tree(self) -> dict[str, str | bool]:
        """As `--json` gives it."""
        return {
            "schema": self.schema,
            "kind": self.kind,
            "about": self.about,
            "differs": self.differs,
            "grave": self.grave,
            "text": kinds()[self.kind]["en"],
        }


@dataclass(slots=True)
class SchemaReport:
    """What one schema holds and how far it is sealed."""

    schema: str
    rows: int = 0
    seals: int = 0
    versions: int = 0
    last_seal: int = 0
    last_sha256: str = ""
    sealed_until: str = ""
    unsealed: int = 0
    findings: list[Finding] = field(default_factory=list)

    def found(self, kind: str, about: str, differs: str = "") -> None:
        """Name something."""
        self.findings.append(Finding(self.schema, kind, about, differs))

    def tree(self) -> dict[str, Any]:
        """As `--json` gives it; number and hash of the last seal are the anchor."""
        return {
            "rows": self.rows,
            "seals": self.seals,
            "versions": self.versions,
            "last_seal": {"number": self.last_seal, "sha256": self.last_sha256, "sealed_at": self.sealed_until},
            "unsealed": self.unsealed,
            "findings": [finding.tree() for finding in self.findings],
        }


@cache
def kinds() -> Mapping[str, Mapping[str, Any]]:
    """Every kind of finding."""
    with Path(__file__).with_name("kinds.toml").open("rb") as file:
        found: Mapping[str, Mapping[str, Any]] = tomllib.load(file)["kind"]
        return found

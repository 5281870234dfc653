"""The roles with their scopes, read from `roles.toml`: what a person or a system may do. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

ADMINISTER = "slipring/administer"
OVERSEE = "slipring/oversee"


@dataclass(frozen=True, slots=True)
class Role:
    """One role; `days` limits how long an account that holds it may run."""

    code: str
    name: tuple[str, str]  # Chinese, English
    scopes: tuple[str, ...]
    emergency: tuple[str, ...]  # what break-glass adds
    confidence: str
    days: int | None = None
    clinical: bool = True
    person: bool = True

    @property
    def confirmed(self) -> bool:
        """Whether a source states it; otherwise the department is asked to confirm."""
        return self.confidence == "S"


@dataclass(frozen=True, slots=True)
class RoleTable:
    """All roles of one date."""

    version: str
    dated: date
    source: str
    emergency_lasts: timedelta
    roles: Mapping[str, Role]
    rights: Mapping[str, tuple[str, str]]  # an extra scope in words, Chinese and English

    def people(self) -> list[Role]:
        """The roles that a person may hold."""
        return [role for role in self.roles.values() if role.person]

    def of(self, codes: Iterable[str]) -> list[Role]:
        """The roles behind an account's codes; a code that the table no longer knows grants nothing."""
        return [self.roles[code] for code in codes if code in self.roles]

    def scopes(self, codes: Iterable[str], *, emergency: bool = False) -> list[str]:
        """Everything these roles allow together."""
        held = self.of(codes)
        found = [scope for role in held for scope in role.scopes]
        if emergency:
            found += [scope for role in held for scope in role.emergency]
        return list(dict.fromkeys(found))


@cache
def the_roles() -> RoleTable:
    """The shipped table."""
    return read_roles(tomllib.loads((Path(__file__).parent / "roles.toml").read_text(encoding="utf-8")))


def read_roles(data: Mapping[str, Any]) -> RoleTable:
    """The table behind its TOML; a role that is `like` a pattern takes its scopes, without those it names in `not`."""
    entries: dict[str, dict[str, Any]] = {code: entry for code, entry in data.items() if isinstance(entry, dict)}
    roles = {
        code: _role(code, entries[entry["like"]] | entry if "like" in entry else entry)
        for code, entry in entries.items()
        if not entry.get("pattern")
    }
    lasts = timedelta(minutes=data["emergency_minutes"])
    rights = {right["scope"]: (right["zh"], right["en"]) for right in data["right"]}
    return RoleTable(str(data["version"]), data["dated"], str(data["source"]), lasts, roles, rights)


def _role(code: str, entry: Mapping[str, Any]) -> Role:
    without = set(entry.get("not", ()))
    return Role(
        code=code,
        name=(entry["zh"], entry["en"]),
        scopes=tuple(scope for scope in entry["scopes"] if scope not in without),
        emergency=tuple(entry["emergency"]),
        confidence=entry["confidence"],
        days=entry.get("days"),
        clinical=entry.get("clinical", True),
        person=entry.get("for", "person") == "person",
    )

"""The signing policy and the reasons of refusal, read from their data files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

Role = Literal["author", "reviewer", "chief"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a signature is refused: a stable code and both languages."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a role's signature says (ASTM E1762), e.g. `Author's Signature`."""

    system: str
    code: str
    zh: str
    en: str


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))


@cache
def reason(code: str) -> Reason:
    """The reason with this code; an unknown code is a mistake in the program."""
    entry = _read("reasons.toml")[code]
    return Reason(code, entry["zh"], entry["en"])


@cache
def purpose(role: str) -> Purpose:
    """What the signature of this role declares."""
    table = _read("policy.toml")["purpose"]
    entry = table[role]
    return Purpose(table["system"], entry["code"], entry["zh"], entry["en"])


def allowed_algorithms() -> tuple[str, ...]:
    """The algorithms allowed unless a department says otherwise."""
    return tuple(_read("policy.toml")["algorithms"]["allowed"])


def smallest_rsa_bits() -> int:
    """How long the modulus of an RSA key must be."""
    return int(_read("policy.toml")["keys"]["rsa_bits"])


def weak_hashes() -> frozenset[str]:
    """The digests that prove nothing under a certificate any more."""
    return frozenset(_read("policy.toml")["keys"]["weak_hashes"])


def clock_tolerance() -> timedelta:
    """How far the signer's clock may be off."""
    return timedelta(seconds=_read("policy.toml")["clock"]["tolerance_seconds"])


def lifetime(kind: Literal["root", "issuing", "practitioner"]) -> timedelta:
    """How long a new certificate is valid."""
    return timedelta(days=_read("policy.toml")["certificate"][f"{kind}_days"])


def revocation_reasons() -> Mapping[str, Mapping[str, str]]:
    """Why a certificate of a person may be taken back: X.509's codes with names in both languages."""
    reasons: Mapping[str, Mapping[str, str]] = _read("policy.toml")["revocation"]
    return reasons


def ending_soon() -> timedelta:
    """How long before a certificate ends its holder is told."""
    return timedelta(days=_read("policy.toml")["certificate"]["warned_days"])


def list_lifetime() -> timedelta:
    """Until when a new revocation list promises the next one."""
    return timedelta(days=_read("policy.toml")["certificate"]["list_days"])


def longest_chain() -> int:
    """How many certificates a chain may have."""
    return int(_read("policy.toml")["certificate"]["max_chain"])
